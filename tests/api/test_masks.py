"""The mask engine over HTTP: every operation, its errors by place, and its limits."""

import base64
import io
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy.orm import Session

from app import masks as engine
from app.api import bodies
from app.api import masks as routes
from app.models import User
from app.services.annotations import shapes
from tests.build import make_user
from tests.conftest import ApiClient

SQUARE = [1, 1, 3, 1, 3, 3, 1, 3]
RLE = {"size": [4, 4], "counts": "52203"}


@pytest.fixture
def api(session: Session, client_for: Callable[[User], ApiClient]) -> ApiClient:
    return client_for(make_user(session))


def ask(api: ApiClient, op: str, *items: Any, query: str = "") -> Any:
    answer = api.post(f"/api/masks/{op}{query}", json={"items": list(items)})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def png(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_polygons_with_and_without_holes(api: ApiClient) -> None:
    outer = [0, 0, 4, 0, 4, 4, 0, 4]
    found = ask(
        api,
        "from-polygons",
        {"size": [4, 4], "polygons": [SQUARE]},
        {"size": [4, 4], "polygons": [outer], "holes": [SQUARE]},
        {"size": [2, 3], "polygons": [outer, SQUARE], "holes": None},
    )
    assert found[0] == RLE
    assert ask(api, "area", *found) == [4, 12, 6]


def test_boxes(api: ApiClient) -> None:
    assert ask(api, "from-bbox", {"size": [4, 4], "bbox": [1, 1, 2, 2]}) == [RLE]


def test_measures(api: ApiClient) -> None:
    uncompressed = {"size": [4, 4], "counts": [5, 2, 2, 2, 5]}
    assert ask(api, "area", RLE, uncompressed) == [4, 4]
    assert ask(api, "bbox", RLE, uncompressed) == [[1, 1, 2, 2]] * 2


@pytest.mark.parametrize("intersect", [False, True])
def test_merging(api: ApiClient, intersect: bool) -> None:
    other = {"size": [4, 4], "counts": [0, 8, 8]}
    item = {"masks": [RLE, other], "intersect": intersect}
    merged = ask(api, "merge", item, {"masks": [RLE]})
    assert ask(api, "area", *merged) == [2 if intersect else 10, 4]


def test_unions_and_intersections_in_turn(api: ApiClient) -> None:
    other = {"size": [4, 4], "counts": [0, 8, 8]}
    items = [
        {"masks": [RLE, other], "intersect": True},
        {"masks": [RLE, other]},
        {"masks": [{"size": [1, 2], "counts": [0, 2]}] * 3, "intersect": True},
        {"masks": [other], "intersect": False},
    ]
    assert ask(api, "area", *ask(api, "merge", *items)) == [2, 10, 2, 8]
    wrong = {"masks": [RLE, other, {"size": [2, 8], "counts": [16]}], "intersect": True}
    for items_with in ([wrong, *items], [*items, wrong], [items[0], wrong, items[1]]):
        answer = api.post("/api/masks/merge", json={"items": items_with})
        loc = ["body", "items", items_with.index(wrong), "masks", 2, "size"]
        assert problem(answer) == (422, "size_mismatch", loc)


def test_iou_of_masks_and_of_boxes(api: ApiClient) -> None:
    whole = {"size": [4, 4], "counts": [0, 16]}
    found = ask(
        api,
        "iou",
        {"dt": [RLE, whole], "gt": [whole], "iscrowd": [0]},
        {"dt": [RLE], "gt": [whole], "iscrowd": [1]},
        {"dt": [[0, 0, 2, 2]], "gt": [[1, 1, 2, 2], [5, 5, 1, 1]]},
        {"dt": [], "gt": [RLE]},
    )
    assert found == [[[0.25], [1.0]], [[1.0]], [[1 / 7, 0.0]], []]


@pytest.mark.parametrize("holes", ["seams", "apart"])
def test_tracing_gives_polygons_of_the_same_pixels(api: ApiClient, holes: str) -> None:
    frame = ask(api, "encode", {"mask": [[1, 1, 1], [1, 0, 1], [1, 1, 1]]})[0]
    traced = ask(api, "to-polygons", frame | {"holes": holes}, RLE)
    assert [outline["iou"] for outline in traced] == [1, 1]
    assert bool(traced[0]["holes"]) == (holes == "apart")
    drawn = [
        {"size": rle["size"], "polygons": outline["polygons"], "holes": outline["holes"]}
        for rle, outline in zip([frame, RLE], traced, strict=True)
    ]
    assert ask(api, "from-polygons", *drawn) == [frame, RLE]


def test_items_with_different_tolerances_keep_their_order(api: ApiClient) -> None:
    triangle = ask(api, "from-polygons", {"size": [60, 60], "polygons": [[5, 5, 50, 20, 10, 55]]})[
        0
    ]
    tolerances = [0, 3, 0, 1]
    traced = ask(api, "to-polygons", *({**triangle, "tolerance": t} for t in tolerances))
    points = [len(outline["polygons"][0]) for outline in traced]
    assert points[0] == points[2] > points[3] > points[1]


bitmaps = st.integers(0, 7).flatmap(
    lambda width: st.lists(st.lists(st.booleans(), min_size=width, max_size=width), max_size=7)
)


@given(st.lists(bitmaps.filter(lambda rows: rows != []), max_size=3))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_decode_is_the_inverse_of_encode(
    api: ApiClient, given_rows: list[list[list[bool]]]
) -> None:
    rows = [[[int(v) for v in row] for row in mask] for mask in given_rows]
    encoded = ask(api, "encode", *({"mask": mask} for mask in rows))
    assert [item["mask"] for item in ask(api, "decode", *encoded)] == rows
    full = [(rle, mask) for rle, mask in zip(encoded, rows, strict=True) if mask[0]]
    pictures = ask(api, "decode", *(rle for rle, _ in full), query="?as=png")
    assert ask(api, "encode", *pictures) == [rle for rle, _ in full]


@pytest.mark.parametrize(
    "picture",
    [
        Image.fromarray(np.array([[0, 255], [1, 0]], np.uint8)),
        Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8) * 255).convert("1"),
        Image.fromarray(np.array([[0, 40_000], [1, 0]], np.uint16)),
        Image.fromarray(np.array([[[0, 0, 0], [0, 9, 0]], [[1, 0, 0], [0, 0, 0]]], np.uint8)),
        Image.fromarray(
            np.array([[[9, 9, 9, 0], [9, 9, 9, 1]], [[1, 0, 0, 255], [0, 0, 0, 255]]], np.uint8)
        ),
        Image.fromarray(np.array([[[9, 0], [9, 1]], [[1, 255], [0, 255]]], np.uint8), "LA"),
    ],
    ids=["L", "1", "I;16", "RGB", "RGBA", "LA"],
)
def test_pictures_of_every_mode(api: ApiClient, picture: Image.Image) -> None:
    found = ask(api, "encode", {"png": png(picture)})
    assert ask(api, "decode", *found) == [{"mask": [[0, 1], [1, 0]]}]


