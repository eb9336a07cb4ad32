"""What goes in comes out: every real file there is, and every oddity that is accepted."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.context import AppContext
from app.models import Dataset
from tests.build import make_dataset
from tests.build.coco import annotation, coco, numbers_as_text
from tests.build.content import everything
from tests.build.panoptic import colors_in, panoptic_zip
from tests.services.exporting import get_out, in_order, put_in
from tests.services.panoptic_case import get_zip, put_zip
from tests.shared_data import SHARED_DATA, needs_shared_data

_NO_DATASETS = {"ATTRIBUTION.json", "mask_golden.json"}
SHARED = [path for path in sorted(SHARED_DATA.rglob("*.json")) if path.name not in _NO_DATASETS]


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session)


@needs_shared_data
@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.stem)
def test_every_real_file(
    context: AppContext, session: Session, dataset: Dataset, path: Path
) -> None:
    text, folder = path.read_bytes(), path.with_suffix("")
    pngs = {png.name: png.read_bytes() for png in folder.glob("*.png")}
    data = panoptic_zip(text, pngs, name=path.name, folder=f"{folder.name}/") if pngs else text
    report = put_zip(context, dataset, data, file_name=path.name)
    assert (report["issue_counts"], report["annotations"]["rejected"]) == ({}, 0)
    assert path.name.startswith(report["task"])
    assert in_order(get_out(context, dataset, report["task"])) == in_order(numbers_as_text(text))
    if pngs:
        files = get_zip(context, dataset)
        for name, png in pngs.items():
            drawn = files[f"annotations/{folder.name}/{name}"]
            assert (colors_in(drawn) == colors_in(png)).all()
    before = everything(session)
    session.commit()
    report = put_zip(context, dataset, data, file_name=path.name)
    assert report["annotations"]["unchanged"] > 0
    assert everything(session) == before


def test_the_real_files_are_found() -> None:
    """A glob that finds nothing would prove nothing."""
    assert len(SHARED) == 6 or not SHARED_DATA.is_dir()


RING = [1.5, 1, 5, 1, 1, 5]
RLE = {"size": [6, 8], "counts": [10, 5, 33]}
IMAGES: list[dict[str, Any]] = [
    {"id": 1, "file_name": "a.jpg", "width": 8, "height": 6},
    {"id": "@2.0@", "file_name": "train/e\u0301 ü.jpg", "width": "@8.0@", "height": "@6.00@"},
    {"id": 0, "file_name": "train/a.jpg", "width": 8, "height": 6, "license": 3, "x": {"y": []}},
    {"id": "img/1", "file_name": "a.png", "width": "8", "height": " 6"},
    {"id": "@1e23@", "file_name": "float.jpg", "width": 8, "height": 6},
    {"id": 2**70, "file_name": "../../etc/passwd.jpg", "width": 8, "height": 6},
    {"id": 7, "file_name": "C:\\data\\b.jpg", "width": 8, "height": 6},
    {"id": 8, "width": 8, "height": 6},
    {"id": 9, "file_name": "tells no size.jpg"},
    {"id": 10, "file_name": "twice.jpg", "width": 8, "height": 6},
    {"id": 10, "file_name": "twice more.jpg", "width": 8, "height": 6},
    {"height": 6, "width": 8, "id": 11, "file_name": "a.jpeg", "neg_category_ids": [1]},
]
CATEGORIES: list[dict[str, Any]] = [
    {"id": 0, "name": "zero"},
    {"id": "@3.0@", "name": "gap", "supercategory": None},
    {"id": 900, "name": "gap", "frequency": "r", "synonyms": []},
    {"id": "cat", "name": "text", "color": [255, 0, 1], "isthing": 0},
    {"id": 5, "name": "posed", "keypoints": ["nose", "tail"]},
    {"id": 6, "name": "twice"},
    {"id": 6, "name": "twice more"},
    {"id": 12},
    {"id": "@1e308@", "name": "far"},
]
ANNOTATIONS: list[dict[str, Any]] = [
    annotation(id=0, category_id=0),
    annotation(id="@1.0@", image_id="@2.0@", category_id="@3.0@"),
    annotation(id="x", image_id="img/1", category_id="cat"),
    annotation(id=2**70, image_id=2**70, category_id=900),
    annotation(id=None, category_id=0),
    annotation(id="@12345678901234567890.0@", image_id="@1e23@", category_id="@1e308@"),
    annotation(id=20, category_id=0, image_id="1"),
    annotation(id=21, category_id=0, area=..., bbox=..., iscrowd=...),
    annotation(id=22, category_id=0, area=None, bbox=None),
    annotation(id=23, category_id=0, iscrowd=True),
    annotation(id=24, category_id=0, iscrowd="0"),
    annotation(id=25, category_id=0, iscrowd=..., is_crowd=[0]),
    annotation(id=26, category_id=0, segmentation=...),
    annotation(id=27, category_id=0, segmentation=None),
    annotation(id=28, category_id=0, segmentation=[]),
    annotation(id=29, category_id=0, segmentation=[[]]),
    annotation(id=30, category_id=0, segmentation=[RING, [1, 2, 3, 4]]),
    annotation(id=31, category_id=0, segmentation=[[1, 2, 3, 4]]),
    annotation(id=32, category_id=0, segmentation=RING),
    annotation(id=33, category_id=0, segmentation=[[[1.5, 1], [5, 1], [1, 5]]]),
    annotation(id=34, category_id=0, segmentation=[[*RING, 9]]),
    annotation(id=35, category_id=0, segmentation=[[str(n) for n in RING]]),
    annotation(id=36, category_id=0, segmentation=RLE, iscrowd=0),
    annotation(id=37, category_id=0, segmentation=RLE, iscrowd=1),
    annotation(id=38, category_id=0, segmentation=[RING], iscrowd=1),
    annotation(id=39, category_id=0, segmentation={"counts": "b':5Q1'", "size": ["6", 8]}),
    annotation(id=40, category_id=0, segmentation=RLE | {"counts": [10, 0, 0, 5, 33]}),
    annotation(id=41, category_id=0, image_id=9, segmentation=RLE),
    annotation(id=42, category_id=0, image_id=10),
    annotation(id=42, category_id=0, image_id=10, area=1),
    annotation(id=43, category_id=6, bbox=["1", 1, 4, 4], area="large"),
    annotation(id=44, category_id=5, keypoints=["@1.25@", 2, 2], num_keypoints=9),
    annotation(id=45, category_id=5, keypoints=[1, 2, 2] * 3, num_keypoints=0),
    annotation(id=46, category_id=5, keypoints=[1, 2, 3, "@4.5@", 5, "@1.0@"]),
    annotation(id=47, category_id=12, dp_masks=[[], RLE], dp_I=["@1e0@"], track_id="@-0.0@"),
    annotation(id=48, category_id=0, attributes={"occluded": False, "rotation": "@0.0@"}),
]


def test_every_oddity_that_is_accepted(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    """Each is kept as it is; all that is added is what an export always has."""
    file = coco(*ANNOTATIONS, images=IMAGES, categories=CATEGORIES, licenses=[], z=["@1E+2@"])
    text = json.dumps(file, ensure_ascii=False).replace('"@', "").replace('@"', "").encode()
    report = put_in(context, dataset, text, task="instances")
    assert report["annotations"] == {
        "created": len(ANNOTATIONS),
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
    }
    assert in_order(get_out(context, dataset, "instances")) == in_order(numbers_as_text(text))
    before = everything(session)
    session.commit()
    again = put_in(context, dataset, text, task="instances")
    assert again["annotations"]["unchanged"] == len(ANNOTATIONS)
    assert everything(session) == before


def test_what_no_database_keeps_loses_nothing_else(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    """NUL in an id and in keys: reported, and everything beside it goes in."""
    file = coco(annotation(), annotation(id="a\x00b"), **{"k\x00": 1})
    text = json.dumps(file)[:-1] + ', "k\\u0000": 2}'
    report = put_in(context, dataset, text.encode())
    assert report["issue_counts"] == {"duplicate_key": 1, "id_invalid": 1}
    assert {issue["id"] for issue in report["issues"]} == {None, "a\ufffdb"}
    assert "\\u0000" not in json.dumps(report)
    out = get_out(context, dataset, "instances")
    assert (len(out["annotations"]), out["k\x00"]) == (1, ("number", "2"))
