"""Categories: their columns and the COCO record that is exported.

The record is the imported JSON text, verbatim, or one made here; a change replaces only the
members that it names.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid
from app.formats.coco import rawjson
from app.models import Annotation, Category, Dataset

__all__ = [
    "PALETTE",
    "change_category",
    "color_for",
    "count_annotations",
    "create_category",
    "delete_category",
    "list_categories",
]

# Twelve hues that stay apart for the common colour-vision deficiencies, then lighter and darker.
_HUES = (
    "#4f8cff", "#e8a33d", "#2fb8a0", "#d9634c", "#b279d9", "#8fb339",
    "#e377a8", "#45b5e0", "#c9a227", "#7f8cf0", "#59b368", "#b58863",
)  # fmt: skip


def _shade(color: str, factor: float) -> str:
    """Towards white for a factor above 1, towards black below."""
    parts = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    if factor >= 1:
        mixed = [round(part + (255 - part) * (factor - 1)) for part in parts]
    else:
        mixed = [round(part * factor) for part in parts]
    return "#" + "".join(f"{part:02x}" for part in mixed)


PALETTE = tuple(_shade(hue, factor) for factor in (1.0, 1.4, 0.7, 1.6, 0.55) for hue in _HUES)


def color_for(position: int) -> str:
    """The palette's colour for the category at this place in its dataset."""
    return PALETTE[position % len(PALETTE)]


def list_categories(session: Session, *, dataset_id: int) -> Sequence[Category]:
    return session.scalars(
        select(Category).where(Category.dataset_id == dataset_id).order_by(Category.id)
    ).all()


def count_annotations(session: Session, *, dataset_id: int) -> dict[int, int]:
    """How many annotations each category of a dataset has."""
    rows = session.execute(
        select(Annotation.category_id, func.count())
        .join(Category, Category.id == Annotation.category_id)
        .where(Category.dataset_id == dataset_id, Annotation.deleted_at.is_(None))
        .group_by(Annotation.category_id)
    )
    return {key: count for key, count in rows if key is not None}


def _check_skeleton(keypoints: list[str], skeleton: list[list[int]]) -> None:
    for index, edge in enumerate(skeleton):
        if len(edge) != 2 or not all(1 <= end <= len(keypoints) for end in edge):
            raise Invalid(
                "An edge of the skeleton names two keypoints, counted from 1.",
                code="skeleton_invalid",
                loc=("body", "skeleton", index),
            )
    if len(set(keypoints)) != len(keypoints):
        raise Invalid(
            "Keypoints have different names.", code="keypoints_invalid", loc=("body", "keypoints")
        )


def _check_name(session: Session, dataset_id: int, name: str, but: int = 0) -> None:
    taken = exists().where(
        Category.dataset_id == dataset_id, Category.name == name, Category.id != but
    )
    if session.scalar(select(taken)):
        raise Conflict(f"There is already a category called {name}.", code="name_taken")


def _next_coco_id(session: Session, dataset_id: int) -> int:
    # Locked, so that two categories made at once do not take the same id.
    session.execute(select(Dataset.id).where(Dataset.id == dataset_id).with_for_update())
    ids = session.scalars(select(Category.coco_id).where(Category.dataset_id == dataset_id))
    numbers = [int(i) for i in ids if isinstance(i, int | float) and not isinstance(i, bool)]
    return max(numbers, default=0) + 1


def create_category(
    session: Session,
    *,
    dataset_id: int,
    name: str,
    supercategory: str | None = None,
    color: str | None = None,
    isthing: bool = True,
    keypoints: list[str] | None = None,
    skeleton: list[list[int]] | None = None,
) -> Category:
    """A new category with the next free COCO id and, unless given, the next colour."""
    keypoints, skeleton = keypoints or [], skeleton or []
    _check_name(session, dataset_id, name)
    _check_skeleton(keypoints, skeleton)
    coco_id = _next_coco_id(session, dataset_id)
    position = session.scalar(
        select(func.count()).select_from(Category).where(Category.dataset_id == dataset_id)
    )
    record: dict[str, Any] = {"supercategory": supercategory or "", "id": coco_id, "name": name}
    if keypoints:
        record |= {"keypoints": keypoints, "skeleton": skeleton}
    category = Category(
        dataset_id=dataset_id,
        coco_id=coco_id,
        name=name,
        supercategory=supercategory,
        color=color or color_for(position or 0),
        isthing=isthing,
        keypoints=keypoints,
        skeleton=skeleton,
        record=json.dumps(record, ensure_ascii=False),
    )
    session.add(category)
    session.flush()
    return category


# Members of a COCO category that are written only where the record has them already: they are
# ours (the colour on the screen) or belong to panoptic files.
_ONLY_WHERE_PRESENT = frozenset({"isthing"})
_NEVER_WRITTEN = frozenset({"color"})


def change_category(session: Session, *, category: Category, changes: dict[str, Any]) -> Category:
    """Set the members that `changes` names; the record keeps every other member as it is."""
    if "name" in changes:
        _check_name(session, category.dataset_id, changes["name"], but=category.id)
    if "keypoints" in changes or "skeleton" in changes:
        _check_skeleton(
            changes.get("keypoints", category.keypoints),
            changes.get("skeleton", category.skeleton),
        )
    present = rawjson.members(category.record)
    edits = {}
    for key, value in changes.items():
        setattr(category, key, value)
        if key in _NEVER_WRITTEN or (key in _ONLY_WHERE_PRESENT and key not in present):
            continue
        edits[key] = int(value) if key == "isthing" else value
    category.record = rawjson.replace(category.record, edits)
    session.flush()
    return category


def delete_category(session: Session, *, category: Category) -> None:
    """Delete a category that no annotation has."""
    used = exists().where(Annotation.category_id == category.id, Annotation.deleted_at.is_(None))
    if session.scalar(select(used)):
        raise Conflict(
            "Annotations have this category: delete them or give them another one first.",
            code="category_in_use",
        )
    session.delete(category)
    session.flush()