def test_a_picture_with_a_palette_is_read_by_its_indices(api: ApiClient) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 255, 255, 0, 0, 0])
    picture.putpixel((1, 0), 1)
    assert ask(api, "decode", *ask(api, "encode", {"png": png(picture)})) == [{"mask": [[0, 1]]}]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


BOMB = base64.b64encode(
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0" * 1_000_000))
    + chunk(b"IEND", b"")
).decode()
GOOD_PNG = png(Image.new("L", (4, 4), 1))
TRUNCATED = base64.b64encode(base64.b64decode(GOOD_PNG)[:45]).decode()


NOISE = png(Image.fromarray(np.indices((6, 6)).sum(axis=0).astype(np.uint8) % 2 * 255))


def problem(answer: httpx.Response) -> tuple[int, str, list[Any]]:
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    first = body["errors"][0] if body["errors"] else {"loc": []}
    return answer.status_code, body["code"], first["loc"]


POLYGON = {"size": [4, 4], "polygons": [SQUARE]}


@pytest.mark.parametrize(
    ("op", "bad", "code", "loc"),
    [
        ("from-polygons", {**POLYGON, "polygons": [SQUARE, [1, 2, 3, 4]]},
         "polygon_too_few_points", ["polygons", 1]),
        ("from-polygons", {**POLYGON, "polygons": [[1, 2, 3, 4, 5, 6, 7]]},
         "polygon_odd_numbers", ["polygons", 0]),
        ("from-polygons", {**POLYGON, "polygons": []}, "polygon_missing", ["polygons"]),
        ("from-polygons", {**POLYGON, "polygons": [[1, 2, 3, 4, 5, True]]},
         "polygon_invalid", ["polygons", 0]),
        ("from-polygons", {**POLYGON, "holes": [[0, 0, 1, 1]]},
         "polygon_too_few_points", ["holes", 0]),
        ("from-polygons", {**POLYGON, "polygons": [[0, 0, 1, 1, 1e8, 2]]},
         "polygon_too_large", ["polygons", 0]),
        ("from-polygons", {**POLYGON, "size": [4]}, "size_invalid", ["size"]),
        ("from-polygons", {**POLYGON, "size": [70_000, 70_000]}, "image_too_large", ["size"]),
        ("from-polygons", {**POLYGON, "size": 4}, "invalid", ["size"]),
        ("from-polygons", {**POLYGON, "colour": 1}, "invalid", ["colour"]),
        ("from-polygons", {"size": [4, 4]}, "invalid", ["polygons"]),
        ("from-bbox", {"size": [4, 4], "bbox": [1, 2, 3]}, "bbox_invalid", ["bbox"]),
        ("area", {"size": [4, 4], "counts": "52204"}, "rle_overrun", ["counts"]),
        ("area", {"size": [4, 4], "counts": [3]}, "rle_short", ["counts"]),
        ("bbox", {"size": [4, 4], "counts": "~"}, "rle_charset", ["counts"]),
        ("decode", {"size": [4, 4], "counts": ""}, "rle_empty", ["counts"]),
        ("to-polygons", {**RLE, "tolerance": -1}, "invalid", ["tolerance"]),
        ("to-polygons", {**RLE, "holes": "maybe"}, "invalid", ["holes"]),
        ("merge", {"masks": [RLE, {"size": [2, 2], "counts": [4]}]}, "size_mismatch",
         ["masks", 1, "size"]),
        ("merge", {"masks": [RLE, {**RLE, "counts": None}]}, "rle_invalid",
         ["masks", 1, "counts"]),
        ("merge", {"masks": []}, "merge_invalid", ["masks"]),
        ("iou", {"dt": [RLE], "gt": [RLE], "iscrowd": [2]}, "iscrowd_invalid", []),
        ("iou", {"dt": [RLE], "gt": [RLE], "iscrowd": []}, "iscrowd_invalid", []),
        ("iou", {"dt": [RLE], "gt": [[1, 2, 3, 4]]}, "bbox_invalid", ["dt", 0, "bbox"]),
        ("iou", {"dt": [[1, 2, 3, 4]], "gt": [[1, 2, 3, 4], [1, 2, 3]]}, "bbox_invalid",
         ["gt", 1, "bbox"]),
        ("iou", {"dt": [RLE], "gt": [RLE, 5]}, "rle_invalid", ["gt", 1]),
        ("iou", {"dt": [RLE], "gt": [{"size": [2, 2], "counts": [4]}]}, "size_mismatch",
         ["size"]),
        ("encode", {}, "bitmap_invalid", []),
        ("encode", {"mask": [[1]], "png": GOOD_PNG}, "bitmap_invalid", []),
        ("encode", {"mask": [[1], [1, 0]]}, "bitmap_invalid", ["mask"]),
        ("encode", {"mask": [1, 0]}, "bitmap_invalid", ["mask"]),
        ("encode", {"mask": [[[1]]]}, "bitmap_invalid", ["mask"]),
        ("encode", {"mask": [["a"]]}, "bitmap_invalid", ["mask"]),
        ("encode", {"mask": [[None]]}, "bitmap_invalid", ["mask"]),
        ("encode", {"mask": [[10**30]]}, "bitmap_invalid", ["mask"]),
        ("encode", {"png": "not base64"}, "png_invalid", ["png"]),
        ("encode", {"png": base64.b64encode(b"GIF89a").decode()}, "png_invalid", ["png"]),
        ("encode", {"png": TRUNCATED}, "png_invalid", ["png"]),
    ],
)  # fmt: skip
def test_an_invalid_item_is_named(
    api: ApiClient, op: str, bad: object, code: str, loc: list[Any]
) -> None:
    good = {
        "from-polygons": POLYGON,
        "from-bbox": {"size": [4, 4], "bbox": [1, 1, 2, 2]},
        "merge": {"masks": [RLE]},
        "iou": {"dt": [RLE], "gt": [RLE]},
        "encode": {"mask": [[1]]},
    }.get(op, RLE)
    answer = api.post(f"/api/masks/{op}", json={"items": [good, good, good, bad]})
    found_loc = ["body", "items", 3, *loc]
    assert problem(answer)[:2] == (422, code)
    assert problem(answer)[2][: len(found_loc)] == found_loc
    assert api.post(f"/api/masks/{op}", json={"items": [good]}).status_code == 200


