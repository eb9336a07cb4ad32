"""Panoptic files that are composed of instances and stuff."""

import json
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import masks
from app.context import AppContext
from app.errors import Conflict, Invalid
from app.models import Category, Dataset
from app.services.exports.exports import ExportOptions
from app.services.images.images import ImageFilter
from tests.build import make_dataset
from tests.build.coco import annotation, coco, numbers_as_text
from tests.build.panoptic import REAL, ids_png, panoptic, panoptic_zip
from tests.services.exporting import get_out, put_in
from tests.services.panoptic_case import get_zip, ids_and_segments, put_zip


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session)


def box(x: int, y: int, w: int, h: int) -> list[list[int]]:
    return [[x, y, x + w, y, x + w, y + h, x, y + h]]


def drawn(box: list[list[int]]) -> Any:
    return masks.decode(masks.from_polygons([box], [6, 8]))[0].astype(bool)


TABLE, CUP, CROWD, GRASS = box(1, 1, 5, 4), box(2, 2, 2, 2), box(0, 0, 8, 3), box(0, 2, 8, 4)
CATEGORIES = [
    {"id": 1, "name": "cat", "color": [9, 8, 7]},
    {"id": 2, "name": "grass", "isthing": 0},
]


def test_what_lies_above_what(context: AppContext, dataset: Dataset) -> None:
    # The order of the file is the wrong one on purpose.
    file = coco(
        annotation(id=900_100_000_001, segmentation=CUP, area=4.0),
        annotation(id=7, segmentation=TABLE, area=20.0),
        annotation(id=8, segmentation=CROWD, iscrowd=1),
        annotation(id=9, segmentation=GRASS, category_id=2),
        annotation(id=10, segmentation=[], bbox=[0, 0, 8, 6]),
        annotation(id=7, segmentation=box(7, 5, 1, 1), category_id=2),
        annotation(id=11, segmentation=box(2, 2, 1, 1), area=1.0),
        annotation(id=12, segmentation=box(2, 2, 1, 1), area=1.0),
        categories=CATEGORIES,
    )
    put_in(context, dataset, file)
    ids, segments = ids_and_segments(get_zip(context, dataset), "default")["a.png"]
    expected = np.zeros((6, 8), int)
    # Both regions of grass are one segment; of two equal things the newer one is above.
    expected[drawn(GRASS) | drawn(box(7, 5, 1, 1))] = 9
    for number, shape in ((8, CROWD), (7, TABLE), (13, CUP), (12, box(2, 2, 1, 1))):
        expected[drawn(shape)] = number
    assert (ids == expected).all()
    crowds = {key: one["iscrowd"] for key, one in segments.items()}
    assert crowds == {13: 0, 7: 0, 8: 1, 9: 0, 12: 0}
    assert {key: one["category_id"] for key, one in segments.items()}[9] == 2
    assert all(
        list(one) == ["id", "category_id", "iscrowd", "area", "bbox"] for one in segments.values()
    )
    out = get_out(context, dataset, "panoptic")
    told = [(c["isthing"][1], [n[1] for n in c["color"]]) for c in out["categories"]]
    assert told[0] == ("1", ["9", "8", "7"])
    assert told[1][0] == "0"
    # Nothing of it is stored: instances come out as they went in.
    text = json.dumps(file["annotations"])
    assert get_out(context, dataset, "instances")["annotations"] == numbers_as_text(text)


def test_real_instances_and_stuff(context: AppContext, dataset: Dataset) -> None:
    for name in ("instances", "stuff"):
        put_in(context, dataset, (REAL / f"{name}.json").read_bytes(), file_name=f"{name}_val.json")
    found = ids_and_segments(get_zip(context, dataset))
    images = get_out(context, dataset, "panoptic")["images"]
    assert len(found) == len(images) == 13
    assert sum(len(segments) for _, segments in found.values()) > 100
    # Where nothing covers it, a segment has the id of its annotation and all of its pixels.
    stuff = json.loads((REAL / "stuff.json").read_bytes())
    name = stuff["images"][0]["file_name"].replace(".jpg", ".png")
    ids, segments = found[name]
    for one in stuff["annotations"]:
        assert segments[one["id"]]["area"] == one["area"]
    assert set(segments) == {one["id"] for one in stuff["annotations"]}
    assert sorted(set(ids.ravel().tolist()) - {0}) == sorted(segments)


def test_images_without_anything_are_void(context: AppContext, dataset: Dataset) -> None:
    images = [
        {"id": 1, "file_name": "x/a.jpg", "width": 8, "height": 6},
        {"id": 2, "file_name": "x/a.png", "width": 8, "height": 6},
        {"id": 3, "file_name": "../c.jpg", "width": 8, "height": 6},
    ]
    put_in(context, dataset, coco(annotation(segmentation=CUP), images=images))
    found = ids_and_segments(get_zip(context, dataset), "default")
    # Names never climb, and two that would be the same are told apart.
    assert set(found) >= {"x/a.png", "c.png"}
    assert len(found) == 3
    assert sum(bool(segments) for _, segments in found.values()) == 1


def test_filters_leave_segments_out(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    file = coco(
        annotation(id=1, segmentation=TABLE),
        annotation(id=2, segmentation=CUP, category_id=2),
        categories=CATEGORIES,
    )
    put_in(context, dataset, file)
    cat = session.scalars(select(Category.id).where(Category.name == "cat")).one()
    session.commit()
    chosen = ExportOptions(filters=ImageFilter(categories=(cat,)))
    ids, segments = ids_and_segments(get_zip(context, dataset, file=chosen), "default")["a.png"]
    assert set(segments) == {1}
    assert ((ids == 1) == drawn(TABLE)).all()


def test_images_that_no_png_holds(context: AppContext, dataset: Dataset) -> None:
    put_in(
        context,
        dataset,
        coco(images=[{"id": 1, "file_name": "a.jpg", "width": 60_000, "height": 60_000}]),
    )
    for get in (get_zip, lambda context, dataset: get_out(context, dataset, "panoptic")):
        with pytest.raises(Invalid) as caught:
            get(context, dataset)
        assert caught.value.code == "image_too_large"


def test_two_pngs_of_one_name(context: AppContext, dataset: Dataset) -> None:
    file = panoptic()
    file["images"].append(file["images"][0] | {"id": 2, "file_name": "b.jpg"})
    file["annotations"].append(file["annotations"][0] | {"image_id": 2})
    put_zip(context, dataset, panoptic_zip(file, {"a.png": ids_png()}))
    with pytest.raises(Conflict) as caught:
        get_zip(context, dataset)
    assert caught.value.code == "name_collision"
