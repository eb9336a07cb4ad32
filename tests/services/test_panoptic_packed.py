"""Panoptic files as COCO packs them: the PNGs in a zip of their own, within the zip."""

import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.context import AppContext
from app.models import Dataset
from app.services.imports.imports import ImportFailed
from tests.build import make_dataset
from tests.build.coco import coco
from tests.build.content import everything
from tests.build.panoptic import IDS, ids_png, panoptic
from tests.build.pictures import make_zip
from tests.services.panoptic_case import get_zip, ids_and_segments, put_zip

PNG = ids_png()
DEFLATED = zipfile.ZIP_DEFLATED


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session)


def packed(pngs: bytes, *, subset: str = "val", file: Any = None) -> dict[str, bytes]:
    """A panoptic file and, beside it, the zip of its PNGs."""
    return {
        f"annotations/panoptic_{subset}.json": json.dumps(file or panoptic()).encode(),
        f"annotations/panoptic_{subset}.zip": pngs,
    }


def left_behind(context: AppContext) -> list[Any]:
    return list(context.storage.scratch._own_folder().glob("*/*"))


@pytest.mark.parametrize(
    "names",
    [
        ["panoptic_val/", "panoptic_val/a.png", "__MACOSX/panoptic_val/._a.png"],
        ["a.png"],
        ["panoptic_val\\a.png"],
    ],
)
def test_the_pngs_are_found(context: AppContext, dataset: Dataset, names: list[str]) -> None:
    inner = make_zip({name: PNG if name.endswith("a.png") else b"" for name in names})
    report = put_zip(context, dataset, make_zip(packed(inner)))
    assert report["annotations"]["created"] == 3
    assert report["issue_counts"] == {}
    ids, _ = ids_and_segments(get_zip(context, dataset))["a.png"]
    assert (ids == IDS).all()
    assert not left_behind(context)


def test_each_file_has_its_own_zip(context: AppContext, dataset: Dataset) -> None:
    """As in panoptic_annotations_trainval2017.zip; a PNG that is unpacked already comes first."""
    train = panoptic(images=[{"id": 2, "file_name": "b.jpg", "width": 8, "height": 6}])
    train["annotations"][0]["image_id"] = 2
    files = packed(make_zip({"panoptic_val/a.png": b"damaged"}))
    files |= packed(make_zip({"panoptic_train/a.png": PNG}), subset="train", file=train)
    files |= {"annotations/panoptic_val/a.png": PNG}
    report = put_zip(context, dataset, make_zip(files))
    assert report["issue_counts"] == {}
    assert [(part["subset"], part["imported"]) for part in report["files"]] == [
        ("val", True),
        ("train", True),
    ]
    assert report["annotations"]["created"] == 6


BAD = {
    "zip_damaged": b"no zip",
    "zip_bomb": make_zip({"panoptic_val/a.png": PNG}) + bytes(50_000_000),
    "zip_too_many_files": make_zip({f"{number}.png": b"" for number in range(40)}),
}


@pytest.mark.parametrize("code", BAD)
def test_a_zip_that_is_refused(
    context: AppContext, session: Session, dataset: Dataset, code: str
) -> None:
    context = replace(context, settings=context.settings.model_copy(update={"max_zip_files": 30}))
    before = everything(session)
    session.commit()
    with pytest.raises(ImportFailed) as caught:
        put_zip(context, dataset, make_zip(packed(BAD[code]), method=DEFLATED))
    assert caught.value.result is not None
    assert caught.value.result["issue_counts"] == {"zip_invalid": 1}
    [issue] = caught.value.result["issues"]
    assert "annotations/panoptic_val.zip': " in issue["message"]
    assert f"({code})" in issue["message"]
    assert everything(session) == before
    assert not left_behind(context)


def test_all_that_is_unpacked_counts(context: AppContext, dataset: Dataset) -> None:
    """The zip within and the PNGs in it, together."""
    context = replace(context, settings=context.settings.model_copy(update={"max_upload_mb": 1}))
    inner = make_zip({"panoptic_val/a.png": PNG + bytes(600_000)})
    with pytest.raises(ImportFailed, match="larger than allowed"):
        put_zip(context, dataset, make_zip(packed(inner), method=DEFLATED))


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        (make_zip({"../a.png": PNG, "/panoptic_val/a.png": PNG}), "panoptic_png_missing"),
        (
            make_zip({"panoptic_val.zip": make_zip({"panoptic_val/a.png": PNG})}),
            "panoptic_png_missing",
        ),
        (
            make_zip({"panoptic_val/a.png": PNG + bytes(50_000_000)}, method=DEFLATED),
            "panoptic_png_damaged",
        ),
    ],
    ids=["hostile names", "a zip in it", "a PNG that grows without end"],
)
def test_what_is_not_taken_out_of_it(
    context: AppContext, dataset: Dataset, inner: bytes, code: str
) -> None:
    report = put_zip(context, dataset, make_zip(packed(inner)))
    assert report["issue_counts"][code] == 1
    assert report["annotations"]["created"] == 0
    assert not left_behind(context)


def test_other_files_go_in_all_the_same(context: AppContext, dataset: Dataset) -> None:
    """And a zip beside a file of another task is none of PNGs."""
    files = packed(b"no zip") | {
        "annotations/instances_val.json": json.dumps(coco()).encode(),
        "annotations/instances_val.zip": make_zip({"instances_val/a.png": PNG}),
    }
    report = put_zip(context, dataset, make_zip(files))
    assert [part["imported"] for part in report["files"]] == [True, False]
    assert report["issue_counts"] == {"file_ignored": 1, "zip_invalid": 1}
