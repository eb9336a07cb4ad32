"""Numbers from 1 for the images and annotations of several files that belong together.

The files of an exported zip speak of the same images: what has one number in one of them has it
in all. Tasks whose files count their annotations together (`ID_SPACES`) share their numbers, too,
and no number comes twice in two subsets. Kept are the primary keys in order: a thing's number is
its place.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.formats.records import ID_SPACES
from app.models import Annotation, Image
from app.services.images.images import ImageFilter

__all__ = ["Numbers"]

_ROWS = 10_000
_Keys = npt.NDArray[np.int64]


class Numbers:
    """The numbers of what these filters choose of a dataset, for files of these tasks."""

    def __init__(
        self, session: Session, *, dataset_id: int, tasks: Iterable[str], filters: ImageFilter
    ) -> None:
        chosen = filters.conditions(dataset_id)
        self._images = _keys(session, select(Image.id).where(*chosen).order_by(Image.id))
        self._annotations: dict[str, _Keys] = {}
        wanted = set(tasks)
        for space in ID_SPACES:
            if wanted.isdisjoint(space):
                continue
            query = (
                select(Annotation.id)
                .where(
                    Annotation.dataset_id == dataset_id,
                    Annotation.task.in_(space),
                    Annotation.deleted_at.is_(None),
                )
                .order_by(Annotation.id)
            )
            if filters != ImageFilter():
                query = query.where(Annotation.image_id.in_(select(Image.id).where(*chosen)))
            if filters.categories and space != ("captions",):
                query = query.where(Annotation.category_id.in_(filters.categories))
            self._annotations |= dict.fromkeys(space, _keys(session, query))

    def of_image(self, key: int) -> int:
        """The number of the image with this primary key."""
        return _number(self._images, key)

    def of_annotation(self, task: str, key: int) -> int:
        """The number of the annotation with this primary key in files of the task."""
        return _number(self._annotations[task], key)


def _keys(session: Session, query: Select[int]) -> _Keys:
    streamed = query.execution_options(stream_results=True, yield_per=_ROWS)
    return np.fromiter(session.scalars(streamed), np.int64)


def _number(keys: _Keys, key: int) -> int:
    return int(np.searchsorted(keys, key)) + 1
