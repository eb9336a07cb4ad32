"""YOLO folders: what comes back after a way out and in, and what is told about the rest."""

from typing import Any

import pytest
from sqlalchemy import select

from app.context import AppContext
from app.models import Dataset, Image
from tests.services.exporting import put_in
from tests.services.folders import (
    COCO_DATA,
    annotated,
    codes,
    get_zip,
    losses,
    new_dataset,
    put_zip,
)

_PIXEL = 0.0011
"""Positions are written exactly enough and read to a thousandth of a pixel."""


@pytest.fixture
def real(context: AppContext, session: Any, dataset: Dataset) -> Dataset:
    """A dataset with real instances and the pictures."""
    session.commit()
    put_in(context, dataset, (COCO_DATA / "instances.json").read_bytes())
    return dataset


def _near(one: list[float], other: list[float], by: float = _PIXEL) -> bool:
    return len(one) == len(other) and all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


def test_real_boxes_come_back(context: AppContext, real: Dataset) -> None:
    files = get_zip(context, real, "yolo-detect")
    other = new_dataset(context, real)
    labels = {name: text for name, text in files.items() if name != "export-report.json"}
    for name in [name for name in labels if name.endswith(".txt")]:
        stem = name.removeprefix("labels/default/").removesuffix(".txt")
        picture = (COCO_DATA / "images" / f"{stem}.jpg").read_bytes()
        labels[f"images/default/{stem}.jpg"] = picture
    report = put_zip(context, other, labels)
    before, after = annotated(context, real), annotated(context, other)
    assert report["format"] == "yolo-detect"
    assert codes(report) == {}
    assert report["images"]["created"] == 12
    assert before.keys() == after.keys()
    for name, objects in before.items():
        kept = [one for one in objects if not one["iscrowd"]]
        assert [one["category"] for one in kept] == [one["category"] for one in after[name]]
        for one, back in zip(kept, after[name], strict=True):
            assert _near(one["bbox"], back["bbox"])
    told = losses(files)
    assert told["crowd_left_out"] == 3
    assert told["segmentation_left_out"] == 114
    with context.sessions() as session:
        found = session.scalars(select(Image).where(Image.dataset_id == other.id)).all()
        assert all(image.blob_sha256 is not None and image.subset == "default" for image in found)
