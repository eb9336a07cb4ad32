"""Masks as pictures: every pixel says the class or the annotation that the mask engine draws."""

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from app import masks
from app.context import AppContext
from app.models import Dataset
from tests.services.exporting import put_in
from tests.services.folders import COCO_DATA, get_zip, losses

Reads = Any


@pytest.fixture
def real(context: AppContext, session: Any, dataset: Dataset) -> Dataset:
    session.commit()
    put_in(context, dataset, (COCO_DATA / "instances.json").read_bytes())
    return dataset


def _read(content: bytes) -> Any:
    with Pillow.open(io.BytesIO(content)) as picture:
        picture.load()
        return picture.copy()


def _expected(image: dict[str, Any], values: dict[Any, int], annotations: list[Any]) -> Any:
    """Painted with the engine alone, the largest first."""
    size = (image["height"], image["width"])
    labels = np.zeros(size, np.int64)
    drawn = []
    for one in annotations:
        mask = masks.from_segmentations([one["segmentation"]], [size])
        drawn.append((-int(masks.area(mask)[0]), values[one["id"]], masks.decode(mask)[0]))
    for _, value, bitmap in sorted(drawn, key=lambda found: found[0]):
        labels[bitmap == 1] = value
    return labels


def _of(coco: dict[str, Any], image: dict[str, Any]) -> list[Any]:
    return [one for one in coco["annotations"] if one["image_id"] == image["id"]]


def test_semantic_masks(context: AppContext, real: Dataset) -> None:
    files = get_zip(context, real, "semantic-masks")
    coco = json.loads((COCO_DATA / "instances.json").read_bytes())
    classes = json.loads(files["classes.json"])
    assert classes[0] == {"value": 0, "name": "background", "color": "#000000"}
    assert [one["name"] for one in classes[1:]] == [one["name"] for one in coco["categories"]]
    value_of = {one["category_id"]: one["value"] for one in classes[1:]}
    for image in coco["images"]:
        picture = _read(files[f"masks/default/{image['file_name'][:-4]}.png"])
        assert picture.mode == "P"
        annotations = _of(coco, image)
        values = {one["id"]: value_of[one["category_id"]] for one in annotations}
        assert np.array_equal(np.asarray(picture), _expected(image, values, annotations))
        colors = picture.getpalette()
        for one in classes:
            at = 3 * one["value"]
            assert "#" + bytes(colors[at : at + 3]).hex() == one["color"]
    assert losses(files)["overlap_hidden"] > 0


def test_instance_masks(context: AppContext, real: Dataset) -> None:
    files = get_zip(context, real, "instance-masks")
    coco = json.loads((COCO_DATA / "instances.json").read_bytes())
    names = {one["id"]: one["name"] for one in coco["categories"]}
    for image in coco["images"]:
        path = f"masks/default/{image['file_name'][:-4]}"
        told = json.loads(files[f"{path}.json"])
        assert (told["image"], told["image_id"]) == (image["file_name"], image["id"])
        annotations = _of(coco, image)
        values = {one["annotation_id"]: one["value"] for one in told["instances"]}
        assert list(values.values()) == list(range(1, len(annotations) + 1))
        labels = np.asarray(_read(files[f"{path}.png"]))
        assert labels.dtype == np.uint16
        assert np.array_equal(labels, _expected(image, values, annotations))
        for one, source in zip(told["instances"], annotations, strict=True):
            assert one["annotation_id"] == source["id"]
            assert one["category"] == names[source["category_id"]]
            assert one["pixels"] == int((labels == one["value"]).sum())


def test_what_is_no_mask(context: AppContext, session: Any, dataset: Dataset) -> None:
    """A box is drawn as one; an image without annotations is all background."""
    session.commit()
    put_in(
        context,
        dataset,
        {
            "images": [{"id": n, "file_name": f"{n}.jpg", "width": 6, "height": 4} for n in (1, 2)],
            "categories": [{"id": 5, "name": "cat"}],
            "annotations": [{"id": 7, "image_id": 1, "category_id": 5, "bbox": [1, 1, 2, 3]}],
        },
    )
    files = get_zip(context, dataset, "semantic-masks")
    labels = np.asarray(_read(files["masks/default/1.png"]))
    assert labels[1:4, 1:3].tolist() == [[1, 1]] * 3
    assert labels.sum() == 6
    assert not np.asarray(_read(files["masks/default/2.png"])).any()
    assert losses(files) == {"box_drawn": 1}
