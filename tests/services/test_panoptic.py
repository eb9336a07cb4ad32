"""Panoptic files and their PNGs: in, edited, and out again."""

import json
import zipfile
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import masks
from app.context import AppContext
from app.errors import Invalid
from app.models import Annotation, Category, Dataset, Image, User
from app.services.annotations import annotations
from app.services.annotations.shapes import Json
from app.services.annotations.view import members
from app.services.imports.imports import ImportFailed
from tests.build import make_dataset
from tests.build.coco import annotation, coco, numbers_as_text
from tests.build.content import everything
from tests.build.panoptic import IDS, REAL, colors_in, ids_png, panoptic, panoptic_zip, segment
from tests.build.pictures import make_png_header, make_zip
from tests.services.exporting import get_out, in_order, put_in
from tests.services.importing import numbers
from tests.services.panoptic_case import get_zip, ids_and_segments, put_zip


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session)


@pytest.fixture
def user(session: Session, dataset: Dataset) -> User:
    return session.get_one(User, dataset.created_by)


def found(session: Session, coco_id: int) -> Annotation:
    session.expire_all()
    return next(one for one in session.scalars(select(Annotation)) if one.coco_id == coco_id)


def rle_of(bitmap: Any) -> Json:
    return Json.of(masks.to_dicts(masks.encode(bitmap))[0])


def edit(session: Session, user: User, coco_id: int, **fields: Any) -> None:
    annotations.change_annotation(
        session,
        annotation=found(session, coco_id),
        user=user,
        fields={
            name: value if isinstance(value, Json) else Json.of(value)
            for name, value in fields.items()
        },
        expected=None,
    )
    session.commit()


def remove(session: Session, user: User, coco_id: int) -> None:
    one = found(session, coco_id)
    annotations.delete_annotation(session, annotation=one, user=user, expected=None)
    session.commit()


# In and out. ------------------------------------------------------------------------------------


def test_real_files_come_out_as_they_went_in(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    text = (REAL / "panoptic.json").read_bytes()
    pngs = {path.name: path.read_bytes() for path in (REAL / "panoptic").iterdir()}
    data = panoptic_zip(
        text, pngs, name="annotations/panoptic_val.json", folder="annotations/panoptic_val/"
    )
    report = put_zip(context, dataset, data)
    assert (report["task"], report["issue_counts"]) == ("panoptic", {})
    assert report["annotations"] == numbers(created=50) | {"rejected": 0}
    assert in_order(get_out(context, dataset, "panoptic")) == in_order(numbers_as_text(text))
    files = get_zip(context, dataset)
    out = files["annotations/panoptic_val.json"]
    assert in_order(numbers_as_text(out)) == in_order(numbers_as_text(text))
    assert set(files) == {
        "annotations/panoptic_val.json",
        *(f"annotations/panoptic_val/{name}" for name in pngs),
    }
    for name, png in pngs.items():
        assert (colors_in(files[f"annotations/panoptic_val/{name}"]) == colors_in(png)).all()
    ids_and_segments(files)
    # What was exported is imported again, and nothing changes.
    before = everything(session)
    session.commit()
    for again in (data, make_zip(files)):
        report = put_zip(context, dataset, again)
        assert report["annotations"] == numbers(unchanged=50) | {"rejected": 0}
        assert report["issue_counts"] == {}
        assert everything(session) == before
        session.commit()


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("panoptic_val.json", "panoptic_val/"),
        ("panoptic_val.json", ""),
        ("a/b/panoptic_val.json", "a/b/panoptic_val/"),
        ("a/b/panoptic_val.json", "a/b/"),
        ("annotations\\panoptic_val.json", "annotations\\panoptic_val\\"),
    ],
)
def test_where_pngs_are(context: AppContext, dataset: Dataset, name: str, folder: str) -> None:
    report = put_zip(context, dataset, panoptic_zip(name=name, folder=folder))
    assert report["annotations"]["created"] == 3
    assert report["issue_counts"] == {}


