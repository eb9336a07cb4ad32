"""Uploads that are broken, hostile or too large, and what they leave behind: nothing."""

import os
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy.orm import Session

from app.config import Settings
from app.context import AppContext
from app.main import create_app
from app.models import Dataset, Image, User
from app.services.files.storage import LocalStorage, blob_key
from tests.api.uploading import check_storage, codes, names, post, upload
from tests.build import make_member, make_user
from tests.build.pictures import COCO_IMAGES, make_picture, make_png_header, make_zip
from tests.conftest import ApiClient, run_async

ClientFor = Callable[[User], ApiClient]


@pytest.fixture(autouse=True)
def nothing_is_left_over(context: AppContext, session: Session) -> Iterator[None]:
    yield
    check_storage(context.settings, session)


def test_what_is_bad_is_named_and_the_rest_goes_on(
    api: ApiClient, dataset: Dataset, settings: Settings
) -> None:
    settings.max_image_pixels = 10_000
    photograph = COCO_IMAGES[0].read_bytes()
    files = {
        "first.png": make_picture(),
        "truncated.jpg": photograph[: len(photograph) // 2],
        "bomb.png": make_png_header(60_000, 60_000),
        "page.png": b"<!doctype html><script>alert(1)</script>",
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "empty.jpg": b"",
        "../climbing.png": make_picture(seed=1),
        "/absolute.png": make_picture(seed=2),
        "large.png": make_picture(size=(101, 100)),
        "last.png": make_picture(seed=3),
    }
    body = upload(api, dataset, list(files.items()))
    assert names(body) == ["first.png", "last.png"]
    assert codes(body) == {
        "truncated.jpg": "image_too_large",
        "bomb.png": "image_too_large",
        "page.png": "not_an_image",
        "drawing.svg": "not_an_image",
        "empty.jpg": "not_an_image",
        "../climbing.png": "file_name_invalid",
        "/absolute.png": "file_name_invalid",
        "large.png": "image_too_large",
    }
    settings.max_image_pixels = 10**6
    body = upload(api, dataset, [("truncated.jpg", files["truncated.jpg"])])
    assert codes(body) == {"truncated.jpg": "image_damaged"}


def test_a_zip(api: ApiClient, dataset: Dataset) -> None:
    archive = make_zip(
        {
            "train/": b"",
            "train/a.png": make_picture(seed=1),
            "train/deep/b.png": make_picture(seed=2),
            "__MACOSX/train/._a.png": b"x",
            "train/.DS_Store": b"x",
            "../../up.png": make_picture(seed=3),
            "labels.json": b"{}",
            "inner.zip": make_zip({"c.png": make_picture(seed=4)}),
            "broken.png": make_picture()[:-40],
        }
    )
    files = [("images.zip", archive), ("d.png", make_picture(seed=5)), ("e", b"PK\x03\x04")]
    body = upload(api, dataset, files)
    assert names(body) == ["train/a.png", "train/deep/b.png", "d.png"]
    assert codes(body) == {
        "../../up.png": "file_name_invalid",
        "labels.json": "not_an_image",
        "inner.zip": "zip_nested",
        "broken.png": "image_damaged",
        "e": "zip_damaged",
    }


def test_zips_that_would_fill_the_disk(
    api: ApiClient, dataset: Dataset, settings: Settings
) -> None:
    settings.max_upload_mb = 1
    settings.max_zip_files = 3
    # More when unpacked than may be sent.
    parts = [os.urandom(4_000) * 100 for _ in range(3)]
    body = upload(
        api,
        dataset,
        [
            ("empty.zip", make_zip({"folder/": b""})),
            ("many.zip", make_zip(dict.fromkeys("abcd", b""))),
            ("zeros.zip", make_zip({"zeros": b"\0" * 900_000}, method=zipfile.ZIP_DEFLATED)),
        ],
    )
    assert codes(body) == {
        "empty.zip": "zip_empty",
        "many.zip": "zip_too_many_files",
        "zeros": "not_an_image",
    }
    entries = {str(number): content for number, content in enumerate(parts)}
    large = make_zip(entries, method=zipfile.ZIP_DEFLATED)
    body = upload(api, dataset, [("large.zip", large)])
    assert codes(body) == {"0": "not_an_image", "1": "not_an_image", "2": "zip_too_large"}


def test_a_full_disk(
    api: ApiClient, dataset: Dataset, context: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        answer = post(api, dataset, [("a.png", make_picture()), ("b.png", make_picture(seed=1))])
    assert answer.status_code == 503
    assert answer.json()["code"] == "disk_full"
    assert api.get(f"/api/datasets/{dataset.id}/images").json()["items"] == []


def test_a_file_lost_from_the_storage(
    api: ApiClient, dataset: Dataset, context: AppContext, session: Session
) -> None:
    image = upload(api, dataset, [("a.png", make_picture())])["images"][0]
    sha256 = session.get_one(Image, image["id"]).blob_sha256 or ""
    storage = context.storage
    assert isinstance(storage, LocalStorage)
    with storage.open(blob_key(sha256)) as file:
        content = file.read()
    storage.delete(blob_key(sha256))
    answer = api.get(f"/api/images/{image['id']}/file")
    assert (answer.status_code, answer.json()["code"]) == (404, "file_missing")
    # Uploading it once more under another name brings it back for both.
    upload(api, dataset, [("b.png", content)])
    assert api.get(f"/api/images/{image['id']}/file").content == content


def raw_upload(api: ApiClient, dataset: Dataset, body: bytes, **headers: str) -> httpx.Response:
    sent = {"content-type": "multipart/form-data; boundary=xyz"} | {
        key.replace("_", "-"): value for key, value in headers.items()
    }
    return api.post(f"/api/datasets/{dataset.id}/images", content=body, headers=sent)


def part(head: str, content: bytes = b"x") -> bytes:
    return b"--xyz\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + content


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed"),
        (b"nonsense", 400, "malformed"),
        (b"--xyz--\r\n", 422, "missing"),
        (part('name="files"; filename="a.png"') + b"\r\n", 400, "malformed"),
        (part("filename=a") + b"\r\n--xyz--\r\n", 400, "malformed"),
        (part('name="other"; filename="a"') + b"\r\n--xyz--\r\n", 422, "unknown"),
        (part('name="files"') + b"\r\n--xyz--\r\n", 422, "wrong_kind"),
        (part('name="subset"; filename="a"') + b"\r\n--xyz--\r\n", 422, "wrong_kind"),
        (part('name="files"; filename=""', b"") + b"\r\n--xyz--\r\n", 422, "missing"),
        (part('name="subset"', b"x" * 70_000) + b"\r\n--xyz--\r\n", 413, "too_large"),
        (part('name="subset"', b"") + b"\r\n--xyz--\r\n", 422, "string_too_short"),
        (part('name="subset"', b"a\0b") + b"\r\n--xyz--\r\n", 422, "value_error"),
    ],
)
def test_bad_bodies(api: ApiClient, dataset: Dataset, body: bytes, status: int, code: str) -> None:
    answer = raw_upload(api, dataset, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_not_multipart(api: ApiClient, dataset: Dataset) -> None:
    path = f"/api/datasets/{dataset.id}/images"
    assert api.post(path, json={}).status_code == 415
    assert raw_upload(api, dataset, b"", content_type="multipart/form-data").status_code == 400


def test_too_large_a_body(
    dataset: Dataset, context: AppContext, session: Session, api: ApiClient
) -> None:
    context.settings.max_upload_mb = 1
    small = ApiClient(create_app(context.settings, context), session)
    small.headers.update(api.headers)
    noise = os.urandom(1_100_000)
    assert post(small, dataset, [("a", noise)]).status_code == 413

    def chunks() -> Iterator[bytes]:
        yield part('name="files"; filename="a"')
        yield noise

    path = f"/api/datasets/{dataset.id}/images"
    headers = {"content-type": "multipart/form-data; boundary=xyz"}
    assert small.post(path, content=chunks(), headers=headers).status_code == 413


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("annotator", 403), ("stranger", 404)])
def test_the_body_of_who_may_not_is_not_read(
    dataset: Dataset,
    client_for: ClientFor,
    session: Session,
    api: ApiClient,
    role: str | None,
    status: int,
) -> None:
    headers = [(b"content-type", b"multipart/form-data; boundary=xyz")]
    if role is not None:
        user = make_user(session)
        if role != "stranger":
            user = make_member(session, dataset=dataset, role=role)
        headers.append((b"authorization", client_for(user).headers["Authorization"].encode()))
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/api/datasets/{dataset.id}/images",
        "query_string": b"",
        "headers": headers,
    }
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        sent.append(message)

    run_async(api.app, scope, receive, send)
    assert sent[0]["status"] == status


def test_a_sender_who_goes_away(dataset: Dataset, api: ApiClient, session: Session) -> None:
    session.commit()
    headers = [
        (b"content-type", b"multipart/form-data; boundary=xyz"),
        (b"authorization", api.headers["Authorization"].encode()),
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/api/datasets/{dataset.id}/images",
        "query_string": b"",
        "headers": headers,
    }
    body = part('name="files"; filename="a.png"', make_picture())
    messages = iter(
        [{"type": "http.request", "body": body, "more_body": True}, {"type": "http.disconnect"}]
    )
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    run_async(api.app, scope, receive, send)
    assert sent[0]["status"] == 400
    assert api.get(f"/api/datasets/{dataset.id}/images").json()["items"] == []
