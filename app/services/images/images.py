"""Images: lists with filters, their neighbours in such a list, changes and deletion.

A list is read page by page with a keyset: the sort key and the id of the last row. So a page stays
right while rows are added, and the hundredth page costs what the first does. The neighbours of an
image are asked for in the same order, in both directions.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, exists, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.errors import Conflict, Malformed, NotFound
from app.formats.coco import rawjson, values, variants
from app.models import Annotation, Category, Image
from app.services import coco_ids
from app.services.datasets import counts
from app.services.files import names as file_names
from app.services.live import live

__all__ = [
    "SORTS",
    "ImageFilter",
    "Key",
    "Neighbours",
    "change_image",
    "count_images",
    "delete_image",
    "find_neighbours",
    "key_from",
    "key_of",
    "list_images",
    "list_subsets",
]

_COLUMNS: dict[str, InstrumentedAttribute[Any]] = {
    "file_name": Image.file_name,
    "id": Image.id,
    "created_at": Image.created_at,
    "annotation_count": Image.annotation_count,
}
SORTS = tuple(_COLUMNS) + tuple(f"-{name}" for name in _COLUMNS)


@dataclass(frozen=True)
class ImageFilter:
    """Which images of a dataset; what is None or empty does not matter.

    An image has an annotation of one of the categories or, with `every_category`, of each of them.
    `coco_ids` and `category_coco_ids` are ids in COCO files. An image is `waiting` while it has no
    annotation and nobody has said that it is done or that there is nothing in it.
    """

    q: str | None = None
    coco_ids: tuple[Any, ...] = ()
    categories: tuple[int, ...] = ()
    category_coco_ids: tuple[Any, ...] = ()
    every_category: bool = False
    annotated: bool | None = None
    waiting: bool = False
    subset: str | None = None
    status: str | None = None

    @property
    def is_counted(self) -> bool:
        """Whether the counters know how many images there are."""
        return self == ImageFilter(status=self.status)

    def conditions(self, dataset_id: int) -> list[ColumnElement[bool]]:
        wanted = [Image.dataset_id == dataset_id]
        if self.q:
            # Half the time of ``ilike``, and no character is special.
            name, part = func.lower(Image.match_name), func.lower(_comparable(self.q))
            wanted.append(func.strpos(name, part) > 0)
        if self.coco_ids:
            wanted.append(coco_ids.is_one_of(Image.coco_id, self.coco_ids))
        wanted += [_has_one_of(ids) for ids in self._groups(self.categories)]
        for group in self._groups(self.category_coco_ids):
            named = Category.dataset_id == dataset_id, coco_ids.is_one_of(Category.coco_id, group)
            wanted.append(_has_one_of(select(Category.id).where(*named)))
        if self.annotated is not None:
            count = Image.annotation_count
            wanted.append(count > 0 if self.annotated else count == 0)
        if self.waiting:
            wanted += [Image.annotation_count == 0, Image.status.in_(("new", "in_progress"))]
        if self.subset is not None:
            wanted.append(Image.subset == self.subset)
        if self.status is not None:
            wanted.append(Image.status == self.status)
        return wanted

    def _groups(self, ids: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """An image has one of each group of categories."""
        if self.every_category:
            return [(one,) for one in ids]
        return [ids] if ids else []


def _has_one_of(categories: Any) -> ColumnElement[bool]:
    return exists().where(
        Annotation.image_id == Image.id,
        Annotation.category_id.in_(categories),
        Annotation.deleted_at.is_(None),
    )


def _comparable(text: str) -> str:
    return unicodedata.normalize("NFC", text).replace("\\", "/")


class Key(NamedTuple):
    """The place of an image in a sorted list."""

    value: Any
    id: int


def key_of(image: Image, sort: str) -> Key:
    """The image's place in a list sorted so."""
    return Key(getattr(image, sort.removeprefix("-")), image.id)


def key_from(sort: str, value: object, image_id: int) -> Key:
    """A key that went out as JSON (times as ISO 8601 text); Malformed when it does not fit."""
    column = sort.removeprefix("-")
    if column == "created_at" and isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    wanted = {"file_name": str, "created_at": datetime}.get(column, int)
    if type(value) is not wanted or (isinstance(value, datetime) and value.tzinfo is None):
        raise Malformed("That cursor is not one of ours.", code="bad_cursor")
    return Key(value, image_id)


class _Order:
    """The order of a list, by the columns of the images or of a choice of them."""

    def __init__(self, sort: str, value: ColumnElement[Any], id_: ColumnElement[Any]) -> None:
        self._descending = sort.startswith("-")
        self._keys = [id_] if sort.removeprefix("-") == "id" else [value, id_]

    def by(self, *, back: bool = False) -> list[ColumnElement[Any]]:
        """For ``order by``; `back` walks towards the first image."""
        if self._descending != back:
            return [key.desc() for key in self._keys]
        return [key.asc() for key in self._keys]

    def beyond(self, place: Key, *, back: bool = False) -> ColumnElement[bool]:
        """Whether an image comes after this place; with `back`, before it."""
        row = tuple_(*self._keys)
        values_of_place = tuple_(*place[-len(self._keys) :])
        return row < values_of_place if self._descending != back else row > values_of_place


def _column(sort: str) -> InstrumentedAttribute[Any]:
    return _COLUMNS[sort.removeprefix("-")]


