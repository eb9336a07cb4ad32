"""Large pictures as tiles on several levels, made once and kept beside the file.

A level has half the width and height of the one below it; level 0 is the full size, and the last
one fits into one tile. All tiles of a picture are one zip file in the storage, not compressed any
further (the layout of Deep Zoom, which libvips writes): it is there as a whole or not at all, and
vanishes together with the picture's file. Sending a tile reads a range of it.

`Tiles` makes them when they are asked for first. Whoever asks for the same ones meanwhile waits for
the same making; two processes that make them side by side put the same zip into the same place.
"""

import io
import logging
import os
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from app.db import SessionFactory
from app.errors import AppError, Invalid, NotFound, Unavailable
from app.services import blobs
from app.services.storage import Storage, blob_key, cache_key, disk_full_as_problem
from app.services.tile_maker import DAMAGED, DISK_FULL, OVERLAP_PIXELS, TILE_PIXELS

__all__ = ["OVERLAP_PIXELS", "TILE_PIXELS", "Level", "Pyramid", "Source", "Tiles"]

# Changes when tiles come out otherwise than before: they are made anew then.
_VERSION = 1
# Each takes a few hundred megabytes and what there is of the processor.
_MAKINGS_AT_ONCE = 2
_MOST_SECONDS = 900
# How long nobody tries again what failed, as a multiple of the time that the failure took.
_REST = 4
# Of each picture that is looked at, where its tiles are: about 100 kB for 400 megapixels.
_PLACES_KEPT = 64
_READ_BYTES = 256 * 1024
_LOCAL_HEADER_BYTES = 30
_KEPT = re.compile(r"HOME|LANG|PATH|(DYLD|LC|LD|MALLOC|PYTHON|VIPS)_?[A-Z_]*")
_SIZE = re.compile(rb'Height="(\d+)"\s+Width="(\d+)"')
_MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png"}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """The file that tiles are made from, and how it is turned to be shown."""

    sha256: str
    media_type: str
    orientation: int

    @property
    def key(self) -> str:
        return cache_key(self.sha256, f"tiles-{_VERSION}-{self.orientation}.zip")

    @property
    def tag(self) -> str:
        """Changes whenever one of the tiles does."""
        return f"{self.sha256[:32]}-{self.orientation}-tiles-{_VERSION}"


@dataclass(frozen=True)
class Level:
    """Pixels and tiles of one level, from left to right and from top to bottom."""

    width: int
    height: int
    columns: int
    rows: int


class Place(NamedTuple):
    """Where a tile is in the zip: its entry from header to header, and the bytes of its content."""

    start: int
    stop: int
    size: int


@dataclass(frozen=True)
class Pyramid:
    """All tiles of a picture: its size as shown, and where in the zip each tile is."""

    width: int
    height: int
    media_type: str
    levels: tuple[Level, ...]
    places: Mapping[str, Place]

    def name(self, level: int, column: int, row: int) -> str:
        """The tile's name in the zip; NotFound when there is no such tile."""
        known = range(len(self.levels))
        if level in known:
            found = self.levels[level]
            if column in range(found.columns) and row in range(found.rows):
                ending = next(e for e, kind in _MEDIA_TYPES.items() if kind == self.media_type)
                return f"t_files/{len(known) - 1 - level}/{column}_{row}.{ending}"
        raise NotFound("There is no such tile.", code="no_such_tile")


