"""Imports over HTTP: the file goes in, a job comes out, and its result is the report."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.context import AppContext
from app.jobs.runner import run_job
from app.models import Dataset, User
from tests.build import make_member, make_user
from tests.build.coco import annotation, coco, to_bytes
from tests.build.pictures import make_picture
from tests.conftest import ApiClient


@pytest.fixture
def client(client_for: Callable[[User], ApiClient], owner: User) -> ApiClient:
    return client_for(owner)


def send(client: ApiClient, dataset: Dataset, file: Any, **fields: Any) -> httpx.Response:
    return client.post(
        f"/api/datasets/{dataset.id}/imports",
        files={"file": ("instances.json", to_bytes(file), "application/json")},
        data=fields,
    )


def stored_files(context: AppContext) -> list[Path]:
    return [
        path
        for path in context.settings.data_dir.rglob("*")
        if path.is_file() and path.name != ".lock"
    ]


Finish = Callable[[httpx.Response], dict[str, Any]]


@pytest.fixture
def finished(context: AppContext, client: ApiClient) -> Finish:
    """Runs the job that an answer tells of, as a worker does, and gets it."""

    def run(answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 202, answer.text
        run_job(context, answer.json()["id"])
        found: dict[str, Any] = client.get(f"/api/jobs/{answer.json()['id']}").json()
        return found

    return run


def test_an_import(client: ApiClient, dataset: Dataset, finished: Finish) -> None:
    answer = send(client, dataset, coco(annotation(), annotation(id=2, image_id=9)))
    queued = answer.json()
    assert (queued["kind"], queued["state"], queued["result"]) == ("import", "queued", None)
    assert queued["dataset_id"] == dataset.id
    job = finished(answer)
    assert job["state"] == "succeeded"
    assert (job["done"], job["total"]) == (2, 2)
    result = job["result"]
    assert result["images"] == {"created": 1, "updated": 0, "unchanged": 0}
    assert result["categories"] == {"created": 1, "updated": 0, "unchanged": 0}
    assert result["annotations"] == {"created": 1, "updated": 0, "unchanged": 0, "rejected": 1}
    assert result["issue_counts"] == {"image_unknown": 1}
    assert result["issues"] == [
        {
            "severity": "error",
            "code": "image_unknown",
            "path": "annotations[1].image_id",
            "id": 2,
            "message": "There is no image 9.",
            "action": "rejected",
        }
    ]
    shown = client.get(f"/api/datasets/{dataset.id}").json()
    assert (shown["image_count"], shown["annotation_count"]) == (1, 1)


def test_strict_mode_fails_with_a_report(
    client: ApiClient, dataset: Dataset, finished: Finish
) -> None:
    job = finished(send(client, dataset, coco(annotation(image_id=9)), mode="strict"))
    assert job["state"] == "failed"
    assert "Nothing was imported" in job["message"]
    assert job["result"]["issue_counts"] == {"image_unknown": 1}
    assert client.get(f"/api/datasets/{dataset.id}").json()["image_count"] == 0


def test_a_dry_run(client: ApiClient, dataset: Dataset, finished: Finish) -> None:
    job = finished(send(client, dataset, coco(annotation()), dry_run="true"))
    assert job["state"] == "succeeded"
    assert job["result"]["annotations"]["created"] == 1
    assert job["result"]["imported"] is False
    assert client.get(f"/api/datasets/{dataset.id}").json()["image_count"] == 0


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"", "file_empty"),
        (b"\x89PNG\r\n\x1a\n", "json_malformed"),
        (b'{"images": [', "json_truncated"),
        (b"[" * 100_000, "top_level"),
        ([{"id": 1, "file_name": "a.jpg"}], "top_level"),
        ({}, "top_level"),
        ({"name": "a package", "version": "1.0"}, "top_level"),
        (coco({"image_id": 1, "segments_info": []}), "panoptic_pngs_missing"),
        (b"PK\x03\x04 and nothing else", "zip_invalid"),
    ],
)
def test_files_that_cannot_be_read(
    context: AppContext,
    client: ApiClient,
    dataset: Dataset,
    finished: Finish,
    file: Any,
    code: str,
) -> None:
    job = finished(send(client, dataset, file))
    assert job["state"] == "failed"
    assert job["message"]
    assert job["result"]["issue_counts"] == {code: 1}
    assert job["result"]["imported"] is False
    assert stored_files(context) == []


def test_results_under_the_name_of_another_task(
    client: ApiClient, dataset: Dataset, finished: Finish
) -> None:
    job = finished(send(client, dataset, [{"image_id": 1, "bbox": []}], task="instances"))
    assert job["state"] == "failed"
    assert job["result"]["issue_counts"] == {"results_file": 1}


def test_nothing_is_left_on_disk(
    context: AppContext, client: ApiClient, dataset: Dataset, finished: Finish
) -> None:
    answer = send(client, dataset, coco())
    assert len(stored_files(context)) == 1
    finished(answer)
    assert stored_files(context) == []


def test_cancelling_before_it_starts(
    context: AppContext, client: ApiClient, dataset: Dataset, finished: Finish
) -> None:
    answer = send(client, dataset, coco(annotation()))
    cancelled = client.delete(f"/api/jobs/{answer.json()['id']}")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert finished(answer)["state"] == "cancelled"
    assert stored_files(context) == []
    assert client.get(f"/api/datasets/{dataset.id}").json()["image_count"] == 0


def test_a_dataset_deleted_before_it_starts(
    context: AppContext, client: ApiClient, session: Session, dataset: Dataset
) -> None:
    job = send(client, dataset, coco(annotation())).json()
    assert client.delete(f"/api/datasets/{dataset.id}").status_code == 204
    queued = text("select args from procrastinate_jobs where (args ->> 'job_id')::bigint = :id")
    message = session.scalar(queued, {"id": job["id"]})
    run_job(context, message["job_id"], file=message["file"])
    assert stored_files(context) == []


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_a_zip_with_one_annotation_file(
    context: AppContext, client: ApiClient, dataset: Dataset, finished: Finish
) -> None:
    content = {
        "annotations/instances.json": to_bytes(coco(annotation())),
        "images/a.jpg": b"not a picture",
        "__MACOSX/._instances.json": b"junk",
    }
    job = finished(send(client, dataset, zipped(**content)))
    assert job["result"]["annotations"]["created"] == 1
    assert job["result"]["issue_counts"] == {"picture_rejected": 1}
    assert stored_files(context) == []


def test_a_zip_with_several_files_and_images(
    context: AppContext, client: ApiClient, dataset: Dataset, finished: Finish
) -> None:
    """One job and one report, in which each issue names its file; the page shows both files."""
    content = {
        "annotations/captions_val.json": to_bytes(
            {
                "images": coco()["images"],
                "annotations": [
                    {"id": 1, "image_id": 1, "caption": "A cat."},
                    {"id": 2, "image_id": 5, "caption": "A cat."},
                ],
            }
        ),
        "annotations/instances_val.json": to_bytes(coco(annotation())),
        "images/val/a.jpg": make_picture(size=(8, 6), kind="JPEG"),
    }
    job = finished(send(client, dataset, zipped(**content)))
    result = job["result"]
    assert (job["state"], result["issue_counts"]) == ("succeeded", {"image_unknown": 1})
    assert result["issues"][0]["file"] == "annotations/captions_val.json"
    assert result["issues"][0]["path"] == "annotations[1].image_id"
    assert [
        (one["file"], one["task"], one["annotations"]["created"]) for one in result["files"]
    ] == [
        ("annotations/instances_val.json", "instances", 1),
        ("annotations/captions_val.json", "captions", 1),
    ]
    assert result["pictures"] == {"created": 0, "updated": 1, "unchanged": 0, "rejected": 0}
    [image] = client.get(f"/api/datasets/{dataset.id}/images").json()["items"]
    assert (image["has_file"], image["subset"]) == (True, "val")
    answer = client.get(f"/api/images/{image['id']}/file")
    assert answer.content == content["images/val/a.jpg"]
    page = client.get(f"/jobs/{job['id']}").text
    assert all(name in page for name in content if name.endswith(".json"))


@pytest.mark.parametrize(
    ("name", "fields", "task", "subset"),
    [
        ("x.json", {}, "instances", "default"),
        ("stuff_train.json", {}, "stuff", "train"),
        ("person_keypoints_val2017.json", {"task": "auto"}, "person_keypoints", "val2017"),
        ("captions_val2017.json", {}, "instances", "val2017"),
        ("stuff_train.json", {"task": "instances", "subset": "mine"}, "instances", "mine"),
    ],
)
def test_a_file_tells_its_task_and_subset(
    client: ApiClient,
    dataset: Dataset,
    finished: Finish,
    name: str,
    fields: dict[str, str],
    task: str,
    subset: str,
) -> None:
    """By its content first: what a file is called is only asked where that leaves it open."""
    text = to_bytes(coco(annotation()))
    zip_file = zipped(**{f"annotations/{name}": text})
    for sent in ({"file": (name, text)}, {"file": ("labels_x.zip", zip_file)}):
        answer = client.post(f"/api/datasets/{dataset.id}/imports", files=sent, data=fields)
        result = finished(answer)["result"]
        assert (result["task"], result["issue_counts"]) == (task, {})
    shown = client.get(f"/api/datasets/{dataset.id}/images").json()["items"]
    assert [image["subset"] for image in shown] == [subset]


@pytest.mark.parametrize("names", [[], ["a.txt"], ["a.jpg", "b.txt"]])
def test_a_zip_without_annotations(
    client: ApiClient, dataset: Dataset, finished: Finish, names: list[str]
) -> None:
    job = finished(send(client, dataset, zipped(**dict.fromkeys(names, b"{}"))))
    assert job["state"] == "failed"
    assert job["result"]["issue_counts"] == {"zip_invalid": 1}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"task": "nonsense"}, "task_unknown"),
        ({"mode": "careless"}, "mode_unknown"),
        ({"placeholders": "perhaps"}, "bool_parsing"),
        ({"dry_run": "perhaps"}, "bool_parsing"),
        ({"subset": "\x01"}, "value_error"),
        ({"surprise": "1"}, "unknown"),
    ],
)
def test_wrong_options(
    context: AppContext, client: ApiClient, dataset: Dataset, fields: dict[str, str], code: str
) -> None:
    answer = send(client, dataset, coco(), **fields)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert client.get("/api/jobs").json()["items"] == []
    assert stored_files(context) == []


def test_wrong_bodies(client: ApiClient, dataset: Dataset) -> None:
    url = f"/api/datasets/{dataset.id}/imports"
    assert client.post(url, json={}).status_code == 415
    parts = [("mode", (None, "strict"))]
    empty = client.post(url, files=parts)
    assert (empty.status_code, empty.json()["code"]) == (422, "missing")
    two = [("file", ("a.json", b"{}")), ("file", ("b.json", b"{}"))]
    assert client.post(url, files=two).status_code == 413


def test_only_owners_import(
    client_for: Callable[[User], ApiClient], session: Session, dataset: Dataset
) -> None:
    annotator = client_for(make_member(session, dataset=dataset, role="annotator"))
    assert send(annotator, dataset, coco()).status_code == 403
    assert send(client_for(make_user(session)), dataset, coco()).status_code == 404


def test_the_subset_of_new_images(client: ApiClient, dataset: Dataset, finished: Finish) -> None:
    finished(send(client, dataset, coco(), subset="val"))
    images = client.get(f"/api/datasets/{dataset.id}/images").json()["items"]
    assert [image["subset"] for image in images] == ["val"]


def test_what_the_api_shows_of_odd_annotations(
    client: ApiClient, dataset: Dataset, finished: Finish
) -> None:
    """Read generously for people, kept as it is for the export."""
    flat = [1, 1, 5, 1, 1, 5]
    finished(send(client, dataset, coco(annotation(segmentation=flat, iscrowd="1", bbox=...))))
    image = client.get(f"/api/datasets/{dataset.id}/images").json()["items"][0]
    shown = client.get(f"/api/images/{image['id']}/annotations").json()["items"][0]
    assert shown["segmentation"] == [flat]
    assert (shown["iscrowd"], shown["bbox"]) == (1, [1, 1, 4, 4])
    out = client.get(f"/api/datasets/{dataset.id}/export/instances.json").json()
    assert out["annotations"] == [
        json.loads(json.dumps(annotation(segmentation=flat, iscrowd="1", bbox=...)))
    ]
