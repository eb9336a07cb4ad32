"""Thumbnails and whole pictures of large images, made by a child process.

Of a large image one picture is made by the child, the largest thumbnail; the smaller ones are made
from that. So a page of thumbnails decodes each large file once, and a server with other things to
do decodes none (`app.services.pictures.decoding`).
"""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import BinaryIO

from app.errors import Unavailable
from app.models import Image
from app.services.files.storage import Storage
from app.services.pictures import pictures, pixels
from app.services.pictures.cache import Cache
from app.services.pictures.decoding import Command, Decoder, Source
from app.services.pictures.single_flight import SingleFlight

__all__ = ["LargePictures", "is_large", "is_large_whole"]

_AT_ONCE = 2
# A JPEG is decoded at a part of its size for a thumbnail, but for a progressive one.
_REDUCED_BYTES, _WHOLE_BYTES, _PROGRESSIVE_BYTES = 2, 4, 6


def is_large(storage: Storage, image: Image, media_type: str) -> bool:
    """Whether a thumbnail takes more memory than a process with other things to do should.

    Only of a JPEG that may be a camera's, or progressive, the file is looked at.
    """
    if media_type != "image/jpeg":
        return _takes(image, _WHOLE_BYTES)
    if _takes(image, _REDUCED_BYTES) or not _takes(image, _PROGRESSIVE_BYTES):
        return _takes(image, _REDUCED_BYTES)
    return pictures.is_progressive(storage, pictures.blob_of(image))


def is_large_whole(image: Image, media_type: str) -> bool:
    """Whether the whole picture does."""
    is_jpeg = media_type == "image/jpeg"
    return _takes(image, _PROGRESSIVE_BYTES if is_jpeg else _WHOLE_BYTES)


def _takes(image: Image, bytes_per_pixel: int) -> bool:
    return image.width * image.height * bytes_per_pixel > pixels.LARGE_BYTES


class LargePictures:
    """What one process makes of large images.

    The exceptions of what is made are those of `app.services.pictures.tiles.Tiles.make`.
    """

    def __init__(self, cache: Cache, *, memory_mb: int) -> None:
        """`memory_mb` is what decoding a picture may take, in megabytes."""
        self._cache = cache
        self._decoder = Decoder(memory_mb)
        self._flights: SingleFlight[None] = SingleFlight("pictures", at_once=_AT_ONCE)

    def shrunk(self, source: Source) -> Future[None] | None:
        """The largest thumbnail, being made; None when it is there."""
        key = pictures.largest_thumbnail_key(source)
        return self._made(
            source, key, lambda file, folder: self._run("shrink", source, file, folder)
        )

    def converted(self, source: Source, *, is_large: bool) -> Future[None] | None:
        """The whole picture as PNG, being made; None when it is there."""

        def convert(file: BinaryIO, folder: Path) -> Path:
            if is_large:
                return self._run("convert", source, file, folder)
            made = folder / "picture"
            shown = pixels.shown(file, box=None, orientation=source.orientation)
            made.write_bytes(pixels.png(shown))
            return made

        return self._made(source, pictures.converted_key(source), convert)

    def leave(self, future: Future[None]) -> None:
        """One of those who wait went away: what nobody waits for is not begun."""
        self._flights.leave(future)

    def forget(self, key: str) -> None:
        """Look anew next time: what is kept there is gone."""
        self._cache.forget(key)

    def close(self) -> None:
        """End what is being made; nothing of it stays."""
        self._flights.close()
        self._decoder.close()

    def _made(
        self, source: Source, key: str, work: Callable[[BinaryIO, Path], Path]
    ) -> Future[None] | None:
        if self._cache.use(source.sha256, key):
            return None
        return self._flights.do(key, lambda: self._cache.make(source.sha256, key, work))

    def _run(self, command: Command, source: Source, file: BinaryIO, folder: Path) -> Path:
        trouble = Unavailable(
            "The picture of the image could not be made.", code="picture_unavailable"
        )
        return self._decoder.make(command, source, file, folder / "picture", trouble=trouble)
