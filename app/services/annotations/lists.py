"""Lists of a dataset's annotations, by what COCO's ``getAnnIds`` and ``loadAnns`` ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, select, tuple_
from sqlalchemy.orm import Session

from app.models import Annotation, Category, Image
from app.services import coco_ids
from app.services.annotations import annotations

__all__ = ["AnnotationFilter", "list_in_dataset"]


@dataclass(frozen=True)
class AnnotationFilter:
    """Which annotations of a dataset; what is empty or None does not matter.

    `coco_ids`, `image_coco_ids` and `category_coco_ids` are ids in COCO files, the others ids here.
    Neither `area_min` nor `area_max` is included.
    """

    coco_ids: tuple[Any, ...] = ()
    images: tuple[int, ...] = ()
    image_coco_ids: tuple[Any, ...] = ()
    categories: tuple[int, ...] = ()
    category_coco_ids: tuple[Any, ...] = ()
    area_min: float | None = None
    area_max: float | None = None
    iscrowd: bool | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether an index on what is asked for leads to few annotations."""
        wide = AnnotationFilter(
            area_min=self.area_min, area_max=self.area_max, iscrowd=self.iscrowd
        )
        return self != wide

    def conditions(self, dataset_id: int) -> list[ColumnElement[bool]]:
        """What holds for annotations of the dataset that fit."""
        wanted: list[ColumnElement[bool]] = [Annotation.deleted_at.is_(None)]
        if self.coco_ids:
            wanted.append(coco_ids.is_one_of(Annotation.coco_id, self.coco_ids))
        if self.images:
            wanted.append(Annotation.image_id.in_(self.images))
        if self.image_coco_ids:
            named = coco_ids.is_one_of(Image.coco_id, self.image_coco_ids)
            images = select(Image.id).where(Image.dataset_id == dataset_id, named)
            wanted.append(Annotation.image_id.in_(images))
        if self.categories:
            wanted.append(Annotation.category_id.in_(self.categories))
        if self.category_coco_ids:
            named = coco_ids.is_one_of(Category.coco_id, self.category_coco_ids)
            categories = select(Category.id).where(Category.dataset_id == dataset_id, named)
            wanted.append(Annotation.category_id.in_(categories))
        if self.area_min is not None:
            wanted.append(Annotation.area > self.area_min)
        if self.area_max is not None:
            wanted.append(Annotation.area < self.area_max)
        if self.iscrowd is not None:
            wanted.append(Annotation.iscrowd.is_(self.iscrowd))
        return wanted


def list_in_dataset(
    session: Session,
    *,
    dataset_id: int,
    filters: AnnotationFilter = AnnotationFilter(),
    limit: int,
    after: int = 0,
) -> Sequence[Row[Any]]:
    """The annotations that fit all filters, in the order of their ids, those behind `after`."""
    query = select(*annotations.COLUMNS).where(*filters.conditions(dataset_id)).limit(limit)
    if filters.is_narrow:
        here = Annotation.dataset_id == dataset_id, Annotation.id > after
        return session.execute(query.where(*here).order_by(Annotation.id)).all()
    # Were the dataset a constant, PostgreSQL would walk the primary key up to its first annotation,
    # past those of all older datasets.
    place = tuple_(Annotation.dataset_id, Annotation.id)
    here = Annotation.dataset_id <= dataset_id, place > (dataset_id, after)
    return session.execute(query.where(*here).order_by(Annotation.dataset_id, Annotation.id)).all()
