"""How much a request may send, and how many large ones are at work at a time."""

import json
import re
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import httpx2 as httpx
import pytest
from fastapi import FastAPI, Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.types import Message

from app.api import bodies, deps
from app.context import AppContext
from app.main import create_app
from app.models import Dataset, User
from app.services import users
from app.services.annotations import annotations
from tests.api.test_problems import check_problem
from tests.build import make_category, make_dataset, make_image, make_user
from tests.conftest import ApiClient, run_async

SECONDS = 20


@pytest.fixture
def api(session: Session, client_for: Callable[[User], ApiClient]) -> ApiClient:
    return client_for(make_user(session))


@pytest.mark.parametrize("unit", [b"[]", b'{"":0}', b'""', b'[[],""]', b'"",{}'])
def test_a_body_full_of_next_to_nothing(api: ApiClient, unit: bytes) -> None:
    """What is two bytes long is a hundred in memory, before a route can look at it."""
    most = bodies.MAX_TEXTS if unit == b'""' else bodies.MAX_LISTS_AND_OBJECTS
    text = b'{"items":[' + (unit + b",") * most + b"0]}"
    headers = {"Content-Type": "application/json"}
    answer = api.post("/api/masks/area", content=text, headers=headers)
    check_problem(answer, 413, "body_too_complex")


def test_only_geometry_is_long(api: ApiClient, app: FastAPI) -> None:
    long = {"name": "x" * bodies.MAX_JSON_BYTES}
    check_problem(api.post("/api/datasets", json=long), 413, "too_large")
    check_problem(api.post("/api/images/1/annotations", json=long), 422, "invalid")
    long_ones = [
        path
        for path in app.openapi()["paths"]
        if bodies._GEOMETRY.fullmatch(re.sub(r"{\w+}", "1", path))
    ]
    assert {"/api/annotations/{annotation_id}", "/api/masks/iou"} <= set(long_ones)
    assert "/api/annotations/{annotation_id}/draw" in long_ones
    assert "/api/predictions/{prediction_id}/accept" in long_ones


