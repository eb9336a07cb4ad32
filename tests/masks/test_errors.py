"""Each way in which a mask can be wrong has its code, and names the place."""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import masks
from app.masks import MaskError, errors

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


@pytest.mark.parametrize(
    ("item", "code", "path"),
    [
        ({"size": [4, 4], "counts": [3, 2, 12]}, "rle_overrun", "counts"),
        ({"size": [4, 4], "counts": "32<"}, "rle_overrun", "counts"),
        ({"size": [4, 4], "counts": [2**32 - 1, 2, 2**32 - 1]}, "rle_overrun", "counts"),
        ({"size": [4, 4], "counts": [10**400, 2]}, "rle_overrun", "counts"),
        ({"size": [4, 4], "counts": [2**64, 2]}, "rle_overrun", "counts"),
        ({"size": [0, 5], "counts": [0, 1]}, "rle_overrun", "counts"),
        ({"size": [4, 4], "counts": [3, 2, 10]}, "rle_short", "counts"),
        ({"size": [4, 4], "counts": "32"}, "rle_short", "counts"),
        ({"size": [4, 4], "counts": ""}, "rle_empty", "counts"),
        ({"size": [4, 4], "counts": b""}, "rle_empty", "counts"),
        ({"size": [4, 4], "counts": []}, "rle_empty", "counts"),
        ({"size": [4, 4], "counts": [3, -2, 15]}, "rle_negative", "counts"),
        ({"size": [4, 4], "counts": [-(10**300), 2]}, "rle_negative", "counts"),
        ({"size": [4, 4], "counts": "32;J"}, "rle_negative", "counts"),
        ({"size": [4, 4], "counts": "P"}, "rle_truncated", "counts"),
        ({"size": [4, 4], "counts": "32P"}, "rle_truncated", "counts"),
        ({"size": [4, 4], "counts": "P" * 100}, "rle_truncated", "counts"),
        ({"size": [400, 400], "counts": "P" * 1000}, "rle_truncated", "counts"),
        ({"size": [4, 4], "counts": "PPPPPPP0"}, "rle_overlong", "counts"),
        ({"size": [4, 4], "counts": "32; "}, "rle_charset", "counts"),
        ({"size": [4, 4], "counts": "32~"}, "rle_charset", "counts"),
        ({"size": [4, 4], "counts": "3\x7f"}, "rle_charset", "counts"),
        ({"size": [4, 4], "counts": "3é"}, "rle_charset", "counts"),
        ({"size": [4, 4], "counts": "3\ud800"}, "rle_charset", "counts"),
        ({"size": [4, 4], "counts": b"3\xff"}, "rle_charset", "counts"),
        ({"size": [4, 4], "counts": "32;\x00"}, "rle_charset", "counts"),
        ({"size": [4, 4], "counts": "b'32;'"}, "rle_charset", "counts"),
        ({"size": [1, 1], "counts": [1] + [0] * 9}, "rle_too_many_runs", "counts"),
        ({"size": [1, 1], "counts": "0" * 1000}, "rle_too_many_runs", "counts"),
        ({"size": [4, 4], "counts": None}, "rle_invalid", "counts"),
        ({"size": [4, 4], "counts": 16}, "rle_invalid", "counts"),
        ({"size": [4, 4], "counts": bytearray(b"32;")}, "rle_invalid", "counts"),
        ({"size": [4, 4], "counts": ["3", "2", "11"]}, "rle_invalid", "counts"),
        ({"size": [4, 4], "counts": [3, True, 12]}, "rle_invalid", "counts"),
        ({"size": [4, 4], "counts": [3, 2.5, 10.5]}, "rle_invalid", "counts"),
        ({"size": [4, 4], "counts": [3, math.nan, 11]}, "rle_invalid", "counts"),
        ({"size": [4, 4], "counts": [3, math.inf, 11]}, "rle_invalid", "counts"),
        ({"size": [4, 4], "counts": [3, None, 11]}, "rle_invalid", "counts"),
        ({"size": [4, 4], "counts": [[3, 2, 11]]}, "rle_invalid", "counts"),
        ({"size": [4, 4], "counts": np.array([[3, 2, 11]])}, "rle_invalid", "counts"),
        ({"size": [4, 4], "counts": {"0": 3}}, "rle_invalid", "counts"),
        ({"size": [4, 4]}, "rle_invalid", "counts"),
        ({"counts": [16]}, "rle_invalid", "size"),
        ({"size": [2**20, 2**20], "counts": [2**40]}, "image_too_large", "size"),
        ({"size": [65536, 65536], "counts": "0"}, "image_too_large", "size"),
        ({"size": [0, 10**30], "counts": [0]}, "image_too_large", "size"),
        ({"size": [-4, 4], "counts": [16]}, "size_invalid", "size"),
        ({"size": [-4, -4], "counts": [16]}, "size_invalid", "size"),
        ({"size": [16], "counts": [16]}, "size_invalid", "size"),
        ({"size": [4, 4, 1], "counts": [16]}, "size_invalid", "size"),
        ({"size": ["4", "4"], "counts": [16]}, "size_invalid", "size"),
        ({"size": "44", "counts": [16]}, "size_invalid", "size"),
        ({"size": [4.5, 4], "counts": [16]}, "size_invalid", "size"),
        ({"size": [math.nan, 4], "counts": [16]}, "size_invalid", "size"),
        ({"size": [True, 16], "counts": [16]}, "size_invalid", "size"),
        ({"size": None, "counts": [16]}, "size_invalid", "size"),
        ({"size": 4, "counts": [16]}, "size_invalid", "size"),
    ],
)
def test_rle(item: dict[str, Any], code: str, path: str) -> None:
    """Alone and behind good ones, in either form."""
    for before in ([], [GOOD], [GOOD, {"size": [4, 4], "counts": "32;"}]):
        with pytest.raises(MaskError) as caught:
            masks.from_dicts([*before, item, GOOD])
        assert caught.value.code == code
        assert (caught.value.index, caught.value.path) == (len(before), (path,))


