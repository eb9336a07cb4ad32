"""What of a dataset belongs to a task: its images, categories and annotations, in order.

For a task of which the dataset has a file, that is what the file listed, in its order, and then
what was made here and fits: uploaded images, categories, and annotations by what they have. For a
task without a file it is whatever fits:

================  =================================================================================
instances         everything with a geometry
person_keypoints  instances of the categories that have keypoints
stuff             instances of the categories that are no things
captions, labels  captions and labels that were made here
panoptic          the images; app/services/exports/panoptic.py makes the segments
image_info        images and categories alone
================  =================================================================================

Rows come by `place` (app/models/tasks.py): a list of a task is read by its index. What a file of
annotations brought is in part in that list and in part the task's own; the two are merged by
comparing places with keys.
"""

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    any_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from app.formats import TASKS
from app.models import (
    Annotation,
    AnnotationTask,
    Category,
    CategoryTask,
    DatasetTask,
    Image,
    ImageTask,
)
from app.services.images.images import ImageFilter

__all__ = ["GEOMETRY", "KEY", "TaskRecords", "present_tasks"]

KEY = (Annotation.id.label("key"),)
GEOMETRY = (Annotation.shape, Annotation.iscrowd, Annotation.area, Annotation.bbox)
"""Columns of annotations that an export asks for where it needs them."""

_OBJECTS = ("instances", "person_keypoints", "stuff")
_WITHOUT_CATEGORIES = ("captions",)
# Rows that a server-side cursor fetches at a time: some hundreds of kilobytes.
_ROWS = 1000
# Annotations whose images are enough to be held together, and the most images without many.
_ENOUGH = 1000
_IMAGES = 500
_place = attrgetter("place")
_IMAGE = (
    Image.record,
    Image.variants,
    Image.id,
    cast(Image.coco_id, Text).label("coco_id"),
    Image.file_name,
    Image.width,
    Image.height,
    Image.annotation_count,
)
_ANNOTATION = (Annotation.record, Annotation.variants, Annotation.category_id, Annotation.image_id)
_BY_HAND = Annotation.updated_by.is_not(None)
_LIVE = Annotation.deleted_at.is_(None)


def present_tasks(session: Session, *, dataset_id: int) -> list[str]:
    """The tasks of which the dataset has a file or annotations; instances when it has neither."""
    files = select(DatasetTask.task).where(DatasetTask.dataset_id == dataset_id)
    found = set(session.scalars(files))
    # Each task is looked up once in the index, however many annotations it has.
    first = select(func.min(Annotation.task)).where(Annotation.dataset_id == dataset_id)
    task = session.scalar(first)
    while task is not None:
        found.add(task)
        task = session.scalar(first.where(Annotation.task > task))
    return [task for task in TASKS if task in found] or ["instances"]


@dataclass(frozen=True)
class _Listed:
    """A category, and its place in each task that lists it."""

    row: Any
    places: dict[str, int]

    @property
    def made_here(self) -> bool:
        return not self.places


