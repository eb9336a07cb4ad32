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
import threading
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from app.errors import NotFound, Unavailable
from app.services.files.storage import Storage, cache_key
from app.services.pictures.cache import Cache
from app.services.pictures.decoder import OVERLAP_PIXELS, TILE_PIXELS
from app.services.pictures.decoding import Decoder, Source
from app.services.pictures.single_flight import SingleFlight

__all__ = ["OVERLAP_PIXELS", "TILE_PIXELS", "Level", "Pyramid", "Tiles", "key", "tag"]

# Changes when tiles come out otherwise than before: they are made anew then.
_VERSION = 1
# Each takes a few hundred megabytes and what there is of the processor.
_AT_ONCE = 2
# Of each picture that is looked at, where its tiles are: about 100 kB for 400 megapixels.
_PLACES_KEPT = 64
_READ_BYTES = 256 * 1024
_LOCAL_HEADER_BYTES = 30
_SIZE = re.compile(rb'Height="(\d+)"\s+Width="(\d+)"')
_MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png"}
_log = logging.getLogger(__name__)


def key(source: Source) -> str:
    """The place of the tiles in the storage."""
    return cache_key(source.sha256, f"tiles-{_VERSION}-{source.orientation}.zip")


def tag(source: Source) -> str:
    """Changes whenever one of the tiles does."""
    return f"{source.sha256[:32]}-{source.orientation}-tiles-{_VERSION}"


@dataclass(frozen=True)
class Level:
    """Pixels and tiles of one level, from left to right and from top to bottom."""

    width: int
    height: int
    columns: int
    rows: int


class Place(NamedTuple):
    """Where a tile is in the zip: its entry from header to header; its content's bytes and CRC."""

    start: int
    stop: int
    size: int
    crc: int


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

    def __init__(self, storage: Storage, cache: Cache, *, memory_mb: int) -> None:
        """`memory_mb` is what decoding a picture may take, in megabytes."""
        self._storage = storage
        self._cache = cache
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Pyramid] = OrderedDict()
        self._decoder = Decoder(memory_mb)
        self._flights: SingleFlight[Pyramid] = SingleFlight("tiles", at_once=_AT_ONCE)

    def find(self, source: Source) -> Pyramid | None:
        """The tiles, when they are made already."""
        if not self._cache.use(source.sha256, key(source)):
            self.forget(source)
            return None
        with self._lock:
            found = self._known.get(key(source))
            if found is not None:
                self._known.move_to_end(key(source))
                return found
        try:
            found = _read_places(self._storage, key(source))
        except NotFound:
            return None
        self._note(key(source), found)
        return found

    def make(self, source: Source) -> Future[Pyramid]:
        """The tiles, made unless they are there or on their way.

        Its exception is Invalid (``image_damaged``, ``image_too_large``), NotFound when the file
        went meanwhile, or Unavailable. What failed is not tried again for a while, in which it
        fails at once. Who does not wait to the end says so with `leave`.
        """
        return self._flights.do(key(source), lambda: self._make(source))

    def leave(self, future: Future[Pyramid]) -> None:
        """One of those who wait went away: what nobody waits for is not begun."""
        self._flights.leave(future)

    def read(self, source: Source, pyramid: Pyramid, name: str) -> bytes:
        """A tile as the bytes of an image file; NotFound when it has to be made anew."""
        data = _read_entry(self._storage, key(source), pyramid, name)
        if data is None:
            # Another process put its own zip into the place of the one that was looked at.
            pyramid = _read_places(self._storage, key(source))
            self._note(key(source), pyramid)
            data = _read_entry(self._storage, key(source), pyramid, name)
        if data is None:
            _log.warning("%s of %s is damaged", name, key(source))
            self._storage.delete(key(source))
            raise NotFound("The tile cannot be read.")
        return data

    def forget(self, source: Source) -> None:
        """Look anew next time: the tiles are gone."""
        self._cache.forget(key(source))
        with self._lock:
            self._known.pop(key(source), None)

    def close(self) -> None:
        """End what is being made; nothing of it stays."""
        self._flights.close()
        self._decoder.close()

    def _note(self, place: str, pyramid: Pyramid) -> None:
        with self._lock:
            self._known[place] = pyramid
            self._known.move_to_end(place)
            while len(self._known) > _PLACES_KEPT:
                self._known.popitem(last=False)

    def _make(self, source: Source) -> Pyramid:
        found = self.find(source)
        if found is not None:
            return found
        self._cache.make(
            source.sha256, key(source), lambda file, folder: self._run(source, file, folder)
        )
        self.forget(source)
        found = self.find(source)
        if found is None:
            raise NotFound("The file is not in the storage any more.", code="file_missing")
        return found

    def _run(self, source: Source, file: BinaryIO, folder: Path) -> Path:
        trouble = Unavailable("The tiles of the image could not be made.", code="tiles_unavailable")
        return self._decoder.make("tiles", source, file, folder / "tiles.zip", trouble=trouble)


class _Stored(io.RawIOBase):
    """A stored file for readers that jump to and fro; what they read is fetched."""

    def __init__(self, storage: Storage, place: str) -> None:
        self._storage, self._place = storage, place
        self._size = storage.size(place)
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
        data = (
            b"".join(self._storage.chunks(self._place, self._at, stop)) if stop > self._at else b""
        )
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _read_places(storage: Storage, place: str) -> Pyramid:
    """Where the tiles are, from the directory at the zip's end; NotFound when it is damaged."""
    try:
        return _places(storage, place)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        # As good as none: they are made anew.
        _log.warning("the tiles at %s cannot be read: %r", place, error)
        raise NotFound("The tiles cannot be read.") from error


def _places(storage: Storage, place: str) -> Pyramid:
    file = cast(BinaryIO, io.BufferedReader(_Stored(storage, place), _READ_BYTES))
    with file, zipfile.ZipFile(file) as archive:
        found = _SIZE.search(archive.read("t.dzi"))
        if found is None:
            raise ValueError("no size")
        ordered = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
        stops = [entry.header_offset for entry in ordered[1:]] + [archive.start_dir]
    places = {
        entry.filename: Place(entry.header_offset, stop, entry.file_size, entry.CRC)
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


def _read_entry(storage: Storage, place: str, pyramid: Pyramid, name: str) -> bytes | None:
    """The content of an entry; None when something else stands in its place, or is damaged."""
    start, stop, size, crc = pyramid.places[name]
    data = b"".join(storage.chunks(place, start, stop))
    name_bytes = int.from_bytes(data[26:28], "little")
    extra_bytes = int.from_bytes(data[28:30], "little")
    begin = _LOCAL_HEADER_BYTES + name_bytes + extra_bytes
    content = data[begin : begin + size]
    is_right = (
        data[:4] == b"PK\x03\x04"
        and data[_LOCAL_HEADER_BYTES : _LOCAL_HEADER_BYTES + name_bytes] == name.encode()
        and len(content) == size
        and zlib.crc32(content) == crc
    )
    return content if is_right else None
