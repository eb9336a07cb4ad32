"""The annotation file in a zip: exactly one .json, whatever else there is."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from app.errors import Invalid
from app.formats.records import FileError
from app.services import zips
from app.services.scratch import Scratch

__all__ = ["annotation_file"]

_HEAD_BYTES = 4


@contextmanager
def annotation_file(
    file: BinaryIO, scratch: Scratch, *, max_files: int, max_bytes: int
) -> Iterator[BinaryIO]:
    """The file itself or, when it is a zip, the annotation file in it.

    Raises FileError when the zip is damaged or leaves open which file is meant.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    if not zips.is_zip(head):
        yield file
        return
    with scratch.folder() as folder:
        path = folder / "upload.zip"
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        inside = folder / "annotations.json"
        try:
            with zips.open_zip(path, max_files=max_files) as archive:
                found = [e for e in zips.entries(archive) if e.filename.lower().endswith(".json")]
                if len(found) != 1:
                    raise FileError("zip_invalid", _which(len(found)))
                with inside.open("wb") as out:
                    for piece in zips.unpack(archive, found[0], zips.Allowance(max_bytes)):
                        out.write(piece)
        except Invalid as error:
            raise FileError("zip_invalid", error.detail) from None
        with inside.open("rb") as unpacked:
            yield unpacked


def _which(number: int) -> str:
    if not number:
        return "The zip holds no .json file."
    return f"The zip holds {number} .json files: send the one to import, or a zip of it alone."
