"""Exports: a dataset as a COCO file, streamed from stored text.

The records are sent as they are kept, so an export of what nobody edited equals the imported file
in every number. An export needs a transaction in which the dataset does not change while it is
read: `snapshot` makes one.

With ``ids=reindex`` images and annotations are numbered from 1 in the order in which they came, and
references follow; categories keep their ids unless two of them have the same one. Nothing but ids
is written anew. Files that belong together, as those of a zip, share `Numbers`.

Other forms of segmentations, cropping and leaving attributes out are `rewriting`'s.
"""

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from app.db import SessionFactory
from app.errors import Invalid
from app.formats import FORMATS
from app.formats.coco import values, variants, writer
from app.services.exports import panoptic, rewriting
from app.services.exports.numbering import Numbers
from app.services.exports.rewriting import SEGMENTATIONS, Rewriting
from app.services.exports.task_records import GEOMETRY, KEY, TaskRecords
from app.services.images.images import ImageFilter
from app.services.jobs import Progress, Silent

__all__ = [
    "IDS",
    "SEGMENTATIONS",
    "ExportOptions",
    "check_options",
    "export_file",
    "export_tasks",
    "file_stem",
    "snapshot",
    "write_to",
]

IDS = ("preserve", "reindex")
# Annotations that are rewritten together, and the length of their texts that is enough.
_ROWS_AT_ONCE = 1000
_CHARS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class ExportOptions:
    """What to export and how."""

    task: str = "instances"
    segmentation: str = "stored"
    ids: str = "preserve"
    crop_covered: bool = False
    allow_attributes: bool = True
    fill: bool = False
    ensure_ascii: bool = False
    filters: ImageFilter = field(default_factory=ImageFilter)

    @property
    def rewriting(self) -> Rewriting:
        return Rewriting(
            self.task, self.segmentation, self.crop_covered, self.allow_attributes, self.fill
        )


def export_tasks() -> tuple[str, ...]:
    """The tasks that can be exported, by any format."""
    return tuple(dict.fromkeys(task for form in FORMATS for task in form.export_tasks))


def check_options(options: ExportOptions) -> None:
    """Refuse what this version cannot export."""
    if options.task not in export_tasks():
        told = f"A task is one of {', '.join(export_tasks())}."
        raise Invalid(told, code="task_unknown", loc=("path", "task"))


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


def export_file(
    session: Session,
    *,
    dataset_id: int,
    options: ExportOptions,
    numbers: Numbers | None = None,
) -> Iterator[bytes]:
    """The COCO file in pieces. What can go wrong does so before the first piece is asked for.

    `numbers` are those of all files that this one belongs to, for ``ids=reindex``.
    """
    check_options(options)
    if options.task == "panoptic":
        panoptic.check_sizes(session, dataset_id=dataset_id, filters=options.filters)
    export = _Export(session, dataset_id, options, numbers)
    return writer.write(
        export.records.envelope,
        {
            "images": export.images(),
            "annotations": export.annotations(),
            "categories": export.categories(),
        },
        task=options.task,
        own=export.records.has_file,
        ensure_ascii=options.ensure_ascii,
    )


def write_to(file: BinaryIO, pieces: Iterable[bytes], *, progress: Progress | None = None) -> int:
    """Write an export to an open file; returns the number of bytes."""
    progress = progress or Silent()
    size = 0
    for piece in pieces:
        file.write(piece)
        size += len(piece)
        progress.tell(size, 0, "bytes written.")
    return size


