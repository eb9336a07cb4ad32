"""Exports in the formats of folders, as a zip that is made while it is sent.

One image with its annotations is held at a time; both come by key from the same snapshot. The last
file, ``export-report.json``, tells how much was written, and what the format could not hold.
"""

import itertools
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from zipstream import ZipStream

from app.errors import Conflict, Invalid
from app.formats import FORMATS
from app.formats.coco import rawjson
from app.formats.outgoing import (
    REPORT_NAME,
    FolderWriter,
    Losses,
    OutAnnotation,
    OutCategory,
    OutFile,
    OutImage,
)
from app.formats.records import Format
from app.models import Annotation, Category, Dataset, DatasetTask, Image
from app.services.files.names import path_in_zip, step_in_zip
from app.services.files.storage import Storage, blob_key
from app.services.images.images import ImageFilter

__all__ = ["FolderOptions", "export_folder", "export_formats", "find_writer"]

_ROWS = 1000
_COMPRESSION_LEVEL = 3
# What an image as a whole has; the others are objects.
_OF_IMAGES = {"captions": "caption_left_out", "labels": "label_left_out"}
_SEGMENTS = "panoptic"
_IMAGE_KEYS = frozenset({"id", "file_name", "width", "height"})
_LISTS = frozenset({"images", "annotations", "categories"})
_NOTHING = ("{}", "[]", "null")
_image_of = attrgetter("image_id")


@dataclass(frozen=True)
class FolderOptions:
    """What to export, in which format, and whether the pictures come along."""

    format: str
    images: bool = False
    filters: ImageFilter = field(default_factory=ImageFilter)
    max_pixels: int = 2**32


def export_formats() -> tuple[Format, ...]:
    """The formats that are exported as a zip of a folder."""
    return tuple(form for form in FORMATS if form.writer is not None)


def find_writer(name: str) -> FolderWriter:
    """The writer of a format; Invalid when there is none of this name."""
    for form in export_formats():
        if form.name == name and form.writer is not None:
            return form.writer
    known = ", ".join(form.name for form in export_formats())
    raise Invalid(f"A format is one of {known}.", code="format_unknown", loc=("path", "format"))


def export_folder(
    session: Session,
    storage: Storage,
    *,
    dataset_id: int,
    options: FolderOptions,
    losses: Losses | None = None,
) -> Iterator[bytes]:
    """The zip in pieces. What can go wrong does so before the first piece is asked for.

    `losses` are noted while it is made. Raises Invalid for a format that cannot be written, and
    Conflict when two images would have the same file in it.
    """
    writer = find_writer(options.format)
    losses = losses or Losses()
    dataset = _Dataset(session, dataset_id, options, losses)
    pictures = dataset.pictures(writer)
    return _pieces(dataset, writer, pictures, storage, losses)


def _pieces(
    dataset: "_Dataset",
    writer: FolderWriter,
    pictures: dict[str, str],
    storage: Storage,
    losses: Losses,
) -> Iterator[bytes]:
    archive = ZipStream(sized=False)
    for file in itertools.chain(writer.files(dataset, losses), dataset.report(losses)):
        archive.add(
            file.content,
            file.name,
            compress_type=zipfile.ZIP_DEFLATED,
            compress_level=_COMPRESSION_LEVEL,
        )
        yield from archive.all_files()
    for name, sha256 in pictures.items():
        archive.add(storage.chunks(blob_key(sha256)), name, compress_type=zipfile.ZIP_STORED)
        yield from archive.all_files()
    yield from archive.finalize()


