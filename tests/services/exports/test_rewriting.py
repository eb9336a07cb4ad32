"""Exports in other forms: the pixels stay, whatever a segmentation is written as."""

import doctest
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import masks
from app.context import AppContext
from app.models import Annotation, Dataset, Image
from app.services.annotations import annotations, shapes
from app.services.annotations.shapes import Json
from app.services.exports import covering, rewriting
from app.services.exports.exports import ExportOptions, export_file, snapshot
from tests.build import make_annotation, make_category, make_dataset, make_image, make_user
from tests.build.coco import annotation, coco, numbers_as_text, to_bytes
from tests.services.exporting import put_in
from tests.shared_data import SHARED_DATA

SIZE = (6, 8)
RING = [[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]]
COMMITTED = Path(__file__).parents[2] / "data" / "coco" / "instances.json"
LARGE = SHARED_DATA / "coco-large" / "instances_union.json"


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session)


@pytest.fixture
def text_of(context: AppContext, session: Session, dataset: Dataset) -> Callable[..., bytes]:
    """The exported file."""

    def run(**options: Any) -> bytes:
        session.commit()
        with snapshot(context.sessions) as own:
            return b"".join(
                export_file(own, dataset_id=dataset.id, options=ExportOptions(**options))
            )

    return run


@pytest.fixture
def exported(text_of: Callable[..., bytes]) -> Callable[..., dict[Any, dict[str, Any]]]:
    """The exported annotations by their ids."""

    def run(**options: Any) -> dict[Any, dict[str, Any]]:
        return {one["id"]: one for one in json.loads(text_of(**options))["annotations"]}

    return run


Exported = Callable[..., dict[Any, dict[str, Any]]]


def rle_of(bitmap: Any, *, at: tuple[int, int] = (0, 0), size: tuple[int, int] = SIZE) -> Any:
    """An RLE of the bitmap placed at a row and column of an image."""
    whole, part = np.zeros(size, np.uint8), np.array(bitmap, np.uint8)
    whole[at[0] : at[0] + part.shape[0], at[1] : at[1] + part.shape[1]] = part
    return masks.to_dicts(masks.encode(whole))[0]


def pixels(record: dict[str, Any], size: tuple[int, int] = SIZE) -> Any:
    """The pixels of a record with a segmentation, none for an empty one."""
    value = record["segmentation"]
    return masks.decode(masks.from_segmentations([value], list(size)))[0]


def square(x: float, y: float, side: float) -> list[list[float]]:
    return [[x, y, x + side, y, x + side, y + side, x, y + side]]


KINDS: list[dict[str, Any]] = [
    annotation(id=1, segmentation=square(1, 1, 3), attributes={"colour": "red"}),
    annotation(id=2, segmentation=square(0.5, 0.5, 4), iscrowd=1),
    annotation(id=3, segmentation=rle_of(RING, at=(1, 1)), iscrowd=0),
    annotation(id=4, segmentation=rle_of(RING), iscrowd=1),
    annotation(id=5, segmentation=rle_of(RING), iscrowd=...),
    annotation(id=6, segmentation=square(1, 1, 3), iscrowd=...),
    annotation(id=7, segmentation=[]),
    annotation(id=8, segmentation=..., iscrowd=1),
    annotation(id=9, segmentation=square(1, 1, 3)[0]),
    annotation(id=10, segmentation=square(2, 2, 2), iscrowd=True),
]


@pytest.mark.parametrize(
    ("mode", "as_masks", "crowds"),
    [
        ("stored", {3, 4, 5}, {2, 4, 8, 10}),
        ("guess", {2, 4, 5, 10}, {2, 4, 8, 10}),
        ("polygons", set(), {8}),
        ("mask", {1, 2, 3, 4, 5, 6, 9, 10}, {1, 2, 3, 4, 5, 6, 8, 9, 10}),
    ],
)
def test_each_mode(
    context: AppContext,
    dataset: Dataset,
    exported: Exported,
    mode: str,
    as_masks: set[int],
    crowds: set[int],
) -> None:
    put_in(context, dataset, coco(*KINDS))
    found = exported(segmentation=mode)
    assert {key for key, one in found.items() if isinstance(one.get("segmentation"), dict)} == (
        as_masks
    )
    assert {key for key, one in found.items() if one.get("iscrowd")} == crowds
    for before in KINDS:
        after = found[before["id"]]
        assert {k: v for k, v in after.items() if k not in ("segmentation", "iscrowd")} == {
            k: v for k, v in before.items() if k not in ("segmentation", "iscrowd")
        }
        if not before.get("segmentation"):
            assert after == before, "a box stays a box"
        elif before["id"] != 9:
            assert (pixels(after) == pixels(before)).all()
    # What was read generously is written as it was read, but for what is kept.
    flat = found[9]["segmentation"]
    assert flat == (square(1, 1, 3)[0] if mode == "stored" else flat)
    if mode in ("guess", "polygons"):
        assert flat == square(1, 1, 3)


