"""Zips of annotation files and images: what is what, what goes together, and there and back."""

import doctest
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.context import AppContext
from app.models import Annotation, Blob, Dataset, Image
from app.services.exports.exports import ExportOptions, snapshot
from app.services.exports.zip import ZipOptions, export_zip
from app.services.files.storage import blob_key
from app.services.imports import zip_layout
from app.services.imports.imports import ImportFailed, ImportOptions
from app.services.imports.zip import import_upload
from tests.build import make_category, make_dataset, make_image
from tests.build.coco import annotation, coco, numbers_as_text, to_bytes
from tests.build.content import everything
from tests.build.pictures import COCO_IMAGES, make_picture, make_zip
from tests.services.importing import Import

ONE = make_picture(size=(8, 6), seed=1)
TWO = make_picture(size=(8, 6), seed=2)
COMMITTED = Path(__file__).parents[2] / "data" / "coco" / "instances.json"


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session)


def put_in(context: AppContext, dataset: Dataset, data: bytes, **options: Any) -> dict[str, Any]:
    with context.sessions.begin() as own:
        return import_upload(
            own,
            dataset_id=dataset.id,
            user_id=None,
            file=io.BytesIO(data),
            sessions=context.sessions,
            storage=context.storage,
            settings=context.settings,
            options=ImportOptions(file_name="upload.zip", **options),
        )


