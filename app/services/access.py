"""Every permission, one function each.

=============  ==============================================================================
viewer         sees the dataset, its images, annotations and predictions; exports
annotator      + draws, edits, deletes and restores annotations; accepts and rejects predictions;
               sets an image's status
owner          + uploads, imports, categories, members, renames and deletes
administrator  everything in every dataset, and the users
=============  ==============================================================================

Each function returns the row that the caller asked for, so that no route can forget to check:
it raises `NotFound` when the user may not know that the row exists, and `Forbidden` when they
may see it but may not do that.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session

from app.errors import Forbidden, Invalid, NotFound
from app.models import (
    Annotation,
    Category,
    Dataset,
    DatasetMember,
    Image,
    Job,
    Prediction,
    PredictionSet,
    User,
)

__all__ = [
    "administer",
    "annotate_dataset",
    "annotate_image",
    "cancel_job",
    "decide_prediction",
    "decide_prediction_set",
    "edit_annotation",
    "edit_category",
    "manage_dataset",
    "manage_image",
    "manage_prediction_set",
    "role_in",
    "roles_in",
    "view_annotation",
    "view_category",
    "view_dataset",
    "view_image",
    "view_job",
    "view_prediction_set",
    "visible_datasets",
    "visible_jobs",
]

_RANK = {"viewer": 1, "annotator": 2, "owner": 3}


def role_in(session: Session, *, user: User, dataset_id: int) -> str | None:
    """The user's role in a dataset, or None for a stranger; administrators act as owners."""
    if user.is_admin:
        return "owner"
    return session.scalar(
        select(DatasetMember.role).where(
            DatasetMember.dataset_id == dataset_id, DatasetMember.user_id == user.id
        )
    )


def roles_in(session: Session, *, user: User, dataset_ids: Sequence[int]) -> dict[int, str]:
    """The same for a list of datasets, by dataset id; those of a stranger are left out."""
    if user.is_admin:
        return dict.fromkeys(dataset_ids, "owner")
    rows = session.execute(
        select(DatasetMember.dataset_id, DatasetMember.role).where(
            DatasetMember.dataset_id.in_(dataset_ids), DatasetMember.user_id == user.id
        )
    )
    return {row.dataset_id: row.role for row in rows}


def visible_datasets(user: User) -> ColumnElement[bool]:
    """A condition on `Dataset`: the ones that the user may see."""
    if user.is_admin:
        return true()
    mine = select(DatasetMember.dataset_id).where(DatasetMember.user_id == user.id)
    return Dataset.id.in_(mine)


def visible_jobs(user: User) -> ColumnElement[bool]:
    """A condition on `Job`: the user's own ones and those of datasets that they may see."""
    if user.is_admin:
        return true()
    mine = select(DatasetMember.dataset_id).where(DatasetMember.user_id == user.id)
    return or_(Job.owner_id == user.id, Job.dataset_id.in_(mine))


def _require(session: Session, user: User, dataset_id: int, least: str, subject: str) -> None:
    role = role_in(session, user=user, dataset_id=dataset_id)
    if role is None:
        raise NotFound(f"There is no such {subject}.")
    if _RANK[role] < _RANK[least]:
        raise Forbidden(f"Your role in this dataset is {role}; this needs {least}.")


def _dataset(session: Session, user: User, dataset_id: int, least: str) -> Dataset:
    dataset = session.get(Dataset, dataset_id)
    if dataset is None:
        raise NotFound("There is no such dataset.")
    _require(session, user, dataset_id, least, "dataset")
    return dataset


def view_dataset(session: Session, *, user: User, dataset_id: int) -> Dataset:
    return _dataset(session, user, dataset_id, "viewer")


def annotate_dataset(session: Session, *, user: User, dataset_id: int) -> Dataset:
    return _dataset(session, user, dataset_id, "annotator")


def manage_dataset(session: Session, *, user: User, dataset_id: int) -> Dataset:
    return _dataset(session, user, dataset_id, "owner")


