"""The end of an import: what changes rows that others may be working on.

Locks are taken in the order in which every change takes them: images (by id), their annotations,
the dataset, its counters.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from sqlalchemy import ColumnElement, Row, select, text
from sqlalchemy.orm import Session

from app.formats.coco import rawjson, values, variants, writer
from app.formats.records import Head, Report
from app.models import Annotation, AnnotationVersion, DatasetTask, Image
from app.services.datasets import counts, datasets
from app.services.imports.annotations import AnnotationImport
from app.services.imports.images import IdChanges, Match
from app.services.imports.tally import Tally

__all__ = ["Locked", "count_added", "finish", "lock_images"]

# Rows are locked by now, and may have changed since they were loaded.
_FRESH: dict[str, Any] = {"populate_existing": True}
_LOCK_IMAGES = """
    select id, status, annotation_count from images
    where id = any(:ids) order by id for no key update
"""
_CHANGED_IMAGES = """
    select distinct annotation.image_id from annotations annotation
    join import_changes change on change.annotation_id = annotation.id
"""
# Both halves look for the version that the change was made from: what a person changed since then
# is left alone.
_APPLY_CHANGES = """
    with present as (
        select annotation.* from annotations annotation
        join import_changes change
          on change.annotation_id = annotation.id and change.version = annotation.version
        where change.record is not null and annotation.deleted_at is null
        order by annotation.id for no key update of annotation
    ), archived as (
        insert into annotation_versions
            (annotation_id, version, record, variants, shape, category_id, area, bbox, iscrowd,
             deleted, author_id, created_at)
        select id, version, record, variants, shape, category_id, area, bbox, iscrowd,
               false, updated_by, updated_at
        from present
    )
    update annotations annotation
    set record = change.record, variants = change.variants,
        category_id = coalesce(change.category_id, annotation.category_id),
        iscrowd = coalesce(change.iscrowd, annotation.iscrowd),
        shape = case when change.area is null then annotation.shape else change.shape end,
        area = coalesce(change.area, annotation.area),
        bbox = coalesce(change.bbox, annotation.bbox),
        version = annotation.version + 1, updated_at = clock_timestamp()
    from import_changes change, present
    where annotation.id = present.id and change.annotation_id = present.id
    returning annotation.id
"""
_LATE_CONFLICTS = """
    select annotation.id, annotation.coco_id from annotations annotation
    join import_changes change on change.annotation_id = annotation.id
    where change.record is not null and not annotation.id = any(:changed)
"""
_LIST = """
    insert into annotation_tasks (dataset_id, task, place, annotation_id)
    select annotation.dataset_id, :task, change.place, annotation.id
    from import_changes change join annotations annotation on annotation.id = change.annotation_id
    where change.place is not null order by change.place
    returning annotation_id
"""
_RAISE_IDS = """
    update datasets
    set next_image_coco_id = greatest(next_image_coco_id, :image + 1),
        next_annotation_coco_id = greatest(next_annotation_coco_id, :annotation + 1)
    where id = :dataset
"""
_COUNT = """
    update images
    set annotation_count = annotation_count + added.number, revision = revision + 1,
        status = case when status = 'empty' and added.number > 0 then 'in_progress'
                      else status end
    from unnest(cast(:ids as bigint[]), cast(:numbers as bigint[])) added (id, number)
    where images.id = added.id
"""
# New rows from which on PostgreSQL's idea of the tables is too old to go by.
_MANY = 10_000
# Rough figures, of a tenth of the rows that it looks at by itself, tell a large table from none.
_ANALYZE = """
    set local default_statistics_target = 10;
    analyze (skip_locked)
        annotations (id, dataset_id, image_id, category_id, task, deleted_at, updated_by),
        images (id, dataset_id, subset, status),
        image_tasks