@pytest.fixture
def imported(context: AppContext, session: Session, dataset: Dataset) -> Import:
    """Imports a zip of these files; the report."""

    def run(files: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        session.commit()
        data = make_zip({name: to_bytes(content) for name, content in files.items()})
        report = put_in(context, dataset, data, **options)
        session.expire_all()
        return report

    return run


def zipped(context: AppContext, dataset: Dataset, **options: Any) -> bytes:
    with snapshot(context.sessions) as own:
        found = ZipOptions(**options)
        return b"".join(export_zip(own, context.storage, dataset_id=dataset.id, options=found))


def content(data: bytes) -> dict[str, Any]:
    """The files of a zip: annotations with numbers as text, images as they are."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return {
        name: numbers_as_text(found) if name.endswith(".json") else found
        for name, found in files.items()
    }


def pixels(session: Session) -> dict[tuple[str, str], str | None]:
    """The blob of each image, by subset and name."""
    rows = session.execute(select(Image.subset, Image.file_name, Image.blob_sha256))
    return {(row.subset, row.file_name): row.blob_sha256 for row in rows}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def listed(*names: str, start: int = 1) -> dict[str, Any]:
    """A file of images, each with a triangle."""
    images = [
        {"id": key, "file_name": name, "width": 8, "height": 6}
        for key, name in enumerate(names, start=start)
    ]
    found = [annotation(id=image["id"], image_id=image["id"]) for image in images]
    return coco(*found, images=images)


# Layouts ---------------------------------------------------------------------------------------

LAYOUTS = {
    "datumaro": {
        "annotations/instances_train.json": listed("a.png", "x/b.png"),
        "annotations/instances_val.json": listed("a.png", start=11),
        "images/train/a.png": ONE,
        "images/train/x/b.png": TWO,
        "images/val/a.png": TWO,
    },
    "below a folder": {
        "my data/annotations/instances_train.json": listed("a.png", "x/b.png"),
        "my data/annotations/instances_val.json": listed("a.png", start=11),
        "my data/images/train/a.png": ONE,
        "my data/images/train/x/b.png": TWO,
        "my data/images/val/a.png": TWO,
    },
    "coco": {
        "annotations/instances_train.json": listed("a.png", "x/b.png"),
        "annotations/instances_val.json": listed("a.png", start=11),
        "train/a.png": ONE,
        "train/x/b.png": TWO,
        "val/a.png": TWO,
    },
    "roboflow": {
        "README.roboflow.txt": b"Hello",
        "train/_annotations.coco.json": listed("a.png", "x/b.png"),
        "train/a.png": ONE,
        "train/x/b.png": TWO,
        "val/_annotations.coco.json": listed("a.png"),
        "val/a.png": TWO,
    },
}


# Its files count from the same number each.
ISSUES = {"roboflow": {"annotation_id_taken": 1, "file_ignored": 1, "image_id_taken": 1}}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(imported: Import, session: Session, layout: str) -> None:
    """The same name in two subsets is two images, each with its own pixels."""
    report = imported(LAYOUTS[layout])
    assert pixels(session) == {
        ("train", "a.png"): sha(ONE),
        ("train", "x/b.png"): sha(TWO),
        ("val", "a.png"): sha(TWO),
    }
    assert report["pictures"] == {"created": 0, "updated": 3, "unchanged": 0, "rejected": 0}
    assert report["annotations"]["created"] == 3
    assert [(one["subset"], one["task"]) for one in report["files"]] == [
        ("train", "instances"),
        ("val", "instances"),
    ]
    assert report["issue_counts"] == ISSUES.get(layout, {})
    again = imported(LAYOUTS[layout])
    assert again["images"] == {"created": 0, "updated": 0, "unchanged": 3}
    assert again["annotations"]["unchanged"] == 3
    assert again["pictures"] == {"created": 0, "updated": 0, "unchanged": 3, "rejected": 0}


def test_a_plain_zip(imported: Import, session: Session) -> None:
    files = {
        "one.json": listed("a.png"),
        "other/two.json": listed("b.png", start=2),
        "pics/deep/a.png": ONE,
        "pics/b.png": TWO,
        "pics/unknown.png": ONE,
    }
    report = imported(files)
    assert report["issue_counts"] == {}
    assert report["pictures"] == {"created": 1, "updated": 2, "unchanged": 0, "rejected": 0}
    assert pixels(session) == {
        ("default", "a.png"): sha(ONE),
        ("default", "b.png"): sha(TWO),
        ("default", "pics/unknown.png"): sha(ONE),
    }


def test_images_of_no_record_keep_subset_and_name(imported: Import, session: Session) -> None:
    imported({"annotations/instances_val.json": listed("a.png"), "images/val/x/new.png": ONE})
    assert pixels(session) == {("val", "a.png"): None, ("val", "x/new.png"): sha(ONE)}


def test_tasks_go_together(imported: Import, session: Session) -> None:
    captions = {
        "images": listed("a.png")["images"],
        "annotations": [{"id": 1, "image_id": 1, "caption": "A cat."}],
    }
    report = imported(
        {
            "annotations/captions_val.json": captions,
            "annotations/instances_val.json": listed("a.png"),
        }
    )
    assert [one["task"] for one in report["files"]] == ["instances", "captions"]
    assert report["task"] is None
    assert report["issue_counts"] == {}
    assert set(session.scalars(select(Annotation.task))) == {"instances", "captions"}
    assert len(pixels(session)) == 1


def test_a_task_that_was_asked_for(imported: Import, session: Session) -> None:
    files = {
        "annotations/instances_val.json": listed("a.png"),
        "annotations/stuff_val.json": listed("a.png", start=5),
    }
    report = imported(files, task="stuff")
    assert [one["file"] for one in report["files"]] == ["annotations/stuff_val.json"]
    assert report["task"] == "stuff"
    assert report["issues"][0]["file"] == "annotations/instances_val.json"
    assert report["issue_counts"] == {"file_ignored": 1}


def test_a_subset_that_was_asked_for(imported: Import, session: Session) -> None:
    imported(
        LAYOUTS["coco"] | {"annotations/instances_val.json": listed("c.png", start=5)},
        subset="mine",
    )
    assert {subset for subset, _ in pixels(session)} == {"mine"}


def test_sizes_come_from_the_images(imported: Import, session: Session) -> None:
    file = coco(annotation(), images=[{"id": 1, "file_name": "a.png"}])
    report = imported({"instances_val.json": file, "a.png": ONE})
    assert report["issue_counts"] == {"image_size_derived": 1}
    image = session.scalars(select(Image)).one()
    assert (image.width, image.height, image.blob_sha256) == (8, 6, sha(ONE))


def test_an_image_of_another_size_is_not_taken(
    context: AppContext, imported: Import, session: Session
) -> None:
    """What was drawn counts more than a picture that does not fit it."""
    report = imported({"a.json": listed("a.png"), "a.png": make_picture(size=(9, 9))})
    assert report["issue_counts"] == {"picture_rejected": 1}
    assert "size_mismatch" in report["issues"][0]["message"]
    assert pixels(session) == {("default", "a.png"): None}
    assert session.scalars(select(Blob)).all() == []


def test_what_is_what() -> None:
    assert doctest.testmod(zip_layout).failed == 0
    layout = zip_layout.read_layout(
        ["annotations/panoptic_val.json", "annotations/panoptic_val/1.png", "val/1.jpg", "x.yaml"]
    )
    assert [file.name for file in layout.files] == ["annotations/panoptic_val.json"]
    assert (layout.segments, [p.place for p in layout.pictures], layout.ignored) == ([1], [2], [3])


# What goes wrong -------------------------------------------------------------------------------


def test_one_bad_file_does_not_lose_the_others(imported: Import, session: Session) -> None:
    files = {
        "annotations/instances_a.json": to_bytes(listed("a.png"))[:-20],
        "annotations/instances_b.json": listed("b.png"),
    }
    report = imported(files)
    assert report["issue_counts"] == {"json_truncated": 1}
    assert report["issues"][0]["file"] == "annotations/instances_a.json"
    assert [one["imported"] for one in report["files"]] == [False, True]
    assert list(pixels(session)) == [("b", "b.png")]
    assert report["images"] == {"created": 1, "updated": 0, "unchanged": 0}


@pytest.mark.parametrize("options", [{"mode": "strict"}, {"dry_run": True}])
def test_all_or_nothing(
    context: AppContext, imported: Import, session: Session, options: dict[str, Any]
) -> None:
    session.commit()
    before = everything(session)
    files = {
        "instances_a.json": coco(annotation(), annotation(id=2, image_id=9)),
        "captions_a.json": coco(),
        "a.jpg": ONE,
    }
    if "mode" in options:
        with pytest.raises(ImportFailed) as caught:
            imported(files, **options)
        report = caught.value.result or {}
    else:
        report = imported(files, **options)
    assert report["imported"] is False
    assert report["issue_counts"] == {"image_unknown": 1}
    assert everything(session) == before
    assert session.scalars(select(Blob)).all() == []
    assert not list(context.settings.data_dir.rglob(sha(ONE)))


def test_no_file_can_be_read(context: AppContext, imported: Import, session: Session) -> None:
    with pytest.raises(ImportFailed) as caught:
        imported({"a.json": b"[", "b.json": b"nonsense", "a.png": ONE})
    assert caught.value.result is not None
    assert len(caught.value.result["issues"]) == 2
    assert session.scalars(select(Blob)).all() == []
    assert not list(context.settings.data_dir.rglob(sha(ONE)))


def test_whoever_cancels_leaves_nothing(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    class Cancelled(Exception):
        pass

    class Stop:
        def tell(self, done: int, total: int, message: str = "") -> None:
            if done == total and "Storing" in message:
                raise Cancelled

    data = make_zip({"a.json": to_bytes(listed("a.png")), "a.png": ONE})
    with pytest.raises(Cancelled), context.sessions.begin() as own:
        import_upload(
            own,
            dataset_id=dataset.id,
            user_id=None,
            file=io.BytesIO(data),
            sessions=context.sessions,
            storage=context.storage,
            settings=context.settings,
            options=ImportOptions(),
            progress=Stop(),
        )
    session.expire_all()
    assert pixels(session) == {}
    assert session.scalars(select(Blob)).all() == []


def test_locks_images_before_anything_else(
    context: AppContext, imported: Import, session: Session, dataset: Dataset
) -> None:
    """Each part locks images and then counters, so a second one would do it the wrong way round."""
    files = {"a.json": listed("a.png"), "captions.json": coco(categories=[])}
    imported(files)
    data = make_zip({name: to_bytes(file) for name, file in files.items()})
    with ThreadPoolExecutor(1) as pool:
        with context.sessions.begin() as other:
            other.execute(text("select id from images for update"))
            report = pool.submit(put_in, context, dataset, data)
            with pytest.raises(TimeoutError):
                report.result(timeout=0.5)
        assert report.result(timeout=30)["annotations"]["unchanged"] == 1


def test_hostile_entries_are_refused_one_by_one(
    context: AppContext, dataset: Dataset, session: Session
) -> None:
    nested = make_zip({"b.png": ONE})
    files = {
        "annotations/instances_a.json": to_bytes(listed("a.png")),
        "../../evil.json": b"{}",
        "/etc/passwd.png": ONE,
        "images/nested.png": nested,
        "images/text.png": b"no picture",
        "images/a.png": TWO,
        "images/bomb.png": b"\0" * 40_000_000,
    }
    data = make_zip(files, method=zipfile.ZIP_DEFLATED)
    report = put_in(context, dataset, data)
    told = {issue["file"]: (issue["code"], issue["message"]) for issue in report["issues"]}
    assert {name: code for name, (code, _) in told.items()} == {
        "../../evil.json": "zip_invalid",
        "/etc/passwd.png": "zip_invalid",
        "images/nested.png": "picture_rejected",
        "images/text.png": "picture_rejected",
        "images/bomb.png": "picture_rejected",
    }
    assert "zip_nested" in told["images/nested.png"][1]
    assert "zip_bomb" in told["images/bomb.png"][1]
    assert pixels(session) == {("a", "a.png"): sha(TWO)}


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_the_same_name_twice(context: AppContext, dataset: Dataset, session: Session) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in (1, 2):
            archive.writestr("a.json", to_bytes(listed("a.png", start=number)))
            archive.writestr("x.png", ONE if number == 1 else TWO)
    report = put_in(context, dataset, out.getvalue())
    assert report["issue_counts"] == {"zip_invalid": 1, "picture_rejected": 1}
    assert pixels(session) == {("default", "a.png"): None, ("default", "x.png"): sha(ONE)}


def test_an_encrypted_file(context: AppContext, dataset: Dataset) -> None:
    data = bytearray(make_zip({"a.json": to_bytes(listed("a.png"))}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ImportFailed) as caught:
        put_in(context, dataset, bytes(data))
    assert caught.value.result is not None
    assert "zip_encrypted" in caught.value.result["issues"][0]["message"]


def test_a_zip_that_is_none(context: AppContext, dataset: Dataset) -> None:
    with pytest.raises(ImportFailed) as caught:
        put_in(context, dataset, b"PK\x03\x04 and no more")
    assert caught.value.result is not None
    assert caught.value.result["issue_counts"] == {"zip_invalid": 1}


# There and back --------------------------------------------------------------------------------


def _fill(context: AppContext, session: Session, dataset: Dataset) -> None:
    """Two subsets and three tasks with odd numbers and unknown keys, images, and work done here."""
    person = {"id": 1, "name": "person", "keypoints": ["nose"], "skeleton": []}

    def file(subset: str, *names: str, start: int) -> dict[str, bytes]:
        objects = listed(*names, start=start) | {"categories": [person], "z": {"deep": [1e2]}}
        objects["annotations"][0]["attributes"] = {"ü": "@"}
        points = json.loads(json.dumps(objects))
        for one in points["annotations"]:
            one |= {"keypoints": [1, 2, 2], "num_keypoints": 1, "area": 7}
        captions = {
            "info": {"year": 2017},
            "images": objects["images"][::-1],
            "annotations": [{"id": start, "image_id": start, "caption": " A.\n"}],
        }
        return {
            f"annotations/instances_{subset}.json": to_bytes(objects).replace(b'"@"', b"1.50e1"),
            f"annotations/person_keypoints_{subset}.json": to_bytes(points),
            f"annotations/captions_{subset}.json": to_bytes(captions),
        }

    data = make_zip(
        file("train", "a.png", "x/b.png", start=1)
        | file("val", "a.png", "größe.png", start=11)
        | {
            "images/train/a.png": ONE,
            "images/train/x/b.png": TWO,
            "images/val/a.png": TWO,
            "images/val/größe.png": make_picture(size=(8, 6), kind="JPEG"),
        }
    )
    report = put_in(context, dataset, data)
    assert report["pictures"]["updated"] == 4
    make_category(session, dataset=dataset, name="made here")
    make_image(
        session, dataset=dataset, file_name="../odd\\name.png", subset="train", width=8, height=6
    )
    session.execute(
        text("update images set blob_sha256 = :sha where file_name like '%name.png'"),
        {"sha": sha(ONE)},
    )
    session.commit()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"file": ExportOptions(segmentation="mask")},
        {"file": ExportOptions(ids="reindex", crop_covered=True)},
        {"tasks": ("instances", "captions", "labels", "image_info", "stuff")},
    ],
    ids=["plain", "mask", "reindex", "tasks"],
)
def test_an_exported_zip_comes_back_equal(
    context: AppContext, session: Session, dataset: Dataset, options: dict[str, Any]
) -> None:
    _fill(context, session, dataset)
    first = zipped(context, dataset, images=True, **options)
    copy = make_dataset(session)
    report = put_in(context, copy, first)
    assert report["issue_counts"].keys() <= {"file_name_unsafe", "annotation_differs"}
    tasks = options.get("tasks", ())
    again = zipped(context, copy, images=True, tasks=tasks)
    assert content(again) == content(first)
    assert content(again)["images/val/a.png"] == TWO


def test_a_real_dataset_comes_back_equal(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    files = {"annotations/instances_val2017.json": COMMITTED.read_bytes()}
    files |= {f"images/val2017/{path.name}": path.read_bytes() for path in COCO_IMAGES}
    report = put_in(context, dataset, make_zip(files))
    assert report["issue_counts"] == {}
    out = zipped(context, dataset, images=True)
    wanted = {name: numbers_as_text(f) if name.endswith("json") else f for name, f in files.items()}
    assert content(out) == wanted
    merged = zipped(context, dataset, images=True, merge_images=True)
    copy = make_dataset(session)
    put_in(context, copy, merged)
    assert content(zipped(context, copy, images=True)) == wanted
    with context.storage.open(blob_key(sha(COCO_IMAGES[0].read_bytes()))) as stored:
        assert stored.read() == COCO_IMAGES[0].read_bytes()
