"""Imports of files as people have them: an annotation file, or a zip that holds exactly one."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from app.config import Settings
from app.errors import Invalid
from app.formats.records import FileError, Pngs
from app.services import imports, zips
from app.services.imports import ImportOptions
from app.services.jobs import Progress
from app.services.panoptic_pngs import ZipPngs
from app.services.scratch import Scratch

__all__ = ["annotation_file", "import_upload"]

_HEAD_BYTES = 4


def import_upload(
    session: Session,
    *,
    dataset_id: int,
    user_id: int | None,
    file: BinaryIO,
    scratch: Scratch,
    settings: Settings,
    options: ImportOptions,
    progress: Progress | None = None,
    pngs: Pngs | None = None,
) -> dict[str, Any]:
    """Import a file, or the one in a zip, and return the report; see `imports.import_file`.

    `pngs` are those beside a file that is no zip.
    """
    try:
        with annotation_file(
            file,
            scratch,
            max_files=settings.max_zip_files,
            max_bytes=settings.max_upload_mb * 1_000_000,
            max_pixels=settings.max_image_pixels,
        ) as (found, name, inside):
            return imports.import_file(
                session,
                dataset_id=dataset_id,
                user_id=user_id,
                file=found,
                options=replace(options, file_name=name or options.file_name),
                progress=progress,
                pngs=inside or pngs,
            )
    except FileError as error:
        raise imports.unreadable(error, options) from None


@contextmanager
def annotation_file(
    file: BinaryIO, scratch: Scratch, *, max_files: int, max_bytes: int, max_pixels: int
) -> Iterator[tuple[BinaryIO, str | None, Pngs | None]]:
    """The file itself or, when it is a zip, the annotation file in it, its name and its PNGs.

    Raises FileError when the zip is damaged or leaves open which file is meant.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    if not zips.is_zip(head):
        yield file, None, None
        return
    with scratch.folder() as folder:
        path = folder / "upload.zip"
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        inside = folder / "annotations.json"
        allowance = zips.Allowance(max_bytes)
        with ExitStack() as stack:
            try:
                archive = stack.enter_context(zips.open_zip(path, max_files=max_files))
                found = [e for e in zips.entries(archive) if e.filename.lower().endswith(".json")]
                if len(found) != 1:
                    raise FileError("zip_invalid", _which(len(found)))
                with inside.open("wb") as out:
                    for piece in zips.unpack(archive, found[0], allowance):
                        out.write(piece)
            except Invalid as error:
                raise FileError("zip_invalid", error.detail) from None
            name = found[0].filename
            pngs = ZipPngs(
                archive, name, scratch=folder, allowance=allowance, max_pixels=max_pixels
            )
            with inside.open("rb") as unpacked:
                yield unpacked, name, pngs or None


def _which(number: int) -> str:
    if not number:
        return "The zip holds no .json file."
    return f"The zip holds {number} .json files: send the one to import, or a zip of it alone."
