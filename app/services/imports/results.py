"""Results files: what a model found becomes a set of predictions, and the truth stays as it is.

A set is what one model or run says, and has a name. Importing results under a name that is there
makes the set what the file says: results with the very same text stay, with what was decided about
them; new ones come in open; what the file no longer has goes. So the same file again changes
nothing. Annotations that accepted predictions became are no longer the set's business.
"""

from typing import BinaryIO

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.formats.coco import results
from app.formats.coco.results import Known, KnownCategory, KnownImage, ResultRecord
from app.formats.records import Report
from app.models import Category, Image, PredictionSet
from app.services import bulk
from app.services.holding import hold
from app.services.imports.tally import Tally
from app.services.jobs import Progress

__all__ = ["RESULTS", "import_results", "set_name"]

RESULTS = "results"
"""What an import's `task` is called for a results file."""

_COLUMNS = (
    "set_id",
    "image_id",
    "category_id",
    "place",
    "kind",
    "record",
    "shape",
    "score",
    "area",
    "bbox",
)
_LONGEST_NAME = 200
_SPOOL = """
    create temporary table import_predictions (like predictions) on commit drop;
    alter table import_predictions drop column id, drop column state
"""
# The same text twice on an image is two predictions: the first of the file is the first here.
_PAIR = """
    create temporary table import_same on commit drop as
    select present.id, new.place, new.category_id
    from (
        select id, image_id, record, row_number() over (
            partition by image_id, md5(record) order by place) as nth
        from predictions where set_id = :set
    ) present
    join (
        select place, image_id, category_id, record, row_number() over (
            partition by image_id, md5(record) order by place) as nth
        from import_predictions
    ) new on new.image_id = present.image_id and new.nth = present.nth
         and md5(new.record) = md5(present.record)
"""
_REMOVE = """
    delete from predictions
    where set_id = :set and not exists (select from import_same same where same.id = predictions.id)
"""
_MOVE = """
    update predictions set place = same.place, category_id = same.category_id
    from import_same same
    where same.id = predictions.id
      and (predictions.place, predictions.category_id)
          is distinct from (same.place, same.category_id)
"""
_ADD = f"""
    insert into predictions ({", ".join(_COLUMNS)})
    select {", ".join(_COLUMNS)} from import_predictions new
    where not exists (select from import_same same where same.place = new.place)
    order by place
"""  # noqa: S608 - the columns are ours


def set_name(name: str | None, file_name: str) -> str:
    """What a set is called: as asked for, else after its file.

    >>> set_name(None, "runs/fake_bbox_results.json")
    'fake_bbox_results'
    """
    if name:
        return name
    stem = file_name.replace("\\", "/").rpartition("/")[2]
    stem = stem[: -len(".json")] if stem.lower().endswith(".json") else stem
    shown = "".join(char if char.isprintable() else "\ufffd" for char in stem).strip()
    return shown[:_LONGEST_NAME] or RESULTS


def import_results(
    session: Session,
    *,
    dataset_id: int,
    user_id: int | None,
    file: BinaryIO,
    name: str,
    subset: str | None,
    report: Report,
    tally: Tally,
    progress: Progress,
) -> None:
    """Import results as the set `name`; only images of `subset`, if one is named, are meant.

    Raises FileError for a file that cannot be read.
    """
    tally.task = RESULTS
    progress.tell(0, 0, "Reading the file.")
    images, categories = _images(session, dataset_id, subset), _categories(session, dataset_id)
    found = session.scalar(
        select(PredictionSet)
        .where(PredictionSet.dataset_id == dataset_id, PredictionSet.name == name)
        .with_for_update(read=True, key_share=True)
    )
    kept = found or PredictionSet(dataset_id=dataset_id, name=name, created_by=user_id)
    session.add(kept)
    session.flush()
    tally.prediction_set = {"id": kept.id, "name": name}
    numbers = tally.predictions = {"created": 0, "removed": 0, "unchanged": 0, "rejected": 0}
    table = "predictions"
    if found is not None:
        table = "import_predictions"
        session.execute(text(_SPOOL))
    with results.open_results(file, images=images, categories=categories, report=report) as reader:
        for batch in reader.batches():
            usable = _held(session, batch, report)
            bulk.copy(session, table, _COLUMNS, (_row(kept.id, result) for result in usable))
            numbers["created"] += len(usable)
            progress.tell(reader.position, 0, "Importing predictions.")
        numbers["rejected"] = reader.position - numbers["created"]
    progress.tell(reader.position, reader.position, "Saving.")
    if numbers["rejected"] and not numbers["created"]:
        # They belong to another dataset, most likely: this one stays as it was.
        if found is None:
            session.delete(kept)
            tally.prediction_set = None
        else:
            session.execute(text("drop table import_predictions"))
        session.flush()
    elif found is not None:
        _settle(session, kept, numbers)


def _held(session: Session, batch: list[ResultRecord], report: Report) -> list[ResultRecord]:
    """The results of images that are still there, and stay so."""
    there = hold(session, Image, {result.image for result in batch})
    for result in batch:
        if result.image not in there:
            report.add("image_unknown", result.path, "The image was deleted just now.")
    return [result for result in batch if result.image in there]


def _images(session: Session, dataset_id: int, subset: str | None) -> Known[KnownImage]:
    query = select(Image.coco_id, Image.id, Image.height, Image.width).where(
        Image.dataset_id == dataset_id
    )
    if subset is not None:
        query = query.where(Image.subset == subset)
    rows = session.execute(query.order_by(Image.id))
    return Known((row.coco_id, KnownImage(row.id, (row.height, row.width))) for row in rows)


def _categories(session: Session, dataset_id: int) -> Known[KnownCategory]:
    rows = session.execute(
        select(Category.coco_id, Category.id, func.jsonb_array_length(Category.keypoints))
        .where(Category.dataset_id == dataset_id)
        .order_by(Category.id)
        # Nobody deletes them now.
        .with_for_update(read=True, key_share=True)
    )
    return Known((coco_id, KnownCategory(key, number)) for coco_id, key, number in rows)


def _row(set_id: int, result: ResultRecord) -> list[str]:
    return [
        str(set_id),
        str(result.image),
        "" if result.category is None else str(result.category),
        str(result.place),
        bulk.quoted(result.kind),
        bulk.quoted(result.text),
        bulk.quoted(result.shape),
        "" if result.score is None else repr(result.score),
        repr(result.area),
        bulk.array(result.bbox),
    ]


def _settle(session: Session, kept: PredictionSet, numbers: dict[str, int]) -> None:
    """Make the set what the file says; `numbers` counted everything as new so far."""
    key = {"set": kept.id}
    session.execute(text(_PAIR), key)
    session.execute(text("analyze import_same"))
    same = session.scalar(text("select count(*) from import_same")) or 0
    numbers["removed"] = session.execute(text(_REMOVE), key).rowcount  # type: ignore[attr-defined]
    session.execute(text(_MOVE))
    session.execute(text(_ADD))
    numbers["unchanged"], numbers["created"] = same, numbers["created"] - same
    if numbers["created"] or numbers["removed"]:
        kept.updated_at = func.clock_timestamp()
    for table in ("import_predictions", "import_same"):
        session.execute(text(f"drop table {table}"))
    session.flush()
