"""The PNGs of panoptic files: found beside the file, in a zip or a folder, and read exactly.

A file ``annotations/panoptic_val.json`` has them in ``annotations/panoptic_val/`` or beside itself.
In a zip they may be packed once more, as ``annotations/panoptic_val.zip``, which counts as if it
were unpacked where it stands. A name is only compared, never followed out of the zip or the folder.
"""

import io
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from app.errors import Invalid
from app.formats.coco import values
from app.formats.records import FileError, PngError, Size
from app.services.files import zips
from app.services.imports import zip_layout
from app.services.pictures import pixels

__all__ = ["FolderPngs", "ZipPngs", "encode", "read_colors"]

_HEADER_BYTES = 26
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB, _EIGHT_BITS = 2, 8
_KINDS = {0: "grey", 2: "RGB", 3: "a palette", 4: "grey with transparency", 6: "RGBA"}


def read_colors(file: BinaryIO, size: Size, *, max_pixels: int) -> npt.NDArray[np.uint8]:
    """The colours (h, w, 3) of a PNG that must be RGB with 8 bits and of this size.

    Everything is told by its header, before anything is unpacked. Raises PngError.
    """
    head = file.read(_HEADER_BYTES)
    file.seek(0)
    if len(head) < _HEADER_BYTES or not head.startswith(_SIGNATURE) or head[12:16] != b"IHDR":
        raise PngError("panoptic_png_damaged", "It is no PNG.")
    width, height = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20))
    depth, kind = head[24], head[25]
    if (kind, depth) != (_RGB, _EIGHT_BITS):
        told = f"It is {_KINDS.get(kind, 'something unknown')} with {depth} bits."
        raise PngError("panoptic_png_mode", told)
    if (height, width) != size:
        told = f"It is {width} x {height} pixels, the image {size[1]} x {size[0]}."
        raise PngError("panoptic_png_size", told)
    try:
        picture = pixels.raw(file, max_pixels=max_pixels)
    except Invalid as error:
        large = error.code == "image_too_large"
        code = "panoptic_png_too_large" if large else "panoptic_png_damaged"
        raise PngError(code, error.detail) from None
    return np.asarray(picture)


def encode(colors: npt.NDArray[np.uint8]) -> bytes:
    """Colours (h, w, 3) as a PNG, packed as COCO's own are."""
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(colors)).save(out, "PNG")
    return out.getvalue()


def _places(json_name: str, file_name: str) -> tuple[str, str]:
    """Where the PNG of a file with this name may be, relative to the folder of that file."""
    return f"{PurePosixPath(json_name).stem}/{file_name}", file_name


class _Reader:
    """Looks a PNG up in both places."""

    def __init__(self, json_name: str, max_pixels: int) -> None:
        self._json_name = json_name
        self._max_pixels = max_pixels

    def colors(self, file_name: str, size: Size) -> npt.NDArray[np.uint8]:
        places = _places(self._json_name, file_name)
        for place in places:
            with self._opened(place) as file:
                if file is not None:
                    return read_colors(file, size, max_pixels=self._max_pixels)
        told = f"There is neither {places[0]!r:.200} nor {places[1]!r:.200}."
        raise PngError("panoptic_png_missing", told)

    @contextmanager
    def _opened(self, place: str) -> Iterator[BinaryIO | None]:
        raise NotImplementedError


class FolderPngs(_Reader):
    """PNGs on this machine, beside the file at `path`; see `app.formats.records.Pngs`."""

    def __init__(self, path: Path, *, max_pixels: int) -> None:
        super().__init__(path.name, max_pixels)
        self._folder = path.parent

    @classmethod
    def beside(cls, path: Path, *, max_pixels: int) -> "FolderPngs | None":
        """Those of the folder that is called like the file, or else beside it; None for none."""
        folder = path.with_suffix("")
        found = folder.is_dir() or any(path.parent.glob("*.png"))
        return cls(path, max_pixels=max_pixels) if found else None

    @contextmanager
    def _opened(self, place: str) -> Iterator[BinaryIO | None]:
        path = self._folder / place
        if not path.is_file():
            yield None
            return
        with path.open("rb") as file:
            yield file


class ZipPngs(_Reader):
    """PNGs in a zip, beside its entry `json_name`; see `app.formats.records.Pngs`.

    They are unpacked one at a time, into the folder `scratch`. A zip of PNGs within the zip is
    unpacked there as a whole when it is first needed, and goes when this context is left; zips
    within that one are not looked at.
    """

    def __init__(
        self,
        archive: zipfile.ZipFile,
        json_name: str,
        *,
        scratch: Path,
        allowance: zips.Allowance,
        max_pixels: int,
        max_files: int,
    ) -> None:
        name = values.match_name(json_name)
        super().__init__(name, max_pixels)
        self._archive = archive
        self._scratch = scratch
        self._allowance = allowance
        self._max_files = max_files
        folder = name.rpartition("/")[0]
        self._folder = f"{folder}/" if folder else ""
        self._entries = dict(_entries(archive, ".png"))
        packed = zip_layout.png_zip(name)
        self._packed = None if packed is None else dict(_entries(archive, ".zip")).get(packed)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __len__(self) -> int:
        return len(self._entries) + (self._packed is not None)

    @cached_property
    def _packed_archive(self) -> zipfile.ZipFile | None:
        """The zip within the zip; FileError when it cannot be read."""
        if self._packed is None:
            return None
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(dir=self._scratch))
        path = Path(folder) / "packed.zip"
        try:
            with path.open("wb") as file:
                for piece in zips.unpack(self._archive, self._packed, self._allowance):
                    file.write(piece)
            opened = zips.open_zip(path, max_files=self._max_files)
            return self._stack.enter_context(opened)
        except Invalid as error:
            told = f"{self._packed.filename!r:.200}: {error.detail} ({error.code})"
            raise FileError("zip_invalid", told) from None

    @cached_property
    def _packed_entries(self) -> dict[str, zipfile.ZipInfo]:
        if self._packed_archive is None:
            return {}
        return dict(_entries(self._packed_archive, ".png"))

    def _found(self, place: str) -> tuple[zipfile.ZipFile, zipfile.ZipInfo] | None:
        """The entry at a place relative to the folder of the file, and the zip that it is in."""
        entry = self._entries.get(values.match_name(self._folder + place))
        if entry is not None:
            return self._archive, entry
        entry = self._packed_entries.get(values.match_name(place))
        if entry is None or self._packed_archive is None:
            return None
        return self._packed_archive, entry

    @contextmanager
    def _opened(self, place: str) -> Iterator[BinaryIO | None]:
        found = self._found(place)
        if found is None:
            yield None
            return
        with tempfile.TemporaryFile(dir=self._scratch) as file:
            try:
                for piece in zips.unpack(*found, self._allowance):
                    file.write(piece)
            except Invalid as error:
                if error.code == "zip_too_large":
                    raise FileError("zip_invalid", error.detail) from None
                raise PngError("panoptic_png_damaged", error.detail) from None
            file.seek(0)
            yield file


def _entries(archive: zipfile.ZipFile, suffix: str) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """The files of a zip whose names end so, by their names; hostile names are left out."""
    for entry in zips.entries(archive):
        if entry.filename.lower().endswith(suffix):
            try:
                yield values.match_name(zips.entry_name(entry)), entry
            except Invalid:
                continue
