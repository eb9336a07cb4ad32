"""The categories of a file in a dataset: found by id and name, or made."""

from typing import Any

from sqlalchemy.orm import Session

from app.formats.coco import rawjson, values
from app.formats.records import CategoryRecord, Report
from app.models import Category
from app.services import bulk, categories, import_records, palette
from app.services.import_tally import Tally

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


def import_categories(
    session: Session,
    *,
    dataset_id: int,
    records: list[CategoryRecord],
    report: Report,
    tally: Tally,
) -> list[int]:
    """The primary key of each record's category. New ones keep the file's record verbatim."""
    present = list(categories.list_categories(session, dataset_id=dataset_id))
    by_id: dict[Any, list[Category]] = {}
    for category in present:
        by_id.setdefault(values.id_key(category.coco_id), []).append(category)
    names = {category.name: category for category in present}
    keys: list[int | None] = []
    new: list[CategoryRecord] = []
    for record in records:
        same_id = by_id.get(values.id_key(record.coco_id), [])
        found = next((c for c in same_id if c.name == record.name), None)
        if found is not None:
            # Each is found once: a second one in the file with this id and name is another one.
            same_id.remove(found)
            _join(found, record, report, tally)
            keys.append(found.id)
            continue
        _note_clashes(record, same_id, names, report)
        keys.append(None)
        new.append(record)
    session.flush()
    fresh = iter(bulk.take_keys(session, "categories", len(new)))
    result = [next(fresh) if key is None else key for key in keys]
    created = [(result[record.index], record) for record in new]
    bulk.copy(
        session,
        "categories",
        _COLUMNS,
        (
            _row(key, dataset_id, record, palette.color_for(len(present) + place))
            for place, (key, record) in enumerate(created)
        ),
    )
    tally.categories["created"] += len(new)
    return result


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


def _join(category: Category, record: CategoryRecord, report: Report, tally: Tally) -> None:
    """Add the members that only the file has; what differs stays as it is here."""
    added, differing = import_records.missing(category.record, record.text)
    if differing:
        report.add(
            "category_differs",
            record.path,
            f"{', '.join(differing)} differ from what the dataset has.",
            id=record.coco_id,
        )
    if not added:
        tally.categories["unchanged"] += 1
        return
    category.record = rawjson.replace(category.record, raw=added)
    if "supercategory" in added:
        category.supercategory = record.supercategory
    if added.keys() & {"keypoints", "skeleton"} and not differing:
        category.keypoints, category.skeleton = list(record.keypoints), list(record.skeleton)
    tally.categories["updated"] += 1


def _row(key: int, dataset_id: int, record: CategoryRecord, color: str) -> list[str]:
    return [
        str(key),
        str(dataset_id),
        bulk.coco_id(record.coco_id),
        bulk.quoted(record.name),
        bulk.quoted(record.supercategory),
        bulk.quoted(record.color or color),
        "t" if record.isthing else "f",
        bulk.quoted(rawjson.dumps(record.keypoints)),
        bulk.quoted(rawjson.dumps(record.skeleton)),
        bulk.quoted(record.text),
    ]
