"""Large pictures in tiles, over HTTP."""

import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from fastapi import FastAPI, Request
from obstore.store import MemoryStore
from PIL import Image as Pillow
from sqlalchemy.orm import Session
from starlette.types import Message

from app.api.tiles import _made
from app.config import Settings
from app.context import AppContext
from app.errors import Unavailable
from app.main import create_app
from app.models import Dataset, Image
from app.services.files.storage import ObjectStorage, cache_folder
from app.services.pictures.decoding import Source
from app.services.pictures.tiles import Tiles
from tests.api.uploading import check_storage, upload
from tests.build import make_image
from tests.build.pictures import make_picture
from tests.conftest import ApiClient, run_async

# Four tiles across and two down at the first level.
WIDE = make_picture(size=(3100, 1300), kind="JPEG")


@pytest.fixture(autouse=True)
def few_pixels(settings: Settings) -> None:
    settings.tiled_from_pixels = 1_000_000


def _upload(api: ApiClient, dataset: Dataset, content: bytes = WIDE, name: str = "a.jpg") -> str:
    body = upload(api, dataset, [(name, content)])
    return f"/api/images/{body['images'][0]['id']}"


def _tile(api: ApiClient, path: str, level: int, column: int, row: int) -> Pillow.Image:
    answer = api.get(f"{path}/tiles/{level}/{column}/{row}")
    assert answer.status_code == 200, answer.text
    with Pillow.open(BytesIO(answer.content)) as picture:
        picture.load()
        assert answer.headers["content-type"] == Pillow.MIME[picture.format or ""]
        return picture


def test_levels_and_tiles(api: ApiClient, dataset: Dataset) -> None:
    path = _upload(api, dataset)
    answer = api.get(f"{path}/tiles")
    tag = answer.headers["etag"]
    assert answer.json() == {
        "version": tag.strip('"'),
        "width": 3100,
        "height": 1300,
        "tile_size": 1024,
        "overlap": 1,
        "levels": [
            {"width": 3100, "height": 1300, "columns": 4, "rows": 2},
            {"width": 1550, "height": 650, "columns": 2, "rows": 1},
            {"width": 775, "height": 325, "columns": 1, "rows": 1},
        ],
    }
    sizes = {
        (level, column, row): _tile(api, path, level, column, row).size
        for level, found in enumerate(answer.json()["levels"])
        for column in range(found["columns"])
        for row in range(found["rows"])
    }
    assert sizes[0, 0, 0] == (1025, 1025)
    assert sizes[0, 1, 1] == (1026, 277)
    assert sizes[0, 3, 1] == (29, 277)
    assert sizes[2, 0, 0] == (775, 325)
    with Pillow.open(BytesIO(WIDE)) as whole:
        corner = _tile(api, path, 0, 3, 1).getpixel((28, 276))
        assert corner == pytest.approx(whole.getpixel((3099, 1299)), abs=6)


@pytest.mark.parametrize("place", ["3/0/0", "0/4/0", "0/0/2", "2/1/0", "2147483647/0/0"])
def test_no_such_tile(api: ApiClient, dataset: Dataset, place: str) -> None:
    answer = api.get(f"{_upload(api, dataset)}/tiles/{place}")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_tile")


@pytest.mark.parametrize("place", ["-1/0/0", "0/x/0", f"0/0/{10**30}"])
def test_not_a_place(api: ApiClient, dataset: Dataset, place: str) -> None:
    assert api.get(f"{_upload(api, dataset)}/tiles/{place}").status_code == 422