def test_nan_is_refused(api: ApiClient) -> None:
    body = json.dumps({"items": [{**POLYGON, "polygons": [[0, 0, float("nan"), 1, 2, 2]]}]})
    headers = {"Content-Type": "application/json"}
    answer = api.post("/api/masks/from-polygons", content=body, headers=headers)
    assert problem(answer) == (422, "polygon_not_finite", ["body", "items", 0, "polygons", 0])


def test_a_mask_without_pixels_has_no_picture(api: ApiClient) -> None:
    body = {"items": [RLE, {"size": [0, 3], "counts": [0]}]}
    answer = api.post("/api/masks/decode?as=png", json=body)
    assert problem(answer) == (422, "png_empty", ["body", "items", 1])
    assert ask(api, "decode", *body["items"])[1] == {"mask": []}


@pytest.mark.parametrize(
    ("op", "body"),
    [
        ("decode", {"items": [{"size": [5000, 5000], "counts": [25_000_000]}]}),
        ("decode?as=png", {"items": [{"size": [10_000, 10_000], "counts": [100_000_000]}]}),
        ("encode", {"items": [{"png": BOMB}]}),
    ],
)
def test_what_would_fill_the_memory_is_too_large(api: ApiClient, op: str, body: object) -> None:
    answer = api.post(f"/api/masks/{op}", json=body)
    assert problem(answer)[:2] == (413, "too_large")


