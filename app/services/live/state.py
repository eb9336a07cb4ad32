"""What somebody who follows an image has to know at first, and after anything but an annotation.

Two digests stand for what is too long to send each time. They say whether one has to ask again:
`categories` for the dataset's categories, `open_predictions` for those of the image (their number
and the sum of their ids). A digest is computed from what is there, so no writer can forget it.
"""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.models import Image

__all__ = ["LiveState", "categories_digest", "look"]

_CATEGORIES = text("""
    select md5(coalesce(string_agg(md5(concat_ws(
        chr(31), id, coco_id, name, coalesce(supercategory, chr(30)), color, isthing,
        keypoints, skeleton
    )), '' order by id), ''))
    from categories where dataset_id = :dataset
""")
_PREDICTIONS = text("""
    select count(*) || '-' || coalesce(sum(id), 0)
    from predictions where image_id = :image and state = 'open'
""")


class LiveState(NamedTuple):
    image: Image
    categories: str
    open_predictions: str


def look(session: Session, *, image: Image) -> LiveState:
    predictions = session.scalar(_PREDICTIONS, {"image": image.id})
    return LiveState(
        image, categories_digest(session, dataset_id=image.dataset_id), str(predictions)
    )


def categories_digest(session: Session, *, dataset_id: int) -> str:
    """A text that changes whenever anything about the dataset's categories does."""
    return str(session.scalar(_CATEGORIES, {"dataset": dataset_id}))
