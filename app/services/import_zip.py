"""Imports of files as people have them: an annotation file, a zip that holds exactly one, or a zip
in a format of folders (app/services/import_folder.py)."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from app.config import Settings
from app.db import SessionFactory
from app.errors import Invalid
from app.formats.records import FileError
from app.services import imports, zips
from app.services.import_folder import import_folder
from app.services.imports import ImportOptions
from app.services.jobs import Progress
from app.services.scratch import Scratch
from app.services.storage import Storage

__all__ = ["annotation_file", "import_upload"]

_HEAD_BYTES = 4


def import_upload(
    session: Session,
    *,
    dataset_id: int,
    user_id: int | None,
    file: BinaryIO,
    storage: Storage,
    sessions: SessionFactory,
    settings: Settings,
    options: ImportOptions,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Import a file, the one in a zip, or a zip of many; see `imports.import_file`.

    `sessions` are for what an import of pictures commits before (app/services/import_folder.py).
    """
    scratch = storage.scratch
    try:
        report = import_folder(
            session,
            dataset_id=dataset_id,
            user_id=user_id,
            file=file,
            storage=storage,
            sessions=sessions,
            settings=settings,
            options=options,
            progress=progress,
        )
        if report is not None:
            return report
        with annotation_file(
            file,
            scratch,
            max_files=settings.max_zip_files,
            max_bytes=settings.max_upload_mb * 1_000_000,
        ) as (found, name):
            return imports.import_file(
                session,
                dataset_id=dataset_id,
                user_id=user_id,
                file=found,
                options=replace(options, file_name=name or options.file_name),
                progress=progress,
            )
    except FileError as error:
        raise imports.unreadable(error, options) from None


@contextmanager
def annotation_file(
    file: BinaryIO, scratch: Scratch, *, max_files: int, max_bytes: int
) -> Iterator[tuple[BinaryIO, str | None]]:
    """The file itself or, when it is a zip, the annotation file in it and its name there.

    Raises FileError when the zip is damaged or leaves open which file is meant.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    if not zips.is_zip(head):
        yield file, None
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
            yield unpacked, found[0].filename


def _which(number: int) -> str:
    if not number:
        return "The zip holds no .json file, and nothing of another format that is read here."
    return f"The zip holds {number} .json files: send the one to import, or a zip of it alone."
