"""Exports over HTTP."""

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.api import exports
from app.context import AppContext
from app.db import DOWNLOADS_AT_ONCE
from app.models import Dataset, User
from app.services.imports.imports import import_file
from tests.build import make_dataset, make_member, make_user
from tests.build.coco import annotation, coco, numbers_as_text, to_bytes
from tests.conftest import ApiClient
from tests.services.exporting import put_in

FILE = coco(
    annotation(),
    annotation(id=2, image_id=7, category_id=4),
    images=[
        {"id": 1, "file_name": "a.jpg", "width": 8, "height": 6},
        {"id": 7, "file_name": "b.jpg", "width": 8, "height": 6},
    ],
    categories=[{"id": 1, "name": "cat"}, {"id": 4, "name": "dog"}],
    licenses=[],
)


@pytest.fixture
def dataset(session: Session, context: AppContext) -> Dataset:
    dataset = make_dataset(session, name="Pets & co")
    with context.sessions.begin() as own:
        import_file(own, dataset_id=dataset.id, user_id=None, file=io.BytesIO(to_bytes(FILE)))
    return dataset


@pytest.fixture
def client(
    client_for: Callable[[User], ApiClient], session: Session, dataset: Dataset
) -> ApiClient:
    return client_for(make_member(session, dataset=dataset, role="viewer"))


def url(dataset: Dataset, task: str = "instances") -> str:
    return f"/api/datasets/{dataset.id}/export/{task}.json"


def test_an_export(client: ApiClient, dataset: Dataset) -> None:
    answer = client.get(url(dataset))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith(
        'attachment; filename="instances_Pets___co.json"'
    )
    assert numbers_as_text(answer.text) == numbers_as_text(json.dumps(FILE))


@pytest.mark.parametrize(
    "task", ["instances", "person_keypoints", "stuff", "captions", "labels", "image_info"]
)
def test_every_task(client: ApiClient, dataset: Dataset, task: str) -> None:
    """Of a dataset with a file of instances alone: what fits, and a file that readers take."""
    answer = client.get(url(dataset, task))
    assert answer.status_code == 200
    assert f'filename="{task}_Pets___co.json"' in answer.headers["content-disposition"]
    file = answer.json()
    assert file["images"] == FILE["images"]
    assert file["info"] == FILE["info"]
    assert len(file["annotations"]) == (2 if task == "instances" else 0)
    assert ("categories" in file) == (task != "captions")


def test_the_file_is_called_after_its_subset(client: ApiClient, dataset: Dataset) -> None:
    answer = client.get(url(dataset, "captions"), params={"subset": "val/2017"})
    assert 'filename="captions_val_2017.json"' in answer.headers["content-disposition"]


def test_options(client: ApiClient, dataset: Dataset) -> None:
    categories = client.get(f"/api/datasets/{dataset.id}/categories").json()["items"]
    dog = next(category["id"] for category in categories if category["name"] == "dog")

    def ids(**options: Any) -> tuple[list[int], list[int]]:
        file = client.get(url(dataset), params=options).json()
        return [i["id"] for i in file["images"]], [a["id"] for a in file["annotations"]]

    assert ids(category=dog) == ([7], [2])
    assert ids(category=[dog], ids="reindex") == ([1], [1])
    assert ids(subset="val") == ([], [])
    assert ids(status="new", annotated="true") == ([1, 7], [1, 2])
    assert ids(annotated="false") == ([], [])

    def annotations(**options: Any) -> list[Any]:
        found: list[Any] = client.get(url(dataset), params=options).json()["annotations"]
        return found

    assert annotations(segmentation="guess") == FILE["annotations"]
    coded = annotations(segmentation="mask")
    assert [(type(one["segmentation"]), one["iscrowd"]) for one in coded] == [(dict, 1)] * 2
    assert annotations(crop_covered="true", allow_attributes="false") == FILE["annotations"]


