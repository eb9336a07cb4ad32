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
from app.formats.records import ID_SPACES, AnnotationRecord, FrameRecord, Report
from app.services import bulk
from app.services.imports import records as import_records
from app.services.imports.images import Match
from app.services.imports.panoptic import import_frames
from app.services.imports.records import Kept
from app.services.imports.tally import Tally

__all__ = ["AnnotationImport"]

_COLUMNS = (
    "dataset_id",
    "image_id",
    "task",
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
    "place",
    "category_id",
    "record",
    "variants",
    "shape",
    "area",
    "bbox",
    "iscrowd",
)
# A row without a record only lists the annotation; one without a place only changes it.
_CHANGES = """
    create temporary table if not exists import_changes (
        annotation_id bigint, version bigint, place bigint, category_id bigint, record text,
        variants text, shape text, area double precision, bbox double precision[], iscrowd boolean
    ) on commit drop
"""
# The newest state and, from the history, the first one: what a file said or who made it.
_FIND = """
    select annotation.id, annotation.image_id, annotation.coco_id, annotation.version,
           annotation.record, annotation.variants, annotation.category_id, annotation.task,
           array(
               select task from annotation_tasks listed where listed.annotation_id = annotation.id
           ) as tasks,
           coalesce(first.record, annotation.record) as first_record,
           case when first.version is null then annotation.category_id
                else first.category_id end as first_category_id,
           annotation.deleted_at is not null as deleted,
           annotation.updated_by is not null as edited,
           case when annotation.version = 1 then annotation.updated_by is not null
                else first.author_id is not null end as made_here
    from annotations annotation
    left join annotation_versions first
      on first.annotation_id = annotation.id and first.version = 1 and annotation.version > 1
    where annotation.dataset_id = :dataset and annotation.id < :before
      and annotation.task = any(:space)
"""
_WITH_IDS = _FIND + " and annotation.coco_id = any(cast(:ids as jsonb[])) order by annotation.id"
_ON_IMAGES = _FIND + " and annotation.image_id = any(:images) order by annotation.id"
# Boxes are often rounded to two decimals.
_BOX_TOLERANCE = 0.0051


@dataclass(slots=True)
class _Present:
    """An annotation of the dataset; `used` once a record of the file is this one, and `equal`
    when it says what that record says."""

    id: int
    image_id: int
    coco_id: Any
    version: int
    record: str
    variants: str | None
    category_id: int | None
    task: str
    other_tasks: list[str]
    first_record: str
    first_category_id: int | None
    deleted: bool
    edited: bool
    made_here: bool
    used: bool = False
    equal: bool = False

    @property
    def kept(self) -> Kept:
        return Kept(self.record, self.variants, (self.task, *self.other_tasks))


