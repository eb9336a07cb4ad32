"""Zips: what is in them, under which names, and when they are refused."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from app.context import AppContext
from app.errors import Conflict, Invalid
from app.models import Dataset
from app.services.annotations import annotations
from app.services.annotations.shapes import Json
from app.services.exports.exports import ExportOptions, snapshot
from app.services.exports.zip import ZipOptions, export_zip
from app.services.files.storage import blob_key
from app.services.images.images import ImageFilter
from tests.build import make_annotation, make_category, make_dataset, make_image, make_user
from tests.build.coco import annotation, coco
from tests.services.exporting import put_in

IMAGE = {"id": 7, "file_name": "seven.jpg", "width": 8, "height": 6}
Zip = Callable[..., zipfile.ZipFile]


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session)


@pytest.fixture
def zipped(context: AppContext, session: Session, dataset: Dataset) -> Zip:
    """The exported zip, opened."""

    def run(**options: Any) -> zipfile.ZipFile:
        session.commit()
        with snapshot(context.sessions) as own:
            pieces = export_zip(
                own, context.storage, dataset_id=dataset.id, options=ZipOptions(**options)
            )
            archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
        assert archive.testzip() is None
        return archive

    return run


@pytest.fixture
def picture(context: AppContext, session: Session, dataset: Dataset, tmp_path: Path) -> Any:
    """Makes an image with pixels."""

    def make(file_name: str, content: bytes, subset: str = "default") -> None:
        sha256 = hashlib.sha256(content).hexdigest()
        path = tmp_path / "blob"
        path.write_bytes(content)
        context.storage.put(blob_key(sha256), path)
        session.execute(
            text(
                "insert into blobs (sha256, size, media_type) values (:key, :size, 'image/png')"
                " on conflict do nothing"
            ),
            {"key": sha256, "size": len(content)},
        )
        make_image(session, dataset=dataset, file_name=file_name, subset=subset, blob_sha256=sha256)

    return make


def test_a_file_for_each_subset(zipped: Zip, session: Session, dataset: Dataset) -> None:
    category = make_category(session, dataset=dataset)
    for subset in ("train", "val", "../odd"):
        image = make_image(session, dataset=dataset, subset=subset, file_name=f"{subset}.jpg")
        make_annotation(session, image=image, category=category)
    archive = zipped()
    assert sorted(archive.namelist()) == [
        "annotations/instances_.._odd.json",
        "annotations/instances_train.json",
        "annotations/instances_val.json",
    ]
    file = json.loads(archive.read("annotations/instances_val.json"))
    assert [image["file_name"] for image in file["images"]] == ["val.jpg"]
    assert len(file["annotations"]) == 1
    chosen = zipped(file=ExportOptions(filters=ImageFilter(subset="train"), ids="reindex"))
    assert chosen.namelist() == ["annotations/instances_train.json"]
    assert json.loads(chosen.read(chosen.namelist()[0]))["annotations"][0]["id"] == 1


def test_no_file_for_a_subset_of_which_a_task_says_nothing(
    zipped: Zip, context: AppContext, session: Session, dataset: Dataset
) -> None:
    """As Datumaro and CVAT write it; a list of images without annotations says something."""
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 8, "height": 6} for n in (1, 2, 3)]
    put_in(
        context, dataset, coco(annotation(), images=images[:1]), file_name="instances_train.json"
    )
    put_in(context, dataset, coco(images=images[1:2]), file_name="instances_val.json")
    caption = {"id": 1, "image_id": 3, "caption": "C."}
    put_in(context, dataset, coco(caption, images=images[2:]), file_name="captions_extra.json")
    make_image(session, dataset=dataset, subset="new", file_name="new.jpg")
    assert sorted(zipped().namelist()) == [
        "annotations/captions_extra.json",
        "annotations/instances_new.json",
        "annotations/instances_train.json",
        "annotations/instances_val.json",
    ]
    asked = zipped(tasks=("instances", "captions")).namelist()
    assert len(asked) == 8
    assert "annotations/captions_train.json" in asked


def test_many_subsets_take_as_many_statements_as_few(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    """A video each makes thousands, and nothing is sent before it is known what each has."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    def begun() -> int:
        session.commit()
        with snapshot(context.sessions) as own:
            statements.clear()
            export_zip(own, context.storage, dataset_id=dataset.id, options=ZipOptions())
            return len(statements)

    images = [IMAGE | {"id": 1}]
    put_in(context, dataset, coco(annotation(), images=images), file_name="instances_train.json")
    caption = {"id": 1, "image_id": 3, "caption": "C."}
    put_in(
        context,
        dataset,
        coco(caption, images=[IMAGE | {"id": 3, "file_name": "3.jpg"}]),
        file_name="captions_a.json",
    )
    event.listen(context.engine, "before_cursor_execute", note)
    try:
        few = begun()
        for number in range(5):
            make_image(session, dataset=dataset, subset=f"video {number}")
        assert begun() == few
    finally:
        event.remove(context.engine, "before_cursor_execute", note)


