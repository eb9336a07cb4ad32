"""What a dataset consists of, for tests that compare before and after."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import (
    Annotation,
    AnnotationTask,
    AnnotationVersion,
    Category,
    CategoryTask,
    Dataset,
    DatasetCount,
    DatasetTask,
    Image,
    ImageTask,
    PanopticImage,
    Prediction,
    PredictionSet,
)

__all__ = ["everything"]

_TABLES = (
    Dataset,
    DatasetTask,
    Image,
    ImageTask,
    PanopticImage,
    Category,
    CategoryTask,
    Annotation,
    AnnotationTask,
    AnnotationVersion,
    DatasetCount,
    PredictionSet,
    Prediction,
)


def everything(session: Session) -> list[Any]:
    """The rows of every table that belongs to datasets."""
    tables = (model.__table__ for model in _TABLES)
    return [session.execute(select(table).order_by(*table.primary_key)).all() for table in tables]