def test_what_has_the_form_keeps_its_text(
    context: AppContext, dataset: Dataset, text_of: Callable[..., bytes]
) -> None:
    text = to_bytes(coco(annotation(id=1, segmentation=["@"], area=2), licenses=[]))
    text = text.replace(b'"@"', b"[1.0, 1, 3.50, 1e0, 3.5, 4]")
    put_in(context, dataset, text)
    for mode in ("guess", "polygons"):
        assert numbers_as_text(text_of(segmentation=mode)) == numbers_as_text(text)
    told = numbers_as_text(text)
    after = numbers_as_text(text_of(segmentation="mask"))
    for file in (told, after):
        del file["annotations"][0]["segmentation"], file["annotations"][0]["iscrowd"]
    assert told == after


def test_a_region_of_stuff_is_a_mask_and_no_crowd(
    context: AppContext, dataset: Dataset, exported: Exported
) -> None:
    put_in(context, dataset, coco(KINDS[0], KINDS[2]), task="stuff")
    found = exported(task="stuff", segmentation="guess")
    assert all(isinstance(one["segmentation"], dict) for one in found.values())
    assert [one["iscrowd"] for one in found.values()] == [0, 0]
    assert exported(task="stuff", segmentation="polygons")[3]["segmentation"] != []


@pytest.mark.parametrize("crowd", [True, 1])
def test_an_attribute_can_say_that_it_is_a_crowd(
    context: AppContext, dataset: Dataset, exported: Exported, crowd: Any
) -> None:
    one = annotation(segmentation=square(1, 1, 3), attributes={"is_crowd": crowd})
    put_in(context, dataset, coco(one))
    found = exported(segmentation="guess")[1]
    assert isinstance(found["segmentation"], dict)
    assert found["iscrowd"] == 1


def test_holes_become_seams(
    context: AppContext, session: Session, dataset: Dataset, exported: Exported
) -> None:
    put_in(context, dataset, coco(annotation(segmentation=square(0, 0, 6))))
    found = session.scalars(select(Annotation)).one()
    annotations.change_annotation(
        session,
        annotation=found,
        user=make_user(session),
        fields={"holes": Json.of(square(2, 2, 2))},
        expected=None,
    )
    stored = exported()[1]
    assert isinstance(stored["segmentation"], dict)
    assert stored["area"] == 32
    polygons = exported(segmentation="polygons")[1]
    assert len(polygons["segmentation"]) == 1
    assert (pixels(polygons) == pixels(stored)).all()


