"""The annotations of a file in a dataset: new ones, the same ones, and changed ones.

An annotation is the same when its id is and its image is. What a file brought may be changed by
the next file; what a person edited or deleted here stays, and the report says so. An annotation
whose present state came from a file has no ``updated_by``; one that was made here has had one from
its first version on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.formats.coco import rawjson, values
from app.formats.records import AnnotationRecord, Report
from app.services import bulk, import_records
from app.services.import_images import Match
from app.services.import_tally import Tally

__all__ = ["AnnotationImport"]

_COLUMNS = (
    "dataset_id",
    "image_id",
    "category_id",
    "coco_id",
    "record",
    "shape",
    "area",
    "bbox",
    "iscrowd",
    "created_by",
)
_CHANGE_COLUMNS = (
    "annotation_id",
    "version",
    "category_id",
    "record",
    "shape",
    "area",
    "bbox",
    "iscrowd",
)
_CHANGES = """
    create temporary table if not exists import_changes (
        annotation_id bigint, version bigint, category_id bigint, record text, shape text,
        area double precision, bbox double precision[], iscrowd boolean
    ) on commit drop
"""
# The newest state and, from the history, whether the first one was made here.
_FIND = """
    select annotation.id, annotation.image_id, annotation.coco_id, annotation.version,
           annotation.record, annotation.deleted_at is not null as deleted,
           annotation.updated_by is not null as edited,
           case when annotation.version = 1 then annotation.updated_by is not null
                else first.author_id is not null end as made_here
    from annotations annotation
    left join annotation_versions first
      on first.annotation_id = annotation.id and first.version = 1 and annotation.version > 1
    where annotation.dataset_id = :dataset and annotation.id < :before
