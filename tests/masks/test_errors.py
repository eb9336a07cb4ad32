"""Each way in which a mask can be wrong has its code, and names the place."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from app import masks
from app.masks import MaskError, errors
from tests.masks.golden import rle_cases

GOOD = {"size": [4, 4], "counts": [3, 2, 11]}
SQUARE = [0, 0, 2, 0, 2, 2, 0, 2]


def every_kind(kind: type[MaskError] = MaskError) -> list[type[MaskError]]:
    return [kind, *(sub for child in kind.__subclasses__() for sub in every_kind(child))]


def test_codes_are_unique_and_drawn_in_the_tree() -> None:
    codes = [kind.code for kind in every_kind()]
    assert len(set(codes)) == len(codes)
    for kind in every_kind():
        assert f"{kind.__name__} " in (errors.__doc__ or "")
        assert f" {kind.code}\n" in f"{errors.__doc__}\n"


NOT_JSON = [
    ({"size": [4, 4], "counts": b""}, "rle_empty", "counts"),
    ({"size": [4, 4], "counts": ()}, "rle_empty", "counts"),
    ({"size": [4, 4], "counts": np.zeros(0, np.int64)}, "rle_empty", "counts"),
    ({"size": [4, 4], "counts": [10**400, 2]}, "rle_overrun", "counts"),
    ({"size": [4, 4], "counts": b"3\xff"}, "rle_charset", "counts"),
    ({"size": [4, 4], "counts": b"32;\x00"}, "rle_charset", "counts"),
    ({"size": [4, 4], "counts": bytearray(b"32;")}, "rle_invalid", "counts"),
    ({"size": [4, 4], "counts": memoryview(b"32;")}, "rle_invalid", "counts"),
    ({"size": [4, 4], "counts": {3, 2, 11}}, "rle_invalid", "counts"),
    ({"size": [4, 4], "counts": iter([3, 2, 11])}, "rle_invalid", "counts"),
    ({"size": [4, 4], "counts": [3, math.nan, 11]}, "rle_invalid", "counts"),
    ({"size": [4, 4], "counts": [3, math.inf, 11]}, "rle_invalid", "counts"),
    ({"size": [4, 4], "counts": [3, 2 + 0j, 11]}, "rle_invalid", "counts"),
    ({"size": [4, 4], "counts": np.array([[3, 2, 11]])}, "rle_invalid", "counts"),
    ({"size": [4, 4], "counts": np.array(["3", "2", "11"])}, "rle_invalid", "counts"),
    ({"size": [4, 4], "counts": np.array([3, 2**64 - 1], np.uint64)}, "rle_overrun", "counts"),
    ({"size": [4, 4], "counts": np.array([3, 2, 11], object)}, "rle_invalid", "counts"),
    ({"size": [4, 4], "counts": np.array([True, False])}, "rle_invalid", "counts"),
    ({"size": [math.nan, 4], "counts": [16]}, "size_invalid", "size"),
    ({"size": [math.inf, 4], "counts": [16]}, "size_invalid", "size"),
    ({"size": [10**400, 4], "counts": [16]}, "image_too_large", "size"),
    ({"size": {4, 5}, "counts": [20]}, "size_invalid", "size"),
]
REFUSED = [
    *(
        pytest.param(row["rle"], row["code"], row["member"], id=row["name"])
        for row in rle_cases("refused")
    ),
    *NOT_JSON,
]


@pytest.mark.parametrize(("item", "code", "member"), REFUSED)
def test_rle(item: Any, code: str, member: str | None) -> None:
    """Alone and behind good ones, in either form."""
    for before in ([], [GOOD], [GOOD, {"size": [4, 4], "counts": "32;"}]):
        with pytest.raises(MaskError) as caught:
            masks.from_dicts([*before, item, GOOD])
        assert caught.value.code == code
        assert caught.value.index == len(before)
        assert caught.value.path == (() if member is None else (member,))


def test_the_sizes_of_two_items_are_not_taken_for_one_size() -> None:
    with pytest.raises(errors.SizeError):
        masks.from_dicts([{"size": 4, "counts": [16]}, {"size": 4, "counts": [16]}])


def test_a_wrong_character_is_found() -> None:
    for text, position in (("32 ;", 2), ("32é", 2), ("~", 0)):
        with pytest.raises(errors.RleCharsetError) as caught:
            masks.from_dicts([GOOD, {"size": [4, 4], "counts": text}])
        assert caught.value.position == position


@pytest.mark.parametrize(
    ("item", "counts"),
    [
        *(pytest.param(row["rle"], row["counts"], id=row["name"]) for row in rle_cases("accepted")),
        ({"size": (4, 4), "counts": (3, 2, 11)}, [3, 2, 11]),
        ({"size": np.array([4, 4]), "counts": np.array([3, 2, 11], np.uint32)}, [3, 2, 11]),
        ({"size": [4, 4], "counts": np.array([3, 2, 11], np.uint64)}, [3, 2, 11]),
        ({"size": [4, 4], "counts": np.array([3.0, 2.0, 11.0])}, [3, 2, 11]),
        ({"size": [4, 4], "counts": np.array([3, 2, 11], np.float16)}, [3, 2, 11]),
        ({"size": np.array([4, 4], np.uint64), "counts": [3, 2, 11]}, [3, 2, 11]),
        ({"size": [4, 4], "counts": b"32;"}, [3, 2, 11]),
    ],
)
def test_unusual_but_right(item: dict[str, Any], counts: list[int]) -> None:
    assert masks.to_lists(masks.from_dicts([GOOD, item])) == [[3, 2, 11], counts]


BAD_POLYGONS = [
    ([SQUARE[:5]], "polygon_odd_numbers", 0),
    ([SQUARE[:7]], "polygon_odd_numbers", 0),
    ([SQUARE, SQUARE[:4]], "polygon_too_few_points", 1),
    ([[]], "polygon_too_few_points", 0),
    ([SQUARE, SQUARE, []], "polygon_too_few_points", 2),
    ([[*SQUARE, math.nan, 1]], "polygon_not_finite", 0),
    ([[*SQUARE, 1, math.inf]], "polygon_not_finite", 0),
    ([[*SQUARE, -math.inf, 1]], "polygon_not_finite", 0),
    ([[math.nan] * 6], "polygon_not_finite", 0),
    ([[*SQUARE, 1, 10_000_001]], "polygon_too_large", 0),
    ([[*SQUARE, -4.3e8, 1]], "polygon_too_large", 0),
    ([[*SQUARE, 10**400, 1]], "polygon_too_large", 0),
    ([[*SQUARE, -(10**400), 1]], "polygon_too_large", 0),
    ([[*SQUARE, None, 1]], "polygon_invalid", 0),
    ([[*SQUARE, "1", "2"]], "polygon_invalid", 0),
    ([[*SQUARE, True, False]], "polygon_invalid", 0),
    ([[[0, 0], [2, 0], [2, 2]]], "polygon_invalid", 0),
    ([SQUARE, "123456"], "polygon_invalid", 1),
    ([None], "polygon_invalid", 0),
    ([{"x": 1}], "polygon_invalid", 0),
    (SQUARE, "polygon_invalid", 0),
]


@pytest.mark.parametrize(("polygons", "code", "member"), BAD_POLYGONS)
def test_polygons(polygons: Any, code: str, member: int) -> None:
    with pytest.raises(MaskError) as caught:
        masks.from_polygons([[SQUARE], polygons], [4, 4])
    assert caught.value.code == code
    assert (caught.value.index, caught.value.path) == (1, ("polygons", member))
    with pytest.raises(MaskError) as caught:
        masks.from_polygons([[SQUARE], [SQUARE]], [4, 4], holes=[None, polygons])
    assert (caught.value.code, caught.value.path) == (code, ("holes", member))
    with pytest.raises(MaskError) as caught:
        masks.from_segmentations([GOOD, [SQUARE], GOOD, polygons], [4, 4])
    assert (caught.value.code, caught.value.index) == (code, 3)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: masks.from_polygons([[]], [4, 4]), "polygon_missing"),
        (lambda: masks.from_polygons([None], [4, 4]), "polygon_invalid"),  # type: ignore[list-item]
        (lambda: masks.from_polygons(None, [4, 4]), "polygon_invalid"),  # type: ignore[arg-type]
        (lambda: masks.from_polygons([[SQUARE]], [4, 4], holes=[]), "polygon_invalid"),
        (lambda: masks.from_polygons([[SQUARE]], [[4, 4], [5, 5]]), "size_invalid"),
        (lambda: masks.from_polygons([[SQUARE]], [4, -4]), "size_invalid"),
        (lambda: masks.from_polygons([[SQUARE]], 4), "size_invalid"),  # type: ignore[arg-type]
        (lambda: masks.from_polygons([[SQUARE]], [70000, 70000]), "image_too_large"),
        (lambda: masks.from_polygons([[SQUARE]], [4, 4], max_crossings=3), "polygon_too_complex"),
        (lambda: masks.from_boxes([[0, 0, 1]], [4, 4]), "bbox_invalid"),
        (lambda: masks.from_boxes([["0", "0", "1", "1"]], [4, 4]), "bbox_invalid"),
        (lambda: masks.from_boxes([0, 0, 1, 1], [4, 4]), "bbox_invalid"),
        (lambda: masks.from_boxes(7, [4, 4]), "bbox_invalid"),
        (lambda: masks.from_boxes([[0, 0, math.nan, 1]], [4, 4]), "bbox_not_finite"),
        (lambda: masks.from_boxes([[0, 0, 1, math.inf]], [4, 4]), "bbox_not_finite"),
        (lambda: masks.from_boxes([[6e6, 0, 6e6, 1]], [4, 4]), "bbox_too_large"),
        (lambda: masks.from_boxes([[0, 0, 10**400, 1]], [4, 4]), "bbox_too_large"),
        (lambda: masks.iou_boxes([[0, 0, math.nan, 1]], [[0, 0, 1, 1]]), "bbox_not_finite"),
        (lambda: masks.iou_boxes([[0, 0, 1, 1]], [0, 0, 1, 1]), "bbox_invalid"),
        (lambda: masks.encode(np.zeros(4)), "bitmap_invalid"),
        (lambda: masks.encode(np.zeros((2, 2, 2, 2))), "bitmap_invalid"),
        (lambda: masks.encode([[0, 1], [1]]), "bitmap_invalid"),
        (lambda: masks.encode([["0", "1"]]), "bitmap_invalid"),
        (lambda: masks.encode([[0, math.nan]]), "bitmap_invalid"),
        (lambda: masks.encode(np.array([[None]])), "bitmap_invalid"),
        (lambda: masks.encode_labels(np.zeros((2, 2))), "bitmap_invalid"),
        (lambda: masks.encode_labels([[1, 2], [3]]), "bitmap_invalid"),
        (lambda: masks.encode_labels(np.array([[2**63]], np.uint64)), "bitmap_invalid"),
        (lambda: masks.decode(masks.background([65535, 65535])), "decode_too_large"),
        (lambda: masks.decode(masks.background([4, 4]), max_pixels=15), "decode_too_large"),
        (lambda: masks.decode_stack(masks.background([[4, 4], [2, 8]])), "size_mismatch"),
        (lambda: masks.merge(masks.background([[4, 4], [2, 8]])), "size_mismatch"),
        (lambda: masks.merge(masks.from_dicts([])), "merge_invalid"),
        (lambda: masks.merge(masks.background([[4, 4]]), [1, 0]), "merge_invalid"),
        (lambda: masks.merge(masks.background([[4, 4]]), [2]), "merge_invalid"),
        (
            lambda: masks.difference(masks.background([4, 4]), masks.background([2, 8])),
            "size_mismatch",
        ),
        (
            lambda: masks.difference(masks.background([4, 4]), masks.background([4, 4], 2)),
            "merge_invalid",
        ),
        (lambda: masks.iou(masks.background([4, 4]), masks.background([2, 8])), "size_mismatch"),
        (
            lambda: masks.iou(masks.background([4, 4]), masks.background([4, 4]), [0, 0]),
            "iscrowd_invalid",
        ),
        (
            lambda: masks.iou(masks.background([4, 4]), masks.background([4, 4]), [2]),
            "iscrowd_invalid",
        ),
        (
            lambda: masks.iou(masks.background([4, 4]), masks.background([4, 4]), ["1"]),
            "iscrowd_invalid",
        ),
        (lambda: masks.iou_boxes([[0, 0, 1, 1]], [[0, 0, 1, 1]], [[1]]), "iscrowd_invalid"),
        (lambda: masks.from_strokes([[]], [1], [4, 4]), "stroke_invalid"),
        (lambda: masks.from_strokes([[1, 2, 3]], [1], [4, 4]), "stroke_invalid"),
        (lambda: masks.from_strokes([[1, "2"]], [1], [4, 4]), "stroke_invalid"),  # type: ignore[list-item]
        (lambda: masks.from_strokes([[1, 2]], [0], [4, 4]), "stroke_invalid"),
        (lambda: masks.from_strokes([[1, 2]], [-1], [4, 4]), "stroke_invalid"),
        (lambda: masks.from_strokes([[1, 2]], [True], [4, 4]), "stroke_invalid"),
        (lambda: masks.from_strokes([[1, 2]], [], [4, 4]), "stroke_invalid"),
        (lambda: masks.from_strokes([[1, math.nan]], [1], [4, 4]), "stroke_not_finite"),
        (lambda: masks.from_strokes([[1, 2]], [math.inf], [4, 4]), "stroke_not_finite"),
        (lambda: masks.from_strokes([[1, 2]], [1e8], [4, 4]), "stroke_too_large"),
        (lambda: masks.from_strokes([[1, 2] * 9], [1e7], [1, 10**6]), "stroke_too_complex"),
        (lambda: masks.simplify([SQUARE], -1), "outline_invalid"),
        (lambda: masks.simplify([SQUARE], math.nan), "outline_invalid"),
        (lambda: masks.components(masks.background([(2, 2)]), 3), "connectivity_invalid"),
        (lambda: masks.simplify([SQUARE], "1"), "outline_invalid"),  # type: ignore[arg-type]
        (lambda: masks.simplify([SQUARE], 10**400), "outline_invalid"),
        (lambda: masks.simplify([[1, 2]], 1), "polygon_too_few_points"),
        (lambda: masks.to_polygons(masks.background([4, 4]), "none"), "outline_invalid"),  # type: ignore[arg-type]
        (lambda: masks.to_polygons(masks.background([1, 10**8])), "image_too_large"),
        (lambda: masks.from_segmentations([GOOD], [4, 5]), "size_mismatch"),
        (lambda: masks.from_segmentations([GOOD], [4, 4], [[SQUARE]]), "polygon_invalid"),
        (lambda: masks.from_segmentations([[SQUARE]], [4, 4], []), "polygon_invalid"),
        (lambda: masks.from_segmentations([[]], [4, 4]), "polygon_missing"),
        (lambda: masks.from_segmentations([None], [4, 4]), "polygon_invalid"),
    ],
)
def test_calls(call: Callable[[], object], code: str) -> None:
    with pytest.raises(MaskError) as caught:
        call()
    assert caught.value.code == code