def test_every_oddity_that_is_accepted_comes_out(context: AppContext, dataset: Dataset) -> None:
    text = b"""{"x": 1.50, "categories": [{"name": "cat", "id": 1.0, "isthing": 1, "y": [1e2]}],
    "annotations": [
      {"extra": -0.0, "segments_info": [], "image_id": 2, "file_name": "../b.png"},
      {"segments_info": [
        {"iscrowd": 1, "id": 300, "area": 9.00, "bbox": [5, 3, 3.0, 3], "category_id": 1, "z": {}},
        {"id": 70001.0, "category_id": 1.0}
      ], "file_name": "a.png", "image_id": 1}
    ],
    "images": [{"id": 1, "width": 8, "height": 6, "file_name": "a.jpg"},
               {"id": 2, "width": 2, "height": 1, "file_name": "b.jpg"}],
    "info": null, "licenses": []}"""
    ids = np.where(IDS == 16_777_215, 0, IDS)
    pngs = {"a.png": ids_png(ids), "b.png": ids_png([[0, 0]])}
    report = put_zip(context, dataset, panoptic_zip(text, pngs))
    assert report["issue_counts"] == {}
    out = get_out(context, dataset, "panoptic")
    assert in_order(out) == in_order(numbers_as_text(text))
    files = get_zip(context, dataset)
    assert (colors_in(files["annotations/panoptic_val/b.png"]) == 0).all()
    assert (colors_in(files["annotations/panoptic_val/a.png"]) == colors_in(ids_png(ids))).all()


def test_wrong_areas_are_noted_and_kept(context: AppContext, dataset: Dataset) -> None:
    file = panoptic(segment(70_001, area=8, bbox=[1, 1, 2, 2]), segment(300), segment(16_777_215))
    report = put_zip(context, dataset, panoptic_zip(file))
    assert report["issue_counts"] == {"segment_area_differs": 2}
    assert get_out(context, dataset, "panoptic")["annotations"] == numbers_as_text(
        json.dumps(file["annotations"])
    )


