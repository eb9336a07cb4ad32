"""Which answers are compressed, and for whom."""

import gzip
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy.orm import Session

from app.api import compression
from app.models import Dataset, Image
from tests.build import make_annotation, make_image
from tests.build.pictures import make_picture
from tests.conftest import ApiClient, run_async

MANY = 12


@pytest.fixture
def image(session: Session, dataset: Dataset) -> Image:
    return make_image(session, dataset=dataset)


@pytest.fixture
def listed(session: Session, image: Image) -> str:
    """The address of a list that takes more than a millisecond to compress."""
    for _ in range(MANY):
        make_annotation(session, image=image, category_id=7, attributes={"note": "é" * 5000})
    return f"/api/images/{image.id}/annotations?limit={MANY}"


TAKEN = (
    "gzip",
    "GZIP",
    "gzip, deflate, br, zstd",
    "br;q=1.0, gzip;q=0.8, *;q=0.1",
    "deflate , gzip ; q=0.001",
    "*",
    "*;q=0.5, identity",
)
NOT_TAKEN = (
    "",
    "identity",
    "br",
    "gzip;q=0",
    "gzip;q=0.000, *",
    "*;q=0",
    "gzipped",
    "gzip;q=nonsense",
    ";;,,=",
    "gzip;q=0.5;q=1" * 1000,
)


def test_who_takes_it(api: ApiClient, listed: str) -> None:
    plain = api.get(listed, headers={"Accept-Encoding": "identity"})
    assert len(plain.content) > compression._LONG_BYTES
    for accepted in TAKEN + NOT_TAKEN:
        answer = api.get(listed, headers={"Accept-Encoding": accepted})
        assert ("content-encoding" in answer.headers) == (accepted in TAKEN), accepted
        assert answer.content == plain.content
        assert answer.headers["content-type"] == plain.headers["content-type"]
        assert answer.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        shorter = int(answer.headers["content-length"]) < len(plain.content) / 3
        assert shorter == (accepted in TAKEN)


def test_what_is_left_alone(
    api: ApiClient, session: Session, dataset: Dataset, image: Image, listed: str
) -> None:
    """Short answers, those that an ETag names, and what is sent while it is made."""
    only = make_annotation(session, image=image, attributes={"note": "x" * 3000})
    files = {"files": ("a.png", make_picture(size=(300, 200)), "image/png")}
    base = f"/api/datasets/{dataset.id}"
    stored = api.post(f"{base}/images", files=files).json()["images"][0]["id"]
    for address in (
        "/api/me",
        f"/api/annotations/{only.id}",
        f"{base}/export/instances.json",
        f"{base}/export.zip",
        f"/api/images/{stored}/file",
        f"/api/images/{stored}/thumbnail?size=256",
        "/login",
    ):
        answer = api.get(address).raise_for_status()
        assert "content-encoding" not in answer.headers, address
    part = api.get(f"/api/images/{stored}/file", headers={"Range": "bytes=0-99"})
    assert (part.status_code, len(part.content)) == (206, 100)
    assert "content-encoding" not in part.headers


def test_a_long_problem_and_head(
    api: ApiClient, session: Session, image: Image, listed: str
) -> None:
    only = make_annotation(session, image=image, attributes={"note": "x" * 3000})
    stale = api.patch(
        f"/api/annotations/{only.id}", json={"iscrowd": 1}, headers={"If-Match": '"9"'}
    )
    assert (stale.status_code, stale.headers["content-encoding"]) == (412, "gzip")
    assert stale.json()["current"]["id"] == only.id
    assert api.head(listed).headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("breaks_at", ["http.response.start", "http.response.body"])
def test_a_connection_that_breaks(
    app: FastAPI, api: ApiClient, listed: str, breaks_at: str
) -> None:
    """Nothing is left over of the answer, and the next one is whole."""
    path, _, query = listed.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [
            (b"accept-encoding", b"gzip"),
            (b"authorization", api.headers["Authorization"].encode()),
        ],
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        if message["type"] == breaks_at:
            raise OSError("the client is gone")
        sent.append(message)

    with pytest.raises(OSError, match="gone"):
        run_async(app, scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start"][: len(sent)]

    async def keep(message: Any) -> None:
        sent.append(message)

    sent.clear()
    run_async(app, scope, receive, keep)
    head, body = sent
    assert dict(head["headers"])[b"content-length"] == str(len(body["body"])).encode()
    assert gzip.decompress(body["body"]) == api.get(listed).content