"""
_WITH_IDS = _FIND + " and annotation.coco_id = any(cast(:ids as jsonb[])) order by annotation.id"
_ON_IMAGES = _FIND + " and annotation.image_id = any(:images) order by annotation.id"


@dataclass(slots=True)
class _Present:
    """An annotation of the dataset; `used` once a record of the file is this one."""

    id: int
    image_id: int
    coco_id: Any
    version: int
    record: str
    deleted: bool
    edited: bool
    made_here: bool
    used: bool = False


class AnnotationImport:
    """Takes batches of annotation records in; `finish` writes what had to wait for the end."""

    def __init__(
        self,
        session: Session,
        *,
        dataset_id: int,
        user_id: int | None,
        matches: Sequence[Match],
        categories: Sequence[int],
        report: Report,
        tally: Tally,
    ) -> None:
        self._session = session
        self._dataset_id = dataset_id
        self._user = "" if user_id is None else str(user_id)
        self._matches = matches
        self._categories = categories
        self._report = report
        self._tally = tally
        # References to images that another file described are written with that file's id.
        self._image_ids = {
            match.record.index: rawjson.members(match.found.record or "{}")["id"]
            for match in matches
            if match.joins and match.found is not None
        }
        self._before = bulk.take_keys(session, "annotations", 1)[0]
        found = text("select exists (select from annotations where dataset_id = :dataset)")
        self._any = bool(session.scalar(found, {"dataset": dataset_id}))
        self.without_id: list[AnnotationRecord] = []
        self._used: set[int] = set()
        # Annotations made here whose id an imported one has; image and number of new ones.
        self.displaced: set[int] = set()
        self.added: dict[int, int] = {}
        self.changed = False
        self.highest_id = 0

    def add(self, batch: list[AnnotationRecord]) -> None:
        """Import one batch."""
        with_id = []
        for record in batch:
            if record.image in self._image_ids:
                ids = {"image_id": self._image_ids[record.image]}
                record.text = rawjson.replace(record.text, raw=ids)
            if record.has_id:
                with_id.append(record)
            else:
                self.without_id.append(record)
        highest = values.highest_id(record.coco_id for record in with_id)
        self.highest_id = max(self.highest_id, highest)
        new = list(self._unknown(with_id)) if self._any else with_id
        self._create(new)

    def _create(self, records: Iterable[AnnotationRecord]) -> None:
        records = list(records)
        bulk.copy(self._session, "annotations", _COLUMNS, map(self._row, records))
        for record in records:
            key = self._matches[record.image].id
            self.added[key] = self.added.get(key, 0) + 1
        self._tally.annotations["created"] += len(records)

    def _row(self, record: AnnotationRecord) -> list[str]:
        return [
            str(self._dataset_id),
            str(self._matches[record.image].id),
            str(self._categories[record.category]),
            bulk.coco_id(record.coco_id),
            *_content(record),
            self._user,
        ]

    # What is there already ---------------------------------------------------------------------

    def _unknown(self, records: list[AnnotationRecord]) -> Iterator[AnnotationRecord]:
        """The records that the dataset does not have; the others are compared with what it has."""
        ids = [rawjson.dumps(record.coco_id) for record in records]
        present: dict[Any, list[_Present]] = {}
        for found in self._find(_WITH_IDS, ids=ids):
            present.setdefault(values.id_key(found.coco_id), []).append(found)
        changes = []
        for record in records:
            candidates = present.get(values.id_key(record.coco_id), [])
            same = self._same(record, candidates)
            if same is None:
                self._note_taken(record, candidates)
                yield record
            elif self._is_change(record, same):
                changes.append((same, record))
        self._spool(changes)

    def _find(self, query: str, **values: Any) -> list[_Present]:
        parameters = {"dataset": self._dataset_id, "before": self._before, **values}
        rows = self._session.execute(text(query), parameters)
        found = [_Present(*row) for row in rows]
        for present in found:
            present.used = present.id in self._used
        return found

    def _same(self, record: AnnotationRecord, candidates: list[_Present]) -> _Present | None:
        """The annotation that this record is, equal ones first; each is found once."""
        image_id = self._matches[record.image].id
        here = [c for c in candidates if c.image_id == image_id and not c.used]
        equal = next((c for c in here if import_records.contains(c.record, record.text)), None)
        imported = next((c for c in here if not c.made_here), None)
        same = equal or imported
        if same is not None:
            same.used = True
            self._used.add(same.id)
            if same is equal:
                self._note_deleted(record, same)
                self._tally.annotations["unchanged"] += 1
        return same

    def _note_deleted(self, record: AnnotationRecord, present: _Present) -> None:
        if present.deleted:
            told = "It was deleted here."
            self._report.add("annotation_deleted", record.path, told, id=record.coco_id)

    def _is_change(self, record: AnnotationRecord, present: _Present) -> bool:
        """Whether the file changes the annotation; notes what speaks against it."""
        if import_records.contains(present.record, record.text):
            return False
        if not present.deleted and not present.edited:
            return True
        if present.deleted:
            self._note_deleted(record, present)
        else:
            told = f"It is at version {present.version} here."
            self._report.add("annotation_edited", record.path, told, id=record.coco_id)
        self._tally.annotations["unchanged"] += 1
        return False

    def _note_taken(self, record: AnnotationRecord, candidates: list[_Present]) -> None:
        """Another annotation has the id: one that was made here gives it up."""
        others = [c for c in candidates if not c.used]
        for other in others:
            if other.made_here:
                other.used = True
                self._used.add(other.id)
                self.displaced.add(other.id)
                told = "An annotation made here had this id."
                self._report.add("annotation_id_changed", record.path, told, id=record.coco_id)
        image_id = self._matches[record.image].id
        if any(not c.made_here and c.image_id != image_id for c in candidates):
            told = "An annotation of another image has this id, too."
            self._report.add("annotation_id_taken", record.path, told, id=record.coco_id)

    def _spool(self, changes: list[tuple[_Present, AnnotationRecord]]) -> None:
        """Keep changes for the end: only then are the rows locked, all in the same order."""
        if not changes:
            return
        self._session.execute(text(_CHANGES))
        self.changed = True
        bulk.copy(
            self._session,
            "import_changes",
            _CHANGE_COLUMNS,
            (self._change_row(present, record) for present, record in changes),
        )

    def _change_row(self, present: _Present, record: AnnotationRecord) -> list[str]:
        _, shape, area, bbox, iscrowd = _content(record)
        if '"segmentation"' not in record.text:
            # A file of keypoints says nothing of the shape: what is there stays.
            shape, area, bbox = "", "", ""
        joined = bulk.quoted(import_records.join(present.record, record.text))
        category = str(self._categories[record.category])
        return [str(present.id), str(present.version), category, joined, shape, area, bbox, iscrowd]

    # The end -----------------------------------------------------------------------------------

    def find_without_id(self) -> None:
        """Find the records without an id that were imported before, by what they say."""
        if not self._any or not self.without_id:
            return
        waiting: dict[int, list[_Present]] = {}
        for found in self._find(_ON_IMAGES, images=sorted(self.images_without_id)):
            waiting.setdefault(found.image_id, []).append(found)
        new = []
        for record in self.without_id:
            here = waiting.get(self._matches[record.image].id, [])
            if self._same(record, [c for c in here if _is_twin(c, record)]) is None:
                new.append(record)
        self.without_id = new

    @property
    def images_without_id(self) -> set[int]:
        """The images of the records that have no id."""
        return {self._matches[record.image].id for record in self.without_id}

    def create_without_id(self, first_id: int) -> None:
        """Import the records that have no id, counting from `first_id`."""
        for coco_id, record in enumerate(self.without_id, start=first_id):
            record.coco_id = coco_id
            record.text = rawjson.replace(record.text, {"id": coco_id})
        self._create(self.without_id)


def _is_twin(present: _Present, record: AnnotationRecord) -> bool:
    return not present.made_here and import_records.contains(present.record, record.text)


def _content(record: AnnotationRecord) -> list[str]:
    """Record, shape, area, box and crowd as fields."""
    return [
        bulk.quoted(record.text),
        bulk.quoted(record.shape),
        repr(record.area),
        bulk.array(record.bbox),
        "t" if record.iscrowd else "f",
    ]