def test_one_numbering_for_all_files(
    zipped: Zip, context: AppContext, session: Session, dataset: Dataset
) -> None:
    """An image is called the same in each file, an object in each task, and none twice."""
    images = [{"id": 50 + n, "file_name": f"{n}.jpg", "width": 8, "height": 6} for n in range(4)]
    person = [{"id": 1, "name": "person", "keypoints": ["nose"], "skeleton": []}]
    for subset, some in (("train", images[:2]), ("val", images[2:])):
        objects = [
            annotation(id=7, image_id=one["id"], keypoints=[1, 1, 2], num_keypoints=1)
            for one in some
        ]
        captions = [{"id": 7, "image_id": one["id"], "caption": "A."} for one in some[::-1]]
        for task, found in (
            ("instances", objects),
            ("person_keypoints", objects[::-1]),
            ("captions", captions),
        ):
            file = coco(*found, images=some[::-1], categories=person)
            put_in(context, dataset, file, task=task, subset=subset)
    archive = zipped(file=ExportOptions(ids="reindex"))
    files = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    assert len(files) == 6
    named: dict[str, set[int]] = {}
    numbered: dict[str, set[tuple[int, int]]] = {}
    for name, file in files.items():
        for image in file["images"]:
            named.setdefault(image["file_name"], set()).add(image["id"])
        task = name.split("/")[1].rpartition("_")[0]
        pairs = {(one["id"], one["image_id"]) for one in file["annotations"]}
        assert len(pairs) == 2
        numbered[task] = numbered.get(task, set()) | pairs
    assert sorted(map(list, named.values())) == [[1], [2], [3], [4]]
    assert numbered["instances"] == numbered["person_keypoints"]
    for pairs in numbered.values():
        assert {key for key, _ in pairs} == {1, 2, 3, 4}
        assert {image for _, image in pairs} == {1, 2, 3, 4}


def test_an_empty_dataset(zipped: Zip) -> None:
    archive = zipped(images=True)
    assert archive.namelist() == ["annotations/instances_default.json"]
    assert json.loads(archive.read(archive.namelist()[0]))["images"] == []


def test_images_come_along(zipped: Zip, session: Session, dataset: Dataset, picture: Any) -> None:
    picture("a/ü.png", b"one", subset="train")
    picture("b.png", b"two" * 200_000)
    make_image(session, dataset=dataset, file_name="no-pixels.png")
    archive = zipped(images=True)
    assert archive.read("images/train/a/ü.png") == b"one"
    assert archive.read("images/default/b.png") == b"two" * 200_000
    assert archive.getinfo("images/default/b.png").compress_type == zipfile.ZIP_STORED
    assert not [name for name in archive.namelist() if "no-pixels" in name]
    assert zipped(images=True, merge_images=True).read("images/b.png")[:3] == b"two"
    assert not [name for name in zipped().namelist() if name.startswith("images")]


@pytest.mark.parametrize(
    "name", ["/etc/passwd.png", "..\\..\\etc\\passwd.png", "C:\\etc\\passwd.png"]
)
def test_names_never_climb(zipped: Zip, picture: Any, name: str) -> None:
    picture(name, b"one")
    assert "images/default/etc/passwd.png" in zipped(images=True).namelist()


def test_equal_names_are_refused(zipped: Zip, picture: Any) -> None:
    picture("a.png", b"one", subset="train")
    picture("a.png", b"two", subset="val")
    assert len(zipped(images=True).namelist()) == 4
    with pytest.raises(Conflict) as caught:
        zipped(images=True, merge_images=True)
    assert caught.value.code == "name_collision"


def test_unknown_tasks_are_refused(zipped: Zip) -> None:
    with pytest.raises(Invalid) as caught:
        zipped(tasks=("instances", "nonsense"))
    assert caught.value.code == "task_unknown"


def test_the_tasks_that_there_are(context: AppContext, session: Session, zipped: Zip) -> None:
    dataset = session.scalars(select(Dataset)).one()
    image = make_image(session, dataset=dataset)
    user = make_user(session)
    put_in(context, dataset, coco({"id": 1, "image_id": 7, "caption": "B."}, images=[IMAGE]))
    assert zipped().namelist() == ["annotations/captions_default.json"]
    category = make_category(session, dataset=dataset)
    make_annotation(session, image=image, category=category)
    annotations.create_annotation(
        session,
        image=image,
        user=user,
        fields={"category_id": Json.of(category.id)},
        task="labels",
    )
    names = [f"annotations/{task}_default.json" for task in ("instances", "captions", "labels")]
    assert zipped().namelist() == names
    assert zipped(tasks=("labels",)).namelist() == names[2:]