@pytest.mark.parametrize(
    ("limit", "op", "item", "code"),
    [
        ("MAX_NUMBERS", "area", RLE, "too_large"),
        ("MAX_NUMBERS", "bbox", {"size": [4, 4], "counts": [5, 2, 2, 2, 5]}, "too_large"),
        ("MAX_NUMBERS", "decode", RLE, "too_large"),
        ("MAX_NUMBERS", "to-polygons", RLE, "too_large"),
        ("MAX_NUMBERS", "merge", {"masks": [RLE]}, "too_large"),
        ("MAX_NUMBERS", "iou", {"dt": [RLE], "gt": []}, "too_large"),
        ("MAX_NUMBERS", "from-polygons", POLYGON, "too_large"),
        ("MAX_NUMBERS", "encode", {"mask": [[0, 1], [1, 0], [0, 1]]}, "too_large"),
        ("MAX_NUMBERS", "encode", {"png": NOISE}, "too_large"),
        ("MAX_MASKS", "merge", {"masks": [RLE] * 5}, "too_large"),
        ("MAX_MASKS", "iou", {"dt": [RLE] * 4, "gt": [RLE]}, "too_large"),
        ("MAX_MASKS", "iou", {"dt": [[0, 0, 1, 1]] * 4, "gt": [[0, 0, 1, 1]]}, "too_large"),
        ("MAX_POLYGONS", "from-polygons", {**POLYGON, "polygons": [SQUARE] * 5}, "too_large"),
        ("MAX_POLYGONS", "from-polygons", {**POLYGON, "holes": [SQUARE] * 4}, "too_large"),
        ("MAX_CROSSINGS", "from-polygons", {**POLYGON, "polygons": [SQUARE] * 2},
         "polygon_too_complex"),
        ("MAX_CROSSINGS", "from-bbox", {"size": [4, 4], "bbox": [0, 0, 3, 3]},
         "polygon_too_complex"),
        ("MAX_CROSSINGS", "to-polygons", {**RLE, "counts": [0, 16], "tolerance": 0.5},
         "too_large"),
        ("MAX_ROWS", "encode", {"mask": [[]] * 5}, "too_large"),
        ("MAX_ROW_PIXELS", "decode", RLE, "too_large"),
        ("MAX_PNG_PIXELS", "decode?as=png", RLE, "too_large"),
        ("MAX_PNG_PIXELS", "encode", {"png": NOISE}, "too_large"),
        ("MAX_IOU_PAIRS", "iou", {"dt": [RLE] * 4, "gt": [RLE] * 4}, "too_large"),
        ("MAX_IOU_RUNS", "iou", {"dt": [RLE], "gt": [RLE]}, "too_large"),
        ("MAX_TRACED_RUNS", "to-polygons", RLE, "too_large"),
    ],
)  # fmt: skip
def test_the_limits_of_a_request(
    api: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    op: str,
    item: dict[str, Any],
    code: str,
) -> None:
    assert api.post(f"/api/masks/{op}", json={"items": [item]}).status_code == 200
    monkeypatch.setattr(routes if hasattr(routes, limit) else shapes, limit, 4)
    answer = api.post(f"/api/masks/{op}", json={"items": [item]})
    assert problem(answer)[:2] == (413 if code == "too_large" else 422, code)