def test_names_in_ascii(client: ApiClient, context: AppContext, dataset: Dataset) -> None:
    """The same values, for readers that take UTF-8 for something else; escapes stay escapes."""
    file = json.dumps(FILE | {"x": "ü 猫 \U0001f600", "y": "@"}, ensure_ascii=False)
    file = file.replace('"@"', '"\\u00e9"')
    put_in(context, dataset, file.encode(), task="captions")
    plain, escaped = (
        client.get(url(dataset, "captions"), params={"ensure_ascii": value}).content
        for value in ("false", "true")
    )
    assert not plain.isascii()
    assert escaped.isascii()
    assert json.loads(escaped) == json.loads(plain)
    assert b'"\\u00e9"' in plain
    assert b"\\ud83d\\ude00" in escaped


@pytest.mark.parametrize(
    ("task", "options", "code"),
    [
        ("nonsense", {}, "invalid"),
        ("instances", {"crop_covered": "nonsense"}, "invalid"),
        ("instances", {"allow_attributes": "nonsense"}, "invalid"),
        ("instances", {"ensure_ascii": "nonsense"}, "invalid"),
        ("instances", {"segmentation": "nonsense"}, "invalid"),
        ("instances", {"ids": "nonsense"}, "invalid"),
        ("instances", {"category": "dog"}, "invalid"),
        ("instances", {"status": "nonsense"}, "invalid"),
        ("instances", {"subset": "\x00"}, "invalid"),
    ],
)
def test_what_is_refused(
    client: ApiClient, dataset: Dataset, task: str, options: dict[str, str], code: str
) -> None:
    answer = client.get(url(dataset, task), params=options)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_zip(client: ApiClient, dataset: Dataset) -> None:
    path = f"/api/datasets/{dataset.id}/export.zip"
    answer = client.get(path, params={"images": "true", "tasks": "instances"})
    assert answer.headers["content-type"] == "application/zip"
    assert 'filename="Pets___co.zip"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["annotations/instances_default.json"]
        assert json.loads(archive.read(archive.namelist()[0])) == FILE
    refused = client.get(path, params={"tasks": "instances,nonsense"})
    assert (refused.status_code, refused.json()["code"]) == (422, "task_unknown")


def test_strangers_do_not_see_it(
    client_for: Callable[[User], ApiClient], session: Session, dataset: Dataset
) -> None:
    assert client_for(make_user(session)).get(url(dataset)).status_code == 404


def test_the_connection_goes_back(client: ApiClient, context: AppContext, dataset: Dataset) -> None:
    """Also when something is refused after the snapshot was opened, or nobody reads the answer."""
    client.get(url(dataset))
    client.get(url(dataset, "panoptic"))
    with client.stream("GET", url(dataset)) as answer:
        next(answer.iter_bytes(100))
    with context.engine.connect() as connection:
        open_ones = connection.scalar(
            text(
                "select count(*) from pg_stat_activity where state like 'idle in transaction%'"
                " and datname = current_database() and query like '%from annotations%'"
            )
        )
        assert open_ones == 0
        assert connection.scalar(text("show transaction_isolation")) == "read committed"


def test_slow_readers_leave_connections_to_others(client: ApiClient, dataset: Dataset) -> None:
    with ExitStack() as slow:
        for _ in range(DOWNLOADS_AT_ONCE):
            slow.enter_context(exports._downloads)
        answer = client.get(url(dataset))
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


@pytest.mark.parametrize(("task", "status"), [("instances", 200), ("nonsense", 422)])
def test_a_download_that_is_over_makes_room(
    client: ApiClient, dataset: Dataset, task: str, status: int
) -> None:
    for _ in range(DOWNLOADS_AT_ONCE + 1):
        assert client.get(url(dataset, task)).status_code == status


def test_panoptic_files_and_their_pngs(client: ApiClient, dataset: Dataset) -> None:
    composed = client.get(url(dataset, "panoptic"))
    assert composed.status_code == 200
    frames = composed.json()["annotations"]
    assert [frame["image_id"] for frame in frames] == [one["id"] for one in FILE["images"]]
    path = f"/api/datasets/{dataset.id}/export.zip"
    answer = client.get(path, params={"tasks": "panoptic"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert json.loads(archive.read("annotations/panoptic_default.json")) == composed.json()
        pngs = {f"annotations/panoptic_default/{frame['file_name']}" for frame in frames}
        assert set(archive.namelist()) == {"annotations/panoptic_default.json", *pngs}
