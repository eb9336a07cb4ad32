"""Numbers about a dataset: annotations by category, status and person, and covers.

Statistics count rows, so they take longer the larger a dataset is; pages that only need the totals
read the counters (app/services/datasets/counts.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, literal, select, true, union_all
from sqlalchemy.orm import Session

from app.models import STATUSES, Annotation, Category, Dataset, DatasetCount, Image, User

__all__ = ["ByCategory", "ByPerson", "ByStatus", "Cover", "Statistics", "covers", "of_dataset"]


@dataclass(frozen=True)
class ByCategory:
    """What one category has; `category_id` is None for annotations without one."""

    category_id: int | None
    name: str
    color: str | None
    annotations: int
    images: int


@dataclass(frozen=True)
class ByStatus:
    """Images of one status, and the annotations on them."""

    status: str
    images: int
    annotations: int


@dataclass(frozen=True)
class ByPerson:
    """What one person made, and what has its newest state from them, on how many images."""

    user_id: int | None
    name: str
    email: str | None
    created: int
    updated: int
    images: int


@dataclass(frozen=True)
class Statistics:
    """All numbers about one dataset."""

    images: int
    annotated_images: int
    images_without_file: int
    annotations: int
    crowds: int
    by_category: list[ByCategory]
    by_status: list[ByStatus]
    by_person: list[ByPerson]

    @property
    def annotations_per_image(self) -> float:
        """The mean over the images that have annotations."""
        return round(self.annotations / self.annotated_images, 1) if self.annotated_images else 0.0


@dataclass(frozen=True)
class Cover:
    """The image that stands for a dataset."""

    id: int
    revision: int


def of_dataset(session: Session, *, dataset_id: int) -> Statistics:
    """Count everything in a dataset."""
    images, annotated, without_file = session.execute(
        select(
            func.count(),
            func.count().filter(Image.annotation_count > 0),
            func.count().filter(Image.blob_sha256.is_(None)),
        ).where(Image.dataset_id == dataset_id)
    ).one()
    annotations, crowds = session.execute(
        select(func.count(), func.count().filter(Annotation.iscrowd)).where(*_present(dataset_id))
    ).one()
    return Statistics(
        images=images,
        annotated_images=annotated,
        images_without_file=without_file,
        annotations=annotations,
        crowds=crowds,
        by_category=_by_category(session, dataset_id),
        by_status=_by_status(session, dataset_id),
        by_person=_by_person(session, dataset_id),
    )


def _present(dataset_id: int) -> tuple[ColumnElement[bool], ...]:
    return Annotation.dataset_id == dataset_id, Annotation.deleted_at.is_(None)


def _by_category(session: Session, dataset_id: int) -> list[ByCategory]:
    """Most annotations first; categories without any at the end."""
    counted = (
        select(
            Annotation.category_id.label("category_id"),
            func.count().label("annotations"),
            func.count(Annotation.image_id.distinct()).label("images"),
        )
        .where(*_present(dataset_id))
        .group_by(Annotation.category_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Category.id,
            Category.name,
            Category.color,
            func.coalesce(counted.c.annotations, 0),
            func.coalesce(counted.c.images, 0),
        )
        .outerjoin(counted, counted.c.category_id == Category.id)
        .where(Category.dataset_id == dataset_id)
        .order_by(func.coalesce(counted.c.annotations, 0).desc(), Category.id)
    )
    found = [ByCategory(*row) for row in rows]
    without = session.execute(
        select(counted.c.annotations, counted.c.images).where(counted.c.category_id.is_(None))
    ).one_or_none()
    if without is not None:
        found.append(ByCategory(None, "Without a category", None, *without))
    return found


def _by_status(session: Session, dataset_id: int) -> list[ByStatus]:
    rows = session.execute(
        select(DatasetCount.status, DatasetCount.images, DatasetCount.annotations).where(
            DatasetCount.dataset_id == dataset_id
        )
    )
    found = {status: ByStatus(status, images, annotations) for status, images, annotations in rows}
    return [found.get(status, ByStatus(status, 0, 0)) for status in STATUSES]


def _by_person(session: Session, dataset_id: int) -> list[ByPerson]:
    """Most work first. Annotations of deleted accounts count for nobody."""
    made = select(
        Annotation.created_by.label("user_id"),
        Annotation.image_id.label("image_id"),
        literal(1).label("created"),
        literal(0).label("updated"),
    ).where(*_present(dataset_id), Annotation.created_by.is_not(None))
    changed = select(Annotation.updated_by, Annotation.image_id, literal(0), literal(1)).where(
        *_present(dataset_id), Annotation.updated_by.is_not(None)
    )
    work = union_all(made, changed).subquery()
    rows = session.execute(
        select(
            User.id,
            func.coalesce(func.nullif(User.name, ""), User.email),
            User.email,
            func.sum(work.c.created),
            func.sum(work.c.updated),
            func.count(work.c.image_id.distinct()),
        )
        .join(work, work.c.user_id == User.id)
        .group_by(User.id)
        .order_by(func.sum(work.c.created).desc(), User.id)
    )
    return [ByPerson(*row) for row in rows]


# A dataset may hold a hundred thousand records whose pixels never came: look at some of them only.
_COVER_CANDIDATES = 200


def covers(session: Session, *, dataset_ids: Sequence[int]) -> dict[int, Cover]:
    """An image with pixels for each dataset, of those with the most annotations."""
    if not dataset_ids:
        return {}
    candidates = (
        select(Image.id, Image.revision, Image.blob_sha256)
        .where(Image.dataset_id == Dataset.id)
        .correlate(Dataset)
        .order_by(Image.annotation_count.desc(), Image.id.desc())
        .limit(_COVER_CANDIDATES)
        .subquery()
    )
    best = (
        select(candidates.c.id, candidates.c.revision)
        .where(candidates.c.blob_sha256.is_not(None))
        .limit(1)
        .lateral()
    )
    rows = session.execute(
        select(Dataset.id, best.c.id, best.c.revision)
        .join(best, true())
        .where(Dataset.id.in_(dataset_ids))
    )
    return {dataset_id: Cover(image_id, revision) for dataset_id, image_id, revision in rows}