def test_segments_are_masks_that_anyone_can_edit(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    put_zip(context, dataset, panoptic_zip())
    one = found(session, 70_001)
    shown = members(one)
    drawn = masks.from_dicts([json.loads(shown["segmentation"])])
    assert (masks.decode(drawn)[0] == (IDS == 70_001)).all()
    assert (one.task, one.area, one.bbox, one.iscrowd) == ("panoptic", 9.0, [1, 1, 3, 3], False)
    things = {c.name: c.isthing for c in session.scalars(select(Category))}
    assert things == {"cat": True, "grass": False}


def test_ids_are_of_one_image_and_one_task(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    """The same ids on another image, and in another task, are other things."""
    put_in(context, dataset, coco(annotation(id=300)), task="instances")
    file = panoptic()
    file["images"].append(file["images"][0] | {"id": 2, "file_name": "b.jpg"})
    file["annotations"].append(file["annotations"][0] | {"image_id": 2, "file_name": "b.png"})
    pngs = {"a.png": ids_png(), "b.png": ids_png()}
    report = put_zip(context, dataset, panoptic_zip(file, pngs))
    assert report["annotations"]["created"] == 6
    assert "annotation_id_taken" not in report["issue_counts"]
    session.refresh(dataset)
    assert dataset.next_annotation_coco_id == 301
    assert len(get_out(context, dataset, "instances")["annotations"]) == 1
    # The image that was there was in no subset.
    files = get_zip(context, dataset)
    assert set(ids_and_segments(files, "val")) == {"a.png", "b.png"}


# What is wrong. ---------------------------------------------------------------------------------

_HALF = ids_png()[:60]
_BAD: dict[str, tuple[Any, Any]] = {
    "panoptic_png_missing": (panoptic(), {"b.png": ids_png()}),
    "panoptic_png_damaged": (panoptic(), {"a.png": _HALF}),
    "panoptic_png_size": (panoptic(), {"a.png": ids_png(IDS[1:])}),
    "panoptic_image_duplicate": (
        panoptic(annotations=panoptic()["annotations"] * 2),
        {"a.png": ids_png()},
    ),
    "segments_invalid": (
        panoptic(annotations=[{"image_id": 1, "file_name": "a.png", "segments_info": 7}]),
        {"a.png": ids_png()},
    ),
    "image_unknown": (
        panoptic(annotations=[panoptic()["annotations"][0] | {"image_id": 9}]),
        {"a.png": ids_png()},
    ),
}


@pytest.mark.parametrize("code", _BAD)
def test_an_image_that_is_wrong_never_loses_the_file(
    context: AppContext, dataset: Dataset, code: str
) -> None:
    file, pngs = _BAD[code]
    other = {"id": "good", "file_name": "good.jpg", "width": 8, "height": 6}
    frame = panoptic()["annotations"][0] | {"image_id": "good", "file_name": "good.png"}
    file = file | {
        "images": [*file["images"], other],
        "annotations": [*file["annotations"], frame],
    }
    report = put_zip(context, dataset, panoptic_zip(file, {**pngs, "good.png": ids_png()}))
    assert report["issue_counts"][code] == 1
    assert report["issues"][0]["path"].startswith("annotations[")
    drawn = ids_and_segments(get_zip(context, dataset))
    assert "good.png" in drawn


@pytest.mark.parametrize("mode", ["P", "L", "RGBA", "1", "LA"])
def test_other_modes_hold_no_ids(context: AppContext, dataset: Dataset, mode: str) -> None:
    report = put_zip(context, dataset, panoptic_zip(pngs={"a.png": ids_png(mode=mode)}))
    assert report["issue_counts"] == {"panoptic_png_mode": 1}
    assert report["annotations"] == numbers() | {"rejected": 3}


def test_sixteen_bits_hold_no_ids(context: AppContext, dataset: Dataset) -> None:
    png = bytearray(ids_png())
    png[24] = 16
    report = put_zip(context, dataset, panoptic_zip(pngs={"a.png": bytes(png)}))
    assert report["issue_counts"] == {"panoptic_png_mode": 1}


_SEGMENTS: dict[str, list[Any]] = {
    "segment_missing": [segment(5, area=0)],
    "segment_id_invalid": [
        *(segment(number) for number in (0, 2**24, -1)),
        segment(1, id="1"),
        segment(1, id=...),
    ],
    "segment_id_duplicate": [segment(300), segment(300)],
    "record_not_object": [7, None, "x"],
    "category_unknown": [segment(300, category_id=9), segment(16_777_215, category_id=...)],
}


@pytest.mark.parametrize("code", _SEGMENTS)
def test_a_segment_that_is_wrong_never_loses_the_image(
    context: AppContext, dataset: Dataset, code: str
) -> None:
    bad = _SEGMENTS[code]
    report = put_zip(context, dataset, panoptic_zip(panoptic(*bad, segment(70_001))))
    assert report["issue_counts"][code] == len(bad)
    assert report["annotations"] == numbers(created=1) | {"rejected": len(bad)}
    path = f"annotations[0].segments_info[{len(bad) - 1}]"
    assert any(issue["path"].startswith(path) for issue in report["issues"])
    ids, segments = ids_and_segments(get_zip(context, dataset))["a.png"]
    assert list(segments) == [70_001]
    assert ((ids == 70_001) == (IDS == 70_001)).all()


def test_pixels_that_no_segment_has_are_void(context: AppContext, dataset: Dataset) -> None:
    report = put_zip(context, dataset, panoptic_zip(panoptic(segment(70_001))))
    assert report["issue_counts"] == {"segment_unlisted": 2}
    told = {issue["id"]: issue["message"] for issue in report["issues"]}
    assert told == {300: "9 pixels have the id 300.", 16_777_215: "1 pixels have the id 16777215."}
    ids, _ = ids_and_segments(get_zip(context, dataset))["a.png"]
    assert set(ids.ravel().tolist()) == {0, 70_001}


def test_members_that_the_png_tells_are_left_out(context: AppContext, dataset: Dataset) -> None:
    bad = segment(70_001, image_id=7, segmentation=[[1, 2]])
    report = put_zip(
        context, dataset, panoptic_zip(panoptic(bad, segment(300), segment(16_777_215)))
    )
    assert report["issue_counts"] == {"segment_member_taken": 2}
    _, segments = ids_and_segments(get_zip(context, dataset))["a.png"]
    assert segments[70_001] == segment(70_001)


@pytest.mark.parametrize(
    "data",
    [json.dumps(panoptic()).encode(), make_zip({"p.json": json.dumps(panoptic()).encode()})],
    ids=["json", "zip"],
)
def test_a_file_without_pngs(
    context: AppContext, session: Session, dataset: Dataset, data: bytes
) -> None:
    before = everything(session)
    session.commit()
    with pytest.raises(ImportFailed) as caught:
        put_zip(context, dataset, data)
    assert caught.value.result is not None
    assert caught.value.result["issue_counts"] == {"panoptic_pngs_missing": 1}
    assert everything(session) == before


def test_a_png_that_grows_without_end(context: AppContext, dataset: Dataset) -> None:
    """The size is told by the header, before anything is unpacked."""
    big = panoptic(images=[{"id": 1, "file_name": "a.jpg", "width": 60_000, "height": 60_000}])
    report = put_zip(
        context, dataset, panoptic_zip(big, {"a.png": make_png_header(60_000, 60_000)})
    )
    assert report["issue_counts"] == {"panoptic_png_too_large": 1}
    bomb = make_zip(
        {"p.json": json.dumps(panoptic()).encode(), "p/a.png": ids_png() + bytes(50_000_000)},
        method=zipfile.ZIP_DEFLATED,
    )
    report = put_zip(context, dataset, bomb)
    assert report["issue_counts"]["panoptic_png_damaged"] == 1
    assert not list(context.storage.scratch._own_folder().glob("*/*"))


def test_strict_mode_imports_nothing(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    before = everything(session)
    session.commit()
    with pytest.raises(ImportFailed):
        put_zip(context, dataset, panoptic_zip(panoptic(segment(5))), mode="strict")
    report = put_zip(context, dataset, panoptic_zip(), dry_run=True)
    assert report["annotations"]["created"] == 3
    assert everything(session) == before


# Edited. ----------------------------------------------------------------------------------------


@pytest.fixture
def ready(context: AppContext, dataset: Dataset) -> dict[str, Any]:
    """The segments by id, of a file that was imported."""
    put_zip(context, dataset, panoptic_zip())
    return {one["id"]: one for one in panoptic()["annotations"][0]["segments_info"]}


def drawn(context: AppContext, dataset: Dataset) -> tuple[Any, Any]:
    return ids_and_segments(get_zip(context, dataset))["a.png"]


def test_another_category_changes_nothing_else(
    context: AppContext, session: Session, dataset: Dataset, user: User, ready: Any
) -> None:
    cat = session.scalars(select(Category).where(Category.name == "cat")).one()
    edit(session, user, 300, category_id=cat.id)
    ids, segments = drawn(context, dataset)
    assert (ids == IDS).all()
    assert segments == ready | {300: ready[300] | {"category_id": 1}}


def test_a_mask_that_grows_lies_on_top(
    context: AppContext, session: Session, dataset: Dataset, user: User, ready: Any
) -> None:
    grown = (IDS == 70_001) | (IDS == 16_777_215)
    grown[3, 1:6] = True
    edit(session, user, 70_001, segmentation=rle_of(grown))
    ids, segments = drawn(context, dataset)
    assert (ids == np.where(grown, 70_001, IDS)).all()
    # One lost a pixel, one all of them; what is there is as it was but for area and bbox.
    assert segments[300] == ready[300] | {"area": 8, "bbox": [5, 3, 3, 3]}
    assert set(segments) == {300, 70_001}
    # The other one was drawn on later: now it lies on top. A new category does not change that.
    edit(session, user, 300, segmentation=rle_of((IDS == 300) | grown))
    ids, segments = drawn(context, dataset)
    assert set(segments) == {300}
    edit(session, user, 70_001, iscrowd=1)
    assert (drawn(context, dataset)[0] == ids).all()


def test_polygons_count_by_their_pixels(
    context: AppContext, session: Session, dataset: Dataset, user: User, ready: Any
) -> None:
    edit(session, user, 70_001, segmentation=[[0.6, 0.6, 3.4, 0.6, 3.4, 3.4, 0.6, 3.4]])
    ids, segments = drawn(context, dataset)
    assert segments[300] == ready[300]
    assert segments[70_001]["bbox"] != ready[70_001]["bbox"] or (ids == IDS).all()


def test_deleting_and_restoring(
    context: AppContext, session: Session, dataset: Dataset, user: User, ready: Any
) -> None:
    for one in ready:
        remove(session, user, one)
    ids, segments = drawn(context, dataset)
    assert not ids.any()
    assert segments == {}
    one = found(session, 300)
    annotations.restore_annotation(session, annotation=one, user=user, version=1)
    session.commit()
    ids, segments = drawn(context, dataset)
    assert segments == {300: ready[300]}
    assert ((ids == 300) == (IDS == 300)).all()


def test_an_import_leaves_edits_alone(
    context: AppContext, session: Session, dataset: Dataset, user: User, ready: Any
) -> None:
    edit(session, user, 70_001, segmentation=rle_of(IDS == 16_777_215))
    remove(session, user, 16_777_215)
    before = drawn(context, dataset)
    report = put_zip(context, dataset, panoptic_zip())
    assert report["issue_counts"] == {"annotation_edited": 1, "annotation_deleted": 1}
    after = drawn(context, dataset)
    assert (before[0] == after[0]).all()
    assert before[1] == after[1]
    assert before[1][300] == ready[300]


def test_another_png_changes_the_masks(
    context: AppContext, session: Session, dataset: Dataset, ready: Any
) -> None:
    moved = np.roll(IDS, 1, axis=0)
    moved[0] = 0
    file = panoptic(segment(70_001, bbox=[1, 2, 3, 3]), segment(16_777_215, bbox=[7, 1, 1, 1]))
    pngs = {"a.png": ids_png(np.where(moved == 300, 0, moved))}
    report = put_zip(context, dataset, panoptic_zip(file, pngs))
    assert report["annotations"] == numbers(updated=2) | {"rejected": 0}
    ids, segments = drawn(context, dataset)
    assert segments[70_001]["bbox"] == [1, 2, 3, 3]
    # The file says nothing of this one, which stays.
    assert segments[300] == ready[300]
    assert ids[5, 6] == 300


def test_ids_are_kept_when_images_are_numbered(context: AppContext, dataset: Dataset) -> None:
    put_zip(context, dataset, panoptic_zip())
    out = get_out(context, dataset, "panoptic", ids="reindex")
    segments = out["annotations"][0]["segments_info"]
    assert [one["id"][1] for one in segments] == ["70001", "300", "16777215"]
    assert out["annotations"][0]["image_id"] == out["images"][0]["id"]


def test_segments_that_are_made_here(
    context: AppContext, session: Session, dataset: Dataset, user: User, ready: Any
) -> None:
    image = found(session, 300).image_id
    cat = session.scalars(select(Category).where(Category.name == "cat")).one()

    def make(mask: Any, **options: Any) -> Annotation:
        made = annotations.create_annotation(
            session,
            image=session.get_one(Image, image),
            user=user,
            fields={"category_id": Json.of(cat.id), **mask},
            **options,
        )
        session.commit()
        return made

    for bitmap in (IDS == 0, np.eye(6, 8)):
        assert make({"segmentation": rle_of(bitmap)}).task == "panoptic"
    ids, segments = drawn(context, dataset)
    # Beyond the highest id there is no other: counting goes on from 1.
    assert set(segments) == {*ready, 1, 2}
    assert ((ids == 2) == (np.eye(6, 8) > 0)).all()
    assert segments[1]["category_id"] == 1
    # Ids that are in use here are given to nobody else, even when what had them is deleted.
    remove(session, user, 2)
    assert make({"segmentation": rle_of(IDS == 0)}).coco_id == 3
    # A box is an instance, also where all else are segments; a segment without pixels is none.
    assert make({"bbox": Json.of([0, 0, 2, 2])}).task == "instances"
    with pytest.raises(Invalid) as caught:
        make({"bbox": Json.of([0, 0, 2, 2])}, task="panoptic")
    assert caught.value.code == "segmentation_missing"
    session.rollback()
    # Beside a file of instances, a segment is what is called one.
    put_in(context, dataset, coco(annotation()))
    assert make({"segmentation": rle_of(IDS == 0)}).task == "instances"
    assert make({"segmentation": rle_of(IDS == 0)}, task="panoptic").coco_id == 4