def _image(session: Session, user: User, image_id: int, least: str) -> Image:
    image = session.get(Image, image_id)
    if image is None:
        raise NotFound("There is no such image.")
    _require(session, user, image.dataset_id, least, "image")
    return image


def view_image(session: Session, *, user: User, image_id: int) -> Image:
    return _image(session, user, image_id, "viewer")


def annotate_image(session: Session, *, user: User, image_id: int) -> Image:
    return _image(session, user, image_id, "annotator")


def manage_image(session: Session, *, user: User, image_id: int) -> Image:
    return _image(session, user, image_id, "owner")


def _category(session: Session, user: User, category_id: int, least: str) -> Category:
    category = session.get(Category, category_id)
    if category is None:
        raise NotFound("There is no such category.")
    _require(session, user, category.dataset_id, least, "category")
    return category


def view_category(session: Session, *, user: User, category_id: int) -> Category:
    return _category(session, user, category_id, "viewer")


def edit_category(session: Session, *, user: User, category_id: int) -> Category:
    return _category(session, user, category_id, "owner")


def _annotation(session: Session, user: User, annotation_id: int, least: str) -> Annotation:
    annotation = session.get(Annotation, annotation_id)
    if annotation is None:
        raise NotFound("There is no such annotation.")
    _require(session, user, annotation.dataset_id, least, "annotation")
    return annotation


def view_annotation(session: Session, *, user: User, annotation_id: int) -> Annotation:
    """The annotation, deleted or not: its history stays visible after a deletion."""
    return _annotation(session, user, annotation_id, "viewer")


def copied_annotation(
    session: Session, *, user: User, annotation_id: int | None
) -> Annotation | None:
    """The annotation that a new one shall be a copy of, if any."""
    if annotation_id is None:
        return None
    try:
        return view_annotation(session, user=user, annotation_id=annotation_id)
    except NotFound:
        raise Invalid(
            "There is no such annotation to copy.",
            code="copy_of_unknown",
            loc=("body", "copy_of"),
        ) from None


def edit_annotation(session: Session, *, user: User, annotation_id: int) -> Annotation:
    return _annotation(session, user, annotation_id, "annotator")


def _prediction_set(
    session: Session, user: User, dataset_id: int, set_id: int, least: str
) -> PredictionSet:
    found = session.get(PredictionSet, set_id)
    if found is None or found.dataset_id != dataset_id:
        raise NotFound("There is no such set of predictions.")
    _require(session, user, dataset_id, least, "set of predictions")
    return found


def view_prediction_set(
    session: Session, *, user: User, dataset_id: int, set_id: int
) -> PredictionSet:
    return _prediction_set(session, user, dataset_id, set_id, "viewer")


def decide_prediction_set(
    session: Session, *, user: User, dataset_id: int, set_id: int
) -> PredictionSet:
    return _prediction_set(session, user, dataset_id, set_id, "annotator")


def manage_prediction_set(
    session: Session, *, user: User, dataset_id: int, set_id: int
) -> PredictionSet:
    return _prediction_set(session, user, dataset_id, set_id, "owner")


def decide_prediction(session: Session, *, user: User, prediction_id: int) -> Prediction:
    prediction = session.get(Prediction, prediction_id)
    if prediction is None:
        raise NotFound("There is no such prediction.")
    kept = session.get_one(PredictionSet, prediction.set_id)
    _require(session, user, kept.dataset_id, "annotator", "prediction")
    return prediction


def view_job(session: Session, *, user: User, job_id: int) -> Job:
    job = session.scalar(select(Job).where(Job.id == job_id, visible_jobs(user)))
    if job is None:
        raise NotFound("There is no such job.")
    return job


def cancel_job(session: Session, *, user: User, job_id: int) -> Job:
    job = view_job(session, user=user, job_id=job_id)
    if job.owner_id != user.id and (
        job.dataset_id is None or role_in(session, user=user, dataset_id=job.dataset_id) != "owner"
    ):
        raise Forbidden("Only who started a job or owns its dataset may cancel it.")
    return job


def administer(user: User) -> User:
    if not user.is_admin:
        raise Forbidden("Only an administrator may do that.")
    return user
