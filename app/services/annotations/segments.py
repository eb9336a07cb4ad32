"""Panoptic segments that are made here: when an annotation is one, and the id that it gets."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.formats.coco import panoptic, rawjson, values
from app.models import Annotation, DatasetTask
from app.services.annotations import edits

__all__ = ["new_task", "next_id"]

_OBJECTS = ("instances", "person_keypoints", "stuff")


def new_task(session: Session, *, dataset_id: int, record: str, asked: str | None) -> str:
    """The task of an annotation that is made here with this record.

    Where a dataset has a panoptic file and none of objects, what has a mask is a segment unless
    something else is asked for. Invalid for a segment without a mask.
    """
    found = edits.task_of(record)
    has_mask = rawjson.members(record).get("segmentation", "[]") not in ("[]", "null")
    if asked == "panoptic":
        if not has_mask:
            raise Invalid(
                "A panoptic segment has a segmentation.",
                code="segmentation_missing",
                loc=("body", "segmentation"),
            )
        return asked
    if asked is None and has_mask and _has_segments_alone(session, dataset_id):
        return "panoptic"
    return found


def _has_segments_alone(session: Session, dataset_id: int) -> bool:
    files = set(
        session.scalars(select(DatasetTask.task).where(DatasetTask.dataset_id == dataset_id))
    )
    return "panoptic" in files and files.isdisjoint(_OBJECTS)


def next_id(session: Session, *, image_id: int) -> int:
    """The next id of a segment on the image, which is locked; deleted ones keep theirs."""
    query = select(Annotation.coco_id).where(
        Annotation.image_id == image_id, Annotation.task == "panoptic"
    )
    used = {values.whole(coco_id) for coco_id in session.scalars(query)}
    known = sorted(number for number in used if number is not None)
    return panoptic.free_ids([*known, 0])[-1]
