"""Every annotation of the large real COCO file, beside pycocotools."""

import json
from functools import cache
from typing import Any

import pytest

from app import masks
from app.masks import Masks
from tests.masks import ours
from tests.masks.peer import Call, ask_pycocotools
from tests.shared_data import SHARED_DATA, needs_shared_data

pytestmark = needs_shared_data

FILE = SHARED_DATA / "coco-large" / "instances_union.json"


@cache
def images() -> list[tuple[list[int], list[dict[str, Any]]]]:
    """The size of each image and its annotations."""
    coco = json.loads(FILE.read_text())
    of_image: dict[int, list[dict[str, Any]]] = {}
    for annotation in coco["annotations"]:
        of_image.setdefault(annotation["image_id"], []).append(annotation)
    return [
        ([image["height"], image["width"]], of_image[image["id"]])
        for image in coco["images"]
        if image["id"] in of_image
    ]


@cache
def drawn() -> Masks:
    """All of them in one batch, as an import draws them."""
    return masks.from_segmentations(
        [one["segmentation"] for _, group in images() for one in group],
        [size for size, group in images() for _ in group],
    )


def test_they_are_all_there() -> None:
    assert len(drawn()) == 5703
    crowds = [one for _, group in images() for one in group if one["iscrowd"]]
    assert len(crowds) == 51


def test_counts_areas_boxes_and_merged_parts() -> None:
    calls: list[Call] = []
    for size, group in images():
        for one in group:
            found = one["segmentation"]
            if isinstance(found, dict):
                calls.append({"op": "rles", "masks": [found]})
            else:
                calls.append({"op": "polygons", "size": size, "polygons": found})
    theirs = ask_pycocotools(calls)
    assert ours.answer(calls) == theirs
    # What an annotation is, is the last that was measured: the union of its parts.
    whole = zip(
        masks.to_dicts(drawn()),
        masks.area(drawn()).tolist(),
        masks.bbox(drawn()).tolist(),
        strict=True,
    )
    assert [list(row) for row in whole] == [answer[-1] for answer in theirs]


def test_intersections_over_unions_within_each_image() -> None:
    rles = iter(masks.to_dicts(drawn()))
    calls: list[Call] = []
    for _, group in images():
        dt = [next(rles) for _ in group]
        gt = [{"mask": rle, "iscrowd": one["iscrowd"]} for rle, one in zip(dt, group, strict=True)]
        calls.append({"op": "iou", "dt": dt, "gt": gt})
    assert ours.answer(calls) == ask_pycocotools(calls)


@pytest.mark.parametrize("intersect", [False, True])
def test_merges_of_each_image(intersect: bool) -> None:
    rles = iter(masks.to_dicts(drawn()))
    calls: list[Call] = [
        {"op": "merge", "masks": [next(rles) for _ in group], "intersect": intersect}
        for _, group in images()
    ]
    assert ours.answer(calls) == ask_pycocotools(calls)


def test_outlines_are_drawn_as_the_same_mask_by_both() -> None:
    """We draw all of them, pycocotools every fifth."""
    outlines = masks.to_polygons(drawn())
    shown = [i for i, outline in enumerate(outlines) if outline.polygons]
    again = masks.from_polygons([outlines[i].polygons for i in shown], drawn().sizes[shown])
    assert again == drawn()[shown]
    some = masks.to_dicts(drawn()[range(0, len(drawn()), 5)])
    calls: list[Call] = [{"op": "outlines", "masks": [rle]} for rle in some]
    theirs = ask_pycocotools([ours.for_peer(call) for call in calls])
    assert ours.answer(calls) == theirs


def test_bitmaps() -> None:
    """Every seventh, as the bitmap of a photograph is long to hand over."""
    some = masks.to_dicts(drawn()[range(0, len(drawn()), 7)])
    calls: list[Call] = [{"op": "decode", "masks": [rle]} for rle in some]
    assert ours.answer(calls) == ask_pycocotools(calls)
