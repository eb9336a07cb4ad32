"""Ids for images and categories of files that have none: those of the dataset's, by name.

Formats of folders know images by their paths and categories by their names. An image or a category
of that name in the dataset is the same one; what is new is numbered on. The records then go the way
of all imports. Ids of new images are safe to take, for the import has the dataset's turn, and
nobody else makes images meanwhile.

Placeholders are the other way round: they have an id, and stand for the dataset's image or category
with that id where there is one.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, Text, cast, select
from sqlalchemy.orm import Session

from app.formats.coco import rawjson, values
from app.formats.folders import without_suffix
from app.formats.records import CategoryRecord, Head, ImageRecord, Report
from app.models import Category, Dataset, Image
from app.services.files.names import base_name, share_an_end
from app.services.imports.images import NO_SUBSET

__all__ = ["settle_ids", "settle_placeholders"]


def settle_ids(session: Session, *, dataset_id: int, head: Head) -> None:
    """Set id and record of each image and category of the head."""
    first = select(Dataset.next_image_coco_id).where(Dataset.id == dataset_id)
    _Images(_images(session, dataset_id), session.scalars(first).one()).settle(head.images)
    _settle_categories(session, dataset_id, head.categories)


def settle_placeholders(session: Session, *, dataset_id: int, head: Head, report: Report) -> None:
    """Have placeholders be what the dataset has, and tell of each what became of it."""
    images = [record for record in head.images if record.placeholder]
    rows = _only_ones(_images(session, dataset_id)) if images else {}
    for image in images:
        row = rows.get(values.id_key(image.coco_id))
        _tell(report, "image", image, is_there=row is not None)
        if row is not None:
            image.width = image.height = None
            _take_over(image, row)
    categories = [record for record in head.categories if record.placeholder]
    rows = _only_ones(_categories(session, dataset_id)) if categories else {}
    for category in categories:
        row = rows.get(values.id_key(category.coco_id))
        _tell(report, "category", category, is_there=row is not None)
        if row is not None:
            category.name, category.text = row.name, row.record
            category.keypoints, category.skeleton = row.keypoints, row.skeleton


def _only_ones(rows: Sequence[Row[Any]]) -> dict[Any, Row[Any]]:
    """The rows by their COCO ids, without those of which several have one id."""
    by_id: dict[Any, list[Row[Any]]] = {}
    for row in rows:
        by_id.setdefault(values.id_key(row.coco_id), []).append(row)
    return {key: found[0] for key, found in by_id.items() if len(found) == 1}


def _tell(
    report: Report, kind: str, record: ImageRecord | CategoryRecord, *, is_there: bool
) -> None:
    told = f"There is no {kind} {record.coco_id!r:.60} in the file."
    action = "taken from the dataset" if is_there else None
    report.add(f"{kind}_placeholder", record.path, told, id=record.coco_id, action=action)


def _images(session: Session, dataset_id: int) -> Sequence[Row[Any]]:
    query = select(
        Image.coco_id,
        cast(Image.coco_id, Text).label("id_text"),
        Image.file_name,
        Image.match_name,
        Image.width,
        Image.height,
        Image.subset,
        Image.record,
    )
    return session.execute(query.where(Image.dataset_id == dataset_id).order_by(Image.id)).all()


class _Images:
    """The images of the dataset by their names, each found once."""

    def __init__(self, rows: Sequence[Row[Any]], next_id: int) -> None:
        self._next_id = next_id
        self._by_name: dict[str, list[Row[Any]]] = {}
        self._by_stem: dict[str, list[Row[Any]]] = {}
        for row in rows:
            self._by_name.setdefault(row.match_name, []).append(row)
            stem = base_name(without_suffix(row.match_name))
            self._by_stem.setdefault(stem, []).append(row)

    def settle(self, records: Sequence[ImageRecord]) -> None:
        # All those of equal subsets first: what is left may only then go to one of no subset.
        settled = [self._of_equal_subset(record) for record in records]
        for record, same in zip(records, settled, strict=True):
            found = same or self._of_no_subset(record) or self._without_ending(record)
            if found is None:
                record.coco_id = self._next_id
                record.text = _text(record, str(self._next_id))
                self._next_id += 1
            else:
                _take_over(record, found)

    def _of_equal_subset(self, record: ImageRecord) -> Row[Any] | None:
        subset = record.subset or NO_SUBSET
        return self._taken(record, lambda row: bool(row.subset == subset))

    def _of_no_subset(self, record: ImageRecord) -> Row[Any] | None:
        """An image that is in no subset may be in any, and labels of none may be of any image.

        Names that repeat in each subset, such as numbers of frames, are of different images.
        """
        is_free = record.subset in (None, NO_SUBSET)
        return self._taken(record, lambda row: is_free or row.subset == NO_SUBSET)

    def _taken(self, record: ImageRecord, fits: Callable[[Row[Any]], bool]) -> Row[Any] | None:
        """The first image of the record's name that fits; nobody else gets it."""
        same = self._by_name.get(record.match_name, [])
        place = next((place for place, row in enumerate(same) if fits(row)), None)
        return None if place is None else same.pop(place)

    def _without_ending(self, record: ImageRecord) -> Row[Any] | None:
        """The one image that labels without a picture are of, which tell no ending."""
        if record.width is not None:
            return None
        name = record.match_name
        fitting = [
            row
            for row in self._by_stem.get(base_name(name), [])
            if share_an_end(without_suffix(row.match_name), name)
        ]
        return fitting[0] if len(fitting) == 1 else None


def _text(record: ImageRecord, id_text: str) -> str:
    members: dict[str, Any] = {"file_name": record.file_name}
    if record.width is not None:
        members |= {"width": record.width, "height": record.height}
    return rawjson.replace(f'{{"id":{id_text}}}', members)


def _take_over(record: ImageRecord, found: Row[Any]) -> None:
    """What the dataset says of an image counts; the file adds nothing to it."""
    record.coco_id = found.coco_id
    record.file_name, record.match_name = found.file_name, found.match_name
    if record.width is None:
        record.width, record.height = found.width, found.height
    record.text = found.record or _text(record, found.id_text)


def _categories(session: Session, dataset_id: int) -> Sequence[Row[Any]]:
    query = select(
        Category.coco_id, Category.name, Category.record, Category.keypoints, Category.skeleton
    )
    return session.execute(
        query.where(Category.dataset_id == dataset_id).order_by(Category.id)
    ).all()


def _settle_categories(
    session: Session, dataset_id: int, records: Sequence[CategoryRecord]
) -> None:
    present: dict[str, list[Row[Any]]] = {}
    highest = 0
    for row in _categories(session, dataset_id):
        present.setdefault(row.name, []).append(row)
        highest = max(highest, values.highest_id([row.coco_id]))
    for record in records:
        same = present.get(record.name)
        if not same:
            highest += 1
            record.coco_id = highest
            record.text = rawjson.replace(record.text, {"id": highest})
            continue
        found = same.pop(0)
        record.coco_id = found.coco_id
        kept = rawjson.members(found.record)
        added = {k: v for k, v in rawjson.members(record.text).items() if k not in kept}
        record.text = rawjson.replace(found.record, raw=added)
