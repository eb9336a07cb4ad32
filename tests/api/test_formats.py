"""Formats of folders over HTTP, and on the command line."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.context import AppContext
from app.formats import FORMATS
from app.jobs.runner import run_job
from app.models import Dataset, User
from tests.conftest import ApiClient
from tests.services.folders import png, zipped

YOLO: dict[str, bytes | str] = {
    "data.yaml": "names: [cat]\ntrain: images/train",
    "images/train/a.png": png(20, 10),
    "labels/train/a.txt": "0 .5 .5 .2 .2\n",
}
_WRITTEN = [form.name for form in FORMATS if form.writer is not None]


@pytest.fixture
def client(client_for: Callable[[User], ApiClient], owner: User) -> ApiClient:
    return client_for(owner)


@pytest.fixture
def sent(context: AppContext, client: ApiClient, dataset: Dataset) -> Callable[..., Any]:
    """Sends a zip and runs its job as a worker does."""

    def run(files: dict[str, bytes | str], **fields: str) -> dict[str, Any]:
        answer = client.post(
            f"/api/datasets/{dataset.id}/imports",
            files={"file": ("yolo.zip", zipped(files), "application/zip")},
            data=fields,
        )
        assert answer.status_code == 202, answer.text
        run_job(context, answer.json()["id"])
        found: dict[str, Any] = client.get(f"/api/jobs/{answer.json()['id']}").json()
        return found

    return run


def blobs(session: Session) -> int:
    return int(session.scalar(text("select count(*) from blobs")) or 0)


def test_a_zip_with_its_pictures(
    context: AppContext,
    client: ApiClient,
    session: Session,
    dataset: Dataset,
    sent: Callable[..., Any],
) -> None:
    job = sent(YOLO)
    assert (job["state"], job["result"]["format"]) == ("succeeded", "yolo-detect")
    (image,) = client.get(f"/api/datasets/{dataset.id}/images").json()["items"]
    assert (image["file_name"], image["subset"]) == ("a.png", "train")
    assert client.get(f"/api/images/{image['id']}/file").content == YOLO["images/train/a.png"]
    answer = client.get(f"/api/datasets/{dataset.id}/export/yolo-detect.zip?images=true")
    assert answer.headers["content-type"] == "application/zip"
    assert "_yolo-detect.zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert set(archive.namelist()) == {*YOLO, "export-report.json"}
        assert archive.read("images/train/a.png") == YOLO["images/train/a.png"]


def test_a_failed_import_leaves_nothing_behind(
    context: AppContext, session: Session, sent: Callable[..., Any]
) -> None:
    """The pictures were stored when the strict import saw that one of them cannot be."""
    bad = YOLO | {"images/train/b.png": png(9, 9), "labels/train/b.txt": "no labels"}
    job = sent(bad, mode="strict")
    assert job["state"] == "failed"
    session.rollback()
    assert blobs(session) == 0
    assert [path for path in context.settings.data_dir.rglob("blobs/**/*") if path.is_file()] == []
    assert sent(YOLO, dry_run="true")["result"]["annotations"]["created"] == 1
    session.rollback()
    assert blobs(session) == 0


@pytest.mark.parametrize("form", _WRITTEN)
def test_every_format_is_sent(client: ApiClient, dataset: Dataset, form: str) -> None:
    answer = client.get(f"/api/datasets/{dataset.id}/export/{form}.zip")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "export-report.json" in archive.namelist()


def test_what_is_refused(client: ApiClient, dataset: Dataset) -> None:
    answer = client.get(f"/api/datasets/{dataset.id}/export/coco.zip")
    assert (answer.status_code, answer.json()["code"]) == (422, "format_unknown")
    answer = client.post(
        f"/api/datasets/{dataset.id}/imports",
        files={"file": ("a.zip", zipped(YOLO), "application/zip")},
        data={"format": "semantic-masks"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "format_unknown")
