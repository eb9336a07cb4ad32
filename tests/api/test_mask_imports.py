"""Mask images over HTTP: pictures go in, a job comes out, and annotations come of it."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
from PIL import Image as Picture
from sqlalchemy.orm import Session

from app.context import AppContext
from app.jobs.runner import run_job
from app.models import Dataset, User
from tests.build import make_image
from tests.build.pictures import make_zip
from tests.conftest import ApiClient


@pytest.fixture
def client(
    client_for: Callable[[User], ApiClient], owner: User, session: Session, dataset: Dataset
) -> ApiClient:
    for name in ("a.jpg", "b.jpg"):
        make_image(session, dataset=dataset, file_name=name, width=8, height=6)
    return client_for(owner)


def a_mask(value: int = 1) -> bytes:
    labels = np.zeros((6, 8), np.uint8)
    labels[1:3, 1:3] = labels[4, 6] = value
    out = io.BytesIO()
    Picture.fromarray(labels).save(out, "PNG")
    return out.getvalue()


def send(
    client: ApiClient, dataset: Dataset, pictures: dict[str, bytes], **fields: Any
) -> httpx.Response:
    return client.post(
        f"/api/datasets/{dataset.id}/mask-imports",
        files=[("file", (name, data, "image/png")) for name, data in pictures.items()],
        data=fields,
    )


def stored_files(context: AppContext) -> list[Path]:
    return [
        path
        for path in context.settings.data_dir.rglob("*")
        if path.is_file() and path.name != ".lock"
    ]


@pytest.mark.parametrize("zipped", [False, True])
def test_masks_become_annotations(
    context: AppContext, client: ApiClient, dataset: Dataset, zipped: bool
) -> None:
    pictures = {"a.png": a_mask(), "masks/b.png": a_mask(2), "c.png": a_mask()}
    sent = {"masks.zip": make_zip(pictures)} if zipped else pictures
    answer = send(client, dataset, sent, mapping='{"1": "cat", "2": "dog"}', parts="4")
    assert answer.status_code == 202, answer.text
    run_job(context, answer.json()["id"])
    job = client.get(f"/api/jobs/{answer.json()['id']}").json()
    assert job["state"] == "succeeded"
    assert job["result"]["annotations"] == {
        "created": 4,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
    }
    assert job["result"]["issue_counts"] == {"mask_image_unknown": 1}
    assert stored_files(context) == []
    images = client.get(f"/api/datasets/{dataset.id}/images").json()["items"]
    assert [image["annotation_count"] for image in images] == [2, 2]
    page = client.get(f"/jobs/{job['id']}", headers={"Accept": "text/html"})
    assert page.status_code in (200, 303)


def test_a_failed_job_changes_nothing(
    context: AppContext, client: ApiClient, dataset: Dataset
) -> None:
    answer = send(client, dataset, {"a.png": a_mask(), "c.png": b"no picture"}, mode="strict")
    run_job(context, answer.json()["id"])
    job = client.get(f"/api/jobs/{answer.json()['id']}").json()
    assert job["state"] == "failed"
    assert job["result"]["issue_counts"] == {"mask_image_unknown": 1}
    assert client.get(f"/api/datasets/{dataset.id}").json()["annotation_count"] == 0
    assert client.get(f"/api/datasets/{dataset.id}/categories").json()["items"] == []
    assert stored_files(context) == []


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"mapping": "{"}, "mapping_invalid", "mapping"),
        ({"mapping": "[1]"}, "mapping_invalid", "mapping"),
        ({"mapping": '{"red": "cat"}'}, "mapping_invalid", "mapping"),
        ({"mapping": '{"1": true}'}, "mapping_invalid", "mapping"),
        ({"mapping": '{"1": ""}'}, "mapping_invalid", "mapping"),
        ({"mapping": '{"1": 1.5}'}, "mapping_invalid", "mapping"),
        ({"mapping": '{"1": "a\\u0000"}'}, "mapping_invalid", "mapping"),
        ({"mapping": '{"a.png": {"x": "cat"}}'}, "mapping_invalid", "mapping"),
        ({"mapping": "[" * 50_000}, "mapping_invalid", "mapping"),
        ({"ignore": "black"}, "ignore_invalid", "ignore"),
        ({"parts": "6"}, "choice_unknown", "parts"),
        ({"outline": "rle"}, "choice_unknown", "outline"),
        ({"mode": "careless"}, "mode_unknown", "mode"),
        ({"dry_run": "perhaps"}, "bool_parsing", "dry_run"),
        ({"suffix": "x" * 61}, "suffix_invalid", "suffix"),
        ({"surprise": "1"}, "unknown", None),
    ],
)
def test_wrong_options(
    context: AppContext,
    client: ApiClient,
    dataset: Dataset,
    fields: dict[str, str],
    code: str,
    field: str | None,
) -> None:
    answer = send(client, dataset, {"a.png": a_mask()}, **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    if field is not None:
        assert answer.json()["errors"][0]["loc"] == ["body", field]
    assert client.get("/api/jobs").json()["items"] == []
    assert stored_files(context) == []


def test_wrong_files(context: AppContext, client: ApiClient, dataset: Dataset) -> None:
    for pictures, code in (
        ({"../a.png": a_mask()}, "file_name_invalid"),
        ({"a.png": a_mask(), "b.zip": make_zip({"b.png": a_mask()})}, "zip_nested"),
        ({"b.zip": make_zip({"b.png": a_mask()}), "a.png": a_mask()}, "zip_nested"),
    ):
        answer = send(client, dataset, pictures)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    url = f"/api/datasets/{dataset.id}/mask-imports"
    answer = client.post(url, files=[("mode", (None, "strict"))])
    assert (answer.status_code, answer.json()["code"]) == (422, "missing")
    assert stored_files(context) == []
