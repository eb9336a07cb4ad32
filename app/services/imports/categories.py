"""The categories of a file in a dataset: found by id and name, or made."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.formats.coco import rawjson, values
from app.formats.records import CategoryRecord, Report
from app.models import Category, CategoryTask
from app.services import bulk
from app.services.datasets import palette
from app.services.holding import hold_categories
from app.services.imports import records as import_records
from app.services.imports.records import Kept
from app.services.imports.tally import Tally

__all__ = ["import_categories"]

_COLUMNS = (
    "id",
    "dataset_id",
    "coco_id",
    "name",
    "supercategory",
    "color",
    "isthing",
    "keypoints",
    "skeleton",
    "record",
)
_KEYPOINTS = frozenset({"keypoints", "skeleton"})
_TASK_COLUMNS = ("dataset_id", "task", "place", "category_id")


def import_categories(
    session: Session,
    *,
    dataset_id: int,
    task: str,
    records: list[CategoryRecord],
    report: Report,
    tally: Tally,
) -> list[int]:
    """The primary key of each record's category. New ones keep the file's record verbatim."""
    present = hold_categories(session, dataset_id=dataset_id)
    listed = _tasks(session, dataset_id)
    by_id: dict[Any, list[Category]] = {}
    for category in present:
        by_id.setdefault(values.id_key(category.coco_id), []).append(category)
    names = {category.name: category for category in present}
    places = bulk.take_keys(session, "categories", len(records))
    keys: list[int] = []
    new: list[tuple[int, CategoryRecord]] = []
    for record, place in zip(records, places, strict=True):
        same_id = by_id.get(values.id_key(record.coco_id), [])
        found = next((c for c in same_id if c.name == record.name), None)
        if found is not None:
            # Each is found once: a second one in the file with this id and name is another one.
            same_id.remove(found)
            _join(found, listed.get(found.id, []), task, record, report, tally)
            keys.append(found.id)
            continue
        _note_clashes(record, same_id, names, report)
        keys.append(place)
        new.append((place, record))
    session.flush()
    _create(session, dataset_id, task, new, first_color=len(present))
    bulk.copy(
        session,
        "category_tasks",
        _TASK_COLUMNS,
        (
            [str(dataset_id), task, str(place), str(key)]
            for key, place in zip(keys, places, strict=True)
            if task not in listed.get(key, [])
        ),
    )
    tally.categories["created"] += len(new)
    return keys


def _tasks(session: Session, dataset_id: int) -> dict[int, list[str]]:
    """The tasks whose files list a category, by its key."""
    query = select(CategoryTask.category_id, CategoryTask.task).where(
        CategoryTask.dataset_id == dataset_id
    )
    listed: dict[int, list[str]] = {}
    for category_id, task in session.execute(query):
        listed.setdefault(category_id, []).append(task)
    return listed


def _create(
    session: Session,
    dataset_id: int,
    task: str,
    new: list[tuple[int, CategoryRecord]],
    *,
    first_color: int,
) -> None:
    bulk.copy(
        session,
        "categories",
        _COLUMNS,
        (
            _row(key, dataset_id, task, record, palette.color_for(first_color + place))
            for place, (key, record) in enumerate(new)
        ),
    )


def _note_clashes(
    record: CategoryRecord, same_id: list[Category], names: dict[str, Category], report: Report
) -> None:
    if same_id:
        report.add(
            "category_id_taken",
            f"{record.path}.id",
            f"The dataset has {same_id[0].name!r:.80} with the id {record.coco_id!r:.60}.",
            id=record.coco_id,
        )
    elif record.name in names:
        other = names[record.name].coco_id
        report.add(
            "category_name_duplicate",
            f"{record.path}.name",
            f"The dataset has another {record.name!r:.80}, with the id {other!r:.60}.",
            id=record.coco_id,
        )


def _join(
    category: Category,
    tasks: list[str],
    task: str,
    record: CategoryRecord,
    report: Report,
    tally: Tally,
) -> None:
    """Add the members that only the file has; what differs stays as it is here."""
    kept = Kept(category.record, category.variants, tasks)
    merged = import_records.merge(kept, task, record.text, overwrite=False)
    if merged.differing:
        report.add(
            "category_differs",
            record.path,
            f"{', '.join(merged.differing)} differ from what the dataset has.",
            id=record.coco_id,
        )
    category.variants = merged.variants
    if not merged.changed:
        tally.categories["unchanged"] += 1
        return
    category.record = merged.record
    if "supercategory" in merged.changed:
        category.supercategory = record.supercategory
    if "isthing" in merged.changed:
        category.isthing = record.isthing
    if merged.changed & _KEYPOINTS and not _KEYPOINTS & set(merged.differing):
        category.keypoints, category.skeleton = list(record.keypoints), list(record.skeleton)
    tally.categories["updated"] += 1


def _row(key: int, dataset_id: int, task: str, record: CategoryRecord, color: str) -> list[str]:
    # Stuff files say nothing of it: all that they list is stuff.
    is_thing = record.isthing and (task != "stuff" or "isthing" in rawjson.members(record.text))
    return [
        str(key),
        str(dataset_id),
        bulk.coco_id(record.coco_id),
        bulk.quoted(record.name),
        bulk.quoted(record.supercategory),
        bulk.quoted(record.color or color),
        "t" if is_thing else "f",
        bulk.quoted(rawjson.dumps(record.keypoints)),
        bulk.quoted(rawjson.dumps(record.skeleton)),
        bulk.quoted(record.text),
    ]
