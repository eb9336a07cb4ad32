"""Outlines for formats that hold less than COCO: the same points, or else the same pixels."""

import itertools
import json
from typing import Any

from app import masks
from app.formats.outgoing import Losses, OutAnnotation
from app.formats.outlines import ring
from tests.shared_data import SHARED_DATA, needs_shared_data


@needs_shared_data
def test_real_outlines_keep_their_points_or_their_pixels() -> None:
    """Only where parts of an object share pixels are its points others; its pixels never are."""
    coco = json.loads((SHARED_DATA / "coco-large" / "instances_union.json").read_bytes())
    sizes = {one["id"]: (one["height"], one["width"]) for one in coco["images"]}
    objects = [one for one in coco["annotations"] if not one["iscrowd"]]
    rings, losses = [], Losses()
    for one in objects:
        size = sizes[one["image_id"]]
        found = ring(out_annotation(one), size, losses)
        assert found is not None
        sides = itertools.cycle((size[1], size[0]))
        rings.append([round(round(n / s, 10) * s, 3) for n, s in zip(found, sides, strict=False)])
    told = {loss["code"]: loss["count"] for loss in losses.as_list()}
    assert told == {"parts_joined": 446, "polygons_traced": 25, "hole_by_seam": 15}
    frames = [sizes[one["image_id"]] for one in objects]
    before = masks.from_polygons([one["segmentation"] for one in objects], frames)
    after = masks.from_polygons([[one] for one in rings], frames)
    assert masks.to_dicts(before) == masks.to_dicts(after)
    same_points = sum(
        near(one["segmentation"][0], found)
        for one, found in zip(objects, rings, strict=True)
        if len(one["segmentation"]) == 1
    )
    assert (len(objects), same_points) == (5652, 5191)


def out_annotation(record: dict[str, Any]) -> OutAnnotation:
    return OutAnnotation(
        coco_id=record["id"],
        task="instances",
        category=0,
        iscrowd=False,
        bbox=record["bbox"],
        segmentation=record["segmentation"],
        holes=[],
        keypoints=None,
        record=record,
    )


def near(one: list[float], other: list[float]) -> bool:
    return len(one) == len(other) and all(
        abs(a - b) < 0.0011 for a, b in zip(one, other, strict=True)
    )
