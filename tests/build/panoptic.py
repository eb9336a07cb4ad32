"""Panoptic files for tests: a small valid one, changed in what a test is about."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.formats.coco.panoptic import colors_of
from tests.build.pictures import make_zip

__all__ = ["IDS", "REAL", "colors_in", "ids_png", "panoptic", "panoptic_zip", "segment"]

REAL = Path(__file__).parent.parent / "data" / "coco"

IDS = np.zeros((6, 8), np.int64)
IDS[1:4, 1:4] = 70_001
IDS[3:6, 5:8] = 300
IDS[0, 7] = 16_777_215
"""Three segments on 8 x 6 pixels (width x height)."""


def ids_png(ids: Any = IDS, *, mode: str = "RGB") -> bytes:
    """The PNG of ids (h, w)."""
    array = np.asarray(ids)
    colors = colors_of(array.ravel().tolist()).reshape(*array.shape, 3)
    out = io.BytesIO()
    Image.fromarray(colors).convert(mode).save(out, "PNG")
    return out.getvalue()


def colors_in(png: bytes) -> Any:
    """The pixels of a PNG, (h, w, 3)."""
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.mode == "RGB"
        return np.asarray(picture)


def segment(number: int = 70_001, **members: Any) -> dict[str, Any]:
    """A valid segment of IDS, changed by `members`; ... takes a member away."""
    rows, columns = np.equal(IDS, number).nonzero()
    box = [0, 0, 0, 0]
    if len(rows):
        left, top = int(columns.min()), int(rows.min())
        box = [left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1]
    record = {
        "id": number,
        "category_id": 1,
        "area": len(rows),
        "bbox": box,
        "iscrowd": 0,
    } | members
    return {key: value for key, value in record.items() if value is not ...}


def panoptic(*segments: Any, **members: Any) -> dict[str, Any]:
    """A file with an 8 x 6 image and these segments, or those of IDS."""
    listed = list(segments) or [
        segment(70_001),
        segment(300, category_id=2),
        segment(16_777_215, category_id=2),
    ]
    return {
        "info": {"description": "made for a test"},
        "images": [{"id": 1, "file_name": "a.jpg", "width": 8, "height": 6}],
        "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": listed}],
        "categories": [
            {"id": 1, "name": "cat", "isthing": 1, "color": [1, 2, 3]},
            {"id": 2, "name": "grass", "isthing": 0, "color": [4, 5, 6]},
        ],
    } | members


def panoptic_zip(
    file: Any = None,
    pngs: Mapping[str, bytes] | None = None,
    *,
    name: str = "panoptic_val.json",
    folder: str = "panoptic_val/",
) -> bytes:
    """A zip of a panoptic file and its PNGs."""
    found = {"a.png": ids_png()} if pngs is None else pngs
    text = file if isinstance(file, bytes) else json.dumps(file or panoptic()).encode()
    return make_zip({name: text, **{folder + key: png for key, png in found.items()}})