@pytest.mark.parametrize(
    ("limit", "most"),
    [
        ("MAX_IOU_ITEMS", 1),
        ("MAX_IOU_PAIRS", 1),
        ("MAX_IOU_RUNS", 10),
        ("MAX_NUMBERS", 10),
        ("MAX_MASKS", 2),
    ],
)
def test_the_limits_hold_for_all_items_together(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    monkeypatch.setattr(routes, limit, most)
    item = {"dt": [RLE], "gt": [RLE]}
    ask(api, "iou", item)
    answer = api.post("/api/masks/iou", json={"items": [item, item]})
    assert problem(answer)[:2] == (413, "too_large")


def test_too_many_tolerances(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [{**RLE, "tolerance": tolerance} for tolerance in (0, 0.5, 1)]
    assert len(ask(api, "to-polygons", *items, *items)) == 6
    monkeypatch.setattr(routes, "MAX_TOLERANCES", 2)
    answer = api.post("/api/masks/to-polygons", json={"items": items})
    assert problem(answer)[:2] == (413, "too_large")


@pytest.mark.parametrize("op", ["area", "merge"])
def test_too_many_items(api: ApiClient, op: str) -> None:
    item = {"merge": {"masks": [RLE]}}.get(op, RLE)
    answer = api.post(f"/api/masks/{op}", json={"items": [item] * (routes.MAX_ITEMS + 1)})
    assert problem(answer) == (422, "invalid", ["body", "items"])


def test_rows_without_pixels_count_like_pixels(api: ApiClient) -> None:
    """Four billion empty rows are twelve gigabytes of brackets."""
    item = {"size": [2**32 - 1, 0], "counts": [0]}
    assert problem(api.post("/api/masks/decode", json={"items": [item]}))[:2] == (413, "too_large")
    assert ask(api, "decode", {"size": [2, 0], "counts": [0]}) == [{"mask": [[], []]}]


def test_many_faults_are_told_as_one(api: ApiClient) -> None:
    """A list of errors as long as the body would take a thousand times its memory."""
    answer = api.post("/api/masks/area", json={"items": [1] * 1000})
    assert len(answer.json()["errors"]) == 1
    answer = api.post("/api/masks/merge", json={"items": [{"masks": [1] * 1000}]})
    assert problem(answer) == (422, "rle_invalid", ["body", "items", 0, "masks", 0])
    heap = {**RLE, **dict.fromkeys(map(str, range(1000)), 1)}
    answer = api.post("/api/masks/area", json={"items": [heap]})
    assert len(answer.json()["errors"]) == 1
    assert problem(answer) == (422, "invalid", ["body", "items", 0])


def send(api: ApiClient, op: str, text: str | bytes) -> tuple[int, str, list[Any]]:
    headers = {"Content-Type": "application/json"}
    return problem(api.post(f"/api/masks/{op}", content=text, headers=headers))


@pytest.mark.parametrize(
    ("op", "text", "status", "code"),
    [
        ("area", '{"items":[{"size":[NaN,4],"counts":[16]}]}', 422, "size_invalid"),
        ("area", '{"items":[{"size":[4,4],"counts":[Infinity]}]}', 422, "rle_invalid"),
        ("area", '{"items":[{"size":[4,4],"counts":[-Infinity,1]}]}', 422, "rle_invalid"),
        ("area", '{"items":[{"size":[4,4],"counts":[1e999]}]}', 422, "rle_invalid"),
        ("area", '{"items":[{"size":[4,4],"counts":[1%s]}]}' % ("0" * 400), 422, "rle_overrun"),
        ("area", '{"items":[{"size":[4,4],"counts":[1%s]}]}' % ("0" * 5000), 400, "malformed"),
        ("area", '{"items":[{"size":[true,4],"counts":[4]}]}', 422, "size_invalid"),
        ("area", '{"items":[{"size":["4","4"],"counts":[16]}]}', 422, "size_invalid"),
        ("area", '{"items":[{"size":[4,4],"counts":[true,15]}]}', 422, "rle_invalid"),
        ("area", '{"items":[{"size":[4,4],"counts":["16"]}]}', 422, "rle_invalid"),
        ("area", '{"items":[{"size":[4,4],"counts":%s}]}' % ("[" * 500 + "]" * 500), 422,
         "rle_invalid"),
        ("area", '{"items":' + "[" * 100_000, 400, "malformed"),
        ("area", '{"items":' + "[" * 100_000 + "]" * 100_000 + "}", 400, "malformed"),
        ("area", '{"items":{"0":{"size":[4,4],"counts":[16]}}}', 422, "invalid"),
        ("area", "[]", 422, "invalid"),
        ("area", "null", 422, "invalid"),
        ("area", b'{"items":["\xff"]}', 400, "malformed"),
        ("encode", '{"items":[{"mask":%s}]}' % ("[" * 500 + "]" * 500), 422, "bitmap_invalid"),
        ("encode", '{"items":[{"mask":[["%s",""]]}]}' % ("x" * 1000), 422, "bitmap_invalid"),
        ("encode", '{"items":[{"mask":[[NaN]]}]}', 422, "bitmap_invalid"),
        ("encode", '{"items":[{"mask":"10"}]}', 422, "bitmap_invalid"),
        ("encode", '{"items":[{"png":"\\ud800"}]}', 422, "png_invalid"),
        ("from-bbox", '{"items":[{"size":[4,4],"bbox":[1,1,"2",2]}]}', 422, "bbox_invalid"),
        ("from-bbox", '{"items":[{"size":[4,4],"bbox":[1,1,true,2]}]}', 422, "bbox_invalid"),
        ("from-bbox", '{"items":[{"size":[4,4],"bbox":[1,1,1e400,2]}]}', 422, "bbox_not_finite"),
        ("from-polygons", '{"items":[{"size":[4,4],"polygons":[[0,0,1,0,"1",1]]}]}', 422,
         "polygon_invalid"),
        ("from-polygons", '{"items":[{"size":[4,4],"polygons":[[0,0,1,0,1,1]],"holes":5}]}', 422,
         "polygon_invalid"),
        ("from-polygons", '{"items":[{"size":[4,4],"polygons":{"0":[0,0,1,0,1,1]}}]}', 422,
         "polygon_invalid"),
        ("from-polygons", '{"items":[{"size":[4,4],"polygons":"abcdef"}]}', 422,
         "polygon_invalid"),
        ("merge", '{"items":[{"masks":[],"intersect":"true"}]}', 422, "invalid"),
        ("iou", '{"items":[{"dt":[],"gt":[],"iscrowd":["%s",""]}]}' % ("x" * 1000), 422,
         "iscrowd_invalid"),
        ("iou", '{"items":[{"dt":{"size":[4,4]},"gt":[]}]}', 422, "invalid"),
        ("to-polygons", '{"items":[{"size":[4,4],"counts":[16],"tolerance":"1"}]}', 422,
         "invalid"),
        ("to-polygons", '{"items":[{"size":[4,4],"counts":[16],"tolerance":true}]}', 422,
         "invalid"),
        ("to-polygons", '{"items":[{"size":[4,4],"counts":[16],"tolerance":NaN}]}', 422,
         "invalid"),
        ("to-polygons", '{"items":[{"size":[4,4],"counts":[16],"tolerance":1%s}]}' % ("0" * 400),
         422, "invalid"),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)  # fmt: skip
def test_json_that_means_harm(
    api: ApiClient, op: str, text: str | bytes, status: int, code: str
) -> None:
    assert send(api, op, text)[:2] == (status, code)


def test_of_members_with_the_same_name_the_last_counts(api: ApiClient) -> None:
    """As in every reader of JSON that keeps one of them; nothing is computed from the others."""
    text = '{"items":[{"size":[4,4],"size":[2,2],"counts":[9],"counts":[1,3]}]}'
    headers = {"Content-Type": "application/json"}
    answer = api.post("/api/masks/area", content=text, headers=headers)
    assert answer.json() == {"items": [3]}


def test_every_limit_is_documented(api: ApiClient) -> None:
    page = (Path(__file__).parents[2] / "docs" / "masks-http.md").read_text()
    told = api.get("/openapi.json").text
    limits = [getattr(routes, name) for name in dir(routes) if name.startswith("MAX_")]
    limits += [shapes.MAX_CROSSINGS, shapes.MAX_CROSSINGS // 2, shapes.MAX_TRACED_RUNS]
    assert len(limits) > 10
    for limit in limits:
        assert f"{limit:,}" in page
        assert f"{limit:,}" in told
    assert f"{bodies.MAX_GEOMETRY_BYTES:,} bytes" in page
    assert f"{engine.MAX_COORDINATE:,.0f}" in page


OPS = ["from-polygons", "from-bbox", "encode", "decode", "area", "bbox", "merge", "iou",
       "to-polygons"]  # fmt: skip


@pytest.mark.parametrize("op", OPS)
def test_no_items_give_no_items(api: ApiClient, op: str) -> None:
    assert ask(api, op) == []


@pytest.mark.parametrize("op", OPS)
def test_nobody_computes_without_signing_in(client: ApiClient, op: str) -> None:
    assert client.post(f"/api/masks/{op}", json={"items": []}).status_code == 401


def test_an_unknown_operation(api: ApiClient) -> None:
    assert api.post("/api/masks/xor", json={"items": []}).status_code == 404
