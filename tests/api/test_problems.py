"""Every error has the one legal body, however it comes about."""

from collections.abc import Callable
from typing import Any

import httpx2 as httpx
import pytest
import sqlalchemy.exc
from fastapi import FastAPI
from sqlalchemy.orm import Session

from app.models import User
from tests.build import make_user
from tests.conftest import ApiClient


def check_problem(answer: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    """Assert that this is a legal error body; returns it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "code", "errors"} <= body.keys()
    assert body["status"] == status
    assert body["detail"]
    assert "Traceback" not in answer.text
    assert "/app/" not in answer.text
    if code is not None:
        assert body["code"] == code
    for error in body["errors"]:
        assert {"loc", "code", "message"} <= error.keys()
    return body


@pytest.fixture
def api(session: Session, client_for: Callable[[User], ApiClient]) -> ApiClient:
    return client_for(make_user(session))


@pytest.mark.parametrize(
    ("method", "path", "kwargs", "status", "code"),
    [
        ("GET", "/api/nothing", {}, 404, "not_found"),
        ("PUT", "/api/datasets", {}, 405, "method_not_allowed"),
        ("GET", "/api/datasets/999999", {}, 404, "not_found"),
        ("GET", "/api/datasets/abc", {}, 422, "invalid"),
        ("GET", "/api/datasets/0", {}, 422, "invalid"),
        ("GET", f"/api/datasets/{2**63}", {}, 422, "invalid"),
        ("GET", "/api/datasets?limit=501", {}, 422, "invalid"),
        ("GET", "/api/datasets?limit=x", {}, 422, "invalid"),
        ("GET", "/api/datasets?cursor=WyJcdWQ4MDAiLDFd", {}, 400, "bad_cursor"),
        ("GET", "/api/datasets?cursor=WyJcdTAwMDAiLDFd", {}, 400, "bad_cursor"),
        ("POST", "/api/datasets", {"content": b"{"}, 400, "malformed"),
        ("POST", "/api/datasets", {"content": b'{"name": "\xff"}'}, 400, "malformed"),
        ("POST", "/api/datasets", {"content": b'{"name": NaN}'}, 422, "invalid"),
        ("POST", "/api/datasets", {"content": b'{"name": "\\ud800"}'}, 422, "invalid"),
        ("POST", "/api/datasets", {"content": b"[" * 100_000}, 400, "malformed"),
        ("POST", "/api/datasets", {"content": b""}, 422, "invalid"),
    ],
)
def test_bad_requests(
    api: ApiClient, method: str, path: str, kwargs: Any, status: int, code: str
) -> None:
    headers = {"Content-Type": "application/json"}
    check_problem(api.request(method, path, headers=headers, **kwargs), status, code)


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data"])
def test_a_body_of_another_type(api: ApiClient, content_type: str) -> None:
    answer = api.post(
        "/api/datasets", content=b'{"name": "x"}', headers={"Content-Type": content_type}
    )
    check_problem(answer, 415, "wrong_type")


def test_a_body_without_a_type(api: ApiClient) -> None:
    check_problem(api.post("/api/datasets", content=b'{"name": "x"}'), 415, "wrong_type")


def test_a_body_that_is_wrong_everywhere(api: ApiClient) -> None:
    body = {"name": "x", "keypoints": [None] * 1000}
    answer = api.post("/api/datasets/1/categories", json=body)
    assert len(check_problem(answer, 422, "invalid")["errors"]) == 100


def test_head_is_answered_like_get(api: ApiClient) -> None:
    assert api.head("/api/me").status_code == 200
    assert api.head("/api/datasets/999999").status_code == 404


def test_no_connection_in_time(app: FastAPI, session: Session) -> None:
    @app.get("/api/crowded")
    def crowded() -> None:
        raise sqlalchemy.exc.TimeoutError

    check_problem(ApiClient(app, session).get("/api/crowded"), 503, "unavailable")


def test_nobody(client: ApiClient) -> None:
    check_problem(client.get("/api/datasets"), 401, "unauthenticated")


def test_a_failure_of_ours_tells_nothing(app: FastAPI, session: Session) -> None:
    @app.get("/api/broken")
    def broken() -> None:
        raise RuntimeError("a secret of the server")

    client = ApiClient(app, session)
    client._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
    answer = client.get("/api/broken")
    check_problem(answer, 500, "internal")
    assert "secret" not in answer.text
