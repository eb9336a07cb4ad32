"""One keypoint of an annotation, named as its category names it.

The other keypoints keep the text of their numbers: the array is taken apart into texts, three of
them are exchanged, and it is joined again.
"""

from typing import NamedTuple

import msgspec
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.models import Annotation, Category, User
from app.services.annotations import annotations, view
from app.services.annotations.shapes import Json

__all__ = ["ABSENT", "Keypoint", "set_keypoint"]

_list = msgspec.json.Decoder(list[msgspec.Raw])
_points = msgspec.json.Decoder(list[float])


class Keypoint(NamedTuple):
    """x, y and v as JSON texts; v is 0 (absent), 1 (labelled, not visible) or 2 (visible)."""

    x: str
    y: str
    v: str


ABSENT = Keypoint("0", "0", "0")


def set_keypoint(
    session: Session,
    *,
    annotation: Annotation,
    user: User,
    name: str,
    keypoint: Keypoint,
    expected: annotations.Expected,
) -> Annotation:
    """Place one keypoint, or make it `ABSENT`; a shorter imported array is filled up first."""
    annotations.check_version(annotations.require_present(annotation), expected)
    category = session.get(Category, annotation.category_id) if annotation.category_id else None
    names: list[str] = category.keypoints if category else []
    if name not in names:
        raise NotFound("The category has no such keypoint.", code="keypoint_unknown")
    present = _list.decode(view.members(annotation)["keypoints"].replace("null", "[]"))
    texts = [bytes(raw).decode() for raw in present]
    texts += ["0"] * (3 * len(names) - len(texts))
    place = 3 * names.index(name)
    texts[place : place + 3] = keypoint
    text = f"[{','.join(texts)}]"
    fields = {"keypoints": Json(_points.decode(text), text)}
    return annotations.change_annotation(
        session, annotation=annotation, user=user, fields=fields, expected=expected
    )
