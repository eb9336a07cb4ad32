"""Decisions about predictions: accepted, rejected, and open again.

An accepted prediction becomes an annotation with a COCO id of its own, by the same rules as one
that a person draws: what its record says is kept to the letter, members that nobody knows included,
and what it lacks is computed. A box stays a box. A keypoint's v that is none of 0, 1 and 2 is a
model's confidence, which an annotation has no place for: more than 0 becomes 2. The prediction
itself never changes.

Locks are taken in the order in which everybody takes them: images, predictions and annotations, the
dataset, its counters. What takes time, drawing, is done before the first one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from app.errors import AppError, Conflict, NotFound
from app.formats.coco import rawjson
from app.models import Annotation, Category, Image, Prediction, PredictionSet, User
from app.services.annotations import annotations
from app.services.annotations import edits as annotation_edits
from app.services.annotations.edits import Edit, State
from app.services.annotations.shapes import Json
from app.services.datasets import datasets
from app.services.live import live
from app.services.predictions import predictions
from app.services.predictions.predictions import PredictionFilter

__all__ = [
    "AT_ONCE",
    "Outcome",
    "Skipped",
    "accept",
    "accept_many",
    "reject",
    "reject_many",
    "reopen",
    "reopen_many",
]

AT_ONCE = 500
"""So many predictions become annotations in one transaction; images stay locked meanwhile."""

_GEOMETRY = {"segmentation", "holes", "bbox", "keypoints"}
# What a record's own members are taken from; bbox and area only where it has them.
_TAKEN = ("segmentation", "holes", "keypoints", "attributes", "score", "caption")


class Skipped(NamedTuple):
    """A prediction that could not be decided so, and why."""

    id: int
    code: str
    message: str


@dataclass
class Outcome:
    """How many of a set were changed; `after` is the place to go on from, None at the end."""

    changed: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    after: int | None = None


# One prediction ----------------------------------------------------------------------------------


def accept(
    session: Session,
    *,
    prediction: Prediction,
    user: User,
    edits: Mapping[str, Json],
    expected: str | None = None,
    client_key: str | None = None,
) -> Annotation:
    """The annotation that the prediction becomes, changed by `edits`, members as of annotations.

    Asked again about an accepted one, it answers with the annotation that there is. One that was
    rejected is a conflict where another state is `expected`.
    """
    if prediction.state == "accepted":
        return _made_before(session, prediction)
    plan = _plan(session, prediction, edits)._replace(client_key=client_key, expected=expected)
    made = _accept(session, user, [plan])
    if not made:
        session.refresh(prediction)
        return _made_before(session, prediction)
    return made[0]


def _made_before(session: Session, prediction: Prediction) -> Annotation:
    annotation = (
        None
        if prediction.annotation_id is None
        else session.get(Annotation, prediction.annotation_id)
    )
    if annotation is None or annotation.deleted_at is not None:
        raise Conflict(
            "The annotation that this prediction became was deleted: reopen the prediction first.",
            code="annotation_deleted",
        )
    return annotation


def reject(session: Session, *, prediction: Prediction, user: User) -> Prediction:
    """Reject a prediction; one that is an annotation by now has to be opened again first."""
    _lock(session, [prediction])
    if prediction.state == "accepted":
        raise Conflict("This prediction was accepted: reopen it first.", code="prediction_accepted")
    if prediction.state == "open":
        _decide(session, [prediction.id], "rejected", user)
        session.refresh(prediction)
        _tell(session, [prediction])
    return prediction


def reopen(
    session: Session,
    *,
    prediction: Prediction,
    user: User,
    expected: str | None = None,
    expected_annotation_id: int | None = None,
) -> Prediction:
    """Undo a decision; the annotation that was made is deleted, unless somebody changed it.

    A decision other than the `expected` one is a conflict, and so is an annotation that was made
    of the prediction later than the expected one.
    """
    annotations.lock_images(session, [prediction.image_id])
    _lock(session, [prediction])
    _check(prediction, expected, expected_annotation_id)
    _reopen(session, prediction, user)
    session.refresh(prediction)
    _tell(session, [prediction])
    return prediction


def _check(prediction: Prediction, expected: str | None, annotation_id: int | None = None) -> None:
    """Leave alone what somebody has decided otherwise; nobody has about an open one."""
    is_anew = prediction.state == "accepted" and annotation_id not in (
        None,
        prediction.annotation_id,
    )
    if not is_anew and (expected is None or prediction.state in (expected, "open")):
        return
    if prediction.state == "accepted":
        raise Conflict("Somebody has accepted this prediction.", code="prediction_accepted")
    raise Conflict("Somebody has rejected this prediction.", code="prediction_rejected")


def _reopen(session: Session, prediction: Prediction, user: User) -> None:
    if prediction.state == "accepted" and prediction.annotation_id is not None:
        annotation = session.get(Annotation, prediction.annotation_id, populate_existing=True)
        if annotation is not None:
            # The next one that is made of the prediction may come with the same key.
            annotation.client_key = None
        if annotation is not None and annotation.deleted_at is None:
            if annotation.version > 1:
                raise Conflict(
                    "The annotation was changed since it was accepted: delete it first.",
                    code="annotation_changed",
                )
            annotations.delete_annotation(
                session, annotation=annotation, user=user, expected=frozenset({1})
            )
    _decide(session, [prediction.id], "open", None)


# Many of a set -----------------------------------------------------------------------------------


def accept_many(
    session: Session, *, set_id: int, user: User, filters: PredictionFilter, after: int = 0
) -> Outcome:
    """Accept open predictions of a set, at most `AT_ONCE`, in the order of their ids."""
    outcome, rows = _some(session, set_id, filters, ("open",), after)
    # Held while the plans are made, which then find them in the session.
    _known = [
        *session.scalars(select(Image).where(Image.id.in_([row.image_id for row in rows]))),
        *session.scalars(select(Category).where(Category.id.in_([r.category_id for r in rows]))),
    ]
    plans = []
    for prediction in rows:
        try:
            plans.append(_plan(session, prediction, {}))
        except AppError as error:
            outcome.skipped.append(_skipped(prediction, error))
    outcome.changed = len(_accept(session, user, plans))
    return outcome


def reject_many(
    session: Session, *, set_id: int, user: User, filters: PredictionFilter, after: int = 0
) -> Outcome:
    """Reject all open predictions of a set that fit, with ids above `after`."""
    wanted = (*_waiting(set_id, ("open",), after), *filters.conditions())
    locked = select(Prediction.id).where(*wanted).order_by(Prediction.id).with_for_update()
    changed = session.execute(
        update(Prediction)
        .where(Prediction.id.in_(locked.scalar_subquery()))
        .values(state="rejected", decided_by=user.id, decided_at=func.clock_timestamp())
        .returning(Prediction.id)
        .execution_options(synchronize_session=False)
    ).all()
    if changed:
        live.dataset_changed(session, session.get_one(PredictionSet, set_id).dataset_id)
    return Outcome(changed=len(changed))


def reopen_many(
    session: Session, *, set_id: int, user: User, filters: PredictionFilter, after: int = 0
) -> Outcome:
    """Undo decisions about predictions of a set, at most `AT_ONCE`, in the order of their ids."""
    outcome, rows = _some(session, set_id, filters, ("accepted", "rejected"), after)
    annotations.lock_images(session, [row.image_id for row in rows if row.state == "accepted"])
    _lock(session, rows)
    for prediction in rows:
        try:
            _reopen(session, prediction, user)
            outcome.changed += 1
        except AppError as error:
            outcome.skipped.append(_skipped(prediction, error))
    _tell(session, rows)
    return outcome


def _some(
    session: Session,
    set_id: int,
    filters: PredictionFilter,
    states: tuple[str, ...],
    after: int,
) -> tuple[Outcome, Sequence[Prediction]]:
    wanted = (*_waiting(set_id, states, after), *filters.conditions())
    query = select(Prediction).where(*wanted)
    rows = session.scalars(query.order_by(Prediction.id).limit(AT_ONCE + 1)).all()
    more = len(rows) > AT_ONCE
    rows = rows[:AT_ONCE]
    return Outcome(after=rows[-1].id if more else None), rows


def _waiting(set_id: int, states: tuple[str, ...], after: int) -> tuple[ColumnElement[bool], ...]:
    return (Prediction.set_id == set_id, Prediction.id > after, Prediction.state.in_(states))


def _skipped(prediction: Prediction, error: AppError) -> Skipped:
    return Skipped(prediction.id, error.code, error.detail)


# What an annotation becomes of it ----------------------------------------------------------------


class _Plan(NamedTuple):
    prediction: Prediction
    image: Image
    state: State
    expected: str | None = None
    client_key: str | None = None


def _plan(session: Session, prediction: Prediction, edits: Mapping[str, Json]) -> _Plan:
    """The annotation's content, before anything is locked."""
    image = session.get(Image, prediction.image_id)
    if image is None:
        raise NotFound("There is no such image.")
    category = _category(session, prediction, image.dataset_id, edits)
    record = rawjson.members(prediction.record)
    fields = _own_fields(prediction, record, edits) | dict(edits)
    fields["category_id"] = Json.of(category.id if category else None)
    edit = Edit(fields, (image.height, image.width), category)
    state = annotation_edits.created(edit, image_coco_id=annotations.id_text(image))
    parts = rawjson.members(state.record)
    for name, text in record.items():
        if name not in edits and name != "id":
            parts.setdefault(name, text)
    return _Plan(
        prediction,
        image,
        replace(state, record=rawjson.join(parts)),
    )