"""


Locked = Mapping[int, Row[Any]]
"""Status and count of the locked images, by primary key."""


def finish(
    session: Session,
    *,
    dataset_id: int,
    head: Head,
    matches: Sequence[Match],
    annotations: AnnotationImport,
    changes: IdChanges,
    report: Report,
    tally: Tally,
) -> None:
    """Write changes of what was there before, ids that move, and every count."""
    new_images = {match.id for match in matches if match.found is None and match.id}
    annotations.find_without_id()
    locked = _lock(session, annotations, changes, new_images)
    if annotations.changed:
        _apply_changes(session, annotations.task, report, tally)
    _raise_ids(session, dataset_id, matches, annotations)
    for image_id, coco_id in changes.adopted.items():
        _point_at(session, image_id, coco_id)
    _move_ids(session, dataset_id, annotations, changes)
    _save_envelope(session, dataset_id, head, report)
    count_added(session, dataset_id, locked, annotations.added, new_images)


def _lock(
    session: Session, annotations: AnnotationImport, changes: IdChanges, new_images: set[int]
) -> Locked:
    wanted = set(annotations.added) | annotations.images_without_id
    wanted |= set(changes.adopted) | {image.id for image in changes.displaced}
    if annotations.changed:
        wanted |= set(session.scalars(text(_CHANGED_IMAGES)))
    if annotations.displaced:
        query = text("select distinct image_id from annotations where id = any(:ids)")
        wanted |= set(session.scalars(query, {"ids": sorted(annotations.displaced)}))
    return lock_images(session, wanted - new_images)


def lock_images(session: Session, ids: Iterable[int]) -> Locked:
    """Lock these images, in the order in which everybody does."""
    rows = session.execute(text(_LOCK_IMAGES), {"ids": sorted(ids)})
    return {row.id: row for row in rows}


def _apply_changes(session: Session, task: str, report: Report, tally: Tally) -> None:
    changed = list(session.scalars(text(_APPLY_CHANGES)))
    listed = set(session.scalars(text(_LIST), {"task": task}))
    tally.annotations["updated"] += len(listed.union(changed))
    for key, coco_id in session.execute(text(_LATE_CONFLICTS), {"changed": changed}):
        tally.annotations["unchanged"] += key not in listed
        report.add("annotation_edited", "annotations", "It was edited just now.", id=coco_id)
    session.execute(text("drop table import_changes"))


def _raise_ids(
    session: Session, dataset_id: int, matches: Sequence[Match], annotations: AnnotationImport
) -> None:
    """Have ids given here start above every id of the file; the dataset is locked from now on."""
    highest = {
        "image": values.highest_id(match.record.coco_id for match in matches),
        "annotation": annotations.highest_id,
    }
    session.execute(text(_RAISE_IDS), {"dataset": dataset_id, **highest})


def _move_ids(
    session: Session, dataset_id: int, annotations: AnnotationImport, changes: IdChanges
) -> None:
    """New ids for what made way for the file's, and for annotations that had none."""
    if changes.displaced:
        first = datasets.take_coco_ids(
            session, dataset_id=dataset_id, kind="image", count=len(changes.displaced)
        )
        for coco_id, image in enumerate(changes.displaced, start=first):
            session.get_one(Image, image.id, **_FRESH).coco_id = coco_id
            _point_at(session, image.id, str(coco_id))
    wanted = len(annotations.displaced) + len(annotations.without_id)
    if not wanted:
        return
    first = datasets.take_coco_ids(session, dataset_id=dataset_id, kind="annotation", count=wanted)
    for coco_id, key in enumerate(sorted(annotations.displaced), start=first):
        session.get_one(Annotation, key, **_FRESH).coco_id = coco_id
        _rewrite(session, Annotation.id == key, {"id": str(coco_id)})
    annotations.create_without_id(first + len(annotations.displaced))


def _point_at(session: Session, image_id: int, coco_id: str) -> None:
    """Have the annotations of an image name it by its new id."""
    _rewrite(session, Annotation.image_id == image_id, {"image_id": coco_id})


def _rewrite(session: Session, chosen: ColumnElement[bool], raw: Mapping[str, str]) -> None:
    """Replace members in the records of some annotations, and in their history."""
    versions = select(AnnotationVersion).join(
        Annotation, Annotation.id == AnnotationVersion.annotation_id
    )
    rows: list[Annotation | AnnotationVersion] = [
        *session.scalars(select(Annotation).where(chosen).execution_options(**_FRESH)),
        *session.scalars(versions.where(chosen).execution_options(**_FRESH)),
    ]
    for row in rows:
        before, row.record = row.record, rawjson.replace(row.record, raw=raw)
        row.variants = variants.follow(row.variants, before, row.record)
    session.flush()


def _save_envelope(session: Session, dataset_id: int, head: Head, report: Report) -> None:
    """Keep the file's info, licenses and whatever else stands beside its records."""
    kept = session.get(DatasetTask, (dataset_id, head.task), **_FRESH)
    if kept is None:
        session.add(DatasetTask(dataset_id=dataset_id, task=head.task, envelope=head.envelope))
        session.flush()
        return
    kept.envelope, conflicts = writer.merge_envelopes(kept.envelope, head.envelope)
    for key in conflicts:
        report.add("envelope_conflict", key, f"{key!r:.80} differs from what the dataset has.")


def count_added(
    session: Session,
    dataset_id: int,
    locked: Locked,
    added: Mapping[int, int],
    new_images: Set[int] = frozenset(),
) -> None:
    """Counts of each image, and the dataset's counters; large tables are looked at anew."""
    numbers = dict.fromkeys(locked, 0) | dict(added)
    session.execute(text(_COUNT), {"ids": list(numbers), "numbers": list(numbers.values())})
    totals: dict[str, list[int]] = {"new": [len(new_images), 0]}
    for key, number in numbers.items():
        if key not in locked:
            totals["new"][1] += number
            continue
        status, before = locked[key].status, locked[key].annotation_count
        if status == "empty" and number > 0:
            _add(totals, "empty", -1, -before)
            _add(totals, "in_progress", 1, before + number)
        else:
            _add(totals, status, 0, number)
    for status, (image_number, annotation_number) in sorted(totals.items()):
        counts.add(
            session,
            dataset_id=dataset_id,
            status=status,
            images=image_number,
            annotations=annotation_number,
        )
    if len(new_images) + sum(added.values()) >= _MANY:
        # By itself PostgreSQL does so a minute or more later. Until then it takes what came for a
        # row or two, and an export is sorted on disk before its first byte is sent.
        session.execute(text(_ANALYZE))


def _add(totals: dict[str, list[int]], status: str, images: int, annotations: int) -> None:
    total = totals.setdefault(status, [0, 0])
    total[0] += images
    total[1] += annotations
