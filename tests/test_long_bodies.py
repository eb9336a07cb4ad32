"""Long bodies are answered by a process of their own, and nobody can tell but by the time."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx
import psutil
import pytest
from starlette.types import Message, Scope

from app.api import bodies, long_bodies
from app.api.long_bodies import LongBodies
from app.config import Settings
from tests.api.access_world import a_picture
from tests.api.test_problems import check_problem
from tests.conftest import run_async
from tests.running import SOON, Server, maskwright

MASK = {"size": [4, 4], "counts": [4, 12]}
SCOPE: Scope = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/healthz",
    "raw_path": b"/healthz",
    "query_string": b"",
    "root_path": "",
    "headers": [],
    "client": ("127.0.0.1", 5),
    "server": ("127.0.0.1", 6),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("long") / "data") as started:
        yield started


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    email = "draws@example.org"
    assert maskwright(server.data_dir, "user", "add", email, "--admin").returncode == 0
    made = maskwright(server.data_dir, "token", "create", "--email", email)
    headers = {
        "Authorization": f"Bearer {made.stdout.strip()}",
        "Content-Type": "application/json",
    }
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        yield client


def others(server: Server) -> list[psutil.Process]:
    """The processes for long bodies."""
    return [process for process in server.tree() if is_other(process)]


def is_other(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return "long-bodies" in process.cmdline()
    return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def long(text: str) -> str:
    return text + " " * bodies._LONG_BYTES


def test_strangers_start_no_process(server: Server, client: httpx.Client) -> None:
    before, text = others(server), long('{"items":[]}')
    headers = {"Authorization": "Bearer invented"}
    answer = client.post("/api/masks/area", content=text, headers=headers)
    check_problem(answer, 401, "unauthenticated")
    check_problem(client.post("/api/datasets", content=long('{"name":7}')), 422, "invalid")
    assert client.post("/api/masks/area", json={"items": [MASK]}).json() == {"items": [12]}
    assert others(server) == before


def test_an_answer_is_what_it_would_be_here(server: Server, client: httpx.Client) -> None:
    assert client.post("/api/masks/area", content=long('{"items":[]}')).json() == {"items": []}
    check_problem(client.post("/api/masks/area", content=long("{")), 400, "malformed")
    [process] = others(server)

    def pieces() -> Iterator[bytes]:
        yield b'{"items":'
        yield b"[]}"

    # Nobody knows how long this one will be.
    assert client.post("/api/masks/area", content=pieces()).json() == {"items": []}
    endless = (b" " * 1_000_000 for _ in range(40))
    check_problem(client.post("/api/masks/area", content=endless), 413, "too_large")
    assert others(server) == [process]


def test_a_long_outline_is_saved(server: Server, client: httpx.Client) -> None:
    """What it is then, this process tells as the other one did."""
    dataset = client.post("/api/datasets", json={"name": "long"}).json()["id"]
    category = client.post(f"/api/datasets/{dataset}/categories", json={"name": "x"}).json()["id"]
    with httpx.Client(base_url=server.url, headers=client.headers) as sender:
        del sender.headers["Content-Type"]
        uploaded = sender.post(f"/api/datasets/{dataset}/images", files=a_picture())
    image = uploaded.json()["images"][0]["id"]
    ring = [number / 8 for number in range(8, 8 + 2 * 40_000)]
    path, sent = f"/api/images/{image}/annotations", {"category_id": category}
    made = client.post(path, json=sent | {"segmentation": [ring]}).raise_for_status()
    assert len(made.content) > bodies._LONG_BYTES
    assert made.json()["segmentation"] == [ring]
    assert client.get(path).json()["items"] == [made.json()]
    stale = client.patch(
        f"/api/annotations/{made.json()['id']}",
        json={"segmentation": [ring[:-2]]},
        headers={"If-Match": '"7"'},
    )
    check_problem(stale, 412, "stale_version")


@pytest.mark.parametrize("by", ["signal", "kill"])
def test_it_ends_with_the_server(by: str, tmp_path: Path) -> None:
    with Server(tmp_path / "data", admin_password="long enough", admin_email="a@b.org") as server:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            body = {"email": "a@b.org", "password": "long enough"}
            client.post("/api/session", json=body).raise_for_status()
            client.headers["X-CSRF-Token"] = client.cookies["maskwright_csrf"]
            headers = {"Content-Type": "application/json"}
            text = long('{"items":[]}')
            client.post("/api/masks/area", content=text, headers=headers).raise_for_status()
        assert len(others(server)) == 1
        if by == "signal":
            assert server.stop() < SOON
        else:
            server.process.kill()
            server.process.wait()
        assert server.left_over(within=SOON) == []


@pytest.fixture
def apart(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[LongBodies]:
    """The web process's side, here."""
    monkeypatch.setenv("MASKWRIGHT_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("MASKWRIGHT_DATA_DIR", str(settings.data_dir))
    started = LongBodies()
    yield started
    started.close()


def test_one_that_is_idle_ends(apart: LongBodies, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next request starts another one."""
    monkeypatch.setattr(long_bodies, "_IDLE_SECONDS", 0.0)

    async def main() -> None:
        for _ in range(2):
            assert await _ask(apart) == 200
            async with asyncio.timeout(SOON):
                while apart._process is not None:
                    await asyncio.sleep(0.01)

    run_async(main)
    wait_until(lambda: not any(map(is_other, psutil.Process().children())))


def test_one_that_dies_fails_its_requests_only(apart: LongBodies) -> None:
    def kill() -> None:
        [process] = filter(is_other, psutil.Process().children())
        process.kill()
        process.wait(SOON)

    async def main() -> None:
        assert await _ask(apart, meanwhile=kill) == 503
        assert await _ask(apart) == 200
        # One that is about to end has closed its socket, and seems to run.
        assert apart._process is not None
        apart._process._connections.shutdown(socket.SHUT_WR)
        assert await _ask(apart) == 200

    run_async(main)


async def _ask(app: LongBodies, meanwhile: Callable[[], None] | None = None) -> int:
    """The status of the answer; with `meanwhile`, the rest of the request never comes."""
    sent: list[Message] = []
    request = {"type": "http.request", "body": b"", "more_body": meanwhile is not None}
    requests: list[Message] = [request]

    async def receive() -> Message:
        if requests:
            return requests.pop()
        if meanwhile is not None:
            meanwhile()
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(SCOPE, receive, send)
    return int(sent[0]["status"])
