"""Imports of files as people have them: one annotation file, or a zip of several and of images.

A zip in a format of folders goes its own way (folder.py). Any other goes in as
a whole: its annotation files one after the other, each with its own numbers and all in one report,
whose issues name the file; then its images, each as the pixels of the records that mean it
(zip_layout.py tells what is what). A file that cannot be read at all is reported and the others go
in, as long as there is one; in strict mode nothing does then.
"""

import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import SessionFactory
from app.errors import Invalid
from app.formats.coco import tasks
from app.formats.records import FileError, Pngs, Report
from app.models import Image
from app.services import bulk
from app.services.files import zips
from app.services.files.blobs import Arrivals
from app.services.files.storage import Storage, disk_full_as_problem
from app.services.images import intake
from app.services.images.intake import Inbox, Rejection, SoundFile
from app.services.imports import imports, zip_layout
from app.services.imports.folder import import_folder
from app.services.imports.images import NO_SUBSET, Beside
from app.services.imports.imports import (
    AUTO,
    ImportFailed,
    ImportInto,
    ImportOptions,
    ImportWork,
    TooStrict,
)
from app.services.imports.panoptic_pngs import ZipPngs
from app.services.imports.tally import Tally, outcome_of
from app.services.imports.zip_layout import AnnotationFile
from app.services.imports.zip_pictures import ZipPictures
from app.services.jobs import Progress, Silent

__all__ = ["import_upload"]

_HEAD_BYTES = 4
_NUMBERS = ("created", "updated", "unchanged", "rejected")


