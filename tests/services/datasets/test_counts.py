"""The counters say what counting would say."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Annotation, Image
from app.services.datasets import counts
from tests.build import make_annotation, make_dataset, make_image


def recount(session: Session, dataset_id: int) -> counts.Progress:
    """What the counters should say."""
    rows = session.execute(
        select(Image.status, func.count())
        .where(Image.dataset_id == dataset_id)
        .group_by(Image.status)
    )
    by_status = counts.Progress().by_status | {row[0]: row[1] for row in rows}
    annotations = session.scalar(
        select(func.count()).where(
            Annotation.dataset_id == dataset_id, Annotation.deleted_at.is_(None)
        )
    )
    return counts.Progress(sum(by_status.values()), annotations or 0, by_status)


def test_adding_and_taking_away(session: Session) -> None:
    dataset = make_dataset(session)
    image = make_image(session, dataset=dataset, status="done")
    make_image(session, dataset=dataset)
    make_annotation(session, image=image)
    found = counts.progress(session, dataset_ids=[dataset.id])[dataset.id]
    assert found == recount(session, dataset.id)
    assert (found.images, found.annotations, found.by_status["done"]) == (2, 1, 1)


def test_a_dataset_without_images_counts_nothing(session: Session) -> None:
    dataset = make_dataset(session)
    assert counts.progress(session, dataset_ids=[dataset.id]) == {dataset.id: counts.Progress()}