def test_without_tiles(api: ApiClient, dataset: Dataset, session: Session) -> None:
    small = _upload(api, dataset, make_picture(size=(1000, 1000)))
    empty = make_image(session, dataset=dataset, width=9000, height=9000)
    for path, code in ((small, "not_tiled"), (f"/api/images/{empty.id}", "no_pixels")):
        for what in ("tiles", "tiles/0/0/0"):
            answer = api.get(f"{path}/{what}")
            assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_kept_by_browsers(api: ApiClient, dataset: Dataset) -> None:
    path = _upload(api, dataset)
    seen = set()
    for what in ("tiles", "tiles/0/0/0", "tiles/1/0/0", "tiles/0/1/0"):
        answer = api.get(f"{path}/{what}?v=1")
        assert "immutable" in answer.headers["cache-control"]
        assert api.get(f"{path}/{what}").headers["cache-control"] == "private, no-cache"
        tag = answer.headers["etag"]
        seen.add(tag)
        again = api.get(f"{path}/{what}", headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(seen) == 4


def test_as_the_image_is_turned(api: ApiClient, dataset: Dataset) -> None:
    turned = make_picture(size=(1400, 800), kind="JPEG", orientation=6)
    path = _upload(api, dataset, turned)
    found = api.get(f"{path}/tiles").json()
    assert (found["width"], found["height"]) == (800, 1400)
    assert _tile(api, path, 1, 0, 0).size == (400, 700)


def test_gone_with_the_image(
    api: ApiClient, dataset: Dataset, session: Session, settings: Settings
) -> None:
    path = _upload(api, dataset)
    assert api.get(f"{path}/tiles").status_code == 200
    image = session.get_one(Image, int(path.rpartition("/")[2]))
    folder = settings.data_dir / cache_folder(image.blob_sha256 or "")
    assert [file.name for file in folder.iterdir()] == ["tiles-1-1.zip"]
    assert api.delete(path).status_code == 204
    assert not folder.exists()
    check_storage(settings, session)


def test_other_pixels_have_other_tiles(api: ApiClient, dataset: Dataset, session: Session) -> None:
    """An image keeps its pixels; what may change is the file of a record without pixels."""
    image = make_image(session, dataset=dataset, file_name="a.jpg", width=3100, height=1300)
    path = f"/api/images/{image.id}"
    assert api.get(f"{path}/tiles").json()["code"] == "no_pixels"
    upload(api, dataset, [("a.jpg", WIDE)])
    first = api.get(f"{path}/tiles").headers["etag"]
    second = _upload(api, dataset, make_picture(size=(3100, 1300), kind="JPEG", seed=9), "b.jpg")
    assert api.get(f"{second}/tiles").headers["etag"] != first


def test_an_emptied_cache(api: ApiClient, dataset: Dataset, settings: Settings) -> None:
    path = _upload(api, dataset)
    before = _tile(api, path, 0, 0, 0)
    for file in (settings.data_dir / "cache").glob("*/*/tiles*"):
        file.unlink()
    assert _tile(api, path, 0, 0, 0).tobytes() == before.tobytes()


@pytest.mark.parametrize("is_known", [True, False])
def test_spoilt_tiles_are_made_anew(
    api: ApiClient,
    dataset: Dataset,
    app: FastAPI,
    session: Session,
    settings: Settings,
    is_known: bool,
) -> None:
    """The directory of the zip is sound, and the bytes of a tile are not."""
    path = _upload(api, dataset)
    before = _tile(api, path, 0, 1, 0)
    (file,) = (settings.data_dir / "cache").glob("*/*/tiles*")
    sound = file.read_bytes()
    image = session.get_one(Image, int(path.rpartition("/")[2]))
    source = Source(image.blob_sha256 or "", "image/jpeg", 1)
    pyramid = app.state.tiles.find(source)
    place = pyramid.places[pyramid.name(0, 1, 0)]
    middle = (place.start + place.stop) // 2
    file.write_bytes(sound[:middle] + b"\0" * 100 + sound[middle + 100 :])
    if not is_known:
        app.state.tiles.forget(source)
    assert _tile(api, path, 0, 1, 0).tobytes() == before.tobytes()
    assert file.read_bytes()[middle : middle + 100] != b"\0" * 100
    assert _tile(api, path, 0, 3, 1).size == (29, 277)


def test_tiles_that_are_spoilt_again_at_once(
    api: ApiClient, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _upload(api, dataset)
    made: list[str] = []
    run = Tiles._run

    def spoilt(self: Tiles, source: Source, *args: Any) -> Path:
        target = run(self, source, *args)
        data = bytearray(target.read_bytes())
        with zipfile.ZipFile(target) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith(".jpg"):
                    middle = entry.header_offset + entry.file_size // 2
                    data[middle : middle + 50] = b"\0" * 50
        target.write_bytes(data)
        made.append(source.sha256)
        return target

    monkeypatch.setattr(Tiles, "_run", spoilt)
    for number in (2, 4):
        answer = api.get(f"{path}/tiles/0/1/0")
        assert (answer.status_code, answer.json()["code"]) == (503, "tiles_unavailable")
        # Made, found to be spoilt, and made once more.
        assert len(made) == number


def test_asked_for_by_many(
    api: ApiClient, dataset: Dataset, app: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _upload(api, dataset)
    made: list[str] = []
    asked: list[str] = []
    run, make = Tiles._run, Tiles.make
    all_wait = Event()

    def counted(self: Tiles, source: Source, *args: object) -> object:
        made.append(source.sha256)
        assert all_wait.wait(20)
        return run(self, source, *args)  # type: ignore[arg-type]

    def noted(self: Tiles, source: Source) -> object:
        future = make(self, source)
        asked.append(source.sha256)
        if len(asked) == 6:
            all_wait.set()
        return future

    monkeypatch.setattr(Tiles, "_run", counted)
    monkeypatch.setattr(Tiles, "make", noted)
    with ThreadPoolExecutor(6) as pool:
        get = super(ApiClient, api).request
        answers = list(pool.map(lambda _: get("GET", f"{path}/tiles").status_code, range(6)))
    assert answers == [200] * 6
    assert len(made) == 1


def test_whoever_goes_away_waits_no_longer(
    app: FastAPI,
    api: ApiClient,
    dataset: Dataset,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = _upload(api, dataset)
    image = session.get_one(Image, int(path.rpartition("/")[2]))
    source = Source(image.blob_sha256 or "", "image/jpeg", 1)
    run, go_on, left = Tiles._run, Event(), []

    def held(self: Tiles, *args: object) -> object:
        assert go_on.wait(20)
        return run(self, *args)  # type: ignore[arg-type]

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    monkeypatch.setattr(Tiles, "_run", held)
    monkeypatch.setattr(Tiles, "leave", lambda _, future: left.append(future))
    with pytest.raises(Unavailable):
        run_async(lambda: _made(app.state.tiles, source, Request({"type": "http"}, receive)))
    assert len(left) == 1
    go_on.set()
    assert api.get(f"{path}/tiles").status_code == 200


def test_in_object_storage(
    context: AppContext, session: Session, api: ApiClient, dataset: Dataset, settings: Settings
) -> None:
    storage = ObjectStorage(MemoryStore(), settings.data_dir / "tmp")
    elsewhere = AppContext(settings, context.engine, context.sessions, storage, context.secret_key)
    app = create_app(settings, elsewhere)
    client = ApiClient(app, session)
    client.headers.update(api.headers)
    path = _upload(client, dataset)
    assert _tile(client, path, 0, 3, 1).size == (29, 277)
    assert _tile(client, path, 2, 0, 0).size == (775, 325)
    assert not (settings.data_dir / "cache").exists()
    app.state.tiles.close()
    app.state.large_pictures.close()
