"""Annotations of images and categories that the file lacks, where placeholders are asked for."""

import json
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Annotation, Category, Dataset, Image
from tests.build import make_category, make_image
from tests.build.coco import annotation, coco
from tests.services.importing import Import, numbers, only

RLE = {"size": [6, 8], "counts": "73300000a0"}


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({"segmentation": RLE, "bbox": [0, 0, 90, 90]}, (6, 8)),
        ({"segmentation": [[1.5, 1, 7.2, 1, 7.2, 3.5]], "bbox": ...}, (4, 8)),
        ({"segmentation": ..., "bbox": [2, 3, 10, 20.5]}, (24, 12)),
        ({"segmentation": ..., "bbox": ..., "keypoints": [3, 9, 2, 0, 0, 0]}, (9, 3)),
    ],
)
def test_made_of_what_is_drawn(
    imported: Import, session: Session, given: dict[str, Any], size: tuple[int, int]
) -> None:
    file = {"annotations": [annotation(image_id=7, category_id="x", **given)]}
    report = imported(file, task="instances", placeholders=True)
    assert report["issue_counts"] == {"category_placeholder": 1, "image_placeholder": 1}
    assert {issue["action"] for issue in report["issues"]} == {"made, called after its id"}
    assert report["issues"][0]["path"] == "annotations[0].image_id"
    assert report["outcome"] == "complete"
    image, category = only(session, Image), only(session, Category)
    assert (image.coco_id, image.file_name, image.height, image.width) == (7, "image 7", *size)
    assert json.loads(image.record) == {
        "id": 7,
        "file_name": "image 7",
        "width": size[1],
        "height": size[0],
    }
    assert (category.coco_id, category.name) == ("x", "category x")


def test_twice_changes_nothing(imported: Import, session: Session) -> None:
    """The second time, other annotations would make the image larger."""
    file = coco(annotation(image_id=7, bbox=[1, 1, 2, 2]), annotation(id=2), annotation(id=3))
    imported(file, placeholders=True)
    file["annotations"].append(annotation(id=9, image_id=7, bbox=[1, 1, 200, 200]))
    again = imported(file, placeholders=True)
    assert again["images"] == numbers(unchanged=2)
    assert again["annotations"] == numbers(unchanged=3, created=1) | {"rejected": 0}
    assert [issue["action"] for issue in again["issues"]] == ["taken from the dataset"]


def test_the_datasets_own_come_first(imported: Import, session: Session, dataset: Dataset) -> None:
    make_image(session, dataset=dataset, coco_id=7, file_name="boats.jpg", width=80, height=60)
    made = make_category(session, dataset=dataset, name="boat")
    annotations = [annotation(image_id=7, category_id=made.coco_id, bbox=[1, 1, 2, 2])]
    report = imported({"annotations": annotations}, placeholders=True)
    assert report["issue_counts"] == {"category_placeholder": 1, "image_placeholder": 1}
    assert (only(session, Image).file_name, only(session, Category).name) == ("boats.jpg", "boat")
    assert only(session, Annotation).image_id == only(session, Image).id


def test_what_no_placeholder_can_be_made_of(imported: Import, session: Session) -> None:
    file = coco(
        annotation(image_id=None),
        annotation(id=2, image_id=[1]),
        annotation(id=3, image_id=...),
        annotation(id=4, image_id=7, segmentation="none", bbox=...),
        annotation(id=5, image_id="1"),
    )
    report = imported(file, placeholders=True)
    assert report["issue_counts"] == {
        "id_type_mismatch": 1,
        "image_placeholder": 1,
        "image_rejected": 1,
        "image_size_missing": 1,
        "image_unknown": 3,
    }
    assert report["annotations"]["created"] == 1
    assert [image.coco_id for image in session.scalars(select(Image))] == [1]


def test_only_where_they_are_asked_for(imported: Import) -> None:
    report = imported(coco(annotation(image_id=7), annotation(id=2, category_id=7)))
    assert report["issue_counts"] == {"category_unknown": 1, "image_unknown": 1}
    assert report["outcome"] == "nothing"


def test_captions_of_the_datasets_images(
    imported: Import, session: Session, dataset: Dataset
) -> None:
    make_image(session, dataset=dataset, coco_id=7, file_name="boats.jpg", width=80, height=60)
    captions = [{"id": 1, "image_id": n, "caption": "Two boats."} for n in (7, 8)]
    report = imported({"annotations": captions}, placeholders=True)
    assert report["task"] == "captions"
    assert report["annotations"]["created"] == 1
    assert report["issue_counts"] == {
        "image_placeholder": 2,
        "image_rejected": 1,
        "image_size_missing": 1,
    }