class TaskRecords:
    """The records of one task of one dataset; each list is read when it is asked for."""

    def __init__(
        self, session: Session, *, dataset_id: int, task: str, filters: ImageFilter
    ) -> None:
        self._session = session
        self._dataset_id = dataset_id
        self._task = task
        self._filters = filters
        files = select(DatasetTask.task, DatasetTask.envelope).where(
            DatasetTask.dataset_id == dataset_id
        )
        self._envelopes = {row.task: row.envelope for row in session.execute(files)}
        self._all_categories = self._load_categories()
        self._described = {one.row.id for one in self._all_categories if task in one.places}

    @property
    def all_categories(self) -> list[Any]:
        """The categories of all tasks, without filters."""
        return [one.row for one in self._all_categories]

    @property
    def has_file(self) -> bool:
        """Whether a file of this task was imported."""
        return self._task in self._envelopes

    @property
    def envelope(self) -> str | None:
        """What stood beside the lists of the task's file or, without one, of another file."""
        known = (self._task, *_OBJECTS, *self._envelopes)
        return next((self._envelopes[task] for task in known if task in self._envelopes), None)

    def _rows(self, query: Select[*tuple[Any, ...]]) -> Iterator[Any]:
        streamed = query.execution_options(stream_results=True, yield_per=_ROWS)
        with self._session.execute(streamed) as result:
            yield from result

    def _merged(self, queries: Sequence[Select[*tuple[Any, ...]]]) -> Iterable[Any]:
        """The rows of several queries, each ordered by place, in one order."""
        streams = [self._rows(query) for query in queries]
        return streams[0] if len(streams) == 1 else heapq.merge(*streams, key=_place)

    # Categories --------------------------------------------------------------------------------

    def _load_categories(self) -> list[_Listed]:
        places: dict[int, dict[str, int]] = {}
        listed = select(CategoryTask.category_id, CategoryTask.task, CategoryTask.place).where(
            CategoryTask.dataset_id == self._dataset_id
        )
        for category_id, task, place in self._session.execute(listed):
            places.setdefault(category_id, {})[task] = place
        query = select(
            Category.record,
            Category.variants,
            Category.id,
            Category.coco_id,
            Category.isthing,
            Category.color,
            Category.keypoints,
        ).where(Category.dataset_id == self._dataset_id)
        rows = self._session.execute(query.order_by(Category.id))
        return [_Listed(row, places.get(row.id, {})) for row in rows]

    def categories(self) -> list[Any]:
        """The categories of the task."""
        task = self._task
        if self.has_file:
            used = self._used_by_hand()
            found = [
                one
                for one in self._all_categories
                if task in one.places or one.row.id in used or (one.made_here and self._fits(one))
            ]
        else:
            found = [one for one in self._all_categories if self._fits(one)]
        found.sort(key=lambda one: (task not in one.places, one.places.get(task, one.row.id)))
        wanted = self._filters.categories
        return [one.row for one in found if not wanted or one.row.id in wanted]

    def lists_category(self, category_id: int) -> bool:
        """Whether a file of the task describes the category."""
        return category_id in self._described

    def _fits(self, category: _Listed) -> bool:
        """Whether a category that the task's file does not list is one of the task's."""
        if self._task == "person_keypoints":
            return bool(category.row.keypoints)
        if self._task == "stuff":
            return not category.row.isthing
        if self._task == "image_info":
            return not self.has_file
        return self._task not in _WITHOUT_CATEGORIES

    def _used_by_hand(self) -> set[int]:
        """Categories that annotations made or changed here have in this task."""
        query = select(Annotation.category_id).distinct()
        query = query.where(self._of_dataset, _BY_HAND, _LIVE, or_(*self._conditions()))
        return {key for key in self._session.scalars(query) if key is not None}

    # Images ------------------------------------------------------------------------------------

    def images(self) -> Iterable[Any]:
        """The images of the task: record, variants, key, and what describes one without record."""
        chosen = self._filters.conditions(self._dataset_id)
        if not self.has_file:
            return self._rows(select(*_IMAGE).where(*chosen).order_by(Image.id))
        listed = (
            select(*_IMAGE)
            .join(ImageTask, ImageTask.image_id == Image.id)
            .where(ImageTask.dataset_id == self._dataset_id, self._is_of_task, *chosen)
            .order_by(ImageTask.place)
        )
        others = (
            select(*_IMAGE)
            .where(*chosen, ~self._is_listed(self._is_of_task))
            .where(~self._is_listed() | self._has_annotations())
            .order_by(Image.id)
        )
        return itertools.chain(self._rows(listed), self._rows(others))

    def subsets(self) -> set[str]:
        """The subsets of the chosen images of which the task's file or an annotation speaks."""
        chosen = select(Image.subset).where(*self._filters.conditions(self._dataset_id)).distinct()
        found = set(self._session.scalars(chosen.where(self._is_listed(self._is_of_task))))
        if self._task != "image_info":
            conditions = self._conditions()
            if self.has_file:
                conditions.append(self._is_in_list())
            annotated = exists().where(
                Annotation.image_id == Image.id, *self._chosen_annotations(), or_(*conditions)
            )
            found.update(self._session.scalars(chosen.where(annotated)))
        return found

    @property
    def _is_of_task(self) -> ColumnElement[bool]:
        return ImageTask.task == self._task

    @staticmethod
    def _is_listed(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists().where(ImageTask.image_id == Image.id, *conditions)

    def _has_annotations(self) -> ColumnElement[bool]:
        return exists().where(
            Annotation.image_id == Image.id, _LIVE, _BY_HAND, or_(*self._conditions())
        )

    # Annotations -------------------------------------------------------------------------------

    @property
    def _of_dataset(self) -> ColumnElement[bool]:
        return Annotation.dataset_id == self._dataset_id

    def _conditions(self) -> list[ColumnElement[bool]]:
        """What annotations the task has besides those that are listed: any of these.

        The first is the task's own, which a file of it may have brought.
        """
        task, is_task = self._task, Annotation.task == self._task
        if task == "instances":
            elsewhere = [one.row.id for one in self._all_categories if self._is_stuff_alone(one)]
            if self.has_file and elsewhere:
                category = Annotation.category_id
                is_task = and_(is_task, category.is_(None) | category.not_in(elsewhere))
            more = [Annotation.task == other for other in ("person_keypoints", "stuff")]
            return [is_task] if self.has_file else [is_task, *more]
        if task == "person_keypoints":
            extra = self._instances_of(one for one in self._all_categories if one.row.keypoints)
            if self.has_file:
                has_keypoints = func.strpos(Annotation.record, '"keypoints"') > 0
                extra = and_(extra, _BY_HAND, has_keypoints, ~self._is_in_list())
            return [is_task, extra]
        if task == "stuff":
            stuff = (one for one in self._all_categories if self._is_stuff(one))
            return [is_task, and_(self._instances_of(stuff), ~self._is_in_list())]
        return [is_task]

    @staticmethod
    def _instances_of(categories: Iterable[_Listed]) -> ColumnElement[bool]:
        keys = [one.row.id for one in categories]
        return and_(Annotation.task == "instances", Annotation.category_id.in_(keys))

    @staticmethod
    def _is_stuff_alone(category: _Listed) -> bool:
        """Whether files know the category as stuff and as no object."""
        places = category.places
        return "stuff" in places and not places.keys() & {"instances", "person_keypoints"}

    def _is_stuff(self, category: _Listed) -> bool:
        if not self.has_file:
            return not category.row.isthing
        made_here = category.made_here and not category.row.isthing
        return made_here or self._is_stuff_alone(category)

    def _is_in_list(self) -> ColumnElement[bool]:
        return exists().where(
            AnnotationTask.annotation_id == Annotation.id, AnnotationTask.task == self._task
        )

    def _chosen_annotations(self) -> list[ColumnElement[bool]]:
        """Which annotations, of any task and in any image."""
        chosen = [self._of_dataset, _LIVE]
        if self._filters.categories and self._task not in _WITHOUT_CATEGORIES:
            chosen.append(Annotation.category_id.in_(self._filters.categories))
        return chosen

    def annotations(self, *columns: Any) -> Iterable[Any]:
        """The annotations of the task: record, variants, and the keys of category and image.

        `columns` are further ones, such as `GEOMETRY`.
        """
        return self._annotations(columns)

    def annotations_by_image(self, *columns: Any) -> Iterator[list[Any]]:
        """The same, image after image; each list holds all annotations of some images."""
        for keys in self._some_images():
            found: dict[int, list[Any]] = {key: [] for key in keys}
            some = Annotation.image_id == any_(literal(keys, ARRAY(BigInteger)))
            for row in self._annotations(columns, some):
                found[row.image_id].append(row)
            yield list(itertools.chain.from_iterable(found.values()))

    def _some_images(self) -> Iterator[list[int]]:
        """The keys of the images in their order, of as many at a time as have enough to hold."""
        keys: list[int] = []
        count = 0
        for image in self.images():
            keys.append(image.id)
            count += image.annotation_count
            if count >= _ENOUGH or len(keys) >= _IMAGES:
                yield keys
                keys, count = [], 0
        if keys:
            yield keys

    def _annotations(self, columns: Sequence[Any], *more: ColumnElement[bool]) -> Iterable[Any]:
        if self._task == "image_info":
            return []
        chosen = [*self._chosen_annotations(), *more]
        if self._filters != ImageFilter(categories=self._filters.categories) or (
            self._filters.categories and self._task in _WITHOUT_CATEGORIES
        ):
            images = select(Image.id).where(*self._filters.conditions(self._dataset_id))
            chosen.append(Annotation.image_id.in_(images))
        wanted = (*_ANNOTATION, *columns)
        queries = [
            select(*wanted, Annotation.id.label("place"))
            .where(*chosen, condition)
            .order_by(Annotation.id)
            for condition in self._conditions()
        ]
        if not self.has_file:
            return self._merged(queries)
        brought, *made_here = queries
        return itertools.chain(
            self._merged([brought, *self._listed(chosen, wanted)]), *map(self._rows, made_here)
        )

    def _listed(
        self, chosen: list[ColumnElement[bool]], wanted: tuple[Any, ...]
    ) -> list[Select[*tuple[Any, ...]]]:
        """What brought annotations of other tasks are chosen by; nothing where there are none."""
        is_listed = and_(
            AnnotationTask.dataset_id == self._dataset_id, AnnotationTask.task == self._task
        )
        if not self._session.scalar(select(exists().where(is_listed))):
            return []
        query = select(*wanted, AnnotationTask.place)
        query = query.join(AnnotationTask, AnnotationTask.annotation_id == Annotation.id)
        return [query.where(is_listed, *chosen).order_by(AnnotationTask.place)]