class _Dataset:
    """One dataset on its way out; see `app.formats.outgoing.OutDataset`."""

    def __init__(
        self, session: Session, dataset_id: int, options: FolderOptions, losses: Losses
    ) -> None:
        self._session = session
        self._dataset_id = dataset_id
        self._options = options
        self._losses = losses
        self._chosen = options.filters.conditions(dataset_id)
        self._images = self._annotations_read = 0
        self.name: str = session.get_one(Dataset, dataset_id).name

    def _rows(self, query: Select[*tuple[Any, ...]]) -> Iterator[Any]:
        streamed = query.execution_options(stream_results=True, yield_per=_ROWS)
        with self._session.execute(streamed) as result:
            yield from result

    @cached_property
    def subsets(self) -> Sequence[str]:
        query = select(Image.subset).where(*self._chosen).distinct().order_by(Image.subset)
        found = list(self._session.scalars(query))
        safe = dict.fromkeys(map(step_in_zip, found))
        if len(safe) < len(found):
            raise Conflict(
                "Two subsets would have the same name in the zip.", code="name_collision"
            )
        return tuple(safe) or ("default",)

    @cached_property
    def _category_rows(self) -> Sequence[Any]:
        wanted = self._options.filters.categories
        query = select(Category).where(Category.dataset_id == self._dataset_id)
        rows = self._session.scalars(query.order_by(Category.id)).all()
        return [row for row in rows if not wanted or row.id in wanted]

    @cached_property
    def categories(self) -> Sequence[OutCategory]:
        return tuple(
            OutCategory(
                coco_id=row.coco_id,
                name=row.name,
                color=row.color,
                keypoints=tuple(row.keypoints),
                skeleton=tuple(map(tuple, row.skeleton)),
                record=rawjson.decode(row.record),
            )
            for row in self._category_rows
        )

    @cached_property
    def _has_objects(self) -> bool:
        """Whether there are objects beside panoptic segments, which would be there twice."""
        others = select(Annotation.id).where(
            Annotation.dataset_id == self._dataset_id,
            Annotation.deleted_at.is_(None),
            Annotation.task.not_in([_SEGMENTS, *_OF_IMAGES]),
        )
        return self._session.scalar(select(others.exists())) is True

    def _image_query(self) -> Select[*tuple[Any, ...]]:
        return (
            select(
                Image.id,
                Image.coco_id,
                Image.file_name,
                Image.subset,
                Image.width,
                Image.height,
                Image.blob_sha256,
                Image.record,
            )
            .where(*self._chosen)
            .order_by(Image.id)
        )

    def pictures(self, writer: FolderWriter) -> dict[str, str]:
        """The blobs of the pictures by their paths; Conflict when a path is there twice."""
        _ = self.subsets
        taken: set[str] = set()
        found: dict[str, str] = {}
        for row in self._rows(self._image_query()):
            if self._is_too_large(row):
                continue
            paths = writer.paths(_image(row))
            for path in paths:
                if path.casefold() in taken:
                    told = f"Two files would be called {path} in the zip: rename one, or choose."
                    raise Conflict(told, code="name_collision")
                taken.add(path.casefold())
            if self._options.images and row.blob_sha256 is not None:
                found[paths.picture] = row.blob_sha256
        return found

    def _is_too_large(self, row: Any) -> bool:
        return bool(row.width * row.height > self._options.max_pixels)

    def images(self) -> Iterator[OutImage]:
        """The images with their annotations, both by the images' keys."""
        groups = itertools.groupby(self._rows(self._annotation_query()), key=_image_of)
        places = {row.id: place for place, row in enumerate(self._category_rows)}
        group = next(groups, None)
        for row in self._rows(self._image_query()):
            image = _image(row)
            if group is not None and group[0] == row.id:
                image.annotations = list(self._annotations(group[1], places))
                group = next(groups, None)
            if row.record is not None and rawjson.members(row.record).keys() - _IMAGE_KEYS:
                self._losses.note("image_detail_left_out", row.coco_id)
            if self._is_too_large(row):
                self._losses.note("image_too_large", row.coco_id)
                continue
            self._images += 1
            self._annotations_read += len(image.annotations)
            yield image

    def _annotation_query(self) -> Select[*tuple[Any, ...]]:
        query = (
            select(
                Annotation.image_id,
                Annotation.coco_id,
                Annotation.task,
                Annotation.category_id,
                Annotation.iscrowd,
                Annotation.record,
                Annotation.shape,
                Annotation.bbox,
            )
            .join(Image, Image.id == Annotation.image_id)
            .where(*self._chosen, Annotation.deleted_at.is_(None))
        )
        if self._options.filters.categories:
            query = query.where(Annotation.category_id.in_(self._options.filters.categories))
        return query.order_by(Annotation.image_id, Annotation.id)

    def _annotations(self, rows: Iterator[Any], places: dict[int, int]) -> Iterator[OutAnnotation]:
        for row in rows:
            left_out = _OF_IMAGES.get(row.task)
            if row.task == _SEGMENTS and self._has_objects:
                left_out = "segment_left_out"
            if left_out is not None:
                self._losses.note(left_out, row.coco_id)
                self._annotations_read += 1
                continue
            yield _annotation(row, places.get(row.category_id))

    def report(self, losses: Losses) -> Iterator[OutFile]:
        """What is told at the end, when all is known."""
        query = select(DatasetTask).where(DatasetTask.dataset_id == self._dataset_id)
        for row in self._session.scalars(query.order_by(DatasetTask.task)):
            rest = rawjson.members(row.envelope)
            if any(name not in _LISTS and rest[name] not in _NOTHING for name in rest):
                losses.note("file_detail_left_out", row.task)
        told = {
            "format": self._options.format,
            "dataset": self.name,
            "images": self._images,
            "annotations": self._annotations_read - losses.left_out,
            "annotations_left_out": losses.left_out,
            "losses": losses.as_list(),
        }
        text = json.dumps(told, indent=2, ensure_ascii=False)
        yield OutFile(REPORT_NAME, f"{text}\n".encode())


def _annotation(row: Any, category: int | None) -> OutAnnotation:
    record = rawjson.decode(row.record)
    shown = record if row.shape is None else rawjson.decode(row.shape)
    points = record.get("keypoints")
    has_box = bool(record.get("bbox") or shown.get("segmentation"))
    return OutAnnotation(
        coco_id=row.coco_id,
        task=row.task,
        category=category,
        iscrowd=row.iscrowd,
        bbox=list(row.bbox) if has_box else None,
        segmentation=shown.get("segmentation") or None,
        holes=shown.get("holes") or [] if row.shape is not None else [],
        keypoints=points if isinstance(points, list) and points else None,
        record=record,
    )


def _image(row: Any) -> OutImage:
    return OutImage(
        coco_id=row.coco_id,
        file_name=path_in_zip(row.file_name, otherwise=f"image_{row.id}"),
        subset=step_in_zip(row.subset),
        size=(row.height, row.width),
        has_pixels=row.blob_sha256 is not None,
    )