def list_images(
    session: Session,
    *,
    dataset_id: int,
    filters: ImageFilter = ImageFilter(),
    sort: str = "id",
    limit: int,
    after: Key | None = None,
    skip: int = 0,
) -> Sequence[Image]:
    """A page of the list; `after` is the place of the last image seen.

    `skip` leaves out so many: it finds the image at a place, and is slow far down in a long list.
    """
    order = _Order(sort, _column(sort).expression, Image.id.expression)
    query = select(Image).where(*filters.conditions(dataset_id)).order_by(*order.by())
    if after is not None:
        query = query.where(order.beyond(after))
    return session.scalars(query.limit(limit).offset(skip)).all()


def count_images(session: Session, *, dataset_id: int, filters: ImageFilter = ImageFilter()) -> int:
    """How many images the list has; without filters, or by status alone, from the counters."""
    if filters.is_counted:
        known = counts.progress(session, dataset_ids=[dataset_id])[dataset_id]
        return known.by_status.get(filters.status, 0) if filters.status else known.images
    query = select(func.count()).select_from(Image).where(*filters.conditions(dataset_id))
    return session.scalar(query) or 0


def list_subsets(session: Session, *, dataset_id: int) -> list[str]:
    """The subsets that images of the dataset have; looks up each once, however many images."""
    found: list[str] = []
    query = select(func.min(Image.subset)).where(Image.dataset_id == dataset_id)
    subset = session.scalar(query)
    while subset is not None:
        found.append(subset)
        subset = session.scalar(query.where(Image.subset > subset))
    return found


@dataclass(frozen=True)
class Neighbours:
    """What stands before and after an image in a list, and where it stands, counted from 1.

    `position` is None when the image itself is not in the list, because it was changed since.
    """

    previous: int | None
    next: int | None
    position: int | None
    total: int


def find_neighbours(
    session: Session, *, image: Image, filters: ImageFilter = ImageFilter(), sort: str = "id"
) -> Neighbours:
    """The image's neighbours in a list with this filter and order."""
    here, conditions = key_of(image, sort), filters.conditions(image.dataset_id)
    rows = select(Image.id, _column(sort).label("value")).where(*conditions)
    # A search that no index helps is made once; elsewhere, an index answers each question below.
    searched = bool(filters.q or filters.categories or filters.category_coco_ids)
    chosen = rows.cte("chosen") if searched else rows.subquery("chosen")
    order = _Order(sort, chosen.c.value, chosen.c.id)

    def beside(*, back: bool) -> ColumnElement[Any]:
        query = select(chosen.c.id).where(order.beyond(here, back=back))
        return query.order_by(*order.by(back=back)).limit(1).scalar_subquery()

    ahead = order.beyond(here, back=True)
    counted = select(func.count().label("ahead"), literal(0).label("total")).where(ahead)
    if not filters.is_counted:
        counted = select(func.count().filter(ahead).label("ahead"), func.count().label("total"))
    numbers = counted.select_from(chosen).subquery()
    found = session.execute(
        select(
            beside(back=True).label("previous"),
            beside(back=False).label("next"),
            exists().where(chosen.c.id == image.id).label("is_in_list"),
            numbers.c.ahead,
            numbers.c.total,
        )
    ).one()
    total = found.total
    if filters.is_counted:
        total = count_images(session, dataset_id=image.dataset_id, filters=filters)
    position = found.ahead + 1 if found.is_in_list else None
    return Neighbours(found.previous, found.next, position, total)


def change_image(session: Session, *, image: Image, changes: dict[str, Any]) -> Image:
    """Set `status`, `subset` and `file_name` where given; an imported record follows the name."""
    _lock(session, image)
    before = image.status
    if "file_name" in changes and changes["file_name"] != image.file_name:
        _rename(session, image, changes["file_name"])
    image.subset = changes.get("subset", image.subset)
    image.status = changes.get("status", before)
    image.updated_at = func.clock_timestamp()
    session.flush()
    session.refresh(image)
    if image.status != before:
        # In one order, so that two such changes never wait for each other.
        for status in sorted((before, image.status)):
            sign = -1 if status == before else 1
            _count(session, image, status, sign)
    live.images_changed(session, [image.id], dataset_id=image.dataset_id)
    return image


def _lock(session: Session, image: Image) -> None:
    """Lock the image's row, so that the counters move by what it has at this moment."""
    found = session.get(Image, image.id, populate_existing=True, with_for_update=True)
    if found is None:
        raise NotFound("There is no such image.")


def _count(session: Session, image: Image, status: str, sign: int) -> None:
    counts.add(
        session,
        dataset_id=image.dataset_id,
        status=status,
        images=sign,
        annotations=sign * image.annotation_count,
    )


def _rename(session: Session, image: Image, name: str) -> None:
    name = file_names.check_file_name(name)
    match = values.match_name(name)
    taken = exists().where(
        Image.dataset_id == image.dataset_id, Image.match_name == match, Image.id != image.id
    )
    if session.scalar(select(taken)):
        raise Conflict(f"There is already an image called {name}.", code="name_taken")
    image.file_name, image.match_name = name, match
    if image.record is not None:
        before, image.record = image.record, rawjson.replace(image.record, {"file_name": name})
        image.variants = variants.follow(image.variants, before, image.record)


def delete_image(session: Session, *, image: Image) -> str | None:
    """Delete the image with its annotations; the SHA-256 of the file that it may leave unused."""
    _lock(session, image)
    session.execute(delete(Annotation).where(Annotation.image_id == image.id))
    session.execute(delete(Image).where(Image.id == image.id))
    _count(session, image, image.status, -1)
    live.images_changed(session, [image.id], dataset_id=image.dataset_id)
    return image.blob_sha256
