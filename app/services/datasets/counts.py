"""The counters of a dataset: images and annotations by image status.

Call `add` as the last statement of a transaction: it locks the dataset's counter until the
commit, and everybody who saves in that dataset waits for it.
"""

from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.models import STATUSES, DatasetCount

__all__ = ["Progress", "add", "progress"]


@dataclass(frozen=True)
class Progress:
    """Totals of a dataset, and its images by status."""

    images: int = 0
    annotations: int = 0
    by_status: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))


def add(
    session: Session, *, dataset_id: int, status: str, images: int = 0, annotations: int = 0
) -> None:
    """Add to the counters of one status; negative numbers take away."""
    if not images and not annotations:
        return
    session.flush()
    row = insert(DatasetCount).values(
        dataset_id=dataset_id, status=status, images=images, annotations=annotations
    )
    session.execute(
        row.on_conflict_do_update(
            index_elements=[DatasetCount.dataset_id, DatasetCount.status],
            set_={
                "images": DatasetCount.images + row.excluded.images,
                "annotations": DatasetCount.annotations + row.excluded.annotations,
            },
        )
    )


def progress(session: Session, *, dataset_ids: list[int]) -> dict[int, Progress]:
    """The counters of several datasets at once, by dataset id; empty ones included."""
    rows = session.execute(
        select(
            DatasetCount.dataset_id,
            DatasetCount.status,
            func.sum(DatasetCount.images),
            func.sum(DatasetCount.annotations),
        )
        .where(DatasetCount.dataset_id.in_(dataset_ids))
        .group_by(DatasetCount.dataset_id, DatasetCount.status)
    )
    images: dict[int, dict[str, int]] = {key: dict.fromkeys(STATUSES, 0) for key in dataset_ids}
    annotations = dict.fromkeys(dataset_ids, 0)
    for dataset_id, status, image_count, annotation_count in rows:
        images[dataset_id][status] = int(image_count)
        annotations[dataset_id] += int(annotation_count)
    return {
        key: Progress(sum(images[key].values()), annotations[key], images[key])
        for key in dataset_ids
    }