class _Export:
    """The records of one export, each kind asked for when its turn comes."""

    def __init__(
        self, session: Session, dataset_id: int, options: ExportOptions, numbers: Numbers | None
    ) -> None:
        self.records = TaskRecords(
            session, dataset_id=dataset_id, task=options.task, filters=options.filters
        )
        self._session = session
        self._dataset_id = dataset_id
        self._filters = options.filters
        self._task = options.task
        self._rewriting = options.rewriting
        self._reindex = options.ids == "reindex"
        self._fill = options.fill
        self._numbers = numbers
        self._categories = self.records.categories()
        self._category_ids = self._unique_ids() if self._reindex else {}

    def _unique_ids(self) -> dict[int, int]:
        """New ids of the categories whose id an earlier one has, by primary key."""
        rows = self.records.all_categories
        free = values.highest_id(row.coco_id for row in rows) + 1
        seen: set[Any] = set()
        changed: dict[int, int] = {}
        for row in rows:
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
                text = panoptic.category_text(text, isthing=row.isthing, color=row.color)
            if row.id in self._category_ids:
                text = writer.renumbered(text, {"id": self._category_ids[row.id]})
            yield text

    def images(self) -> Iterator[str]:
        for place, row in enumerate(self.records.images(), start=1):
            number = place if self._numbers is None else self._numbers.of_image(row.id)
            if row.record is None:
                yield writer.image_text(
                    coco_id=str(number) if self._reindex else row.coco_id,
                    file_name=row.file_name,
                    width=row.width,
                    height=row.height,
                )
            else:
                text = self._text(row)
                if self._fill:
                    text = writer.with_size(text, width=row.width, height=row.height)
                yield writer.renumbered(text, {"id": number}) if self._reindex else text

    def annotations(self) -> Iterator[str]:
        if self._task == "panoptic":
            return self._frames()
        if not self._reindex:
            return self._as_wished()
        return self._renumbered()

    def _as_wished(self) -> Iterator[str]:
        if not self._rewriting.is_needed:
            return map(self._text, self.records.annotations())
        return (text for _, text in self._rewritten())

    def _rewritten(self, *columns: Any) -> Iterator[tuple[Any, str]]:
        """The annotations with their rewritten texts."""
        for rows in self._batches(*GEOMETRY, *columns):
            texts = list(map(self._text, rows))
            new = rewriting.rewrite(self._session, rows, texts, self._rewriting)
            yield from zip(rows, new, strict=True)

    def _batches(self, *columns: Any) -> Iterator[list[Any]]:
        if self._rewriting.draws and self._rewriting.crop_covered:
            yield from self.records.annotations_by_image(*columns)
            return
        rows: list[Any] = []
        size = 0
        for row in self.records.annotations(*columns):
            rows.append(row)
            size += len(row.record)
            if len(rows) >= _ROWS_AT_ONCE or size >= _CHARS_AT_ONCE:
                yield rows
                rows, size = [], 0
        yield rows

    def _renumbered(self) -> Iterator[str]:
        if self._rewriting.is_needed:
            pairs = self._rewritten(*KEY)
        else:
            pairs = ((row, self._text(row)) for row in self.records.annotations(*KEY))
        images, places = self._image_numbers(), itertools.count(1)
        for row, text in pairs:
            if self._numbers is None:
                number = next(places)
            else:
                number = self._numbers.of_annotation(self._task, row.key)
            ids = {"id": number, "image_id": images[row.image_id]}
            if row.category_id in self._category_ids:
                ids["category_id"] = self._category_ids[row.category_id]
            yield writer.renumbered(text, ids)

    def _image_numbers(self) -> dict[int, int]:
        if self._numbers is not None:
            return {row.id: self._numbers.of_image(row.id) for row in self.records.images()}
        return {row.id: number for number, row in enumerate(self.records.images(), start=1)}

    def _frames(self) -> Iterator[str]:
        """The records of a panoptic file; segments keep their ids, the colours in the PNGs."""
        found = panoptic.frames(
            self._session,
            dataset_id=self._dataset_id,
            filters=self._filters,
            image_numbers=self._image_numbers() if self._reindex else {},
            category_ids=self._category_ids,
        )
        yield from (frame.record for frame in found)


def file_stem(name: str) -> str:
    """A dataset's name as part of a file name: harmless on every system."""
    kept = "".join(char if char.isalnum() or char in "-_" else "_" for char in name)
    return kept.strip("_")[:80] or "dataset"
