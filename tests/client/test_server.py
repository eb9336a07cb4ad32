"""The client on a running server: the same script, and what a network can do to it."""

import http.server
import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import client
from app.client import COCO
from app.context import AppContext
from app.models import Dataset, User
from app.services import users
from app.services.imports.imports import import_file
from tests.build import make_dataset, make_image, make_member
from tests.build.coco import annotation, coco, to_bytes
from tests.client.scripts import answers, results_of
from tests.conftest import ApiClient

DATA = Path(__file__).parent.parent / "data" / "coco"


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session, name="Street & co")


@pytest.fixture
def token(session: Session, dataset: Dataset) -> str:
    """Of a viewer."""
    viewer = make_member(session, dataset=dataset, role="viewer")
    _, secret = users.create_token(session, user=viewer, name="a script")
    session.commit()
    return secret


def fill(context: AppContext, dataset: Dataset, file: Any) -> None:
    with context.sessions.begin() as own:
        import_file(own, dataset_id=dataset.id, user_id=None, file=io.BytesIO(to_bytes(file)))


@pytest.mark.parametrize("task", ["instances", "person_keypoints", "captions", "stuff"])
def test_the_same_script_on_a_live_dataset(
    task: str, address: str, context: AppContext, dataset: Dataset, token: str
) -> None:
    for name in ("instances", "person_keypoints", "captions", "stuff"):
        fill(context, dataset, (DATA / f"{name}.json").read_bytes())
    on_file, on_server = (
        COCO(DATA / f"{task}.json"),
        COCO(f"{address}/datasets/{dataset.id}", token=token, task=task),
    )
    results = results_of(on_file)
    assert answers(on_server, results) == answers(on_file, results)


