"""Imports of zips in the formats of folders: labels become annotations, pictures become pixels.

The pictures are checked and kept aside while the labels are read, which need their sizes. They are
taken in as an upload's are (app/services/intake.py), in the import's transaction.
"""

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.config import Settings
from app.db import SessionFactory
from app.errors import Invalid
from app.formats.coco import values
from app.formats.folders import Folder, FolderFormat, PictureSize, one_source
from app.formats.records import FileError, ImageRecord, Report, Source
from app.services import blobs, imports, intake, zips
from app.services.import_images import NO_SUBSET
from app.services.imports import AUTO, ImportOptions
from app.services.intake import Inbox, Limits, Rejection, SoundFile
from app.services.jobs import Progress, Silent
from app.services.storage import Storage, disk_full_as_problem

__all__ = ["import_folder", "recognise"]

_MOST_LABEL_BYTES = 64_000_000
_PICTURES_AT_ONCE = 200
_STEP = 50
_LONGEST_TOLD_NAME = 300


class ZipFolder:
    """A zip as `app.formats.folders.Folder`.

    `kept` are the pictures that were asked for, in `scratch`, with the images whose pixels they
    become.
    """

    def __init__(
        self, archive: zipfile.ZipFile, scratch: Path, settings: Settings, progress: Progress
    ) -> None:
        self._refused: list[tuple[str, str]] = []
        self._archive = archive
        self._allowance = zips.Allowance(settings.max_upload_mb * 1_000_000)
        self._read: set[str] = set()
        self._progress = progress
        limits = Limits(settings.max_image_pixels, settings.max_zip_files, 0)
        self._inbox = Inbox(scratch, limits)
        self._entries = dict(self._checked())
        self.names: Sequence[str] = sorted(self._entries)
        self._report: Report | None = None
        self.kept: list[tuple[SoundFile, ImageRecord]] = []

    def tell(self, report: Report) -> None:
        """Have this and all that follows in the report."""
        self._report = report
        for name, reason in self._refused:
            report.add("zip_entry_refused", values.shown_name(name)[:_LONGEST_TOLD_NAME], reason)

    def _checked(self) -> Iterator[tuple[str, zipfile.ZipInfo]]:
        seen: set[str] = set()
        for info in zips.entries(self._archive):
            try:
                name = zips.entry_name(info)
            except Invalid as error:
                self._refused.append((info.orig_filename, error.detail))
                continue
            if name in seen:
                self._refused.append((name, "The zip has another file of this name."))
                continue
            seen.add(name)
            yield name, info

    def read(self, name: str) -> bytes:
        info = self._entries[name]
        if info.file_size > _MOST_LABEL_BYTES:
            raise FileError("label_file_invalid", "The file is too large for one of labels.")
        # What is read again was allowed before.
        allowance = zips.Allowance(_MOST_LABEL_BYTES) if name in self._read else self._allowance
        try:
            content = b"".join(zips.unpack(self._archive, info, allowance))
        except Invalid as error:
            raise FileError("zip_entry_refused", error.detail) from None
        self._read.add(name)
        return content

    def picture(self, name: str, record: ImageRecord) -> PictureSize | None:
        if len(self.kept) % _STEP == 0:
            self._progress.tell(0, 0, f"Looking at pictures, {len(self.kept):,} so far.")
        found = self._take(name, record.file_name)
        if isinstance(found, Rejection):
            if self._report is not None:
                self._report.add("picture_refused", name, found.message)
            return None
        self.kept.append((found, record))
        picture = found.picture
        return PictureSize((picture.height, picture.width), (picture.raw_height, picture.raw_width))

    def _take(self, name: str, file_name: str) -> SoundFile | Rejection:
        path = self._inbox.new_path()
        digest = hashlib.sha256()
        try:
            with disk_full_as_problem(), path.open("wb") as file:
                for chunk in zips.unpack(self._archive, self._entries[name], self._allowance):
                    digest.update(chunk)
                    file.write(chunk)
        except Invalid as error:
            path.unlink(missing_ok=True)
            return Rejection(name, error.code, error.detail)
        with path.open("rb") as file:
            nested = zips.is_zip(file.read(4))
        if nested:
            path.unlink()
            return Rejection(name, "zip_nested", "The entry is itself a zip.")
        self._inbox.take(file_name, path, digest.hexdigest())
        return self._inbox.items.pop()


def import_folder(
    session: Session,
    *,
    dataset_id: int,
    user_id: int | None,
    path: Path,
    scratch: Path,
    storage: Storage,
    sessions: SessionFactory,
    settings: Settings,
    options: ImportOptions,
    progress: Progress | None = None,
) -> dict[str, Any] | None:
    """Import a zip in a format of folders and return the report; None when it is in none.

    Pictures are unpacked into the folder `scratch`.
    `sessions` make transactions of their own for the rows of files that are about to come
    (app/services/blobs.py). Raises ImportFailed and FileError.
    """
    with _opened(path, scratch, settings, progress or Silent()) as folder:
        form = recognise(folder, options.format)
        if form is None:
            return None

        def opened(report: Report) -> AbstractContextManager[Source]:
            folder.tell(report)
            return nullcontext(one_source(form, folder, task=options.task, report=report))

        def pixels(report: Report) -> None:
            _take_in(session, storage, sessions, dataset_id, folder, report)

        return imports.import_source(
            session,
            dataset_id=dataset_id,
            user_id=user_id,
            opened=opened,
            options=replace(options, format=form.name),
            progress=progress,
            pixels=pixels,
        )


@contextmanager
def _opened(
    path: Path, scratch: Path, settings: Settings, progress: Progress
) -> Iterator[ZipFolder]:
    """The zip's folder; FileError when it cannot be read."""
    try:
        with zips.open_zip(path, max_files=settings.max_zip_files) as archive:
            yield ZipFolder(archive, scratch, settings, progress)
    except Invalid as error:
        raise FileError("zip_invalid", error.detail) from None


def recognise(folder: Folder, name: str = AUTO) -> FolderFormat | None:
    """The format of folders that was asked for, or the first that recognises this one."""
    for form in imports.import_formats():
        if isinstance(form, FolderFormat) and form.reader is not None:
            asked = form.name == name
            if asked or (name == AUTO and form.reader.recognises(folder)):
                return form
    return None


def _take_in(
    session: Session,
    storage: Storage,
    sessions: SessionFactory,
    dataset_id: int,
    folder: ZipFolder,
    report: Report,
) -> None:
    """Have the pictures become the pixels of the images, which are all there by now."""
    for start in range(0, len(folder.kept), _PICTURES_AT_ONCE):
        some = folder.kept[start : start + _PICTURES_AT_ONCE]
        # An image of the dataset may be called otherwise than in the zip by now.
        files = [replace(file, file_name=record.file_name) for file, record in some]
        with sessions.begin() as own:
            blobs.note(own, files=[file.blob for file in files])
        # No image is made here, so the subset does not matter.
        outcome = intake.store(
            session, storage, dataset_id=dataset_id, items=files, subset=NO_SUBSET
        )
        for refused in outcome.rejected:
            report.add("picture_refused", refused.file_name, refused.message)
