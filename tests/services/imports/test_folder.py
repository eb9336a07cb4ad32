"""What all formats of folders share: pictures, subsets, and what a zip is read as."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from app.context import AppContext
from app.models import Annotation, Blob, Dataset, Image
from tests.services.folders import box, codes, new_dataset, png, put_zip, voc


def test_one_name_in_two_subsets(context: AppContext, session: Any, dataset: Dataset) -> None:
    """They are two images, each with its own pixels, also when they come again."""
    session.commit()
    files: dict[str, bytes | str] = {
        "data.yaml": "names: [cat]\ntrain: train/images\nval: valid/images",
        "train/images/a.png": png(10, 20),
        "train/labels/a.txt": "0 .5 .5 .2 .2\n",
        "valid/images/a.png": png(30, 40),
        "valid/labels/a.txt": "0 .5 .5 .4 .4\n",
    }
    report = put_zip(context, dataset, files)
    assert (report["images"]["created"], report["pictures"]["updated"]) == (2, 2)
    del files["train/images/a.png"], files["train/labels/a.txt"]
    again = put_zip(context, dataset, files)
    assert again["annotations"] == {"created": 0, "updated": 0, "unchanged": 1, "rejected": 0}
    assert again["pictures"]["unchanged"] == 1
    with context.sessions() as own:
        found = own.scalars(select(Image).where(Image.dataset_id == dataset.id)).all()
        assert {image.subset: (image.width, bool(image.blob_sha256)) for image in found} == {
            "train": (10, True),
            "val": (30, True),
        }


def test_other_subsets_are_other_images(
    context: AppContext, session: Any, dataset: Dataset
) -> None:
    """Numbers of frames repeat in each subset: what came with one is nothing of the other."""
    session.commit()
    val: dict[str, bytes | str] = {
        "data.yaml": "names: [cat]\ntrain: images/train\nval: images/val",
        "images/val/1.png": png(30, 40),
        "labels/val/1.txt": "0 .5 .5 .4 .4\n",
    }
    train: dict[str, bytes | str] = {
        "images/train/1.png": png(30, 40, "red"),
        "labels/train/1.txt": "0 .5 .5 .2 .2\n",
    }
    put_zip(context, dataset, val)
    report = put_zip(context, dataset, val | train)
    assert codes(report) == {}
    assert (report["annotations"]["created"], report["annotations"]["unchanged"]) == (1, 1)
    with context.sessions() as own:
        query = select(Image.subset, Annotation.bbox).join(Annotation).order_by(Image.subset)
        found = [(row.subset, list(row.bbox)) for row in own.execute(query)]
    assert found == [("train", [12, 16, 6, 8]), ("val", [9, 12, 12, 16])]
    again = new_dataset(context, dataset)
    put_zip(context, again, val)
    assert (
        put_zip(context, again, {"data.yaml": val["data.yaml"]} | train)["images"]["created"] == 1
    )


def test_an_image_of_no_subset_may_be_of_any(
    context: AppContext, session: Any, dataset: Dataset
) -> None:
    session.commit()
    put_zip(context, dataset, _YOLO | _NAMES)
    files: dict[str, bytes | str] = {
        "data.yaml": "names: [cat]",
        "images/val/a.png": _YOLO["images/a.png"],
        "labels/val/a.txt": "0 .5 .5 .3 .3\n",
    }
    report = put_zip(context, dataset, files)
    assert (report["images"]["created"], report["annotations"]["created"]) == (0, 1)


def test_pictures_that_are_not_taken_are_not_kept(
    context: AppContext, session: Any, dataset: Dataset
) -> None:
    """The image has other pixels, which stay; those of the zip are gone."""
    session.commit()
    files: dict[str, bytes | str] = {
        "data.yaml": "names: [cat]",
        "images/a.png": png(10, 10),
        "labels/a.txt": "0 .5 .5 .2 .2\n",
    }
    put_zip(context, dataset, files)
    report = put_zip(context, dataset, files | {"images/a.png": png(10, 10, "red")})
    assert codes(report) == {"picture_rejected": 1}
    assert report["annotations"]["unchanged"] == 1
    with context.sessions() as own:
        used = own.scalars(select(Image.blob_sha256)).all()
        assert own.scalars(select(Blob.sha256)).all() == used


def test_a_dry_run_tells_the_same_of_pictures(
    context: AppContext, session: Any, dataset: Dataset
) -> None:
    """New ones, those of records, those that are there, and one that does not fit its record."""
    session.commit()
    other = png(10, 10, "red")
    coco: dict[str, bytes | str] = {"annotations/instances_val.json": _COCO}
    coco["images/val/new.png"] = other
    yolo = _YOLO | _NAMES
    zips: list[tuple[dict[str, bytes | str], int]] = [
        (yolo, 0),
        (yolo | {"images/a.png": other}, 1),
        (coco | {"images/val/a.png": png(10, 10)}, 0),
        (coco | {"images/val/a.png": png(9, 9)}, 1),
    ]
    for files, rejected in zips:
        tried = put_zip(context, dataset, files, dry_run=True)
        with context.sessions() as own:
            stored = own.scalars(select(Blob.sha256)).all()
            assert set(stored) == set(own.scalars(select(Image.blob_sha256)))
        done = put_zip(context, dataset, files)
        assert {**tried, "dry_run": False, "imported": True} == done
        assert done["pictures"]["rejected"] == rejected


_YOLO: dict[str, bytes | str] = {"images/a.png": png(10, 10), "labels/a.txt": "0 .5 .5 .2 .2\n"}
_NAMES: dict[str, bytes | str] = {"data.yaml": "names: [cat]"}
_VOC: dict[str, bytes | str] = {
    "Annotations/a.xml": voc(box(at=(1, 1, 4, 4))),
    "JPEGImages/a.png": png(40, 30),
}
_COCO: str = json.dumps(
    {
        "images": [{"id": 1, "file_name": "a.png", "width": 10, "height": 10}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
        "categories": [{"id": 1, "name": "cat"}],
    }
)


@pytest.mark.parametrize(
    ("files", "form", "ignored"),
    [
        (_YOLO | _NAMES | _VOC | {"annotations/instances_train.json": _COCO}, "coco", 3),
        (_YOLO | _NAMES | _VOC | {"train/_annotations.coco.json": _COCO}, "coco", 3),
        (_YOLO | _NAMES | _VOC | {"other.json": _COCO}, "voc", 4),
        (_YOLO | _NAMES | {"other.json": _COCO}, "yolo-detect", 1),
        (_YOLO | {"other.json": _COCO}, "coco", 1),
        (_YOLO | {"readme.md": "x"}, "yolo-detect", 1),
        ({"images/a.png": png(10, 10), "meta.yaml": "author: me", "all.json": _COCO}, "coco", 1),
        (
            {"data/a.png": png(10, 10), "data/a.txt": "a cat", "classes.txt": "cat"}
            | {"labels.json": _COCO},
            "coco",
            2,
        ),
    ],
)
def test_zips_of_several_layouts(
    context: AppContext,
    session: Any,
    dataset: Dataset,
    files: dict[str, bytes | str],
    form: str,
    ignored: int,
) -> None:
    """COCO where a name says so, then VOC, then YOLO, then COCO; the rest is told file by file."""
    session.commit()
    report = put_zip(context, dataset, files, dry_run=True)
    assert (report["format"], codes(report).get("file_ignored")) == (form, ignored)
    assert report["annotations"]["created"] == 1


@pytest.mark.parametrize("form", ["coco", "voc", "yolo-detect"])
def test_the_format_that_is_asked_for(
    context: AppContext, session: Any, dataset: Dataset, form: str
) -> None:
    session.commit()
    files = _YOLO | _NAMES | _VOC | {"annotations/instances_train.json": _COCO}
    report = put_zip(context, dataset, files, format=form)
    assert (report["format"], report["annotations"]["created"]) == (form, 1)
