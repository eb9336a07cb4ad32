"""The tiles of large pictures: what is in them, and how they come and go."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import pytest
from PIL import Image as Pillow
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.context import AppContext
from app.errors import Invalid, NotFound, Unavailable
from app.models import Blob, Dataset, Image
from app.services.files import blobs
from app.services.files.blobs import NewBlob
from app.services.files.scratch import Scratch
from app.services.files.storage import cache_folder
from app.services.pictures import pixels
from app.services.pictures.cache import Cache
from app.services.pictures.decoding import Source
from app.services.pictures.tiles import TILE_PIXELS, Pyramid, Tiles, key
from tests.build import make_image
from tests.build.pictures import make_picture
from tests.services.pictures.test_pixels import KINDS

Array = npt.NDArray[np.int64]
Keep = Callable[..., Source]


def make_tiles(context: AppContext) -> Tiles:
    cache = Cache(context.sessions, context.storage, most_mb=1000)
    return Tiles(context.storage, cache, memory_mb=4000)


@pytest.fixture
def tiles(context: AppContext) -> Iterator[Tiles]:
    made = make_tiles(context)
    yield made
    made.close()


@pytest.fixture
def keep(session: Session, context: AppContext, dataset: Dataset) -> Keep:
    """Stores a file and an image that uses it."""

    def store(content: bytes, *, media_type: str = "image/jpeg", orientation: int = 1) -> Source:
        sha256 = hashlib.sha256(content).hexdigest()
        path = context.storage.scratch.draft()
        path.write_bytes(content)
        file = NewBlob(path, sha256, len(content), media_type)
        blobs.note(session, files=[file])
        blobs.keep(session, context.storage, files=[file])
        image = make_image(session, dataset=dataset)
        image.blob_sha256 = sha256
        session.commit()
        return Source(sha256, media_type, orientation)

    return store


def _put_together(tiles: Tiles, source: Source, pyramid: Pyramid, level: int) -> Pillow.Image:
    """A level as one picture, without what its tiles have of their neighbours."""
    found = pyramid.levels[level]
    whole: Pillow.Image | None = None
    for row in range(found.rows):
        for column in range(found.columns):
            data = tiles.read(source, pyramid, pyramid.name(level, column, row))
            with Pillow.open(BytesIO(data)) as tile:
                tile.load()
            whole = whole or Pillow.new(tile.mode, (found.width, found.height))
            left, top = int(column > 0), int(row > 0)
            place = column * TILE_PIXELS, row * TILE_PIXELS
            whole.paste(tile.crop((left, top, *tile.size)).crop((0, 0, TILE_PIXELS, 1024)), place)
    assert whole is not None
    return whole


def _difference(one: Pillow.Image, other: Pillow.Image) -> Array:
    mode = "RGBA" if "A" in one.mode + other.mode else "RGB"
    a, b = (np.asarray(image.convert(mode)).astype(np.int64) for image in (one, other))
    found: Array = np.abs(a - b)
    return found


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file(name: str, keep: Keep, tiles: Tiles) -> None:
    """The full size is the picture that thumbnails show, and the halves are means of it."""
    options: dict[str, Any] = KINDS[name]
    content = make_picture(size=(1301, 1043), **options)
    source = keep(content, media_type=f"image/{name.partition('-')[0]}")
    pyramid = tiles.make(source).result()
    wanted = pixels.shown(BytesIO(content), box=None, orientation=1)
    whole = _put_together(tiles, source, pyramid, 0)
    assert whole.size == (pyramid.width, pyramid.height) == (1301, 1043)
    is_exact = pyramid.media_type == "image/png"
    assert is_exact == (name in EXACT)
    # Deeper greys are rounded by one library and cut off by the other.
    assert _difference(whole, wanted).mean() < (0.01 if is_exact else 1.0)
    half = _put_together(tiles, source, pyramid, 1)
    assert half.size == (651, 522)
    # An odd column at the edge has no partner.
    even = whole.convert("RGBA").crop((0, 0, 1300, 1042)).resize((650, 521), Pillow.Resampling.BOX)
    assert _difference(half.convert("RGBA").crop((0, 0, 650, 521)), even).mean() < 1.0


EXACT = {
    "png-alpha", "png-grey-alpha", "png-palette", "png-palette-transparent", "png-bits", "gif"
}  # fmt: skip


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_as_the_image(orientation: int, keep: Keep, tiles: Tiles) -> None:
    content = make_picture(size=(1200, 700), kind="JPEG")
    source = keep(content, orientation=orientation)
    pyramid = tiles.make(source).result()
    wanted = pixels.shown(BytesIO(content), box=None, orientation=orientation)
    whole = _put_together(tiles, source, pyramid, 0)
    assert whole.size == wanted.size
    assert _difference(whole, wanted).mean() < 1.0


def test_tiff_says_how_it_is_turned(keep: Keep, tiles: Tiles) -> None:
    content = make_picture(size=(1200, 700), kind="TIFF", orientation=6)
    source = keep(content, media_type="image/tiff")
    pyramid = tiles.make(source).result()
    wanted = pixels.shown(BytesIO(content), box=None, orientation=1)
    whole = _put_together(tiles, source, pyramid, 0)
    assert whole.size == wanted.size == (700, 1200)
    assert _difference(whole, wanted).mean() < 1.0


def test_made_once(keep: Keep, tiles: Tiles, context: AppContext) -> None:
    source = keep(make_picture(size=(1100, 40), kind="JPEG"))
    assert tiles.find(source) is None
    assert tiles.make(source) is tiles.make(source)
    found = tiles.make(source).result()
    assert tiles.find(source) == found
    # Another process finds what this one made.
    other = make_tiles(context)
    assert other.find(source) == found
    assert other.make(source).result() == found
    other.close()


def test_by_two_processes_at_once(keep: Keep, tiles: Tiles, context: AppContext) -> None:
    source = keep(make_picture(size=(2100, 1100), kind="JPEG"))
    other = make_tiles(context)
    for future in (tiles.make(source), other.make(source)):
        future.result()
    for each in (tiles, other):
        pyramid = each.find(source)
        assert pyramid is not None
        for column in range(3):
            assert each.read(source, pyramid, pyramid.name(0, column, 1))[:2] == b"\xff\xd8"
    other.close()


def test_places_of_another_zip(keep: Keep, tiles: Tiles, context: AppContext) -> None:
    """Whoever knows an older zip notices that its tiles are somewhere else by now."""
    source = keep(make_picture(size=(2100, 1100), kind="JPEG"))
    pyramid = tiles.make(source).result()
    wanted = tiles.read(source, pyramid, pyramid.name(0, 2, 1))
    first, second = pyramid.name(0, 0, 0), pyramid.name(0, 2, 1)
    moved = dict(pyramid.places) | {second: pyramid.places[first]}
    stale = Pyramid(2100, 1100, "image/jpeg", pyramid.levels, moved)
    assert tiles.read(source, stale, second) == wanted


def test_damaged(keep: Keep, tiles: Tiles, context: AppContext) -> None:
    source = keep(b"\xff\xd8\xff\xe0 no picture")
    with pytest.raises(Invalid) as caught:
        tiles.make(source).result()
    assert caught.value.code == "image_damaged"
    assert _left(context, source) == []


@pytest.mark.parametrize("orientation", [1, 6])
def test_no_room_for_tiles(orientation: int, keep: Keep, tiles: Tiles, tmp_path: Path) -> None:
    """A sound picture is not called damaged when its tiles cannot be written."""
    content = make_picture(size=(1100, 900), kind="JPEG")
    source = keep(content, orientation=orientation)
    (tmp_path / "tiles.zip").symlink_to("/dev/full")
    for folder, code in ((tmp_path, "disk_full"), (tmp_path / "gone", "tiles_unavailable")):
        (tmp_path / "a.jpg").write_bytes(content)
        with (tmp_path / "a.jpg").open("rb") as file, pytest.raises(Unavailable) as caught:
            tiles._run(source, file, folder)
        assert caught.value.code == code


def test_takes_too_long(
    keep: Keep, tiles: Tiles, context: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What failed is not tried again at once: a maker is taken up by it for a part of the time."""
    source = keep(make_picture(size=(1100, 40), kind="JPEG"))
    with monkeypatch.context() as patch:
        patch.setattr("app.services.pictures.decoding._MOST_SECONDS", 0.01)
        patch.setattr("app.services.pictures.single_flight._REST", 1_000_000)
        for _ in range(2):
            with pytest.raises(Unavailable) as caught:
                tiles.make(source).result()
            assert caught.value.code == "tiles_unavailable"
            # It was not the child that was too slow the second time.
            patch.setattr("app.services.pictures.decoding._MOST_SECONDS", 900)
    assert _left(context, source) == []
    other = make_tiles(context)
    assert other.make(source).result().width == 1100
    other.close()


