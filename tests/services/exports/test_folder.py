"""What all formats of folders share on their way out: what is an object, and what is told."""

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from app.context import AppContext
from app.models import Dataset
from tests.build.panoptic import REAL, colors_in, panoptic_zip
from tests.services.exporting import put_in
from tests.services.folders import COCO_DATA, get_zip, losses, put_zip


@pytest.fixture(autouse=True)
def committed(session: Any, dataset: Dataset) -> None:
    session.commit()


def test_details_that_no_format_holds_are_told(context: AppContext, dataset: Dataset) -> None:
    put_in(context, dataset, (COCO_DATA / "instances.json").read_bytes())
    coco = json.loads((COCO_DATA / "instances.json").read_bytes())
    used = {one["category_id"] for one in coco["annotations"]}
    for form in ("yolo-segment", "voc", "semantic-masks"):
        told = losses(get_zip(context, dataset, form))
        assert told["image_detail_left_out"] == len(coco["images"])
        assert told["file_detail_left_out"] == 1
        assert told.get("category_left_out", 0) == (
            len(coco["categories"]) - len(used) if form == "voc" else 0
        )
        # COCO's own have a supercategory, which the list of classes holds.
        masks = form == "semantic-masks"
        assert told.get("category_detail_left_out", 0) == (0 if masks else len(coco["categories"]))


def _pixels(content: bytes) -> Any:
    with Pillow.open(io.BytesIO(content)) as picture:
        return np.array(picture)


def test_segments_are_objects_where_there_are_no_others(
    context: AppContext, dataset: Dataset
) -> None:
    """They lie on no other, so a picture of instances has the pixels of their PNG."""
    text = (REAL / "panoptic.json").read_bytes()
    pngs = {path.name: path.read_bytes() for path in (REAL / "panoptic").iterdir()}
    put_zip(context, dataset, panoptic_zip(text, pngs))
    files = get_zip(context, dataset, "instance-masks")
    assert losses(files).keys() <= {
        "category_detail_left_out",
        "file_detail_left_out",
        "image_detail_left_out",
    }
    segments = 0
    for frame in json.loads(text)["annotations"]:
        stem = frame["file_name"].removesuffix(".png")
        colors = colors_in(pngs[frame["file_name"]]).astype(int)
        ids = colors[..., 0] + 256 * colors[..., 1] + 65536 * colors[..., 2]
        values = _pixels(files[f"masks/val/{stem}.png"])
        told = json.loads(files[f"masks/val/{stem}.json"])["instances"]
        pairs = set(zip(values.ravel().tolist(), ids.ravel().tolist(), strict=True)) - {(0, 0)}
        assert len(pairs) == len(told) == len(frame["segments_info"])
        assert all(value and number for value, number in pairs)
        segments += len(told)
    put_in(context, dataset, (COCO_DATA / "instances.json").read_bytes())
    files = get_zip(context, dataset, "yolo-detect")
    assert losses(files)["segment_left_out"] == segments
    assert json.loads(files["export-report.json"])["annotations"] == 114
