"""Sending uploads, and looking at what they left."""

from typing import Any

import httpx2 as httpx
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.config import Settings
from app.models import Blob, Dataset, DatasetCount, Image
from tests.conftest import ApiClient

__all__ = ["Files", "check_storage", "codes", "names", "post", "stored", "upload"]

Files = list[tuple[str, bytes]]


def check_storage(settings: Settings, session: Session) -> None:
    """The storage holds what the images use, nothing else is left, and the counters are right."""
    session.rollback()
    used = set(session.scalars(select(Image.blob_sha256).where(Image.blob_sha256.is_not(None))))
    assert set(session.scalars(select(Blob.sha256))) == used
    assert stored(settings) == used
    left = [path for path in (settings.data_dir / "tmp").glob("p-*/*") if path.name != ".lock"]
    assert left == []
    counted = select(DatasetCount.dataset_id, DatasetCount.status, DatasetCount.images)
    there = select(Image.dataset_id, Image.status, func.count()).group_by(
        Image.dataset_id, Image.status
    )
    rows = session.execute(counted.where(DatasetCount.images != 0)).all()
    assert sorted(map(tuple, rows)) == sorted(map(tuple, session.execute(there)))


def stored(settings: Settings) -> set[str]:
    return {path.name for path in (settings.data_dir / "blobs").glob("*/*")}


def post(api: ApiClient, dataset: Dataset, files: Files, **fields: Any) -> httpx.Response:
    parts = [("files", (name, content)) for name, content in files]
    return api.post(f"/api/datasets/{dataset.id}/images", files=parts, data=fields)


def upload(api: ApiClient, dataset: Dataset, files: Files, **fields: Any) -> dict[str, Any]:
    answer = post(api, dataset, files, **fields)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def codes(body: dict[str, Any]) -> dict[str, str]:
    return {file["file_name"]: file["code"] for file in body["rejected"]}


def names(body: dict[str, Any]) -> list[str]:
    return [image["file_name"] for image in body["images"]]