_bitmaps = st.integers(0, 2**30 - 1).map(
    lambda bits: np.array([bits >> place & 1 for place in range(30)], np.uint8).reshape(5, 6)
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(bitmaps=st.lists(_bitmaps.filter(lambda bitmap: bitmap.any()), min_size=1, max_size=4))
def test_polygons_of_any_mask_are_the_same_pixels(
    context: AppContext, session: Session, bitmaps: list[Any]
) -> None:
    own = make_dataset(session)
    put_in(
        context,
        own,
        coco(*(annotation(id=n, segmentation=rle_of(b)) for n, b in enumerate(bitmaps, start=1))),
    )
    with snapshot(context.sessions) as shot:
        options = ExportOptions(segmentation="polygons")
        file = json.loads(b"".join(export_file(shot, dataset_id=own.id, options=options)))
    for record, bitmap in zip(file["annotations"], bitmaps, strict=True):
        assert isinstance(record["segmentation"], list)
        assert (pixels(record)[:5, :6] == bitmap).all()


def test_an_empty_mask_has_no_polygon(
    context: AppContext, dataset: Dataset, exported: Exported
) -> None:
    put_in(context, dataset, coco(annotation(segmentation=rle_of([[0]]), area=0)))
    assert exported(segmentation="polygons")[1]["segmentation"] == []


def test_what_is_too_intricate_stays(
    context: AppContext, dataset: Dataset, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "MAX_CROSSINGS", 7)
    monkeypatch.setattr(shapes, "MAX_TRACED_RUNS", 3)
    zigzag = [[0, 0, 7, 1, 0, 2, 7, 3, 0, 4, 7, 5]]
    records = [
        annotation(id=1, segmentation=zigzag),
        annotation(id=2, segmentation=square(0, 0, 2)),
        annotation(id=3, segmentation=rle_of([[1, 0, 1], [0, 1, 0]])),
        annotation(id=4, segmentation=rle_of([[1]])),
    ]
    put_in(context, dataset, coco(*records))
    found = exported(segmentation="mask")
    assert (found[1], type(found[2]["segmentation"])) == (records[0], dict)
    found = exported(segmentation="polygons")
    assert (found[3], type(found[4]["segmentation"])) == (records[2], list)


# Covered parts ---------------------------------------------------------------------------------


def test_what_is_covered_is_cut_away(
    context: AppContext, dataset: Dataset, exported: Exported
) -> None:
    records = [
        annotation(id=1, segmentation=square(0, 0, 4), area=16, bbox=[0, 0, 4, 4]),
        annotation(id=2, segmentation=rle_of(np.ones((4, 4)), at=(2, 2)), area=16),
        annotation(id=3, segmentation=square(6, 0, 1), area=1.0),
        annotation(id=4, segmentation=[], bbox=[0, 0, 8, 6]),
        annotation(id=5, segmentation=square(3, 3, 1), area=1),
    ]
    put_in(context, dataset, coco(*records))
    found = exported(crop_covered=True)
    # The second one covers a quarter of the first; the fifth lies within both and cuts no hole.
    assert isinstance(found[1]["segmentation"], list)
    assert (found[1]["area"], found[1]["bbox"]) == (12, [0, 0, 4, 4])
    assert pixels(found[1]).sum() == 12
    assert not (pixels(found[1]) & pixels(found[2])).any()
    assert {key: found[key] for key in (2, 3, 4, 5)} == {r["id"]: r for r in records[1:]}
    coded = exported(crop_covered=True, segmentation="mask")[1]
    assert (pixels(coded) == pixels(found[1])).all()
    assert coded["iscrowd"] == 1


def test_what_is_covered_wholly_has_nothing_left(
    context: AppContext, dataset: Dataset, exported: Exported
) -> None:
    records = [
        annotation(id=1, segmentation=square(1, 1, 2)),
        annotation(id=2, segmentation=rle_of([[1]])),
        annotation(id=3, segmentation=square(0, 0, 5)),
    ]
    put_in(context, dataset, coco(*records))
    found = exported(crop_covered=True)
    assert (found[1]["segmentation"], found[1]["area"]) == ([], 0)
    assert (pixels(found[2]).sum(), found[2]["area"]) == (0, 0)
    assert found[3] == records[2]


def test_images_are_cut_each_for_itself(
    context: AppContext, dataset: Dataset, exported: Exported
) -> None:
    images = [
        {"id": key, "file_name": f"{key}.jpg", "width": 8, "height": 6} for key in range(1, 121)
    ]
    # Annotations come in the order of a file that goes through its images twice.
    below = [
        annotation(id=key, image_id=key, segmentation=square(0, 0, 4)) for key in range(1, 121)
    ]
    above = [
        annotation(id=key + 200, image_id=key, segmentation=square(2, 0, 4))
        for key in range(1, 121, 2)
    ]
    put_in(context, dataset, coco(*below, *above, images=images))
    found = exported(crop_covered=True)
    assert len(found) == 180
    assert {key for key, one in found.items() if one["area"] == 8} == set(range(1, 121, 2))
    numbered = exported(crop_covered=True, ids="reindex")
    assert sorted(numbered) == list(range(1, 181))
    assert {one["image_id"] for one in numbered.values()} == set(range(1, 121))


def test_the_example_of_covering() -> None:
    assert doctest.testmod(covering).failed == 0


_layers = st.lists(_bitmaps, min_size=2, max_size=5)


@settings(max_examples=40, deadline=None)
@given(bitmaps=_layers)
def test_cutting_agrees_with_pixels(bitmaps: list[Any]) -> None:
    """The rule, pixel by pixel: what meets and does not lie within all but entirely cuts."""
    batch = masks.concatenate([masks.encode(bitmap) for bitmap in bitmaps])
    places, left = covering.cut_covered(batch, np.zeros(len(bitmaps), np.int64))
    expected = {}
    for place, below in enumerate(bitmaps):
        cover = np.zeros_like(below)
        for above in bitmaps[place + 1 :]:
            common, union = int((above & below).sum()), int((above | below).sum())
            if common and abs(above.sum() / below.sum() - common / union) >= 0.001:
                cover |= above
        if cover.any():
            expected[place] = below & ~cover & 1
    assert places.tolist() == list(expected)
    for found, wanted in zip(masks.decode(left), expected.values(), strict=True):
        assert (found == wanted).all()


# Attributes ------------------------------------------------------------------------------------


def test_attributes_can_be_left_out(
    context: AppContext, dataset: Dataset, exported: Exported
) -> None:
    records = [
        annotation(id=1, attributes={"occluded": True}, score=0.5),
        annotation(id=2, note='an "attributes" in a text'),
    ]
    put_in(context, dataset, coco(*records))
    assert exported() == {1: records[0], 2: records[1]}
    found = exported(allow_attributes=False)
    assert found == {1: annotation(id=1, score=0.5), 2: records[1]}
    put_in(
        context, dataset, coco({"id": 9, "image_id": 1, "caption": "A.", "attributes": {"a": 1}})
    )
    assert exported(task="captions", allow_attributes=False, segmentation="mask") == {
        9: {"id": 9, "image_id": 1, "caption": "A."}
    }


# What is missing -------------------------------------------------------------------------------


def test_what_is_missing_can_be_filled_in(
    context: AppContext, dataset: Dataset, text_of: Callable[..., bytes]
) -> None:
    """As it is computed for display; whatever is there keeps its text."""
    images = [
        {"id": 1, "file_name": "a.jpg", "width": "@8.0@", "height": 6},
        {"id": 2, "file_name": "b.jpg", "height": None},
    ]
    records = [
        annotation(id=1, segmentation=square(1, 1, 3), area="@9.50@"),
        annotation(id=2, segmentation=square(1, 1, 3), area=..., bbox=..., iscrowd=...),
        annotation(id=3, segmentation=..., area=None, bbox=[1, 2, 3, 4]),
        annotation(id=4, segmentation=rle_of(RING), area=..., bbox=[], is_crowd=1, iscrowd=...),
        annotation(id=5, image_id=2, segmentation=rle_of(RING), area=2),
    ]
    file = json.dumps(coco(*records, images=images, licenses=[]))
    text = file.replace('"@', "").replace('@"', "").encode()
    put_in(context, dataset, text, task="instances")
    assert numbers_as_text(text_of()) == numbers_as_text(text)
    wanted = json.loads(text)
    wanted["images"][1] |= {"height": 6, "width": 8}
    wanted["annotations"][1] |= {"area": 9.0, "bbox": [1.0, 1.0, 3.0, 3.0], "iscrowd": 0}
    wanted["annotations"][2] |= {"area": 12.0}
    found = json.loads(text_of(fill=True))
    ring = found["annotations"][3]
    assert (ring["area"], ring["bbox"], "iscrowd" in ring) == (10, [0, 0, 4, 3], False)
    wanted["annotations"][3] |= {"area": ring["area"], "bbox": ring["bbox"]}
    assert found == wanted
    assert b'"area": 9.50' in text_of(fill=True)
    numbered = json.loads(text_of(fill=True, ids="reindex"))
    assert numbered["annotations"][1]["area"] == 9


# Real files, other programs --------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools'
@pytest.mark.parametrize("mode", ["guess", "polygons", "mask"])
@pytest.mark.parametrize("path", [COMMITTED, LARGE], ids=lambda path: path.stem)
def test_pycocotools_sees_the_same_pixels(
    context: AppContext,
    dataset: Dataset,
    text_of: Callable[..., bytes],
    path: Path,
    mode: str,
    tmp_path: Path,
) -> None:
    if not path.is_file():
        pytest.skip("the larger COCO data does not stand beside this checkout")
    put_in(context, dataset, path.read_bytes())
    copy = tmp_path / "copy.json"
    copy.write_bytes(text_of(segmentation=mode))
    ours, theirs = COCO(str(copy)), COCO(str(path))
    assert ours.getAnnIds() == theirs.getAnnIds()
    crowds = [key for key in theirs.getAnnIds() if theirs.anns[key]["iscrowd"]]
    for key in [*theirs.getAnnIds()[:200], *crowds]:
        before, after = theirs.anns[key], ours.anns[key]
        assert (before["area"], before["bbox"]) == (after["area"], after["bbox"])
        assert (ours.annToMask(after) == theirs.annToMask(before)).all()


def test_what_was_made_here(session: Session, dataset: Dataset, exported: Exported) -> None:
    image: Image = make_image(session, dataset=dataset, width=8, height=6)
    category = make_category(session, dataset=dataset)
    make_annotation(session, image=image, category=category, segmentation=square(1, 1, 3))
    make_annotation(session, image=image, category=category)
    found = list(exported(segmentation="mask").values())
    assert (type(found[0]["segmentation"]), found[0]["iscrowd"]) == (dict, 1)
    assert "segmentation" not in found[1]


def test_every_mode_is_described() -> None:
    assert all(f"``{mode}``" in (rewriting.__doc__ or "") for mode in rewriting.SEGMENTATIONS)