class Tiles:
    """The tiles of all pictures, of one process."""

    def __init__(self, sessions: SessionFactory, storage: Storage) -> None:
        self._sessions = sessions
        self._storage = storage
        # A making that is called off says so at once, to whoever holds the lock.
        self._lock = threading.RLock()
        self._known: OrderedDict[str, Pyramid] = OrderedDict()
        self._underway: dict[str, Future[Pyramid]] = {}
        self._waiting: Counter[str] = Counter()
        self._failures: dict[str, _Failure] = {}
        self._children: set[subprocess.Popen[bytes]] = set()
        # Threads of its own, which live as long as the process: a child ends with the thread that
        # started it, and requests would lack the ones that wait here.
        self._pool = ThreadPoolExecutor(_MAKINGS_AT_ONCE, thread_name_prefix="tiles")

    def find(self, source: Source) -> Pyramid | None:
        """The tiles, when they are made already."""
        with self._lock:
            found = self._known.get(source.key)
            if found is not None:
                self._known.move_to_end(source.key)
                return found
        try:
            found = _read_places(self._storage, source.key)
        except NotFound:
            return None
        self._note(source.key, found)
        return found

    def make(self, source: Source) -> Future[Pyramid]:
        """The tiles, made unless they are there or on their way.

        Its exception is Invalid (``image_damaged``), NotFound when the file went meanwhile, or
        Unavailable. What failed is not tried again for a while, in which it fails at once. Who does
        not wait to the end says so with `leave`.
        """
        with self._lock:
            failure = self._failures.get(source.key)
            if failure is not None and time.monotonic() < failure.until:
                failed: Future[Pyramid] = Future()
                failed.set_exception(failure.error.with_traceback(None))
                return failed
            future = self._underway.get(source.key)
            if future is None:
                future = self._pool.submit(self._make, source)
                self._underway[source.key] = future
                future.add_done_callback(lambda _: self._done(source.key))
            self._waiting[source.key] += 1
            return future

    def leave(self, source: Source, future: Future[Pyramid]) -> None:
        """One of those who wait went away: what nobody waits for is not begun."""
        with self._lock:
            if self._underway.get(source.key) is future:
                self._waiting[source.key] -= 1
                if not self._waiting[source.key]:
                    future.cancel()

    def read(self, source: Source, pyramid: Pyramid, name: str) -> bytes:
        """A tile as the bytes of an image file."""
        data = _read_entry(self._storage, source.key, pyramid, name)
        if data is None:
            # Another process put its own zip into the place of the one that was looked at.
            pyramid = _read_places(self._storage, source.key)
            self._note(source.key, pyramid)
            data = _read_entry(self._storage, source.key, pyramid, name)
        if data is None:
            raise Unavailable("The tiles are being made anew.", code="tiles_unavailable")
        return data

    def forget(self, source: Source) -> None:
        """Look anew next time: the tiles are gone."""
        with self._lock:
            self._known.pop(source.key, None)

    def close(self) -> None:
        """End what is being made; nothing of it stays."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            children = list(self._children)
        for child in children:
            child.kill()

    def _note(self, key: str, pyramid: Pyramid) -> None:
        with self._lock:
            self._known[key] = pyramid
            self._known.move_to_end(key)
            while len(self._known) > _PLACES_KEPT:
                self._known.popitem(last=False)

    def _note_failure(self, key: str, error: AppError, seconds: float) -> None:
        now = time.monotonic()
        with self._lock:
            kept = {k: failure for k, failure in self._failures.items() if now < failure.until}
            self._failures = kept | {key: _Failure(error, now + _REST * seconds)}

    def _done(self, key: str) -> None:
        with self._lock:
            self._underway.pop(key, None)
            self._waiting.pop(key, None)

    def _make(self, source: Source) -> Pyramid:
        found = self.find(source)
        if found is not None:
            return found
        begin = time.monotonic()
        try:
            with disk_full_as_problem(), self._storage.scratch.folder() as folder:
                with self._storage.open(blob_key(source.sha256)) as file:
                    made = self._run(source, file, folder)
                self._keep(source, made)
        except (Invalid, Unavailable) as error:
            self._note_failure(source.key, error, time.monotonic() - begin)
            raise
        found = self.find(source)
        if found is None:
            raise NotFound("The file is not in the storage any more.", code="file_missing")
        return found

    def _run(self, source: Source, file: BinaryIO, folder: Path) -> Path:
        target = folder / "tiles.zip"
        program = [sys.executable, "-P", "-m", "app.services.tile_maker"]
        what = [source.media_type, str(source.orientation), str(target), str(os.getpid())]
        try:
            child = subprocess.Popen(  # noqa: S603 - our own program
                [*program, *what],
                stdin=file,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=_environment(folder),
                start_new_session=True,
            )
        except OSError as error:
            # There is no memory or no process left.
            _log.warning("no tiles of %s: %s", source.sha256, error)
            raise _not_made() from error
        with self._lock:
            self._children.add(child)
        with child:
            try:
                _, said = child.communicate(timeout=_MOST_SECONDS)
            except subprocess.TimeoutExpired as error:
                _log.warning("no tiles of %s within %s seconds", source.sha256, _MOST_SECONDS)
                raise _not_made() from error
            finally:
                child.kill()
                with self._lock:
                    self._children.discard(child)
        if child.returncode == 0 and target.exists():
            return target
        _log.warning("no tiles of %s: %s", source.sha256, said.decode(errors="replace")[-2000:])
        if child.returncode == DAMAGED:
            raise Invalid("The image is truncated or damaged.", code="image_damaged")
        if child.returncode == DISK_FULL:
            raise Unavailable("The server's disk is full.", code="disk_full")
        raise _not_made()

    def _keep(self, source: Source, made: Path) -> None:
        with self._sessions.begin() as session:
            # Locked, so that a deletion at this moment comes before or after, and then takes it.
            if not blobs.hold(session, sha256=source.sha256):
                return
            # A damaged one may be there, and it may have the same size.
            self._storage.delete(source.key)
            self._storage.put(source.key, made)
        with self._sessions.begin() as session:
            # A deletion that met the lock left the file to whoever comes next.
            blobs.remove_unused(session, self._storage, sha256s=[source.sha256])


@dataclass(frozen=True)
class _Failure:
    """Why there are no tiles, and until when that is the answer, on the monotonic clock."""

    error: AppError
    until: float


def _not_made() -> Unavailable:
    return Unavailable("The tiles of the image could not be made.", code="tiles_unavailable")


def _environment(folder: Path) -> dict[str, str]:
    """What the child needs of ours: it decodes bytes of strangers, so no secret is among it."""
    kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
    # Pictures are spread out beside the result, and not in a /tmp that may be memory.
    return kept | {"TMPDIR": str(folder), "VIPS_BLOCK_UNTRUSTED": "1"}


class _Stored(io.RawIOBase):
    """A stored file for readers that jump to and fro; what they read is fetched."""

    def __init__(self, storage: Storage, key: str) -> None:
        self._storage, self._key = storage, key
        self._size = storage.size(key)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = base + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        stop = min(self._size, self._at + len(buffer))
        data = b"".join(self._storage.chunks(self._key, self._at, stop)) if stop > self._at else b""
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _read_places(storage: Storage, key: str) -> Pyramid:
    """Where the tiles are, from the directory at the zip's end; NotFound when it is damaged."""
    try:
        return _places(storage, key)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        # As good as none: they are made anew.
        _log.warning("the tiles at %s cannot be read: %r", key, error)
        raise NotFound("The tiles cannot be read.") from error