class AnnotationImport:
    """Takes batches of annotation records in, and says what has to be written at the end.

    New ones are on their way into the table while the next batch is read: the session is nobody
    else's until `wait`.
    """

    def __init__(
        self,
        session: Session,
        *,
        dataset_id: int,
        task: str,
        user_id: int | None,
        matches: Sequence[Match],
        categories: Sequence[int],
        report: Report,
        tally: Tally,
    ) -> None:
        self._rows = bulk.CopyBehind(session)
        self._dataset_id = dataset_id
        self.task = task
        self._space = next((list(space) for space in ID_SPACES if task in space), [task])
        # The ids of panoptic segments are the colours in their image's PNG.
        self._ids_per_image = task == "panoptic"
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

    @property
    def _session(self) -> Session:
        return self._rows.session

    def wait(self) -> None:
        """Come back when all that was added is in the table."""
        self._rows.wait()

    def add(self, batch: list[AnnotationRecord], frames: Sequence[FrameRecord] = ()) -> None:
        """Import one batch, and what a panoptic file says of the images that it is of."""
        with_id = []
        for record in batch:
            if record.image in self._image_ids:
                ids = {"image_id": self._image_ids[record.image]}
                record.text = rawjson.replace(record.text, raw=ids)
            if record.has_id:
                with_id.append(record)
            else:
                self.without_id.append(record)
        if not self._ids_per_image:
            highest = values.highest_id(record.coco_id for record in with_id)
            self.highest_id = max(self.highest_id, highest)
        if frames:
            import_frames(
                self._session, dataset_id=self._dataset_id, records=frames, matches=self._matches
            )
        if not self._any:
            self._create(with_id)
            return
        # Keys in the order of the file, for new ones and for places of those that are found.
        places = bulk.take_keys(self._session, "annotations", len(with_id))
        new = list(self._unknown(with_id, places))
        self._create([record for record, _ in new], [place for _, place in new])

    def _create(
        self, records: Sequence[AnnotationRecord], keys: Sequence[int] | None = None
    ) -> None:
        rows: Iterable[list[str]] = map(self._row, records)
        if keys is None:
            self._rows.copy("annotations", _COLUMNS, rows)
        else:
            with_keys = ([str(key), *row] for key, row in zip(keys, rows, strict=True))
            self._rows.copy("annotations", ("id", *_COLUMNS), with_keys)
        for record in records:
            key = self._matches[record.image].id
            self.added[key] = self.added.get(key, 0) + 1
        self._tally.annotations["created"] += len(records)

    def _row(self, record: AnnotationRecord) -> list[str]:
        return [
            str(self._dataset_id),
            str(self._matches[record.image].id),
            self.task,
            self._category(record),
            bulk.coco_id(record.coco_id),
            *_content(record),
            self._user,
        ]

    def _category(self, record: AnnotationRecord) -> str:
        return "" if record.category is None else str(self._categories[record.category])

    # What is there already ---------------------------------------------------------------------

    def _unknown(
        self, records: list[AnnotationRecord], places: Sequence[int]
    ) -> Iterator[tuple[AnnotationRecord, int]]:
        """The records that the dataset does not have; the others are compared with what it has."""
        present: dict[Any, list[_Present]] = {}
        for found in self._candidates(records):
            present.setdefault(values.id_key(found.coco_id), []).append(found)
        changes = []
        for record, place in zip(records, places, strict=True):
            candidates = present.get(values.id_key(record.coco_id), [])
            same = self._same(record, candidates)
            if same is None:
                self._note_taken(record, candidates)
                yield record, place
                continue
            change = self._change(record, same, place)
            if change is not None:
                changes.append(change)
        self._spool(changes)

    def _candidates(self, records: list[AnnotationRecord]) -> list[_Present]:
        """What the dataset has with the ids of the records."""
        if self._ids_per_image:
            # The same few ids may be on every image.
            return self._find(_ON_IMAGES, images=sorted(self._image_keys(records)))
        return self._find(_WITH_IDS, ids=[rawjson.dumps(record.coco_id) for record in records])

    def _image_keys(self, records: Iterable[AnnotationRecord]) -> set[int]:
        return {self._matches[record.image].id for record in records}

    def _find(self, query: str, **values: Any) -> list[_Present]:
        parameters = {"dataset": self._dataset_id, "before": self._before, "space": self._space}
        rows = self._session.execute(text(query), parameters | values)
        found = [_Present(*row) for row in rows]
        for present in found:
            present.used = present.id in self._used
        return found

    def _same(self, record: AnnotationRecord, candidates: list[_Present]) -> _Present | None:
        """The annotation that this record is, equal ones first; each is found once."""
        image_id = self._matches[record.image].id
        here = [c for c in candidates if c.image_id == image_id and not c.used]
        equal = next((c for c in here if self._says(c, record)), None)
        imported = (c for c in here if not c.made_here and self._fits(c, record))
        same = equal or next(imported, None)
        if same is not None:
            same.used, same.equal = True, same is equal
            self._used.add(same.id)
        return same

    def _says(self, present: _Present, record: AnnotationRecord) -> bool:
        return import_records.contains(present.kept.text(self.task), record.text)

    def _fits(self, present: _Present, record: AnnotationRecord) -> bool:
        """Whether an annotation with the record's id on its image is the same object.

        A file says what it likes about its own; what another task's file brought is the same when
        it had the same category and box then.
        """
        if self.task in present.kept.tasks:
            return True
        if self._category(record) != str(present.first_category_id or ""):
            return False
        first, new = rawjson.decode(present.first_record), rawjson.decode(record.text)
        if first.get("bbox") and new.get("bbox"):
            return import_records.near(first["bbox"], new["bbox"], _BOX_TOLERANCE)
        if first.get("segmentation") and new.get("segmentation"):
            return bool(first["segmentation"] == new["segmentation"])
        return True

    def _change(self, record: AnnotationRecord, present: _Present, place: int) -> list[str] | None:
        """What the file changes of an annotation, as a row; notes what speaks against it."""
        listed = self.task in present.kept.tasks
        if present.deleted:
            told = "It was deleted here."
            self._report.add("annotation_deleted", record.path, told, id=record.coco_id)
        elif listed and present.equal:
            pass
        elif listed and present.edited:
            self._note_edited(record, present)
        else:
            return self._change_row(record, present, "" if listed else str(place))
        self._tally.annotations["unchanged"] += 1
        return None

    def _note_edited(self, record: AnnotationRecord, present: _Present) -> None:
        told = f"It is at version {present.version} here."
        self._report.add("annotation_edited", record.path, told, id=record.coco_id)

    def _change_row(self, record: AnnotationRecord, present: _Present, place: str) -> list[str]:
        new = record.text
        if present.edited:
            new = self._as_edited(record, present)
        leads = present.task == self.task
        merged = import_records.merge(present.kept, self.task, new, leads=leads)
        if merged.differing:
            told = f"{', '.join(merged.differing)} differ from what the dataset has."
            self._report.add("annotation_differs", record.path, told, id=record.coco_id)
        key, version = str(present.id), str(present.version)
        if not merged.changed and merged.variants == present.variants:
            return [key, version, place, *[""] * (len(_CHANGE_COLUMNS) - 3)]
        _, shape, area, bbox, iscrowd = _content(record)
        is_drawn = leads and '"segmentation"' in record.text
        if not is_drawn and not merged.changed & {"segmentation", "bbox"}:
            # A file of keypoints says nothing of the shape: what is there stays.
            shape, area, bbox = "", "", ""
        if not leads and "iscrowd" not in merged.changed:
            iscrowd = ""
        category = self._category(record) if leads else ""
        texts = bulk.quoted(merged.record), bulk.quoted(merged.variants)
        return [key, version, place, category, *texts, shape, area, bbox, iscrowd]

    def _as_edited(self, record: AnnotationRecord, present: _Present) -> str:
        """The record of another task's file with what was edited here since."""
        edited = set(import_records.differing(present.first_record, present.record))
        names = edited.intersection(import_records.differing(present.record, record.text))
        if not names:
            return record.text
        self._note_edited(record, present)
        parts = rawjson.members(present.record)
        return rawjson.replace(record.text, raw={name: parts[name] for name in names})

    def _note_taken(self, record: AnnotationRecord, candidates: list[_Present]) -> None:
        """Another annotation has the id: one that was made here gives it up."""
        image_id = self._matches[record.image].id
        if self._ids_per_image:
            candidates = [c for c in candidates if c.image_id == image_id]
        others = [c for c in candidates if not c.used]
        for other in others:
            if other.made_here:
                other.used = True
                self._used.add(other.id)
                self.displaced.add(other.id)
                told = "An annotation made here had this id."
                self._report.add("annotation_id_changed", record.path, told, id=record.coco_id)
        imported = [c for c in candidates if not c.made_here]
        if any(c.image_id != image_id for c in imported):
            told = "An annotation of another image has this id, too."
            self._report.add("annotation_id_taken", record.path, told, id=record.coco_id)
        here = [c for c in imported if c.image_id == image_id and not c.used]
        if any(self.task not in c.kept.tasks for c in here):
            told = "It has another category or another place in the image."
            self._report.add("annotation_task_taken", record.path, told, id=record.coco_id)

    def _spool(self, changes: list[list[str]]) -> None:
        """Keep changes for the end: only then are the rows locked, all in the same order."""
        if not changes:
            return
        self._session.execute(text(_CHANGES))
        self.changed = True
        bulk.copy(self._session, "import_changes", _CHANGE_COLUMNS, changes)

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
            same = self._same(record, [c for c in here if self._is_twin(c, record)])
            if same is None:
                new.append(record)
            else:
                # It says the same, so this only counts it.
                self._change(record, same, place=0)
        self.without_id = new

    def _is_twin(self, present: _Present, record: AnnotationRecord) -> bool:
        listed = self.task in present.kept.tasks
        return listed and not present.made_here and self._says(present, record)

    @property
    def images_without_id(self) -> set[int]:
        """The images of the records that have no id."""
        return self._image_keys(self.without_id)

    def create_without_id(self, first_id: int) -> None:
        """Import the records that have no id, counting from `first_id`."""
        for coco_id, record in enumerate(self.without_id, start=first_id):
            record.coco_id = coco_id
            record.text = rawjson.replace(record.text, {"id": coco_id})
        self._create(self.without_id)
        self.wait()


def _content(record: AnnotationRecord) -> list[str]:
    """Record, shape, area, box and crowd as fields."""
    return [
        bulk.quoted(record.text),
        bulk.quoted(record.shape),
        repr(record.area),
        bulk.array(record.bbox),
        "t" if record.iscrowd else "f",
    ]