def _category(
    session: Session, prediction: Prediction, dataset_id: int, edits: Mapping[str, Json]
) -> Category | None:
    key = edits["category_id"].value if "category_id" in edits else prediction.category_id
    if key is None:
        if prediction.kind != "caption" and "category_id" not in edits:
            raise Conflict("The prediction's category was deleted.", code="category_deleted")
        return None
    return annotations.category_of(session, dataset_id, key)


def _own_fields(
    prediction: Prediction, record: Mapping[str, str], edits: Mapping[str, Json]
) -> dict[str, Json]:
    """The members of the record as an annotation is made of them, but for what edits outdate."""
    shown = predictions.content_of(prediction)
    names = [*_TAKEN, *(name for name in ("bbox", "area") if name in record)]
    if _GEOMETRY & edits.keys():
        names = [name for name in names if name not in ("bbox", "area")]
        if prediction.kind == "bbox" and not {"segmentation", "bbox"} & edits.keys():
            names.append("bbox")
    texts = {name: shown[name] for name in names}
    texts["keypoints"] = _as_labelled(texts["keypoints"])
    fields = {name: Json(json.loads(text), text) for name, text in texts.items()}
    empty: tuple[object, ...] = (None, [], {})
    fields = {name: value for name, value in fields.items() if value.value not in empty}
    if record.get("iscrowd") in ("0", "1"):
        fields["iscrowd"] = Json.of(int(record["iscrowd"]))
    return fields


