"""Predictions: what models found, and what people decide about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Depends, Query, Response, status
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.api import annotations, deps, paging, preconditions, problems, sent, wire
from app.api.annotations import AnnotationChange, AnnotationOut
from app.api.deps import SessionDep, UserDep
from app.models import User
from app.services import access
from app.services.annotations import view as annotation_view
from app.services.predictions import decisions as prediction_decisions
from app.services.predictions import predictions
from app.services.predictions.decisions import Outcome
from app.services.predictions.predictions import PredictionFilter, SetSummary

__all__ = ["PredictionState", "result_filter", "router"]

router = APIRouter(
    tags=["predictions"],
    responses=problems.responses(400, 401, 403, 404, 413, 415, 422, 503),
    route_class=sent.LongBodyRoute,
)

PredictionState = Literal["open", "accepted", "rejected"]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Score = Annotated[float, Field(strict=True)]
_MinScore = Annotated[float | None, Query(description="With at least this score.")]
_MaxScore = Annotated[float | None, Query(description="With less than this score.")]
_States = Annotated[list[PredictionState] | None, Query(description="In one of these states.")]


# Sets --------------------------------------------------------------------------------------------


class PredictionSetOut(BaseModel):
    """What one model or run found; `total` and the others count its predictions."""

    id: int
    dataset_id: int
    name: str
    total: int
    open: int
    accepted: int
    rejected: int
    created_at: datetime
    updated_at: datetime


def _set_out(summary: SetSummary) -> PredictionSetOut:
    return PredictionSetOut.model_validate(
        {**vars(summary.set), "total": summary.total, **summary.counts}
    )


@router.get("/datasets/{dataset_id}/predictions")
def index(
    dataset_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    limit: deps.ShortLimit = None,
    cursor: str | None = None,
) -> paging.Page[PredictionSetOut]:
    """The sets of predictions of a dataset, by name."""
    dataset = access.view_dataset(session, user=user, dataset_id=dataset_id)
    found = [_set_out(one) for one in predictions.list_sets(session, dataset_id=dataset.id)]
    return paging.short(found, key=lambda row: (row.name, row.id), limit=limit, cursor=cursor)


@router.delete(
    "/datasets/{dataset_id}/predictions/{set_id}", status_code=status.HTTP_204_NO_CONTENT
)
def delete(dataset_id: deps.Id, set_id: deps.Id, user: UserDep, session: SessionDep) -> None:
    """Delete a set of predictions. Annotations that were made of them stay."""
    found = access.manage_prediction_set(session, user=user, dataset_id=dataset_id, set_id=set_id)
    predictions.delete_set(session, set_id=found.id)


class DecisionIn(wire.Model):
    """Which predictions of a set are meant; what is not named does not matter.

    `min_score` is included and `max_score` is not. A `cursor` goes on where an answer ended.
    """

    min_score: Score | None = None
    max_score: Score | None = None
    images: Annotated[list[Id], Field(max_length=500)] = []
    categories: Annotated[list[Id], Field(max_length=500)] = []
    cursor: Annotated[str, Field(max_length=500)] | None = None

    @property
    def filters(self) -> PredictionFilter:
        return PredictionFilter(
            images=tuple(self.images),
            categories=tuple(self.categories),
            min_score=self.min_score,
            max_score=self.max_score,
        )

    @property
    def after(self) -> int:
        after: int = paging.decode(self.cursor, int)[0] if self.cursor else 0
        return after


class SkippedOut(BaseModel):
    """A prediction that stayed as it was, and why."""

    id: int
    code: str
    message: str


class OutcomeOut(BaseModel):
    """How many changed. With a `next_cursor`, ask again with it: there are more."""

    changed: int
    skipped: list[SkippedOut]
    next_cursor: str | None


class _Decide(Protocol):
    """One of the decisions about many predictions of a set."""

    def __call__(
        self, session: Session, *, set_id: int, user: User, filters: PredictionFilter, after: int
    ) -> Outcome: ...


@dataclass(frozen=True)
class _Question:
    """A request for a decision: whoever asks may decide about the set."""

    session: Session
    set_id: int
    user: User
    body: DecisionIn

    def answer(self, decide: _Decide) -> OutcomeOut:
        outcome = decide(
            self.session,
            set_id=self.set_id,
            user=self.user,
            filters=self.body.filters,
            after=self.body.after,
        )
        return OutcomeOut(
            changed=outcome.changed,
            skipped=[SkippedOut(**one._asdict()) for one in outcome.skipped],
            next_cursor=None if outcome.after is None else paging.encode(outcome.after),
        )


def get_question(
    dataset_id: deps.Id, set_id: deps.Id, body: DecisionIn, user: UserDep, session: SessionDep
) -> _Question:
    """The request, once its sender is known."""
    found = access.decide_prediction_set(session, user=user, dataset_id=dataset_id, set_id=set_id)
    return _Question(session, found.id, user, body)


_QuestionDep = Annotated[_Question, Depends(get_question)]


@router.post("/datasets/{dataset_id}/predictions/{set_id}/accept")
def accept_many(question: _QuestionDep) -> OutcomeOut:
    """Make annotations of the open predictions of a set that fit, some hundreds at a time."""
    return question.answer(prediction_decisions.accept_many)


@router.post("/datasets/{dataset_id}/predictions/{set_id}/reject")
def reject_many(question: _QuestionDep) -> OutcomeOut:
    """Reject the open predictions of a set that fit, all at once."""
    return question.answer(prediction_decisions.reject_many)


@router.post("/datasets/{dataset_id}/predictions/{set_id}/reopen")
def reopen_many(question: _QuestionDep) -> OutcomeOut:
    """Undo the decisions about predictions of a set that fit, some hundreds at a time.

    Annotations that were made of them are deleted, unless somebody changed them since.
    """
    return question.answer(prediction_decisions.reopen_many)


def result_filter(
    state: _States = None, min_score: _MinScore = None, max_score: _MaxScore = None
) -> PredictionFilter:
    """Which results of a set to write."""
    return PredictionFilter(states=tuple(state or ()), min_score=min_score, max_score=max_score)


# Predictions -------------------------------------------------------------------------------------


class PredictionOut(BaseModel):
    """One prediction; its members are those of an annotation, with what ``loadRes`` derives.

    `kind` is ``bbox``, ``segmentation``, ``keypoints`` or ``caption``. A `bbox` without a
    segmentation is shown with its four corners as one.
    """

    id: int
    set_id: int
    image_id: int
    category_id: int | None
    state: PredictionState
    kind: Literal["bbox", "segmentation", "keypoints", "caption"]
    segmentation: list[list[float]] | annotations.Rle | None
    holes: list[list[float]]
    bbox: Annotated[list[float], Field(min_length=4, max_length=4)]
    area: float
    iscrowd: Literal[0, 1]
    keypoints: list[float] | None
    num_keypoints: float | None
    attributes: dict[str, Any]
    score: float | None
    caption: str | None
    annotation_id: int | None
    decided_by: int | None
    decided_at: str | None


@router.get("/images/{image_id}/predictions", response_model=paging.Page[PredictionOut])
def on_image(
    image_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    filters: Annotated[PredictionFilter, Depends(result_filter)],
    sets: Annotated[list[Id] | None, Query(alias="set", description="Of these sets.")] = None,
    limit: deps.Limit = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """What models found in an image, in the order in which it came in."""
    image = access.view_image(session, user=user, image_id=image_id)
    rows = predictions.list_on_image(
        session,
        image_id=image.id,
        filters=filters.of_sets(sets or ()),
        limit=limit + 1,
        after=paging.decode(cursor, int)[0] if cursor else 0,
    )
    following = paging.encode(rows[limit - 1].id) if len(rows) > limit else None
    return annotations.page([predictions.as_text(row) for row in rows[:limit]], following)


class AcceptIn(AnnotationChange):
    """What the annotation will be, other than the prediction says.

    With an `expected_state`, a prediction that somebody has decided about otherwise since is left
    alone. `client_key` is what `NewAnnotation` has: where the set is deleted before the answer
    arrives, a creation with the same key finds the annotation. A key that the image has already is
    left out.
    """

    expected_state: PredictionState | None = None
    client_key: wire.Name | None = None


class ReopenIn(wire.Model):
    """The decision to undo: one that somebody else has made since is left alone.

    `expected_annotation_id` is the annotation that was made: where somebody has accepted the
    prediction anew since, that one stays.
    """

    expected_state: PredictionState | None = None
    expected_annotation_id: Id | None = None


@router.post(
    "/predictions/{prediction_id}/accept",
    status_code=status.HTTP_201_CREATED,
    response_model=AnnotationOut,
    responses=problems.responses(409),
)
def accept(
    prediction_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    written: sent.BodyDep,
    body: AcceptIn | None = None,
) -> Response:
    """Make an annotation of a prediction; members in the body change what it will be.

    Asked again, it answers with the annotation that was made.
    """
    prediction = access.decide_prediction(session, user=user, prediction_id=prediction_id)
    body = body or AcceptIn()
    edits = sent.named(body, written) if body.model_fields_set else {}
    annotation = prediction_decisions.accept(
        session,
        prediction=prediction,
        user=user,
        edits={name: edits[name] for name in edits if name in AnnotationChange.model_fields},
        expected=body.expected_state,
        client_key=body.client_key,
    )
    tag = preconditions.etag(annotation.version)
    text = annotation_view.as_text(annotation)
    return Response(text, status.HTTP_201_CREATED, {"ETag": tag}, "application/json")


@router.post(
    "/predictions/{prediction_id}/reject",
    response_model=PredictionOut,
    responses=problems.responses(409),
)
def reject(prediction_id: deps.Id, user: UserDep, session: SessionDep) -> Response:
    """Reject a prediction: it stays, and is not asked about again."""
    prediction = access.decide_prediction(session, user=user, prediction_id=prediction_id)
    prediction = prediction_decisions.reject(session, prediction=prediction, user=user)
    return Response(predictions.as_text(prediction), media_type="application/json")


@router.post(
    "/predictions/{prediction_id}/reopen",
    response_model=PredictionOut,
    responses=problems.responses(409),
)
def reopen(
    prediction_id: deps.Id, user: UserDep, session: SessionDep, body: ReopenIn | None = None
) -> Response:
    """Undo what was decided; the annotation that was made is deleted, if nobody changed it."""
    prediction = access.decide_prediction(session, user=user, prediction_id=prediction_id)
    body = body or ReopenIn()
    prediction = prediction_decisions.reopen(
        session,
        prediction=prediction,
        user=user,
        expected=body.expected_state,
        expected_annotation_id=body.expected_annotation_id,
    )
    return Response(predictions.as_text(prediction), media_type="application/json")