def test_tried_again_after_a_while(
    keep: Keep, tiles: Tiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = keep(make_picture(size=(1100, 40), kind="JPEG"))
    monkeypatch.setattr("app.services.pictures.single_flight._REST", 0)
    with monkeypatch.context() as patch:
        patch.setattr("app.services.pictures.decoding.sys.executable", "/nowhere")
        with pytest.raises(Unavailable):
            tiles.make(source).result()
    assert tiles.make(source).result().width == 1100


def test_what_nobody_waits_for_is_not_begun(
    keep: Keep, tiles: Tiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [keep(make_picture(size=(1100, 40 + n), kind="JPEG")) for n in range(3)]
    run, go_on = Tiles._run, Event()

    def held(self: Tiles, *args: Any) -> Path:
        assert go_on.wait(20)
        return run(self, *args)

    monkeypatch.setattr(Tiles, "_run", held)
    last = sources[2]
    futures = [tiles.make(source) for source in sources]
    assert tiles.make(last) is futures[2]
    tiles.leave(futures[2])
    assert not futures[2].cancelled()
    tiles.leave(futures[2])
    assert futures[2].cancelled()
    # Who asks anew is not taken for the one that left.
    again = tiles.make(last)
    tiles.leave(futures[2])
    # What has begun goes on.
    tiles.leave(futures[0])
    go_on.set()
    assert again.result().height == 42
    assert futures[0].result().height == 40


@pytest.mark.parametrize("kind", ["no zip", "empty zip", "no tiles", "cut off", "same size"])
def test_a_damaged_zip_is_made_anew(
    kind: str, keep: Keep, tiles: Tiles, context: AppContext
) -> None:
    source = keep(make_picture(size=(1100, 40), kind="JPEG"))
    wanted = tiles.make(source).result()
    path = context.settings.data_dir / key(source)
    sound = path.read_bytes()
    if kind in ("empty zip", "no tiles"):
        with zipfile.ZipFile(path, "w") as archive:
            if kind == "no tiles":
                archive.writestr("t.dzi", '<Size Height="40" Width="1100"/>')
    else:
        cut = sound[: len(sound) // 2]
        path.write_bytes({"no zip": b"x", "cut off": cut}.get(kind, b"\0" * len(sound)))
    tiles.forget(source)
    assert tiles.find(source) is None
    made = tiles.make(source).result()
    assert made.levels == wanted.levels
    assert tiles.read(source, made, made.name(0, 1, 0))[:2] == b"\xff\xd8"


def test_deleted_meanwhile(
    keep: Keep,
    tiles: Tiles,
    session: Session,
    context: AppContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = keep(make_picture(size=(1100, 40), kind="JPEG"))
    run = Tiles._run

    def then_deleted(self: Tiles, *args: Any) -> Path:
        made = run(self, *args)
        session.delete(session.get_one(Blob, source.sha256))
        session.commit()
        return made

    session.execute(update(Image).values(blob_sha256=None))
    session.commit()
    monkeypatch.setattr(Tiles, "_run", then_deleted)
    with pytest.raises(NotFound):
        tiles.make(source).result()
    assert _left(context, source) == []


def test_unused_by_the_end(keep: Keep, tiles: Tiles, session: Session, context: AppContext) -> None:
    """A deletion that met the lock leaves the file to the making, which takes all away."""
    source = keep(make_picture(size=(1100, 40), kind="JPEG"))
    session.execute(update(Image).values(blob_sha256=None))
    session.commit()
    with pytest.raises(NotFound):
        tiles.make(source).result()
    session.expire_all()
    assert session.get(Blob, source.sha256) is None
    assert _left(context, source) == []


def test_closed_meanwhile(
    keep: Keep, tiles: Tiles, context: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWRIGHT_SECRET_KEY", "x" * 40)
    source = keep(make_picture(size=(6000, 5000), kind="PNG"), media_type="image/png")
    future = tiles.make(source)
    _wait(lambda: bool(tiles._decoder._children))
    (child,) = (psutil.Process(each.pid) for each in tiles._decoder._children)
    # The kernel takes it first, and what it may be made to tell is no secret.
    _wait(lambda: Path(f"/proc/{child.pid}/oom_score_adj").read_text() == "1000\n")
    assert "PATH" in child.environ()
    assert "MASKWRIGHT_SECRET_KEY" not in child.environ()
    tiles.close()
    with pytest.raises(Unavailable):
        future.result(10)
    assert _left(context, source) == []


def test_killed_meanwhile(keep: Keep, context: AppContext) -> None:
    """The maker does not outlive a server that was killed, and the next start clears up."""
    source = keep(make_picture(size=(9000, 8000), kind="PNG"), media_type="image/png")
    program = (
        "import sys; from app.config import Settings; from app.context import make_context\n"
        "from app.services.pictures.cache import Cache\n"
        "from app.services.pictures.decoding import Source\n"
        "from app.services.pictures.tiles import Tiles\n"
        "context = make_context(Settings(_env_file=None))\n"
        "cache = Cache(context.sessions, context.storage, most_mb=1000)\n"
        "tiles = Tiles(context.storage, cache, memory_mb=4000)\n"
        "tiles.make(Source(*sys.argv[1:3], 1)).result()"
    )
    settings = {
        "MASKWRIGHT_DATA_DIR": str(context.settings.data_dir),
        "MASKWRIGHT_DATABASE_URL": str(context.settings.database_url),
    }
    server = subprocess.Popen(
        [sys.executable, "-c", program, source.sha256, source.media_type],
        env={**os.environ, **settings},
    )
    scratch = context.settings.data_dir / "tmp"
    _wait(lambda: bool(list(scratch.glob("p-*/t-*/tiles.zip*"))) and bool(_children(server)))
    (maker,) = _children(server)
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    _wait(lambda: not maker.is_running() or maker.status() == psutil.STATUS_ZOMBIE)
    assert Scratch(scratch).remove_leftovers() >= 1
    assert _left(context, source) == []


def _children(server: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(server.pid).children()


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _left(context: AppContext, source: Source) -> list[Path]:
    """What there is of the making, in the cache and among the temporary files."""
    folder = context.settings.data_dir
    found = (folder / cache_folder(source.sha256)).glob("*")
    return [*found, *(folder / "tmp").glob("p-*/t-*")]
