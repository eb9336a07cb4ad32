"""Predictions: the sets of a dataset, what they say about an image, and the results as they came.

They have tables of their own, so whatever lists, counts or exports annotations cannot meet them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from app.formats.coco import rawjson, results
from app.models import PREDICTION_STATES, Prediction, PredictionSet
from app.services.annotations import view as annotation_view
from app.services.live import live

__all__ = [
    "PredictionFilter",
    "SetSummary",
    "as_text",
    "content_of",
    "delete_set",
    "list_on_image",
    "list_sets",
    "results_file",
]

_ROWS_AT_ONCE = 1000


class SetSummary(NamedTuple):
    """A set of predictions and how many of them are in each state."""

    set: PredictionSet
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class PredictionFilter:
    """Which predictions; what is empty or None does not matter.

    `min_score` is included and `max_score` is not; what has no score fits neither.
    """

    sets: tuple[int, ...] = ()
    states: tuple[str, ...] = ()
    images: tuple[int, ...] = ()
    categories: tuple[int, ...] = ()
    min_score: float | None = None
    max_score: float | None = None

    def of_sets(self, sets: Sequence[int]) -> "PredictionFilter":
        """The same, of these sets."""
        return replace(self, sets=tuple(sets))

    def conditions(self) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        for column, values in (
            (Prediction.set_id, self.sets),
            (Prediction.state, self.states),
            (Prediction.image_id, self.images),
            (Prediction.category_id, self.categories),
        ):
            if values:
                wanted.append(column.in_(values))
        if self.min_score is not None:
            wanted.append(Prediction.score >= self.min_score)
        if self.max_score is not None:
            wanted.append(Prediction.score < self.max_score)
        return wanted


def list_sets(session: Session, *, dataset_id: int) -> list[SetSummary]:
    """The sets of a dataset in the order of their names, with their counts."""
    here = select(PredictionSet).where(PredictionSet.dataset_id == dataset_id)
    found = session.scalars(here.order_by(PredictionSet.name.collate("C"))).all()
    rows = session.execute(
        select(Prediction.set_id, Prediction.state, func.count())
        .where(Prediction.set_id.in_([one.id for one in found]))
        .group_by(Prediction.set_id, Prediction.state)
    )
    counts = {one.id: dict.fromkeys(PREDICTION_STATES, 0) for one in found}
    for set_id, state, number in rows:
        counts[set_id][state] = number
    return [SetSummary(one, counts[one.id]) for one in found]


def delete_set(session: Session, *, set_id: int) -> None:
    """Delete a set; annotations that its predictions became stay."""
    session.execute(delete(Prediction).where(Prediction.set_id == set_id))
    dataset_id = session.scalar(
        delete(PredictionSet).where(PredictionSet.id == set_id).returning(PredictionSet.dataset_id)
    )
    if dataset_id is not None:
        live.dataset_changed(session, dataset_id)


def list_on_image(
    session: Session, *, image_id: int, filters: PredictionFilter, limit: int, after: int = 0
) -> Sequence[Prediction]:
    """The predictions for an image that fit, in the order of their ids, those behind `after`."""
    query = select(Prediction).where(Prediction.image_id == image_id, Prediction.id > after)
    query = query.where(*filters.conditions()).order_by(Prediction.id).limit(limit)
    return session.scalars(query).all()


def results_file(session: Session, *, set_id: int, filters: PredictionFilter) -> Iterator[bytes]:
    """The set as a results file in pieces: each result's own text, in the order of the file."""
    query = select(Prediction.record).where(Prediction.set_id == set_id, *filters.conditions())
    rows = session.scalars(
        query.order_by(Prediction.place).execution_options(yield_per=_ROWS_AT_ONCE)
    )
    yield b"["
    separator = "\n"
    for part in rows.partitions():
        yield (separator + ",\n".join(part)).encode()
        separator = ",\n"
    yield b"\n]\n"


# How it is shown ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Content:
    """A prediction as `annotation_view` looks at annotations."""

    record: str
    shape: str | None
    area: float
    bbox: list[float]
    variants: str | None = None
    iscrowd: bool = False


def content_of(prediction: Prediction) -> dict[str, str]:
    """What can be seen of a prediction: each member's JSON text, as for annotations."""
    return annotation_view.members(
        _Content(prediction.record, prediction.shape, prediction.area, prediction.bbox)
    )


def as_text(prediction: Prediction) -> str:
    """The prediction as the API shows it: with what ``loadRes`` derives, for display."""
    shown = content_of(prediction)
    if prediction.kind == "bbox":
        box = json.loads(shown["bbox"])
        shown["area"] = rawjson.dumps(box[2] * box[3])
        if shown["segmentation"] == "null":
            shown["segmentation"] = rawjson.dumps([results.corners(box)])
    elif prediction.kind != "caption":
        shown["area"] = rawjson.dumps(prediction.area)
    parts = {
        "id": str(prediction.id),
        "set_id": str(prediction.set_id),
        "image_id": str(prediction.image_id),
        "category_id": _id(prediction.category_id),
        "state": f'"{prediction.state}"',
        "kind": f'"{prediction.kind}"',
        **shown,
        "annotation_id": _id(prediction.annotation_id),
        "decided_by": _id(prediction.decided_by),
        "decided_at": _time(prediction.decided_at),
    }
    return "{" + ",".join(f'"{name}":{text}' for name, text in parts.items()) + "}"


def _id(key: int | None) -> str:
    return "null" if key is None else str(key)


def _time(moment: datetime | None) -> str:
    return "null" if moment is None else f'"{annotation_view.time_text(moment)}"'
