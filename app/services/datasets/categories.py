"""Categories: their columns and the COCO record that is exported.

The record is the imported JSON text, verbatim, or one made here; a change replaces only the
members that it names.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid, NotFound
from app.formats.coco import rawjson, variants
from app.models import Annotation, Category, Prediction
from app.services import coco_ids
from app.services.datasets import datasets, palette
from app.services.live import live

__all__ = [
    "change_category",
    "count_annotations",
    "create_category",
    "delete_category",
    "list_categories",
]


def list_categories(
    session: Session,
    *,
    dataset_id: int,
    names: Sequence[str] = (),
    supercategories: Sequence[str] = (),
    ids: Sequence[Any] = (),
) -> Sequence[Category]:
    """The categories of a dataset with any of these names, supercategories and ids in COCO files.

    What is empty does not matter. They come in the order in which they were made.
    """
    query = select(Category).where(Category.dataset_id == dataset_id)
    if names:
        query = query.where(Category.name.in_(names))
    if supercategories:
        query = query.where(Category.supercategory.in_(supercategories))
    if ids:
        query = query.where(coco_ids.is_one_of(Category.coco_id, ids))
    return session.scalars(query.order_by(Category.id)).all()


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
    _check_skeleton(keypoints, skeleton)
    datasets.lock_dataset(session, dataset_id=dataset_id)
    _check_name(session, dataset_id, name)
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
        color=color or palette.color_for(position or 0),
        isthing=isthing,
        keypoints=keypoints,
        skeleton=skeleton,
        record=json.dumps(record, ensure_ascii=False),
    )
    session.add(category)
    session.flush()
    live.dataset_changed(session, dataset_id)
    return category


# Members of a COCO category that are written only where the record has them already: they are
# ours (the colour on the screen) or belong to panoptic files.
_ONLY_WHERE_PRESENT = frozenset({"isthing"})
_NEVER_WRITTEN = frozenset({"color"})


def change_category(session: Session, *, category: Category, changes: dict[str, Any]) -> Category:
    """Set the members that `changes` names; the record keeps every other member as it is."""
    _lock(session, category, key_share=True)
    if "name" in changes:
        # Two categories must not take the same name at once.
        datasets.lock_dataset(session, dataset_id=category.dataset_id)
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
    before, category.record = category.record, rawjson.replace(category.record, edits)
    category.variants = variants.follow(category.variants, before, category.record)
    session.flush()
    live.dataset_changed(session, category.dataset_id)
    return category


def _lock(session: Session, category: Category, *, key_share: bool) -> None:
    """Lock the row and read it again: the record may hold what somebody else just changed."""
    found = session.get(
        Category,
        category.id,
        populate_existing=True,
        with_for_update={"key_share": key_share},
    )
    if found is None:
        raise NotFound("There is no such category.")


def delete_category(session: Session, *, category: Category) -> None:
    """Delete a category that no annotation has; deleted annotations and predictions lose it."""
    # What has a category is locked before it; the foreign key would do it the other way round.
    for model, lose_it in (
        (Prediction, Prediction.category_id == category.id),
        (
            Annotation,
            (Annotation.category_id == category.id) & Annotation.deleted_at.is_not(None),
        ),
    ):
        session.execute(
            update(model)
            .where(lose_it)
            .values(category_id=None)
            .execution_options(synchronize_session=False)
        )
    # From here on no annotation can take the category; one that just did has been waited for.
    _lock(session, category, key_share=False)
    used = exists().where(Annotation.category_id == category.id, Annotation.deleted_at.is_(None))
    if session.scalar(select(used)):
        raise Conflict(
            "Annotations have this category: delete them or give them another one first.",
            code="category_in_use",
        )
    session.delete(category)
    session.flush()
    live.dataset_changed(session, category.dataset_id)
