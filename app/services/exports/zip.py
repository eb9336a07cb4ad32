"""Exports as a zip, made while it is sent: annotation files by task and subset, and the images.

::

    annotations/{task}_{subset}.json
    annotations/panoptic_{subset}/{file_name}    the PNGs of the file panoptic_{subset}.json
    images/{subset}/{file_name}        with images=true; images/{file_name} with merge_images=true

Unless tasks are asked for, there is no file of a task for a subset of which it says nothing. Each
subset has one file at least, so that its images are told of.

Nothing is held but one piece of one file. Names come from outside, so they are made harmless, and
two files that would have the same one are refused before the first byte.
"""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session
from zipstream import ZipStream

from app.errors import Conflict
from app.models import Image, PanopticImage
from app.services.exports import exports, panoptic
from app.services.exports.exports import ExportOptions
from app.services.exports.numbering import Numbers
from app.services.exports.task_records import TaskRecords, present_tasks
from app.services.files.names import path_in_zip, step_in_zip
from app.services.files.storage import Storage, blob_key

__all__ = ["ZipOptions", "export_zip"]

_COMPRESSION_LEVEL = 3


@dataclass(frozen=True)
class ZipOptions:
    """What goes into the zip; `file` says how each annotation file is written."""

    tasks: tuple[str, ...] = ()
    images: bool = False
    merge_images: bool = False
    file: ExportOptions = field(default_factory=ExportOptions)


def export_zip(
    session: Session, storage: Storage, *, dataset_id: int, options: ZipOptions
) -> Iterator[bytes]:
    """The zip in pieces. What can go wrong does so before the first piece is asked for."""
    tasks = options.tasks or present_tasks(session, dataset_id=dataset_id)
    for task in tasks:
        exports.check_options(replace(options.file, task=task))
        if task == "panoptic":
            filters = options.file.filters
            panoptic.check_sizes(session, dataset_id=dataset_id, filters=filters)
    work = _Zip(session, storage, dataset_id, options)
    if "panoptic" in tasks:
        work.check_png_names()
    return work.pieces(work.files(tasks), work.image_names())


class AnnotationFile(NamedTuple):
    """A file of a task for a subset, with the subset's name in the zip."""

    task: str
    name: str
    subset: str


class _Zip:
    """One zip on its way."""

    def __init__(
        self, session: Session, storage: Storage, dataset_id: int, options: ZipOptions
    ) -> None:
        self._session = session
        self._storage = storage
        self._dataset_id = dataset_id
        self._options = options
        self._chosen = options.file.filters.conditions(dataset_id)

    def subsets(self) -> dict[str, str]:
        """The subsets of the chosen images by the names that they have in the zip."""
        query = select(Image.subset).where(*self._chosen).distinct().order_by(Image.subset)
        found = self._session.scalars(query).all() or ["default"]
        return _without_collision((step_in_zip(subset), subset) for subset in found)

    def files(self, tasks: Sequence[str]) -> list[AnnotationFile]:
        """The files of these tasks, task by task."""
        subsets = self.subsets()
        every = [AnnotationFile(task, *named) for task in tasks for named in subsets.items()]
        if self._options.tasks:
            return every
        told = {task: self._told(task) for task in tasks}
        silent = set(subsets.values()).difference(*told.values())
        told[tasks[0]] |= silent
        return [file for file in every if file.subset in told[file.task]]

    def _told(self, task: str) -> set[str]:
        """The subsets of which the task says something."""
        filters = self._options.file.filters
        return TaskRecords(
            self._session, dataset_id=self._dataset_id, task=task, filters=filters
        ).subsets()

    def image_names(self) -> dict[str, str]:
        """The blobs of the chosen images by their names in the zip."""
        if not self._options.images:
            return {}
        rows = self._session.execute(
            select(Image.id, Image.subset, Image.file_name, Image.blob_sha256)
            .where(*self._chosen, Image.blob_sha256.is_not(None))
            .order_by(Image.id)
        )
        return _without_collision((self._image_name(row), row.blob_sha256) for row in rows)

    def check_png_names(self) -> None:
        """Refuse PNGs of the same name; those that get a new name here are told apart by it."""
        rows = self._session.execute(
            select(Image.subset, PanopticImage.record)
            .join(PanopticImage, PanopticImage.image_id == Image.id)
            .where(*self._chosen)
        )
        _without_collision(
            (f"panoptic_{step_in_zip(row.subset)}/{panoptic.png_name(row.record)}", "")
            for row in rows
        )

    def _pngs(self, name: str, subset: str) -> Iterator[tuple[str, bytes]]:
        """The PNGs of a subset by their names in the zip."""
        filters = replace(self._options.file.filters, subset=subset)
        found = panoptic.frames(self._session, dataset_id=self._dataset_id, filters=filters)
        for frame in found:
            yield f"annotations/panoptic_{name}/{frame.file_name}", frame.png()

    def _image_name(self, row: Any) -> str:
        name = path_in_zip(row.file_name, otherwise=f"image_{row.id}")
        subset = "" if self._options.merge_images else f"{step_in_zip(row.subset)}/"
        return f"images/{subset}{name}"

    def _numbers(self, tasks: Sequence[str]) -> Numbers:
        filters = self._options.file.filters
        return Numbers(self._session, dataset_id=self._dataset_id, tasks=tasks, filters=filters)

    def pieces(self, files: Sequence[AnnotationFile], images: dict[str, str]) -> Iterator[bytes]:
        archive = ZipStream(sized=False)
        tasks = list(dict.fromkeys(file.task for file in files))
        numbers = self._numbers(tasks) if self._options.file.ids == "reindex" else None
        for task, name, subset in files:
            filters = replace(self._options.file.filters, subset=subset)
            options = replace(self._options.file, task=task, filters=filters)
            archive.add(
                exports.export_file(
                    self._session, dataset_id=self._dataset_id, options=options, numbers=numbers
                ),
                f"annotations/{task}_{name}.json",
                compress_type=zipfile.ZIP_DEFLATED,
                compress_level=_COMPRESSION_LEVEL,
            )
            yield from archive.all_files()
            if task == "panoptic":
                for png_name, png in self._pngs(name, subset):
                    archive.add(png, png_name, compress_type=zipfile.ZIP_STORED)
                    yield from archive.all_files()
        for name, sha256 in images.items():
            # Pictures are compressed already.
            archive.add(
                self._storage.chunks(blob_key(sha256)), name, compress_type=zipfile.ZIP_STORED
            )
            yield from archive.all_files()
        yield from archive.finalize()


def _without_collision(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The pairs by their first half, which must be different each time."""
    found: dict[str, str] = {}
    for name, value in named:
        if name in found:
            raise Conflict(
                f"Two files would be called {name} in the zip: rename one, or choose subsets.",
                code="name_collision",
            )
        found[name] = value
    return found
