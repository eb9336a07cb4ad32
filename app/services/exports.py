"""Exports: a dataset as a COCO file, streamed from stored text.

The records are sent as they are kept, so an export of what nobody edited equals the imported file
in every number. An export needs a transaction in which the dataset does not change while it is
read: `snapshot` makes one.

With ``ids=reindex`` images and annotations are numbered from 1 in the order in which they came, and
references follow; categories keep their ids unless two of them have the same one. Nothing but ids
is written anew.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from sqlalchemy import Select, Text, cast, select
from sqlalchemy.orm import Session

from app.db import SessionFactory
from app.errors import Invalid
from app.formats import FORMATS, TASKS
from app.formats.coco import values, writer
from app.models import Annotation, Category, Dataset, Image
from app.services.images import ImageFilter
from app.services.jobs import Progress, Silent

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
# Rows that a server-side cursor fetches at a time: some hundreds of kilobytes.
_ROWS = 1000


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
        known = options.task in TASKS
        raise Invalid(
            f"The task {options.task} cannot be exported yet."
            if known
            else f"A task is one of {', '.join(TASKS)}.",
            code="task_unsupported" if known else "task_unknown",
            loc=("path", "task"),
        )
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
    envelope = session.scalar(select(Dataset.envelope).where(Dataset.id == dataset_id))
    export = _Export(session, dataset_id, options)
    return writer.write(
        envelope,
        {
            "images": export.images(),
            "annotations": export.annotations(),
            "categories": export.categories(),
        },
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
        self._session = session
        self._dataset_id = dataset_id
        self._filters = options.filters
        self._reindex = options.ids == "reindex"
        self._categories = self._load_categories()
        self._category_ids = self._unique_ids() if self._reindex else {}

    def _load_categories(self) -> Sequence[Any]:
        query = select(Category.id, Category.coco_id, Category.record).where(
            Category.dataset_id == self._dataset_id
        )
        if self._filters.categories:
            query = query.where(Category.id.in_(self._filters.categories))
        return self._session.execute(query.order_by(Category.id)).all()

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

    def _rows(self, query: Select[*tuple[Any, ...]]) -> Iterable[Any]:
        streamed = query.execution_options(stream_results=True, yield_per=_ROWS)
        with self._session.execute(streamed) as result:
            yield from result

    def categories(self) -> Iterator[str]:
        for row in self._categories:
            if row.id in self._category_ids:
                yield writer.renumbered(row.record, {"id": self._category_ids[row.id]})
            else:
                yield row.record

    def _chosen_images(self) -> Any:
        return self._filters.conditions(self._dataset_id)

    def images(self) -> Iterator[str]:
        query = (
            select(
                Image.record, cast(Image.coco_id, Text), Image.file_name, Image.width, Image.height
            )
            .where(*self._chosen_images())
            .order_by(Image.id)
        )
        rows = enumerate(self._rows(query), start=1)
        for number, (record, coco_id, file_name, width, height) in rows:
            if record is None:
                yield writer.image_text(
                    coco_id=str(number) if self._reindex else coco_id,
                    file_name=file_name,
                    width=width,
                    height=height,
                )
            elif self._reindex:
                yield writer.renumbered(record, {"id": number})
            else:
                yield record

    def _chosen_annotations(self) -> list[Any]:
        chosen = [Annotation.dataset_id == self._dataset_id, Annotation.deleted_at.is_(None)]
        if self._filters.categories:
            chosen.append(Annotation.category_id.in_(self._filters.categories))
        return chosen

    def annotations(self) -> Iterator[str]:
        query = select(Annotation.record, Annotation.category_id, Annotation.image_id).where(
            *self._chosen_annotations()
        )
        if self._filters != ImageFilter(categories=self._filters.categories):
            images = select(Image.id).where(*self._chosen_images())
            query = query.where(Annotation.image_id.in_(images))
        rows = self._rows(query.order_by(Annotation.id))
        if not self._reindex:
            yield from (record for record, _, _ in rows)
            return
        numbers = self._image_numbers()
        for number, (record, category_id, image_id) in enumerate(rows, start=1):
            ids = {"id": number, "image_id": numbers[image_id]}
            if category_id in self._category_ids:
                ids["category_id"] = self._category_ids[category_id]
            yield writer.renumbered(record, ids)

    def _image_numbers(self) -> dict[int, int]:
        """The place of each image in the file, by primary key."""
        query = select(Image.id).where(*self._chosen_images()).order_by(Image.id)
        return {row.id: number for number, row in enumerate(self._rows(query), start=1)}


def file_stem(name: str) -> str:
    """A dataset's name as part of a file name: harmless on every system."""
    kept = "".join(char if char.isalnum() or char in "-_" else "_" for char in name)
    return kept.strip("_")[:80] or "dataset"
