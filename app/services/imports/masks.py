"""Mask images become annotations: each value of a picture, or each part of it, is one.

Pictures find their images by their names without the ending. Everything is read and computed
first, into a file; only then are images locked and ids taken, in the order in which every change
does. What comes out are annotations as if somebody had drawn them here, the same a second time: an
annotation that the image has already, of the same category and the same shape, is left alone.
"""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import masks
from app.config import Settings
from app.errors import Invalid
from app.formats.coco import rawjson, values
from app.formats.records import FileError, Report
from app.masks import Masks
from app.models import Annotation
from app.services import bulk
from app.services.annotations.shapes import MAX_TRACED_RUNS
from app.services.datasets import datasets
from app.services.files import zips
from app.services.files.scratch import Scratch
from app.services.imports import finish, imports, label_images
from app.services.imports.imports import ImportFailed, TooStrict
from app.services.imports.label_images import LabelError, LabelImage, Value
from app.services.imports.mask_mapping import UNMAPPED, MaskOptions, read_ignored, read_mapping
from app.services.imports.mask_targets import Categories, Images, Known, TargetImage, stem_of
from app.services.imports.tally import Tally, outcome_of, result_of
from app.services.jobs import Progress, Silent
from app.services.live import live

__all__ = ["import_masks"]

_COLUMNS = (
    "dataset_id", "image_id", "task", "category_id", "coco_id", "record", "area", "bbox",
    "iscrowd", "created_by", "updated_by",
)  # fmt: skip
# A drawing has few values; smoothed edges and photographs have thousands.
_MOST_VALUES = 1000
_MOST_PARTS = 20_000


class _Row(msgspec.Struct, array_like=True):
    """An annotation on its way; the record has no id yet."""

    image: int
    category: int
    record: str
    area: int
    bbox: list[float]


