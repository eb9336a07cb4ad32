"""Imports of zips in the formats of folders: labels become annotations, pictures become pixels.

The pictures are checked and kept aside while the labels are read, which need their sizes. They are
taken in as an upload's are (app/services/images/intake.py), in the import's transaction.

What a zip of several layouts is read as is told in this order, and the rest of it is reported as
`file_ignored`:

1. COCO, with a .json in a folder ``annotations`` or one that ends in ``.coco.json``;
2. the formats of folders in the order of `app.formats.FORMATS`: Pascal VOC, then YOLO;
3. COCO, with a .json anywhere.
"""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.config import Settings
from app.db import SessionFactory
from app.errors import Invalid
from app.formats.folders import Folder, FolderFormat, PictureSize, one_source
from app.formats.outgoing import REPORT_NAME
from app.formats.records import FileError, ImageRecord, Report, Size, Source
from app.services.files import zips
from app.services.files.blobs import Arrivals
from app.services.files.storage import Storage
from app.services.images import intake
from app.services.images.intake import Inbox, Rejection, SoundFile
from app.services.imports import imports, zip_layout
from app.services.imports.images import NO_SUBSET
from app.services.imports.imports import AUTO, ImportOptions
from app.services.jobs import Progress, Silent

__all__ = ["import_folder", "recognise"]

_MOST_LABEL_BYTES = 64_000_000
_PICTURES_AT_ONCE = 200
_STEP = 50


class ZipFolder:
    """A zip as `app.formats.folders.Folder`, and its pictures as `app.services.imports.sizes` asks.

    The pictures that were asked for are kept in `scratch`, by the places of their images.
    """

    def __init__(
        self, archive: zipfile.ZipFile, scratch: Path, settings: Settings, progress: Progress
    ) -> None:
        self._archive = archive
        self._progress = progress
        self._inbox = Inbox(scratch, settings)
        self._refused: list[tuple[str, Invalid]] = []
        self._entries = dict(self._checked())
        self._untouched = dict.fromkeys(sorted(self._entries))
        self.names: Sequence[str] = tuple(self._untouched)
        self._report = Report()
        self._kept: dict[int, SoundFile] = {}
        self._images: dict[int, int] = {}
        self.numbers = {"created": 0, "updated": 0, "unchanged": 0, "rejected": 0}

    def _checked(self) -> Iterator[tuple[str, zipfile.ZipInfo]]:
        seen: set[str] = set()
        for info in zips.entries(self._archive):
            try:
                name = zips.entry_name(info)
                if name in seen:
                    raise Invalid("The zip has a file of this name twice.", code="name_taken")
            except Invalid as error:
                self._refused.append((info.orig_filename, error))
                continue
            seen.add(name)
            yield name, info

    @contextmanager
    def told(self, report: Report) -> Iterator[None]:
        """Have all that is refused or not looked at in the report."""
        self._report = report
        for name, error in self._refused:
            with report.about(intake.told_name(name)):
                reason = f"{error.detail} ({error.code})"
                report.add("zip_invalid", "", reason, action="rejected")
        yield
        for name in filter(REPORT_NAME.__ne__, self._untouched):
            with report.about(name):
                report.add("file_ignored", "", "The format of the zip has no such file.")

    # As the format's reader sees it -------------------------------------------------------------

    def read(self, name: str) -> bytes:
        info = self._entries[name]
        if info.file_size > _MOST_LABEL_BYTES:
            raise FileError("label_file_invalid", "The file is too large for one of labels.")
        # What is read again was allowed before.
        again = name not in self._untouched
        allowance = zips.Allowance(_MOST_LABEL_BYTES) if again else self._inbox.allowance
        self._untouched.pop(name, None)
        try:
            return b"".join(zips.unpack(self._archive, info, allowance))
        except Invalid as error:
            raise FileError("label_file_invalid", f"{error.detail} ({error.code})") from None

    def picture(self, name: str, record: ImageRecord) -> PictureSize | None:
        if len(self._kept) % _STEP == 0:
            self._progress.tell(0, 0, f"Looking at pictures, {len(self._kept):,} so far.")
        self._untouched.pop(name, None)
        self._inbox.take_entry(self._archive, self._entries[name])
        item = self._inbox.items.pop()
        if isinstance(item, Rejection):
            self._reject(name, item)
            return None
        self._kept[record.index] = item
        found = item.picture
        return PictureSize((found.height, found.width), (found.raw_height, found.raw_width))

    def _reject(self, name: str, found: Rejection) -> None:
        self.numbers["rejected"] += 1
        with self._report.about(intake.told_name(name)):
            self._report.add("picture_rejected", "", f"{found.message} ({found.code})")

    # As the import sees it ----------------------------------------------------------------------

    def size(self, record: ImageRecord) -> Size | None:
        """None: the reader has settled the sizes."""
        del record
        return None

    def give(self, record: ImageRecord, image_id: int) -> None:
        """Say which image of the dataset the record has become."""
        self._images[record.index] = image_id

    def store(
        self, session: Session, storage: Storage | None, arrivals: Arrivals, dataset_id: int
    ) -> None:
        """Have the pictures become the pixels of their images, which are all there by now.

        Without a storage it is only tried.
        """
        wanted = [place for place in self._kept if place in self._images]
        for start in range(0, len(wanted), _PICTURES_AT_ONCE):
            self._progress.tell(start, len(wanted), "Storing images.")
            places = wanted[start : start + _PICTURES_AT_ONCE]
            files = [self._kept[place] for place in places]
            if storage is not None:
                arrivals.note([file.blob for file in files])
            outcome = intake.store(
                session,
                storage,
                dataset_id=dataset_id,
                items=files,
                # No image is made here, so the subset does not matter.
                subset=NO_SUBSET,
                meant={n: {self._images[place]} for n, place in enumerate(places)},
            )
            arrivals.used |= {image.blob_sha256 for image in outcome.images}
            for refused in outcome.rejected:
                self._reject(refused.file_name, refused)
            for name in ("created", "updated", "unchanged"):
                self.numbers[name] += getattr(outcome, name)


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
    (app/services/files/blobs.py). Raises ImportFailed and FileError.
    """
    with _opened(path, scratch, settings, progress or Silent()) as folder:
        form = recognise(folder, options.format)
        if form is None:
            return None

        @contextmanager
        def opened(report: Report) -> Iterator[Source]:
            with folder.told(report):
                yield one_source(form, folder, task=options.task, report=report)

        kept = None if options.dry_run else storage
        with Arrivals(sessions, storage) as arrivals:
            report = imports.import_source(
                session,
                dataset_id=dataset_id,
                user_id=user_id,
                opened=opened,
                options=replace(options, format=form.name),
                progress=progress,
                pictures=folder,
                pixels=lambda: folder.store(session, kept, arrivals, dataset_id),
            )
        return report | {"pictures": folder.numbers}


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
    """The format of folders that was asked for, or the first that recognises this one.

    None for a zip that is one of COCO.
    """
    if name == AUTO and any(map(zip_layout.says_annotations, folder.names)):
        return None
    forms = [form for form in imports.import_formats() if isinstance(form, FolderFormat)]
    if name == AUTO:
        readers = dict.fromkeys(form.reader for form in forms)
        found = (reader.recognise(folder) for reader in readers if reader is not None)
        name = next(filter(None, found), AUTO)
    return next((form for form in forms if form.name == name), None)