@pytest.mark.parametrize(
    "where",
    [
        lambda address, key: {"annotation_file": f"{address}/datasets/{key}/images?q=x"},
        lambda address, key: {"annotation_file": f"{address}/api/datasets/{key}"},
        lambda address, key: {"server": f"{address}/", "dataset": key},
        lambda address, key: {"server": address, "dataset": str(key)},
        lambda address, _: {"server": address, "dataset": "Street & co"},
    ],
)
def test_ways_to_name_a_dataset(
    where: Callable[[str, int], dict[str, Any]],
    address: str,
    context: AppContext,
    dataset: Dataset,
    token: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(context, dataset, coco(annotation()))
    assert COCO(**where(address, dataset.id), token=token).getAnnIds() == [1]
    monkeypatch.setenv("MASKWRIGHT_TOKEN", token)
    assert COCO(**where(address, dataset.id)).getAnnIds() == [1]


def test_parts_of_a_dataset(address: str, session: Session, dataset: Dataset, token: str) -> None:
    for subset, status in (("train", "new"), ("train", "done"), ("val", "done")):
        make_image(session, dataset=dataset, subset=subset, status=status)
    where = f"{address}/datasets/{dataset.id}"

    def ids(**options: Any) -> list[Any]:
        return COCO(where, token=token, **options).getImgIds()

    assert ids() == [1, 2, 3]
    assert ids(subset="train") == [1, 2]
    assert ids(subset="train", status="done") == [2]
    assert ids(task="instances", subset="no such") == []
    with pytest.raises(client.ServerError) as caught:
        ids(task="../..")
    assert caught.value.status in (404, 422)


def test_every_opening_sees_the_present_state(
    address: str,
    context: AppContext,
    session: Session,
    dataset: Dataset,
    token: str,
    client_for: Callable[[User], ApiClient],
) -> None:
    fill(context, dataset, coco(annotation(), annotation(id=2)))
    where = f"{address}/datasets/{dataset.id}"
    before = COCO(where, token=token)
    api = client_for(make_member(session, dataset=dataset, role="annotator"))
    listed = api.get(f"/api/datasets/{dataset.id}/annotations").json()["items"]
    api.delete(f"/api/annotations/{listed[0]['id']}", headers={"If-Match": '"1"'})
    assert (before.getAnnIds(), COCO(where, token=token).getAnnIds()) == ([1, 2], [2])


# Files


@pytest.fixture
def uploaded(
    session: Session, dataset: Dataset, client_for: Callable[[User], ApiClient]
) -> dict[str, bytes]:
    """Two images with their bytes by name; a third one has none."""
    api = client_for(make_member(session, dataset=dataset, role="owner"))
    paths = sorted((DATA / "images").glob("*.jpg"))[:2]
    files = [("files", (f"a/{path.name}", path.read_bytes(), "image/jpeg")) for path in paths]
    assert len(api.post(f"/api/datasets/{dataset.id}/images", files=files).json()["images"]) == 2
    return {f"a/{path.name}": path.read_bytes() for path in paths}


def test_download(
    address: str, dataset: Dataset, token: str, uploaded: dict[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    made = COCO(f"{address}/datasets/{dataset.id}", token=token)
    first, second = made.dataset["images"]
    made.download(folder, imgIds=first["id"])
    assert saved(folder) == {first["file_name"]: uploaded[first["file_name"]]}
    (folder / first["file_name"]).write_bytes(b"mine")
    made.download(str(folder))
    wanted = {first["file_name"]: b"mine", second["file_name"]: uploaded[second["file_name"]]}
    assert saved(folder) == wanted


def saved(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_download_of_what_nobody_has(
    address: str, session: Session, dataset: Dataset, token: str, tmp_path: Path
) -> None:
    make_image(session, dataset=dataset)
    made = COCO(f"{address}/datasets/{dataset.id}", token=token)
    with pytest.raises(client.ClientError, match="Nothing says where the file of image 1 is"):
        made.download(tmp_path / "out")
    with pytest.raises(client.ClientError, match="tarDir"):
        made.download()
    assert saved(tmp_path / "out") == {}


# Other servers


class _Answers(http.server.BaseHTTPRequestHandler):
    """Answers that our server never gives, and a note of what was asked."""

    seen: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers["Authorization"]))
        kind = self.path.split("/")[1]
        if kind == "elsewhere":
            self.send_response(302)
            self.send_header("Location", "/picture.jpg")
            self.end_headers()
        elif kind == "broken":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"images": [')
        elif kind == "bare":
            self.send_error(502)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write({"list": b"[]", "page": b"<html>"}.get(kind, b"bytes"))

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def other() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """The address of such a server, and what was asked of it."""
    seen: list[tuple[str, str | None]] = []
    handler = type("Handler", (_Answers,), {"seen": seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("kind", "told", "status"),
    [
        ("broken", "broke off", None),
        ("bare", "502", 502),
        ("page", "did not answer with JSON", None),
        ("list", "not a COCO file", None),
        ("elsewhere", "did not answer with JSON", None),
    ],
)
def test_answers_of_other_servers(
    kind: str, told: str, status: int | None, other: tuple[str, list[Any]]
) -> None:
    with pytest.raises(client.ServerError, match=told) as caught:
        COCO(f"{other[0]}/{kind}/datasets/3", token="secret")
    assert caught.value.status == status


def test_the_token_goes_to_the_server_alone(other: tuple[str, list[Any]]) -> None:
    where, seen = other
    with pytest.raises(client.ServerError):
        COCO(f"{where}/elsewhere/datasets/3", token="secret")
    assert seen == [
        ("/elsewhere/api/datasets/3/export/instances.json", "Bearer secret"),
        ("/picture.jpg", None),
    ]


def test_download_from_the_web(other: tuple[str, list[Any]], tmp_path: Path) -> None:
    where, _ = other
    images = [
        {"id": 1, "file_name": "../../a/b.jpg", "coco_url": f"{where}/1.jpg"},
        {"id": "two", "coco_url": f"{where}/2.jpg"},
    ]
    (tmp_path / "in").mkdir()
    COCO({"images": images}).download(tmp_path / "in")
    assert saved(tmp_path) == {"in/a/b.jpg": b"bytes", "in/two": b"bytes"}


@pytest.mark.parametrize("kind", ["broken", "bare"])
def test_a_download_that_fails_leaves_nothing(
    kind: str, other: tuple[str, list[Any]], tmp_path: Path
) -> None:
    made = COCO({"images": [{"id": 1, "file_name": "a.jpg", "coco_url": f"{other[0]}/{kind}"}]})
    with pytest.raises(client.ServerError):
        made.download(tmp_path)
    assert saved(tmp_path) == {}


def test_local_addresses_are_not_downloaded(tmp_path: Path) -> None:
    made = COCO({"images": [{"id": 1, "file_name": "a", "coco_url": "file:///etc/hostname"}]})
    with pytest.raises(client.ClientError, match="not an address"):
        made.download(tmp_path)


# Refusals


def test_without_a_token(address: str, dataset: Dataset) -> None:
    with pytest.raises(client.ServerError, match="MASKWRIGHT_TOKEN") as caught:
        COCO(f"{address}/datasets/{dataset.id}")
    assert (caught.value.status, caught.value.code) == (401, "unauthenticated")


def test_datasets_that_are_not_there(address: str, token: str) -> None:
    with pytest.raises(client.ServerError) as caught:
        COCO(f"{address}/datasets/1", token=token)
    assert (caught.value.status, caught.value.code) == (404, "not_found")
    with pytest.raises(client.ServerError, match="no dataset called Nothing") as caught:
        COCO(server=address, dataset="Nothing", token=token)
    with pytest.raises(client.ClientError, match="begins with http"):
        COCO(server="localhost:8000", dataset="Nothing")