def import_masks(
    session: Session,
    *,
    dataset_id: int,
    user_id: int,
    path: Path,
    scratch: Scratch,
    settings: Settings,
    options: MaskOptions,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Import the mask images in the zip at `path` and return the report.

    The caller commits, or not. Raises ImportFailed when nothing could be imported, and Invalid for
    a mapping or a list of ignored values that cannot be read.
    """
    report, tally = Report(options.mode), Tally(task="instances")
    work = _MaskImport(session, dataset_id, user_id, scratch, settings, options, report, tally)

    def result(tally: Tally, *, done: bool = False) -> dict[str, Any]:
        return result_of(tally, report, dry_run=options.dry_run, done=done)

    try:
        with (
            imports.as_a_whole(session, report, dry_run=options.dry_run),
            scratch.file() as spool,
        ):
            work.run(path, spool, progress or Silent())
    except TooStrict as error:
        raise ImportFailed(str(error), result(tally)) from None
    except (FileError, Invalid) as error:
        code = error.code if isinstance(error, FileError) else "zip_invalid"
        report.add(code, "", error.detail)
        raise ImportFailed(error.detail, result(Tally(task="instances"))) from None
    found = result(tally, done=not options.dry_run)
    return found | {"outcome": outcome_of(found, errors=report.errors)}


class _MaskImport:
    """One import of mask images, step by step."""

    def __init__(
        self,
        session: Session,
        dataset_id: int,
        user_id: int,
        scratch: Scratch,
        settings: Settings,
        options: MaskOptions,
        report: Report,
        tally: Tally,
    ) -> None:
        self._session = session
        self._dataset_id = dataset_id
        self._user_id = user_id
        self._settings = settings
        self._options = options
        self._report = report
        self._tally = tally
        self._mapping = read_mapping(options.mapping)
        self._ignored = read_ignored(options.ignore)
        self._scratch = scratch
        self._done: set[int] = set()
        self._added: dict[int, int] = {}

    def run(self, path: Path, spool: BinaryIO, progress: Progress) -> None:
        """Everything; what is found goes into the report and the tally."""
        imports.wait_for_turn(self._session, dataset_id=self._dataset_id, progress=progress)
        self._images = Images(self._session, self._dataset_id)
        self._categories = Categories(self._session, self._dataset_id)
        with zips.open_zip(path, max_files=self._settings.max_zip_files) as archive:
            found = list(zips.entries(archive))
            if not found:
                raise FileError("zip_invalid", "The zip holds no pictures.")
            allowance = zips.Allowance(self._settings.max_upload_mb * 1_000_000)
            for number, entry in enumerate(found):
                progress.tell(number, len(found), "Reading mask images.")
                self._one(archive, entry, allowance, spool)
        progress.tell(len(found), len(found), "Saving.")
        self._save(spool)
        live.dataset_changed(self._session, self._dataset_id)

    def _one(
        self,
        archive: zipfile.ZipFile,
        entry: zipfile.ZipInfo,
        allowance: zips.Allowance,
        spool: BinaryIO,
    ) -> None:
        name = entry.filename
        try:
            name = zips.entry_name(entry)
            image = self._find(name)
            with self._unpacked(archive, entry, allowance) as file:
                picture = label_images.read(file, max_pixels=self._settings.max_image_pixels)
            rows = list(self._rows(name, picture, image))
        except (LabelError, Invalid) as error:
            if error.code == "zip_too_large":
                raise FileError("zip_invalid", error.detail) from None
            code = error.code if isinstance(error, LabelError) else "mask_image_unreadable"
            self._report.add(code, values.shown_name(name)[:300], error.detail)
            return
        self._done.add(image.id)
        self._categories.use(row.category for row in rows)
        self._tally.images["unchanged"] += 1
        for row in self._unknown(image, rows):
            spool.write(msgspec.json.encode(row) + b"\n")
            self._added[image.id] = self._added.get(image.id, 0) + 1

    @contextmanager
    def _unpacked(
        self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, allowance: zips.Allowance
    ) -> Iterator[BinaryIO]:
        with self._scratch.file() as file:
            for piece in zips.unpack(archive, entry, allowance):
                file.write(piece)
            file.seek(0)
            yield file

    def _find(self, name: str) -> TargetImage:
        image = self._images.find(stem_of(values.match_name(name), self._options.suffix))
        if image.id in self._done:
            told = f"{image.file_name!r:.200} had its picture already."
            raise LabelError("mask_image_duplicate", told)
        return image

    # From a picture to annotations ---------------------------------------------------------------

    def _rows(self, name: str, picture: LabelImage, image: TargetImage) -> Iterator[_Row]:
        height, width = picture.labels.shape
        if (height, width) != (image.height, image.width):
            told = f"It is {width} x {height} pixels, the image {image.width} x {image.height}."
            raise LabelError("mask_image_size", told)
        labels, batch = masks.encode_labels(picture.labels)
        if len(labels) > _MOST_VALUES:
            told = f"It has {len(labels):,} values, and at most {_MOST_VALUES:,} are taken."
            raise LabelError("mask_values_many", told)
        meant = [
            self._category(name, picture.value(label), int(masks.area(batch[place])[0]))
            if label != label_images.NOTHING
            else None
            for place, label in enumerate(labels.tolist())
        ]
        chosen = [place for place, category in enumerate(meant) if category is not None]
        drawn, owners = batch[chosen], list(range(len(chosen)))
        if self._options.parts != "none":
            found, drawn = masks.components(drawn, int(self._options.parts))
            owners = found.tolist()
        is_traced = self._options.outline == "polygons"
        too_ragged = is_traced and int(drawn.runs.sum()) > MAX_TRACED_RUNS
        if len(drawn) > _MOST_PARTS or too_ragged:
            told = f"There are {len(drawn):,} parts with {int(drawn.runs.sum()):,} runs."
            raise LabelError("mask_parts_many", told)
        for owner, record in zip(owners, self._geometry(drawn), strict=True):
            category = meant[chosen[owner]]
            if category is not None:
                yield self._row(image, category, *record)

    def _category(self, name: str, value: Value, area: int) -> Known | None:
        """The category of a value; None when it is to be left out."""
        if value.key in self._ignored and not self._is_mapped(name, value):
            return None
        target = self._mapping.target(PurePosixPath(name).stem, value.key)
        if target is None:
            return None
        if target is UNMAPPED:
            if self._mapping:
                told = f"{area:,} pixels have the value {value.key}."
                self._reject("mask_value_unmapped", name, told, value)
                return None
            return self._categories.of_value(value)
        found = self._categories.named(target, value.color)
        if found is None:
            self._reject("mask_category_unknown", name, f"No category has the id {target}.", value)
        return found

    def _is_mapped(self, name: str, value: Value) -> bool:
        return self._mapping.target(PurePosixPath(name).stem, value.key) is not UNMAPPED

    def _reject(self, code: str, name: str, told: str, value: Value) -> None:
        self._report.add(code, values.shown_name(name)[:300], told, id=value.key)
        self._tally.annotations["rejected"] += 1

    def _geometry(self, drawn: Masks) -> Iterator[tuple[str, int, list[float]]]:
        """Segmentation, area and box of each mask."""
        areas, boxes = masks.area(drawn).tolist(), masks.bbox(drawn).tolist()
        shapes: Sequence[Any]
        if self._options.outline == "polygons":
            # Holes are joined to what is around them, so the polygons alone say everything.
            shapes = [outline.polygons for outline in masks.to_polygons(drawn)]
        else:
            shapes = masks.to_dicts(drawn)
        for shape, area, box in zip(shapes, areas, boxes, strict=True):
            yield rawjson.dumps(shape), area, box

    def _row(
        self, image: TargetImage, category: Known, segmentation: str, area: int, box: list[float]
    ) -> _Row:
        record = {
            "image_id": image.coco_id,
            "category_id": category.coco_id,
            "segmentation": segmentation,
            "area": str(area),
            "bbox": rawjson.dumps([int(number) for number in box]),
            "iscrowd": "0",
        }
        return _Row(image.id, category.id, rawjson.join(record), area, box)

    def _unknown(self, image: TargetImage, rows: Sequence[_Row]) -> Iterator[_Row]:
        """The rows that the image does not have."""
        query = select(Annotation.category_id, Annotation.record).where(
            Annotation.image_id == image.id, Annotation.deleted_at.is_(None)
        )
        present = {
            (category, rawjson.members(record).get("segmentation"))
            for category, record in self._session.execute(query)
        }
        for row in rows:
            if (row.category, rawjson.members(row.record)["segmentation"]) in present:
                self._tally.annotations["unchanged"] += 1
            else:
                yield row

    # The end -------------------------------------------------------------------------------------

    def _save(self, spool: BinaryIO) -> None:
        """Lock images, make categories, take ids, and write the annotations."""
        locked = finish.lock_images(self._session, self._added)
        # What was deleted meanwhile gets no annotations.
        added = {key: number for key, number in self._added.items() if key in locked}
        number = sum(added.values())
        self._tally.annotations["created"] = number
        if not number:
            return
        made = self._categories.make(self._session, self._dataset_id)
        self._tally.categories["created"] = len(made)
        self._tally.categories["unchanged"] = len(self._categories.used) - len(made)
        first = datasets.take_coco_ids(
            self._session, dataset_id=self._dataset_id, kind="annotation", count=number
        )
        spool.seek(0)
        decoder = msgspec.json.Decoder(_Row)
        rows = (row for line in spool if (row := decoder.decode(line)).image in locked)
        fields = (self._fields(row, coco_id, made) for coco_id, row in enumerate(rows, start=first))
        bulk.copy(self._session, "annotations", _COLUMNS, fields)
        finish.count_added(self._session, self._dataset_id, locked, added)

    def _fields(self, row: _Row, coco_id: int, made: Mapping[int, Known]) -> list[str]:
        user, record = str(self._user_id), f'{{"id":{coco_id},{row.record[1:]}'
        if row.category in made:
            new = made[row.category]
            row.category = new.id
            record = rawjson.replace(record, raw={"category_id": new.coco_id})
        return [
            str(self._dataset_id),
            str(row.image),
            "instances",
            str(row.category),
            bulk.coco_id(coco_id),
            bulk.quoted(record),
            str(float(row.area)),
            bulk.array(row.bbox),
            "f",
            user,
            user,
        ]
