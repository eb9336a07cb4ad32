"""Exports: a dataset as a COCO file, streamed from stored text.

The records are sent as they are kept, so an export of what nobody edited equals the imported file
in every number. An export needs a transaction in which the dataset does not change while it is
read: `snapshot` makes one.

With ``ids=reindex`` images and annotations are numbered from 1 in the order in which they came, and
references follow; categories keep their ids unless two of them have the same one. Nothing but ids
is written anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from app.db import SessionFactory
from app.errors import Invalid
from app.formats import FORMATS
from app.formats.coco import values, variants, writer
from app.services import export_panoptic
from app.services.images import ImageFilter
from app.services.jobs import Progress, Silent
from app.services.task_records import TaskRecords

__all__ = [
    "IDS",
    "SEGMENTATIONS",
    "ExportOptions",
    "check_options",
    "export_file",
    "export_tasks",
    "export_to",
    "file_stem",
    "snapshot",
]

IDS = ("preserve", "reindex")
SEGMENTATIONS = ("stored", "guess", "polygons", "mask")


@dataclass(frozen=True)
class ExportOptions:
    """What to export and how."""

    task: str = "instances"
    segmentation: str = "stored"
    ids: str = "preserve"
    filters: ImageFilter = field(default_factory=ImageFilter)


def export_tasks() -> tuple[str, ...]:
    """The tasks that can be exported, by any format."""
    return tuple(dict.fromkeys(task for form in FORMATS for task in form.export_tasks))


def check_options(options: ExportOptions) -> None:
    """Refuse what this version cannot export."""
    if options.task not in export_tasks():
        told = f"A task is one of {', '.join(export_tasks())}."
        raise Invalid(told, code="task_unknown", loc=("path", "task"))
    if options.segmentation != "stored":
        raise Invalid(
            "Segmentations can only be exported as they are stored yet.",
            code="option_unsupported",
            loc=("query", "segmentation"),
        )


@contextmanager
def snapshot(sessions: SessionFactory) -> Iterator[Session]:
    """A session that sees the database as it is now, whatever others change meanwhile."""
    with sessions() as session:
        session.connection(
            execution_options={
                "isolation_level": "REPEATABLE READ",
                "postgresql_readonly": True,
            }
        )
        yield session


def export_file(session: Session, *, dataset_id: int, options: ExportOptions) -> Iterator[bytes]:
    """The COCO file in pieces. What can go wrong does so before the first piece is asked for."""
    check_options(options)
    if options.task == "panoptic":
        export_panoptic.check_sizes(session, dataset_id=dataset_id, filters=options.filters)
    export = _Export(session, dataset_id, options)
    return writer.write(
        export.records.envelope,
        {
            "images": export.images(),
            "annotations": export.annotations(),
            "categories": export.categories(),
        },
        task=options.task,
        own=export.records.has_file,
    )


def export_to(
    session: Session,
    *,
    dataset_id: int,
    file: BinaryIO,
    options: ExportOptions | None = None,
    progress: Progress | None = None,
) -> int:
    """Write the COCO file to an open file; returns the number of bytes."""
    progress = progress or Silent()
    size = 0
    pieces = export_file(session, dataset_id=dataset_id, options=options or ExportOptions())
    for piece in pieces:
        file.write(piece)
        size += len(piece)
        progress.tell(size, 0, "Exporting.")
    return size


class _Export:
    """The records of one export, each kind asked for when its turn comes."""

    def __init__(self, session: Session, dataset_id: int, options: ExportOptions) -> None:
        self.records = TaskRecords(
            session, dataset_id=dataset_id, task=options.task, filters=options.filters
        )
        self._session = session
        self._dataset_id = dataset_id
        self._filters = options.filters
        self._task = options.task
        self._reindex = options.ids == "reindex"
        self._categories = self.records.categories()
        self._category_ids = self._unique_ids() if self._reindex else {}

    def _unique_ids(self) -> dict[int, int]:
        """New ids of the categories whose id an earlier one has, by primary key."""
        free = values.highest_id(row.coco_id for row in self._categories) + 1
        seen: set[Any] = set()
        changed: dict[int, int] = {}
        for row in self._categories:
            if values.id_key(row.coco_id) in seen:
                changed[row.id] = free
                free += 1
            seen.add(values.id_key(row.coco_id))
        return changed

    def _text(self, row: Any) -> str:
        """The record as this task says it, of a row that begins with record and variants."""
        # By their places: there are hundreds of thousands of rows.
        text: str = row[0]
        return text if row[1] is None else variants.text_of(text, row[1], self._task)

    def categories(self) -> Iterator[str]:
        for row in self._categories:
            text = self._text(row)
            if self._task == "panoptic" and not self.records.lists_category(row.id):
                text = export_panoptic.category_text(text, isthing=row.isthing, color=row.color)
            if row.id in self._category_ids:
                text = writer.renumbered(text, {"id": self._category_ids[row.id]})
            yield text

    def images(self) -> Iterator[str]:
        for number, row in enumerate(self.records.images(), start=1):
            if row.record is None:
                yield writer.image_text(
                    coco_id=str(number) if self._reindex else row.coco_id,
                    file_name=row.file_name,
                    width=row.width,
                    height=row.height,
                )
            elif self._reindex:
                yield writer.renumbered(self._text(row), {"id": number})
            else:
                yield self._text(row)

    def annotations(self) -> Iterator[str]:
        if self._task == "panoptic":
            yield from self._frames()
            return
        rows = self.records.annotations()
        if not self._reindex:
            yield from map(self._text, rows)
            return
        numbers = self._image_numbers()
        for number, row in enumerate(rows, start=1):
            ids = {"id": number, "image_id": numbers[row.image_id]}
            if row.category_id in self._category_ids:
                ids["category_id"] = self._category_ids[row.category_id]
            yield writer.renumbered(self._text(row), ids)

    def _frames(self) -> Iterator[str]:
        """The records of a panoptic file; segments keep their ids, the colours in the PNGs."""
        found = export_panoptic.frames(
            self._session,
            dataset_id=self._dataset_id,
            filters=self._filters,
            image_numbers=self._image_numbers() if self._reindex else {},
            category_ids=self._category_ids,
        )
        yield from (frame.record for frame in found)

    def _image_numbers(self) -> dict[int, int]:
        return {row.id: number for number, row in enumerate(self.records.images(), start=1)}


def file_stem(name: str) -> str:
    """A dataset's name as part of a file name: harmless on every system."""
    kept = "".join(char if char.isalnum() or char in "-_" else "_" for char in name)
    return kept.strip("_")[:80] or "dataset"