def test_long_bodies_are_read_quickly(
    api: ApiClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by Python's reader, save for what the quick one refuses."""
    dataset = make_dataset(session, owner=session.scalars(select(User)).one())
    image = make_image(session, dataset=dataset)
    category = make_category(session, dataset=dataset)
    path, headers = f"/api/images/{image.id}/annotations", {"Content-Type": "application/json"}
    ring = "0.10, 0, 5, 0" + ", 5, 5" * 1000
    sound = f'{{"category_id": {category.id}, "segmentation": [[{ring}]]}}'
    masks = {"items": [{"size": [4, 4], "counts": [4, 12]}] * 200}
    read, by_python = list[int](), json.loads

    def noted(text: str | bytes, **more: Any) -> Any:
        if len(text) > len(ring):
            read.append(len(text))
        return by_python(text, **more)

    monkeypatch.setattr(json, "loads", noted)
    made = api.post(path, content=sound, headers=headers)
    assert (made.status_code, '"segmentation":[[0.10,0,5,' in made.text) == (201, True)
    assert api.post("/api/masks/area", json=masks).text == f'{{"items":[{",".join(["12"] * 200)}]}}'
    assert read == []
    not_finite = sound.replace("0.10", "NaN")
    check_problem(api.post(path, content=not_finite, headers=headers), 422, "not_finite")
    for malformed in (sound[:-1].encode(), sound.encode() + b"\xff"):
        check_problem(api.post(path, content=malformed, headers=headers), 400, "malformed")
    assert read


def test_only_routes_of_files_take_files(client: ApiClient, app: FastAPI) -> None:
    """Whatever else says that it sends files is a JSON body, read before anybody looks at it."""
    takes_files = {
        path
        for path, routes in app.openapi()["paths"].items()
        if "multipart/form-data" in routes.get("post", {}).get("requestBody", {}).get("content", {})
    }
    assert takes_files == {
        path
        for path in app.openapi()["paths"]
        if bodies._FILES.fullmatch(re.sub(r"{\w+}", "1", path))
    }
    assert len(takes_files) == 3

    def chunks() -> Any:
        for _ in range(40):
            yield b" " * 100_000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for path in ("/api/session", "/api/masks/area"):
        check_problem(client.post(path, content=chunks(), headers=headers), 413, "too_large")
        told = headers | {"Content-Length": "60000000"}
        check_problem(client.post(path, content=chunks(), headers=told), 413, "too_large")


class _Crowd:
    """Requests that come in, and are computed, when the test says so."""

    def __init__(self, context: AppContext, session: Session, at_a_time: int) -> None:
        _, token = users.create_token(session, user=make_user(session), name="crowd")
        session.commit()
        settings = context.settings.model_copy(update={"large_requests": at_a_time})
        parts = AppContext(
            settings, context.engine, context.sessions, context.storage, context.secret_key
        )
        app = create_app(settings, parts)
        self.sent: list[str] = []
        self.computed: list[str] = []
        self.statuses: dict[str, int] = {}
        self.go_on = anyio.Event()

        @app.post("/api/masks/wait/{name}")
        async def wait(name: str, request: Request) -> None:
            await request.body()
            self.computed.append(name)
            await self.go_on.wait()

        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://test",
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )

    async def ask(self, name: str, path: str, body: bytes = b"{}") -> None:
        answer = await self.client.post(path, content=body)
        self.statuses[name] = answer.status_code
        if answer.status_code == 503:
            check_problem(answer, 503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0

    async def compute(self, name: str) -> None:
        await self.ask(name, f"/api/masks/wait/{name}")

    async def send_slowly(self, name: str) -> None:
        """A long body whose end comes late."""

        async def pieces() -> AsyncIterator[bytes]:
            self.sent.append(name)
            yield b" " * bodies.MAX_JSON_BYTES
            await self.go_on.wait()
            yield b"{}"

        headers = {"Content-Length": str(bodies.MAX_JSON_BYTES + 2)}
        answer = await self.client.post("/api/masks/area", content=pieces(), headers=headers)
        self.statuses[name] = answer.status_code
        if answer.status_code == 408:
            check_problem(answer, 408, "too_slow")

    async def pause_when(self, happened: list[str], number: int) -> None:
        """Until so much has happened, and a while longer for what should wait to happen, too.

        Small requests go on meanwhile.
        """
        while len(happened) < number:
            await anyio.sleep(0.01)
        for _ in range(20):
            assert (await self.client.get("/healthz")).status_code == 200


def test_large_requests_take_turns(context: AppContext, session: Session) -> None:
    """Slow senders hold up others that send, up to a point, and none that compute."""
    slow, quick = [f"slow {n}" for n in range(9)], [f"quick {n}" for n in range(5)]

    async def main() -> None:
        crowd = _Crowd(context, session, at_a_time=2)
        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as group:
                for name in slow:
                    group.start_soon(crowd.send_slowly, name)
                await crowd.pause_when(crowd.sent, 8)
                assert len(crowd.sent) == 8
                await crowd.ask("other", "/api/masks/area", b'{"items":[]}')
                for name in quick:
                    group.start_soon(crowd.compute, name)
                await crowd.pause_when(crowd.computed, 2)
                assert len(crowd.computed) == 2
                crowd.go_on.set()
        assert crowd.statuses == dict.fromkeys(slow, 422) | dict.fromkeys((*quick, "other"), 200)

    run_async(main)


def test_no_turn_in_time(
    context: AppContext, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "_PATIENCE_SECONDS", 0.01)
    last = {"wrong": b"{}", "broken": b"{", "right": b'{"items":[]}'}

    async def main() -> None:
        crowd = _Crowd(context, session, at_a_time=1)
        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as group:
                group.start_soon(crowd.compute, "first")
                await crowd.pause_when(crowd.computed, 1)
                await crowd.compute("second")
                crowd.go_on.set()
            # Turns come back from what was answered and from what was refused.
            for name, body in last.items():
                await crowd.ask(name, "/api/masks/area", body)
        assert crowd.statuses == {
            "first": 200,
            "second": 503,
            "wrong": 422,
            "broken": 400,
            "right": 200,
        }

    run_async(main)


@pytest.mark.parametrize("limit", ["_PAUSE_SECONDS", "_BODY_SECONDS"])
def test_who_stops_sending_gives_room_back(
    limit: str, context: AppContext, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise few laptops that went to sleep in the middle of a save would stop everybody's."""
    monkeypatch.setattr(bodies, limit, 0.5)
    stalled = [f"slow {n}" for n in range(4)]

    async def main() -> None:
        crowd = _Crowd(context, session, at_a_time=1)
        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as group:
                for name in stalled:
                    group.start_soon(crowd.send_slowly, name)
                await crowd.pause_when(crowd.sent, 4)
                long = b'{"items":[]}' + b" " * bodies.MAX_JSON_BYTES
                await crowd.ask("whole", "/api/masks/area", long)
        assert crowd.statuses == dict.fromkeys(stalled, 408) | {"whole": 200}

    run_async(main)


def test_a_client_is_listened_to_after_its_body(context: AppContext, session: Session) -> None:
    """Whether it is still there takes no turn."""
    messages: list[Message] = [
        {"type": "http.request", "body": b"{}"},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    async def main() -> None:
        turn = bodies._Turn(1)
        found = bodies._Json(receive, turn, _never, {}, is_long=True, is_masks=True)
        assert (await found())["type"] == "http.request"
        turn.end()
        assert (await found())["type"] == "http.disconnect"
        assert turn._held == {}

    run_async(main)


def test_a_long_save_waits_briefly_for_an_import(
    session: Session,
    context: AppContext,
    dataset: Dataset,
    owner: User,
    client_for: Callable[[User], ApiClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An import locks images for minutes, and whoever waits for it keeps all others waiting."""
    monkeypatch.setattr(deps, "_LONGEST_WAIT_SECONDS", 1)
    image, category = make_image(session, dataset=dataset), make_category(session, dataset=dataset)
    session.commit()
    api = client_for(owner)
    path = f"/api/images/{image.id}/annotations"
    sent = {"category_id": category.id, "bbox": [1, 1, 2, 2]}
    body = json.dumps(sent).encode() + b" " * bodies.MAX_JSON_BYTES
    headers = {"Content-Type": "application/json"}
    with ThreadPoolExecutor(1) as pool, context.sessions.begin() as other:
        annotations.lock_images(other, [image.id])
        # In a thread, since one that waits for the import would wait for this test, too.
        saving = pool.submit(api.post, path, content=body, headers=headers)
        check_problem(saving.result(60), 409, "busy")
    assert api.post(path, content=body, headers=headers).status_code == 201


async def _never() -> int:
    raise AssertionError("the body is short")


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("path", ["/api/datasets", "/api/masks/area"])
def test_an_endless_body_is_cut_off(api: ApiClient, path: str, told: bool) -> None:
    def chunks() -> Any:
        for _ in range(33):
            yield b" " * 1_000_000

    headers = {"Content-Type": "application/json"}
    if told:
        headers["Content-Length"] = "33000000"
    check_problem(api.post(path, content=chunks(), headers=headers), 413, "too_large")


def test_what_strangers_send_is_not_read_to_its_end(client: ApiClient, api: ApiClient) -> None:
    """Reading JSON takes time and memory of everybody, so not for somebody unknown."""
    long = {"items": [], "more": "y" * bodies.MAX_JSON_BYTES}
    check_problem(client.post("/api/masks/area", json=long), 413, "too_large")
    check_problem(client.post("/api/session", json=long), 413, "too_large")
    headers = {"Authorization": "Bearer invented"}
    check_problem(client.post("/api/masks/area", json=long, headers=headers), 413, "too_large")
    check_problem(api.post("/api/masks/area", json=long), 422, "invalid")