@pytest.mark.parametrize("item", [None, [], "32;", 16, [16], (3, 2)])
def test_an_rle_is_an_object(item: object) -> None:
    with pytest.raises(errors.RleError) as caught:
        masks.from_dicts([GOOD, item])
    assert (caught.value.code, caught.value.index) == ("rle_invalid", 1)


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
        ({"size": [4.0, 4], "counts": [3.0, 2, 11]}, [3, 2, 11]),
        ({"size": (4, 4), "counts": (3, 2, 11)}, [3, 2, 11]),
        ({"size": np.array([4, 4]), "counts": np.array([3, 2, 11], np.uint32)}, [3, 2, 11]),
        ({"size": [4, 4], "counts": b"32;"}, [3, 2, 11]),
        ({"size": [4, 4], "counts": "32;", "more": 1}, [3, 2, 11]),
        ({"size": [4, 4], "counts": [16, 0]}, [16]),
        ({"size": [4, 4], "counts": [0, 16, 0]}, [0, 16]),
        ({"size": [4, 4], "counts": [0, 0, 16]}, [16]),
        ({"size": [4, 4], "counts": [3, 0, 2, 11]}, [5, 11]),
        ({"size": [0, 7], "counts": [0, 0]}, [0]),
        ({"size": [1, 1], "counts": [0, 1, 0]}, [0, 1]),
        ({"size": [65535, 65535], "counts": [65535**2]}, [65535**2]),
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


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-5, 20)
    | st.floats()
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(st.sampled_from(["size", "counts", "x"]), inner, max_size=3)
    ),
    max_leaves=20,
)


@given(ANY_JSON, ANY_JSON)
def test_any_json_is_drawn_or_refused(segmentation: object, size: object) -> None:
    for frame in (size, [7, 9]):
        try:
            drawn = masks.from_segmentations([segmentation], frame)  # type: ignore[arg-type]
        except MaskError:
            continue
        assert masks.area(drawn).tolist()[0] <= drawn.pixels[0]


@given(st.binary(max_size=40) | st.text(max_size=40), st.integers(0, 12), st.integers(0, 12))
def test_any_counts_are_read_or_refused(counts: bytes | str, height: int, width: int) -> None:
    try:
        read = masks.from_dicts([{"size": [height, width], "counts": counts}])
    except MaskError:
        return
    assert read.counts.sum() == height * width
    assert masks.decode(read)[0].shape == (height, width)


@given(st.text(st.characters(min_codepoint=48, max_codepoint=111), max_size=60))
def test_any_counts_of_the_right_characters(counts: str) -> None:
    try:
        read = masks.from_dicts([{"size": [5, 5], "counts": counts}])
    except errors.RleError:
        return
    assert masks.decode(read)[0].sum() == masks.area(read)[0]


def test_refusing_takes_no_longer_than_reading() -> None:
    """Sizes, counts and coordinates that are enormous cost no more than small ones."""
    began = time.perf_counter()
    calls: list[Callable[[], object]] = [
        lambda: masks.from_dicts([{"size": [2**20, 2**20], "counts": "0"}]),
        lambda: masks.from_dicts([{"size": [65535, 65535], "counts": [1] * 10}]),
        lambda: masks.from_polygons([[[0, 0, 1e7, 1e7 + 1, 0, 9]]], [9, 9]),
        lambda: masks.from_polygons([[[0, 0, 1e7, 1] * 20]], [1, 10**7]),
    ]
    for call in calls:
        with pytest.raises(MaskError):
            call()
    assert time.perf_counter() - began < 1
