"""Which image of the dataset a record of a file is."""

import json

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.models import Annotation, Category, Dataset, Image
from app.services.datasets import counts
from tests.build import make_annotation, make_image
from tests.build.coco import annotation, coco
from tests.services.importing import Import, numbers, only


@pytest.mark.parametrize(
    ("uploaded", "recorded"),
    [
        ("a.jpg", "a.jpg"),
        ("é.jpg", "e\u0301.jpg"),
        ("a.jpg", "train\\a.jpg"),
        ("val/train/a.jpg", "train/a.jpg"),
        ("other/a.jpg", "train/a.jpg"),
        ("a.jpg", "/home/me/a.jpg"),
    ],
)
def test_an_uploaded_image_takes_the_record(
    imported: Import, session: Session, dataset: Dataset, uploaded: str, recorded: str
) -> None:
    image = make_image(
        session, dataset=dataset, file_name=uploaded, match_name=uploaded, width=8, height=6
    )
    drawn = make_annotation(session, image=image)
    file = coco(annotation(id=50, image_id=7))
    file["images"][0] |= {"id": 7, "file_name": recorded, "license": 4}
    result = imported(file)
    assert result["images"] == numbers(updated=1)
    assert only(session, Image).coco_id == 7
    assert json.loads(image.record or "") == file["images"][0]
    assert image.file_name == recorded
    assert image.annotation_count == 2
    assert json.loads(drawn.record)["image_id"] == 7


@pytest.mark.parametrize(
    ("uploaded", "recorded"),
    [
        (["a.jpg"], ["train/a.jpg", "val/a.jpg"]),
        (["x/a.jpg", "y/a.jpg"], ["a.jpg"]),
    ],
)
def test_ambiguous_names_are_reported(
    imported: Import,
    session: Session,
    dataset: Dataset,
    uploaded: list[str],
    recorded: list[str],
) -> None:
    for name in uploaded:
        make_image(session, dataset=dataset, file_name=name, coco_id=f"up {name}")
    images = [
        {"id": i, "file_name": name, "width": 8, "height": 6} for i, name in enumerate(recorded)
    ]
    result = imported(coco(images=images))
    assert result["images"] == numbers(created=len(recorded))
    assert result["issue_counts"] == {"file_name_ambiguous": len(recorded)}


def test_full_paths_are_told_apart(imported: Import, session: Session, dataset: Dataset) -> None:
    for name in ("train/a.jpg", "val/a.jpg"):
        make_image(session, dataset=dataset, file_name=name, width=8, height=6, coco_id=name)
    images = [
        {"id": 1, "file_name": "val/a.jpg", "width": 8, "height": 6},
        {"id": 2, "file_name": "train/a.jpg", "width": 8, "height": 6},
    ]
    result = imported(coco(images=images))
    assert result["images"] == numbers(updated=2)
    found = session.execute(select(Image.file_name, Image.coco_id).order_by(Image.id)).all()
    assert [tuple(row) for row in found] == [("train/a.jpg", 2), ("val/a.jpg", 1)]


def test_another_file_joins_by_name(imported: Import, session: Session) -> None:
    imported(coco(annotation()))
    file = coco(annotation(id=2, image_id=77))
    file["images"][0]["id"] = 77
    for number in (1, 0):
        result = imported(file)
        assert result["images"] == numbers(unchanged=1)
        assert result["annotations"] == numbers(created=number, unchanged=1 - number) | {
            "rejected": 0
        }
    assert result["issue_counts"] == {"image_joined_by_name": 1}
    newest = session.scalars(select(Annotation).order_by(Annotation.id.desc())).first()
    assert json.loads(newest.record if newest else "")["image_id"] == 1


def test_equal_ids_of_different_images_stay(imported: Import, session: Session) -> None:
    """train.json and val.json often count from 1 each: both keep their numbers."""
    imported(coco(annotation()))
    other = coco(annotation(area=2))
    other["images"][0]["file_name"] = "b.jpg"
    for number in (1, 0):
        result = imported(other)
        assert result["images"]["created"] == number
        assert result["annotations"]["created"] == number
    assert session.scalar(select(func.count()).select_from(Image)) == 2
    imported(other | {"categories": [{"id": 1, "name": "dog"}], "annotations": []})
    assert session.scalars(select(Category.coco_id)).all() == [1, 1]


def test_what_is_said_about_equal_ids(imported: Import) -> None:
    imported(coco(annotation()))
    other = coco(annotation(area=2), categories=[{"id": 1, "name": "dog"}])
    other["images"][0]["file_name"] = "b.jpg"
    assert imported(other)["issue_counts"] == {
        "annotation_id_taken": 1,
        "category_id_taken": 1,
        "image_id_taken": 1,
    }


def test_an_image_turned_by_its_camera(
    imported: Import, session: Session, dataset: Dataset
) -> None:
    """The record speaks of the sides as they are in the file: it is shown like that."""
    image = make_image(
        session, dataset=dataset, file_name="a.jpg", width=6, height=8, orientation=6
    )
    _give_pixels(session, image)
    result = imported(coco(annotation()))
    assert result["issue_counts"] == {"image_unrotated": 1}
    assert (image.width, image.height, image.orientation) == (8, 6, 1)


def test_an_image_of_another_size(imported: Import, session: Session, dataset: Dataset) -> None:
    image = make_image(session, dataset=dataset, file_name="a.jpg", width=100, height=50)
    _give_pixels(session, image)
    mask = {"size": [6, 8], "counts": [48]}
    result = imported(coco(annotation(), annotation(id=2, segmentation=mask)))
    assert result["issue_counts"] == {"image_size_mismatch": 1, "rle_size_mismatch": 1}
    assert (image.width, image.height) == (100, 50)
    assert result["annotations"] == numbers(created=1) | {"rejected": 1}


def test_a_size_stays_once_annotations_were_drawn_for_it(
    imported: Import, session: Session
) -> None:
    file = coco(images=[{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}])
    imported(file)
    imported(coco(annotation()))
    image = only(session, Image)
    assert (image.width, image.height) == (8, 6)
    assert imported(file)["issue_counts"] == {"image_size_mismatch": 1}
    assert (image.width, image.height) == (8, 6)


def test_a_size_told_by_the_uploaded_file(
    imported: Import, session: Session, dataset: Dataset
) -> None:
    image = make_image(session, dataset=dataset, file_name="a.jpg", width=8, height=6)
    _give_pixels(session, image)
    file = coco(annotation())
    del file["images"][0]["width"]
    result = imported(file)
    assert result["issue_counts"] == {"image_size_derived": 1}
    assert result["annotations"]["created"] == 1
    assert json.loads(image.record or "") == file["images"][0]


def _give_pixels(session: Session, image: Image) -> None:
    session.execute(
        text("insert into blobs (sha256, size, media_type) values (:key, 1, 'image/jpeg')"),
        {"key": "0" * 64},
    )
    image.blob_sha256 = "0" * 64
    session.commit()


def test_an_empty_image_gets_annotations(
    imported: Import, session: Session, dataset: Dataset
) -> None:
    make_image(session, dataset=dataset, file_name="a.jpg", width=8, height=6, status="empty")
    imported(coco(annotation()))
    assert only(session, Image).status == "in_progress"
    progress = counts.progress(session, dataset_ids=[dataset.id])[dataset.id]
    assert progress.by_status == {"new": 0, "in_progress": 1, "done": 0, "empty": 0}
    assert (progress.images, progress.annotations) == (1, 1)
