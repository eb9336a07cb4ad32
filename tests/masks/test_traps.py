"""Each way in which pycocotools crashes, hangs, guesses or answers nonsense, and our answer to it.

Where a wrong input has a code of its own, the row gives the code; where the input is right and
pycocotools does not take it, or takes it for something else, the row gives the right answer.
Wrong RLE objects are in tests/data/masks/rle_cases.json, which binds the browser's codec too.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from app import masks
from app.masks import MaskError, Masks

SQUARE = [1, 1, 3, 1, 3, 3, 1, 3]
BOX = [1, 1, 2, 2]
DRAWN = [5, 2, 2, 2, 5]
EMPTY = [16]
SIZE = [4, 4]
RLE = {"size": SIZE, "counts": DRAWN}
LARGEST = {"size": [65535, 65537]}


def segmentation(value: Any) -> list[int]:
    """The counts of a segmentation, as an annotation has it."""
    return masks.to_lists(masks.from_segmentations([value], SIZE))[0]


def polygons(value: Any) -> list[int]:
    return masks.to_lists(masks.from_polygons([value], SIZE))[0]


def boxes(value: Any) -> list[list[int]]:
    return masks.to_lists(masks.from_boxes(value, SIZE))


def rles(*counts: list[int]) -> Masks:
    return masks.from_dicts([{"size": SIZE, "counts": one} for one in counts])


POLYGONS_AND_BOXES: dict[str, tuple[Callable[[], object], object]] = {
    "boxes in an array of floats": (lambda: boxes(np.array([BOX], float)), [DRAWN]),
    "boxes in an array of integers": (lambda: boxes(np.array([BOX])), [DRAWN]),
    "boxes in an array that is not contiguous": (
        lambda: boxes(np.array([BOX, BOX], float).repeat(2, axis=1)[:, ::2]),
        [DRAWN, DRAWN],
    ),
    "boxes in a list": (lambda: boxes([BOX]), [DRAWN]),
    "boxes in tuples": (lambda: boxes((tuple(BOX),)), [DRAWN]),
    "no boxes": (lambda: boxes(np.zeros((0, 4))), []),
    "an array of one dimension for boxes": (lambda: boxes(np.array(BOX, float)), "bbox_invalid"),
    "an array of six columns for boxes": (lambda: boxes(np.zeros((2, 6))), "bbox_invalid"),
    "an array of three columns for boxes": (lambda: boxes(np.zeros((2, 3))), "bbox_invalid"),
    "an array of three dimensions for boxes": (lambda: boxes(np.zeros((2, 2, 4))), "bbox_invalid"),
    "numeric strings in a box": (lambda: boxes([["1", "1", "2", "2"]]), "bbox_invalid"),
    "a negative extent draws the mirrored box": (lambda: boxes([[3, 3, -2, -2]]), [DRAWN]),
    "a first polygon of four numbers": (lambda: polygons([BOX]), "polygon_too_few_points"),
    "a later polygon of four numbers": (lambda: polygons([SQUARE, BOX]), "polygon_too_few_points"),
    "a polygon of five numbers": (lambda: polygons([[1, 1, 3, 1, 3]]), "polygon_odd_numbers"),
    "an odd number at the end": (lambda: polygons([[*SQUARE, 1]]), "polygon_odd_numbers"),
    "a later polygon of two numbers": (
        lambda: polygons([SQUARE, [1, 1]]),
        "polygon_too_few_points",
    ),
    "a later polygon of no numbers": (lambda: polygons([SQUARE, []]), "polygon_too_few_points"),
    "a first polygon of no numbers": (lambda: segmentation([[]]), "polygon_too_few_points"),
    "a first polygon of three numbers": (lambda: polygons([[1, 1, 3]]), "polygon_odd_numbers"),
    "no polygons": (lambda: segmentation([]), "polygon_missing"),
    "a flat list of numbers": (lambda: segmentation(SQUARE), "polygon_invalid"),
    "a tuple of polygons": (lambda: polygons((SQUARE,)), DRAWN),
    "polygons that are tuples": (lambda: polygons([tuple(SQUARE)]), DRAWN),
    "null": (lambda: segmentation(None), "polygon_invalid"),
    "a number": (lambda: segmentation(7), "polygon_invalid"),
    "a string": (lambda: segmentation("1,1,3,1,3,3"), "polygon_invalid"),
    "points that are lists, three of them": (
        lambda: segmentation([[[1, 1], [3, 1], [3, 3]]]),
        "polygon_invalid",
    ),
    "points that are lists, six of them": (
        lambda: segmentation([[[1, 1], [3, 1], [3, 3], [1, 3], [1, 2], [1, 1]]]),
        "polygon_invalid",
    ),
    "polygons that are arrays": (lambda: polygons([np.array(SQUARE)]), DRAWN),
    "polygons that are arrays of points": (
        lambda: polygons([np.array(SQUARE).reshape(-1, 2)]),
        "polygon_invalid",
    ),
    "numeric strings in a polygon": (
        lambda: polygons([[str(n) for n in SQUARE]]),
        "polygon_invalid",
    ),
    "null in a polygon": (lambda: polygons([[*SQUARE, None, 1]]), "polygon_invalid"),
    "true in a polygon": (lambda: polygons([[*SQUARE, True, 1]]), "polygon_invalid"),
    "NaN in a polygon": (lambda: polygons([[*SQUARE, math.nan, 1]]), "polygon_not_finite"),
    "nothing but NaN in a polygon": (lambda: polygons([[math.nan] * 6]), "polygon_not_finite"),
    "infinity in a polygon": (lambda: polygons([[*SQUARE, math.inf, 1]]), "polygon_not_finite"),
    "a coordinate whose fivefold leaves 32 bits": (
        lambda: polygons([[*SQUARE, 4.3e8, 1]]),
        "polygon_too_large",
    ),
    "coordinates that cost pycocotools seconds": (
        lambda: polygons([[-1e7, -1e7, 1e7, -1e7, 1e7, 1e7, -1e7, 1e7]]),
        [0, 16],
    ),
    "a second polygon inside of the first is no hole": (
        lambda: polygons([[0, 0, 4, 0, 4, 4, 0, 4], SQUARE]),
        [0, 16],
    ),
    "a polygon wound twice": (lambda: polygons([SQUARE * 2]), EMPTY),
    "points in one line": (lambda: polygons([[0, 0, 2, 2, 4, 4]]), EMPTY),
    "an image without columns": (
        lambda: masks.to_lists(masks.from_boxes([[0, 0, 3, 3]], [4, 0])),
        [[0]],
    ),
}

RLE_AS_SEGMENTATION: dict[str, tuple[Callable[[], object], object]] = {
    "counts as a list": (lambda: segmentation(RLE), DRAWN),
    "counts as a tuple": (lambda: segmentation({**RLE, "counts": tuple(DRAWN)}), DRAWN),
    "compressed counts": (lambda: segmentation({**RLE, "counts": "52203"}), DRAWN),
    "another size than the image": (
        lambda: segmentation({"size": [2, 8], "counts": DRAWN}),
        "size_mismatch",
    ),
    "a fraction, which pycocotools cuts off": (
        lambda: segmentation({**RLE, "counts": [5, 2.7, 2, 2, 5]}),
        "rle_invalid",
    ),
    "a negative count": (lambda: segmentation({**RLE, "counts": [18, -2]}), "rle_negative"),
    "a count of 2^32": (lambda: segmentation({**RLE, "counts": [2**32]}), "rle_overrun"),
    "a count that is NaN": (lambda: segmentation({**RLE, "counts": [math.nan]}), "rle_invalid"),
    "sides that are whole floats": (lambda: segmentation({**RLE, "size": [4.0, 4.0]}), DRAWN),
    "sides that are strings": (lambda: segmentation({**RLE, "size": ["4", "4"]}), "size_invalid"),
    "no counts, which pycocotools decodes to foreign memory": (
        lambda: segmentation({**RLE, "counts": []}),
        "rle_empty",
    ),
}

BITMAPS: dict[str, tuple[Callable[[], object], object]] = {
    "a bitmap in C order": (
        lambda: masks.to_lists(masks.encode(np.eye(2, dtype=np.uint8))),
        [[0, 1, 2, 1]],
    ),
    "a bitmap of 64 bits": (
        lambda: masks.to_lists(masks.encode(np.eye(2, dtype=int))),
        [[0, 1, 2, 1]],
    ),
    "a bitmap that is a list": (
        lambda: masks.to_lists(masks.encode([[1, 0], [0, 1]])),
        [[0, 1, 2, 1]],
    ),
    "a bitmap of one dimension": (lambda: masks.encode(np.ones(4)), "bitmap_invalid"),
    "no bitmaps in a stack": (lambda: masks.to_lists(masks.encode(np.zeros((4, 5, 0)))), []),
    "a step from 1 to 2, which pycocotools takes for the end": (
        lambda: masks.to_lists(masks.encode([[0], [1], [1], [2], [1], [2], [2], [0]])),
        [[1, 6, 1]],
    ),
    "negative numbers and fractions are foreground": (
        lambda: masks.to_lists(masks.encode([[-1, 0.25, -0.0]])),
        [[0, 2, 1]],
    ),
    "no pixels": (
        lambda: masks.to_dicts(masks.encode(np.zeros((3, 0)))),
        [{"size": [3, 0], "counts": "0"}],
    ),
}

SETS_AND_MEASURES: dict[str, tuple[Callable[[], object], object]] = {
    "a merge of nothing": (lambda: masks.merge(rles()), "merge_invalid"),
    "a merge of one, with empty runs": (
        lambda: masks.to_lists(masks.merge(rles([3, 0, 2, 4, 7]))),
        [[5, 4, 7]],
    ),
    "a merge of different sizes": (
        lambda: masks.merge(masks.background([[4, 4], [2, 8]])),
        "size_mismatch",
    ),
    "an object for the masks to merge": (lambda: masks.from_dicts(RLE), "rle_invalid"),
    "an intersection with empty runs inside": (
        lambda: masks.to_lists(masks.merge(rles([3, 0, 2, 4, 7], [3, 0, 2, 4, 7]), intersect=True)),
        [[5, 4, 7]],
    ),
    "an intersection with empty runs in front": (
        lambda: masks.to_lists(masks.merge(rles([0, 0, 3, 2, 11], [3, 2, 11]), intersect=True)),
        [[3, 2, 11]],
    ),
    "a union with an empty mask keeps no empty runs": (
        lambda: masks.to_lists(masks.merge(rles([3, 0, 2, 4, 7], [16]))),
        [[5, 4, 7]],
    ),
    "far more runs than pixels, on which a merge hangs": (
        lambda: masks.merge(rles([16, *[0] * 100], [0, 16])),
        "rle_too_many_runs",
    ),
    "runs short of the image, on which a merge hangs": (
        lambda: masks.merge(rles([0, 16], [3, 2])),
        "rle_short",
    ),
    "the box of one empty run": (lambda: masks.bbox(rles([16, 0])).tolist(), [[0, 0, 0, 0]]),
    "the box of an image without pixels": (
        lambda: masks.bbox(masks.background([0, 7])).tolist(),
        [[0, 0, 0, 0]],
    ),
    "the area of more than 255 masks": (
        lambda: masks.area(rles(*[DRAWN] * 300)).tolist(),
        [4] * 300,
    ),
    "the area of 2^32 - 1 pixels": (
        lambda: masks.area(masks.from_dicts([{**LARGEST, "counts": [0, 2**32 - 1]}])).tolist(),
        [2**32 - 1],
    ),
    "an IoU of different sizes": (
        lambda: masks.iou(rles(DRAWN), masks.background([2, 8])),
        "size_mismatch",
    ),
    "an IoU of nothing": (lambda: masks.iou(rles(), rles(DRAWN)).shape, (0, 1)),
    "an IoU with nothing": (lambda: masks.iou(rles(DRAWN), rles()).shape, (1, 0)),
    "an IoU of two empty masks": (lambda: masks.iou(rles(EMPTY), rles(EMPTY)).tolist(), [[0.0]]),
    "an IoU of an empty mask with an empty crowd": (
        lambda: masks.iou(rles(EMPTY), rles(EMPTY), [1]).tolist(),
        [[0.0]],
    ),
    "too few crowd flags": (
        lambda: masks.iou(rles(DRAWN), rles(DRAWN, DRAWN), [0]),
        "iscrowd_invalid",
    ),
    "a crowd flag of 2": (lambda: masks.iou(rles(DRAWN), rles(DRAWN), [2]), "iscrowd_invalid"),
    "a crowd flag of 256": (lambda: masks.iou(rles(DRAWN), rles(DRAWN), [256]), "iscrowd_invalid"),
    "boxes in tuples for an IoU": (lambda: masks.iou_boxes([tuple(BOX)], [BOX]).tolist(), [[1.0]]),
    "one box in an array for an IoU": (
        lambda: masks.iou_boxes(np.array(BOX), [BOX]),
        "bbox_invalid",
    ),
    "NaN in a box for an IoU": (
        lambda: masks.iou_boxes([[0, 0, math.nan, 1]], [BOX]),
        "bbox_not_finite",
    ),
    "infinity in a box for an IoU": (
        lambda: masks.iou_boxes([[0, 0, math.inf, 1]], [BOX]),
        "bbox_not_finite",
    ),
    "boxes so small that their area is no number": (
        lambda: masks.iou_boxes([[0, 0, 1e-200, 1e-200]], [[0, 0, 1e-200, 1e-200]], [1]).tolist(),
        [[0.0]],
    ),
    "a stack of bitmaps of different sizes": (
        lambda: masks.decode_stack(masks.background([[4, 4], [2, 8]])),
        "size_mismatch",
    ),
    "bitmaps of different sizes": (
        lambda: [b.shape for b in masks.decode(masks.background([[4, 4], [2, 8]]))],
        [(4, 4), (2, 8)],
    ),
}

ROWS = POLYGONS_AND_BOXES | RLE_AS_SEGMENTATION | BITMAPS | SETS_AND_MEASURES


@pytest.mark.parametrize("name", ROWS)
def test_a_trap(name: str) -> None:
    call, answer = ROWS[name]
    if isinstance(answer, str):
        with pytest.raises(MaskError) as caught:
            call()
        assert caught.value.code == answer
    else:
        assert call() == answer


def test_no_row_hides_another() -> None:
    tables = (POLYGONS_AND_BOXES, RLE_AS_SEGMENTATION, BITMAPS, SETS_AND_MEASURES)
    assert len(ROWS) == sum(map(len, tables))