def _as_labelled(keypoints: str) -> str:
    """Keypoints with v as COCO has it.

    >>> _as_labelled("[10.50, 20, 0.93, 0, 0, 0]")
    '[10.50,20,2,0,0,0]'
    """
    numbers = rawjson.elements(keypoints) if keypoints != "null" else []
    odd = False
    for place in range(2, len(numbers), 3):
        v = float(numbers[place])
        if v not in (0, 1, 2):
            odd, numbers[place] = True, "2" if v > 0 else "0"
    return "[" + ",".join(numbers) + "]" if odd else keypoints


def _accept(session: Session, user: User, plans: Sequence[_Plan]) -> list[Annotation]:
    """Make the annotations; what somebody accepted meanwhile is left out."""
    locked = annotations.lock_images(session, [plan.image.id for plan in plans])
    _lock(session, [plan.prediction for plan in plans])
    plans = [p for p in plans if p.prediction.state != "accepted" and p.image.id in locked]
    for plan in plans:
        _check(plan.prediction, plan.expected)
    if not plans:
        return []
    dataset_id = plans[0].image.dataset_id
    first = datasets.take_coco_ids(
        session, dataset_id=dataset_id, kind="annotation", count=len(plans)
    )
    made = [
        annotations.annotation_of(
            plan.state,
            image=plan.image,
            user=user,
            task=annotation_edits.task_of(plan.state.record),
            coco_id=coco_id,
            client_key=_free_key(session, plan),
        )
        for coco_id, plan in enumerate(plans, start=first)
    ]
    session.add_all(made)
    session.flush()
    _decide(session, [plan.prediction.id for plan in plans], "accepted", user)
    for plan, annotation in zip(plans, made, strict=True):
        plan.prediction.annotation_id = annotation.id
    session.flush()
    added: dict[int, int] = {}
    for plan in plans:
        added[plan.image.id] = added.get(plan.image.id, 0) + 1
    changes = [(locked[key], n) for key, n in sorted(added.items())]
    revisions = annotations.count_changes(session, changes)
    if len(made) == 1:
        key = made[0].image_id
        live.annotation_changed(session, made[0], "created", revision=revisions[key])
    live.images_changed(session, added, dataset_id=dataset_id)
    return made


def _free_key(session: Session, plan: _Plan) -> str | None:
    key = plan.client_key
    taken = select(Annotation.id).where(
        Annotation.image_id == plan.image.id, Annotation.client_key == key
    )
    return None if key is None or session.scalar(taken) is not None else key


def _tell(session: Session, rows: Sequence[Prediction]) -> None:
    """Tell whoever has their images open that something is decided."""
    if rows:
        dataset_id = session.get_one(PredictionSet, rows[0].set_id).dataset_id
        live.images_changed(session, {row.image_id for row in rows}, dataset_id=dataset_id)


def _lock(session: Session, rows: Sequence[Prediction]) -> None:
    """Lock predictions, and see what others decided meanwhile; those that went are an error."""
    ids = [row.id for row in rows]
    query = select(Prediction).where(Prediction.id.in_(ids)).order_by(Prediction.id)
    found = session.scalars(
        query.with_for_update(key_share=True).execution_options(populate_existing=True)
    ).all()
    if len(found) < len(ids):
        raise NotFound("There is no such prediction.")


def _decide(session: Session, ids: Sequence[int], state: str, user: User | None) -> None:
    decided = {"decided_by": user.id, "decided_at": func.clock_timestamp()} if user else {}
    none = {"decided_by": None, "decided_at": None, "annotation_id": None}
    session.execute(
        update(Prediction)
        .where(Prediction.id.in_(ids))
        .values(state=state, **(decided or none))
        .execution_options(synchronize_session=False)
    )
