"""Many uploads at the same time, of which some are broken, break off, or meet a full disk."""

import errno
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2 as httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.api import multipart
from app.context import AppContext
from app.models import Dataset, Image
from app.services.images.intake import Inbox
from app.services.pictures import pixels
from app.services.pictures.decoding import Decoder
from tests.api.test_images_hostile import part
from tests.api.uploading import check_storage, names, post, upload
from tests.build.pictures import make_picture, make_zip
from tests.conftest import ApiClient, run_async


@pytest.fixture(autouse=True)
def nothing_is_left_over(context: AppContext, session: Session) -> Iterator[None]:
    yield
    check_storage(context.settings, session)


class Callers:
    """Any number of callers of one server, in one event loop as in a real one."""

    def __init__(self, app: FastAPI, api: ApiClient, dataset: Dataset) -> None:
        self._app = app
        self._token = api.headers["Authorization"]
        self._path = f"/api/datasets/{dataset.id}/images"

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self._app),
            base_url="http://testserver",
            headers={"Authorization": self._token},
            timeout=None,
        )

    async def upload(self, client: httpx.AsyncClient, name: str, content: bytes) -> str:
        """What became of the only file, in a word."""
        answer = await client.post(self._path, files=[("files", (name, content))])
        body = answer.json()
        if answer.status_code != 201:
            return str(body["code"])
        return "taken" if body["images"] else str(body["rejected"][0]["code"])

    async def break_off(self, name: str, content: bytes) -> int:
        """Send the beginning of a file, and go away; the status that nobody hears."""
        body = part(f'name="files"; filename="{name}"', content)
        messages = iter(
            [{"type": "http.request", "body": body, "more_body": True}, {"type": "http.disconnect"}]
        )
        scope = {
            "type": "http",
            "method": "POST",
            "path": self._path,
            "query_string": b"",
            "headers": [
                (b"content-type", b"multipart/form-data; boundary=xyz"),
                (b"authorization", self._token.encode()),
            ],
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return next(messages)

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return int(sent[0]["status"])


@pytest.fixture
def callers(app: FastAPI, api: ApiClient, dataset: Dataset, session: Session) -> Callers:
    session.commit()
    return Callers(app, api, dataset)


def test_whatever_becomes_of_each(
    callers: Callers, dataset: Dataset, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sound is there, the rest is told or gone, and the limit for large ones is met."""
    monkeypatch.setattr(pixels, "LARGE_BYTES", 1_000_000)
    found: Counter[str] = Counter()
    taken: set[str] = set()

    async def send(client: httpx.AsyncClient, number: int) -> None:
        small, name = make_picture(seed=number), f"{number}.png"
        if number % 5 == 1:
            found[str(await callers.break_off(name, small[:-10]))] += 1
            return
        large = make_picture(size=(600, 500 + number)) if number % 20 == 0 else small
        content = large[:-50] if number % 5 == 2 else large
        became = await callers.upload(client, name, content)
        found[became] += 1
        if became == "taken":
            taken.add(name)

    async def story() -> None:
        async with callers.client() as client, anyio.create_task_group() as group:
            for number in range(60):
                group.start_soon(send, client, number)

    run_async(story)
    assert found == {"taken": 36, "image_damaged": 12, "400": 12}
    there = set(session.scalars(select(Image.file_name).where(Image.dataset_id == dataset.id)))
    assert there == taken


def test_pages_go_on_meanwhile(callers: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    """More uploads are being checked or wait for it than a server has threads for requests."""
    inspect, go_on = pixels.inspect, threading.Event()
    inside: list[int] = []

    def held(*args: Any, **more: Any) -> pixels.Picture:
        inside.append(1)
        assert go_on.wait(60)
        return inspect(*args, **more)

    monkeypatch.setattr(pixels, "inspect", held)
    found: Counter[str] = Counter()

    async def send(client: httpx.AsyncClient, number: int) -> None:
        found[await callers.upload(client, f"{number}.png", make_picture(seed=number))] += 1

    async def story() -> None:
        async with callers.client() as client, anyio.create_task_group() as group:
            for number in range(60):
                group.start_soon(send, client, number)
            try:
                with anyio.fail_after(50):
                    while len(inside) < multipart._THREADS:
                        await anyio.sleep(0.01)
                    for _ in range(5):
                        answer = await client.get("/api/datasets")
                        assert answer.status_code == 200
                assert len(inside) == multipart._THREADS
            finally:
                go_on.set()

    run_async(story)
    assert found == {"taken": 60}


def test_small_files_go_on_while_large_ones_wait(
    callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More large ones, in zips or not, than there are threads for uploads."""
    monkeypatch.setattr(pixels, "LARGE_BYTES", 1_000_000)
    run, go_on = Decoder.run, threading.Event()
    inside: list[int] = []

    def held(*args: Any, **more: Any) -> None:
        inside.append(1)
        assert go_on.wait(60)
        run(*args, **more)

    monkeypatch.setattr(Decoder, "run", held)
    found: Counter[str] = Counter()
    many = multipart._THREADS + 2

    async def send(client: httpx.AsyncClient, number: int) -> None:
        name, content = f"{number}.png", make_picture(size=(600, 500 + number))
        if number % 2:
            name, content = f"{number}.zip", make_zip({name: content})
        found[await callers.upload(client, name, content)] += 1

    async def story() -> None:
        async with callers.client() as client, anyio.create_task_group() as group:
            for number in range(many):
                group.start_soon(send, client, number)
            try:
                with anyio.fail_after(50):
                    while len(inside) < many:
                        await anyio.sleep(0.01)
                    assert await callers.upload(client, "small.png", make_picture()) == "taken"
            finally:
                go_on.set()

    run_async(story)
    assert found == {"taken": many}


@pytest.mark.parametrize("is_zip", [False, True])
def test_a_disk_that_is_full_in_the_middle(
    is_zip: bool, api: ApiClient, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel refuses the third file; nothing of the upload is there, and later it is."""
    files = [(f"{number}.png", make_picture(seed=number)) for number in range(4)]
    if is_zip:
        files = [("all.zip", make_zip(dict(files)))]
    new_path = Inbox.new_path

    def full(self: Inbox) -> Path:
        path = new_path(self)
        if path.name == "3":
            path.symlink_to("/dev/full")
        return path

    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "new_path", full)
        answer = post(api, dataset, files)
    assert (answer.status_code, answer.json()["code"]) == (503, "disk_full")
    assert api.get(f"/api/datasets/{dataset.id}/images").json()["items"] == []
    assert len(names(upload(api, dataset, files))) == 4


def test_a_disk_that_is_full_at_once(
    api: ApiClient, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is not even room for a folder."""

    def full(*_args: object, **_more: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = f"/api/datasets/{dataset.id}"
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "mkdtemp", full)
        answers = [
            post(api, dataset, [("a.png", make_picture())]),
            api.post(f"{path}/imports", files={"file": ("a.json", b"{}")}),
            api.post(f"{path}/mask-imports", files={"file": ("a.png", b"x")}),
        ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "disk_full")