def _places(storage: Storage, key: str) -> Pyramid:
    file = cast(BinaryIO, io.BufferedReader(_Stored(storage, key), _READ_BYTES))
    with file, zipfile.ZipFile(file) as archive:
        found = _SIZE.search(archive.read("t.dzi"))
        if found is None:
            raise ValueError("no size")
        ordered = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
        stops = [entry.header_offset for entry in ordered[1:]] + [archive.start_dir]
    places = {
        entry.filename: Place(entry.header_offset, stop, entry.file_size)
        for entry, stop in zip(ordered, stops, strict=True)
    }
    height, width = int(found[1]), int(found[2])
    last = max(int(name.split("/")[1]) for name in places if name.endswith((".jpg", ".png")))
    ending = "jpg" if f"t_files/{last}/0_0.jpg" in places else "png"
    levels = tuple(_level(width, height, 2**number) for number in range(last + 1))
    return Pyramid(width, height, _MEDIA_TYPES[ending], levels, places)


def _level(width: int, height: int, shrink: int) -> Level:
    width, height = -(-width // shrink), -(-height // shrink)
    return Level(width, height, -(-width // TILE_PIXELS), -(-height // TILE_PIXELS))


def _read_entry(storage: Storage, key: str, pyramid: Pyramid, name: str) -> bytes | None:
    """The content of an entry; None when something else stands in its place."""
    start, stop, size = pyramid.places[name]
    data = b"".join(storage.chunks(key, start, stop))
    name_bytes = int.from_bytes(data[26:28], "little")
    extra_bytes = int.from_bytes(data[28:30], "little")
    begin = _LOCAL_HEADER_BYTES + name_bytes + extra_bytes
    is_right = (
        data[:4] == b"PK\x03\x04"
        and data[_LOCAL_HEADER_BYTES : _LOCAL_HEADER_BYTES + name_bytes] == name.encode()
        and len(data) >= begin + size
    )
    return data[begin : begin + size] if is_right else None