def import_upload(
    session: Session,
    *,
    dataset_id: int,
    user_id: int | None,
    file: BinaryIO,
    sessions: SessionFactory,
    storage: Storage,
    settings: Settings,
    options: ImportOptions,
    progress: Progress | None = None,
    pngs: Pngs | None = None,
) -> dict[str, Any]:
    """Import a file or a zip and return the report; see `imports.import_file`.

    `sessions` are for what must be committed before: that files are about to come. `pngs` are those
    beside a file that is no zip.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    if not zips.is_zip(head):
        return imports.import_file(
            session,
            dataset_id=dataset_id,
            user_id=user_id,
            file=file,
            options=options,
            progress=progress,
            pngs=pngs,
        )
    with storage.scratch.folder() as folder:
        path = folder / "upload.zip"
        with disk_full_as_problem(), path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        try:
            report = import_folder(
                session,
                dataset_id=dataset_id,
                user_id=user_id,
                path=path,
                scratch=folder,
                storage=storage,
                sessions=sessions,
                settings=settings,
                options=options,
                progress=progress,
            )
        except FileError as error:
            raise imports.unreadable(error, options) from None
        if report is not None:
            return report
        work = _ZipImport(
            session,
            dataset_id,
            user_id,
            options,
            Report(options.mode),
            progress or Silent(),
            folder,
            settings,
        )
        work.unpack(path)
        # The PNGs of panoptic files are read out of it, one at a time.
        with zips.open_zip(path, max_files=settings.max_zip_files) as archive:
            return work.store(sessions, storage, archive)


@dataclass
class _Part:
    """One annotation file of the zip: where it was unpacked, and what it brought."""

    file: AnnotationFile
    path: Path
    tally: Tally = field(default_factory=Tally)
    counts: dict[str, int] = field(default_factory=dict)
    imported: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {
            "file": self.file.name,
            "subset": self.file.subset,
            **self.tally.as_dict(),
            "issue_counts": self.counts,
            "imported": self.imported,
        }


@dataclass
class _ZipImport(ImportInto):
    """One zip on its way in."""

    progress: Progress
    folder: Path
    settings: Settings
    _parts: list[_Part] = field(init=False, default_factory=list)
    _pictures: ZipPictures = field(init=False, default_factory=lambda: ZipPictures([]))
    _subsets: list[str | None] = field(init=False, default_factory=list)
    _numbers: dict[str, int] = field(init=False, default_factory=lambda: dict.fromkeys(_NUMBERS, 0))

    def __post_init__(self) -> None:
        self._inbox = Inbox(self.folder, self.settings)

    # Unpacking ---------------------------------------------------------------------------------

    def unpack(self, path: Path) -> None:
        """Unpack and check everything; ImportFailed when there is nothing to import."""
        try:
            with zips.open_zip(path, max_files=self.settings.max_zip_files) as archive:
                self._unpack(archive)
        except Invalid as error:
            raise self._failed(FileError("zip_invalid", error.detail)) from None
        if not self._parts:
            told = (
                "The zip holds no .json file, and nothing of another format that is read here."
                if not self.report.errors
                else ("No annotation file of the zip can be read.")
            )
            raise self._failed(FileError("zip_invalid", told))

    def _unpack(self, archive: zipfile.ZipFile) -> None:
        entries, names = [], []
        for entry in zips.entries(archive):
            try:
                names.append(zips.entry_name(entry))
                entries.append(entry)
            except Invalid as error:
                self._refuse(intake.told_name(entry.orig_filename), error)
        layout = zip_layout.read_layout(names)
        for file in self._chosen(layout.files):
            self._unpack_annotations(archive, entries[file.place], file)
        for place in layout.ignored if self._parts else ():
            with self.report.about(names[place]):
                told = "It is neither annotations nor an image that can be taken in."
                self.report.add("file_ignored", "", told)
        sound: list[tuple[str, SoundFile]] = []
        for number, picture in enumerate(layout.pictures if self._parts else ()):
            self.progress.tell(number, len(layout.pictures), "Unpacking images.")
            name = names[picture.place]
            self._inbox.take_entry(archive, entries[picture.place])
            item = self._inbox.items.pop()
            if isinstance(item, SoundFile):
                sound.append((name, replace(item, file_name=picture.file_name)))
                self._subsets.append(picture.subset)
            else:
                self._reject(name, item)
        self._pictures = ZipPictures(sound)

    def _chosen(self, files: Sequence[AnnotationFile]) -> Iterator[AnnotationFile]:
        """The files of the task that was asked for, and those whose names leave it open."""
        for file in files:
            told, _ = tasks.from_name(file.name)
            if (
                len(files) > 1
                and self.options.task != AUTO
                and told
                not in (
                    None,
                    self.options.task,
                )
            ):
                with self.report.about(file.name):
                    wanted = f"Only the task {self.options.task} was asked for."
                    self.report.add("file_ignored", "", wanted)
                continue
            yield file

    def _unpack_annotations(
        self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: AnnotationFile
    ) -> None:
        path = self._inbox.new_path()
        try:
            if any(part.file.name == file.name for part in self._parts):
                raise Invalid("The zip has a file of this name twice.", code="name_taken")
            with path.open("wb") as out:
                for piece in zips.unpack(archive, entry, self._inbox.allowance):
                    out.write(piece)
        except Invalid as error:
            path.unlink(missing_ok=True)
            self._refuse(file.name, error)
        else:
            self._parts.append(_Part(file, path))

    def _refuse(self, name: str, error: Invalid) -> None:
        with self.report.about(name):
            self.report.add("zip_invalid", "", f"{error.detail} ({error.code})", action="rejected")

    def _reject(self, name: str, found: Rejection) -> None:
        self._numbers["rejected"] += 1
        with self.report.about(intake.told_name(name)):
            self.report.add("picture_rejected", "", f"{found.message} ({found.code})")

    # Storing -----------------------------------------------------------------------------------

    def store(
        self, sessions: SessionFactory, storage: Storage, archive: zipfile.ZipFile
    ) -> dict[str, Any]:
        """Import everything, or nothing; the report."""
        with Arrivals(sessions, storage) as arrivals:
            if not self.options.dry_run:
                arrivals.note([file.blob for file in self._pictures.files])
            try:
                with imports.as_a_whole(self.session, self.report, dry_run=self.options.dry_run):
                    self._import_files(archive)
                    kept = None if self.options.dry_run else storage
                    arrivals.used |= self._store_pictures(kept)
            except TooStrict as error:
                raise ImportFailed(str(error), self._result()) from None
        result = self._result(done=not self.options.dry_run)
        return result | {"outcome": outcome_of(result, errors=self.report.errors)}

    def _import_files(self, archive: zipfile.ZipFile) -> None:
        session, dataset_id = self.session, self.dataset_id
        imports.wait_for_turn(session, dataset_id=dataset_id, progress=self.progress)
        if len(self._parts) > 1 or self._pictures.files:
            # Each part locks images and then counters, so images must be locked before all parts.
            locked = select(Image.id).where(Image.dataset_id == dataset_id).order_by(Image.id)
            session.execute(locked.with_for_update(key_share=True))
        since = bulk.take_keys(session, "images", 1)[0]
        problem: FileError | None = None
        for part in self._parts:
            before = dict(self.report.counts)
            with self.report.about(part.file.name):
                try:
                    with session.begin_nested():
                        self._import_file(part, since, archive)
                except FileError as error:
                    problem = problem or error
                    self.report.add(error.code, "", error.detail, action="rejected")
            part.counts = {
                code: number - before.get(code, 0)
                for code, number in sorted(self.report.counts.items())
                if number > before.get(code, 0)
            }
        if problem is not None and not any(part.imported for part in self._parts):
            raise ImportFailed(problem.detail, self._result())

    def _import_file(self, part: _Part, since: int, archive: zipfile.ZipFile) -> None:
        options = replace(
            self.options,
            file_name=part.file.name,
            subset=self.options.subset or part.file.subset,
        )
        work = ImportWork(
            self.session,
            self.dataset_id,
            self.user_id,
            options,
            self.report,
            pictures=self._pictures.of(part.file),
            beside=None if part.file.subset is None else Beside(options.subset or NO_SUBSET, since),
        )
        pngs = ZipPngs(
            archive,
            part.file.name,
            scratch=self.folder,
            allowance=self._inbox.allowance,
            max_pixels=self.settings.max_image_pixels,
            max_files=self.settings.max_zip_files,
        )
        named = _Named(self.progress, part.file.name, len(self._parts))
        with pngs, part.path.open("rb") as opened:
            work.run(opened, named, pngs or None)
        part.tally, part.imported = work.tally, True

    def _store_pictures(self, storage: Storage | None) -> set[str | None]:
        """The images of the zip become those of the dataset; the files that are used."""
        used: set[str | None] = set()
        by_subset: dict[str, list[int]] = {}
        for place, subset in enumerate(self._subsets):
            found = self.options.subset or subset or NO_SUBSET
            by_subset.setdefault(found, []).append(place)
        for subset, places in by_subset.items():
            self.progress.tell(0, 0, "Storing images.")
            files = [self._pictures.files[place] for place in places]
            meant = {n: self._pictures.images[place] for n, place in enumerate(places)}
            outcome = intake.store(
                self.session,
                storage,
                dataset_id=self.dataset_id,
                items=files,
                subset=subset,
                meant=meant,
            )
            for rejection in outcome.rejected:
                self._reject(rejection.file_name, rejection)
            for name in ("created", "updated", "unchanged"):
                self._numbers[name] += getattr(outcome, name)
            used |= {image.blob_sha256 for image in outcome.images}
        return used

    # Telling -----------------------------------------------------------------------------------

    def _failed(self, error: FileError) -> ImportFailed:
        self.report.add(error.code, "", error.detail)
        return ImportFailed(error.detail, self._result())

    def _result(self, *, done: bool = False) -> dict[str, Any]:
        total = Tally()
        for part in self._parts:
            total.add(part.tally)
        if len(self._parts) == 1:
            total.task = self._parts[0].tally.task
        result = imports.result_of(total, self.report, self.options, done=done)
        if self._pictures.files or self._numbers["rejected"]:
            result["pictures"] = self._numbers
        return result | {"files": [part.as_dict() for part in self._parts]}


class _Named:
    """Progress of one file among several, with its name."""

    def __init__(self, progress: Progress, name: str, number: int) -> None:
        self._progress = progress
        self._prefix = f"{name}: " if number > 1 else ""

    def tell(self, done: int, total: int, message: str = "") -> None:
        self._progress.tell(done, total, self._prefix + message if message else "")
