"""Images of a dataset: lists with filters, one image, and its neighbours in a list."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, BackgroundTasks, Depends, Query, status
from pydantic import AfterValidator, BaseModel, Field

from app.api import cleaning, deps, paging, problems, wire
from app.api.deps import ContextDep, SessionDep, UserDep
from app.errors import Malformed
from app.models import Image
from app.services import access
from app.services.images import images
from app.services.images.images import ImageFilter

__all__ = ["FiltersDep", "ImageOut", "NeighboursOut", "Sort", "out", "router"]

router = APIRouter(
    tags=["images"], responses=problems.responses(400, 401, 403, 404, 413, 415, 422, 503)
)

Status = Literal["new", "in_progress", "done", "empty"]
Sort = Literal[
    "file_name",
    "id",
    "created_at",
    "annotation_count",
    "-file_name",
    "-id",
    "-created_at",
    "-annotation_count",
]
Words = Annotated[str, Query(max_length=1000), AfterValidator(wire.reject_control)]


class ImageOut(BaseModel):
    """An image; `coco_id` is its id in COCO files, `has_file` whether its pixels are here.

    `revision` grows with every change of its annotations or pixels.
    """

    id: int
    coco_id: Any
    dataset_id: int
    file_name: str
    width: int
    height: int
    subset: str
    status: Status
    annotation_count: int
    has_file: bool
    revision: int
    created_at: datetime
    updated_at: datetime


class ImageChange(wire.Model):
    """What may change: `status` by annotators, the rest by owners."""

    status: Status | None = None
    file_name: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    subset: wire.Name | None = None


class NeighboursOut(BaseModel):
    """The ids before and after an image in a list, and its place there, counted from 1.

    `position` is null when the image itself is not in the list.
    """

    previous: int | None
    next: int | None
    position: int | None
    total: int


def get_filters(
    q: Annotated[Words | None, Query(description="The file name contains this.")] = None,
    category: list[Annotated[int, Field(ge=1, le=2**63 - 1)]] = Query(
        default=[], max_length=1000, description="An annotation has one of these categories."
    ),
    category_coco_id: list[wire.CocoId] = Query(
        default=[], max_length=500, description="The same, by ids in COCO files."
    ),
    every_category: Annotated[
        bool, Query(description="Annotations have each of these categories, not one of them.")
    ] = False,
    coco_id: list[wire.CocoId] = Query(
        default=[], max_length=500, description="With one of these ids in COCO files."
    ),
    annotated: Annotated[bool | None, Query(description="There are annotations.")] = None,
    waiting: Annotated[
        bool, Query(description="Without annotations, and marked neither done nor empty.")
    ] = False,
    subset: Words | None = None,
    status: Status | None = None,
) -> ImageFilter:
    return ImageFilter(
        q=q,
        coco_ids=tuple(coco_id),
        categories=tuple(category),
        category_coco_ids=tuple(category_coco_id),
        every_category=every_category,
        annotated=annotated,
        waiting=waiting,
        subset=subset,
        status=status,
    )


FiltersDep = Annotated[ImageFilter, Depends(get_filters)]


def out(image: Image) -> ImageOut:
    return ImageOut.model_validate(
        {**vars(image), "has_file": image.blob_sha256 is not None}, from_attributes=False
    )


def _place(cursor: str, sort: str) -> images.Key:
    """The place in a cursor, which knows the order that it was made for."""
    kind = {"file_name": str, "created_at": str}.get(sort.removeprefix("-"), int)
    made_for, value, image_id = paging.decode(cursor, str, kind, int)
    if made_for != sort:
        raise Malformed(
            "That cursor belongs to a list in another order.",
            code="bad_cursor",
            loc=("query", "cursor"),
        )
    return images.key_from(sort, value, image_id)


def cursor_after(image: Image, sort: str) -> str:
    """The cursor behind this image."""
    value, image_id = images.key_of(image, sort)
    return paging.encode(
        sort, value.isoformat() if isinstance(value, datetime) else value, image_id
    )


@router.get("/datasets/{dataset_id}/images")
def index(
    dataset_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    filters: FiltersDep,
    sort: Sort = "id",
    limit: deps.Limit = 50,
    cursor: str | None = Query(default=None, max_length=10_000),
    skip: Annotated[
        int, Query(ge=0, le=2**31, description="Leave out so many, to find the one at a place.")
    ] = 0,
) -> paging.Page[ImageOut]:
    """The images of a dataset that fit all filters."""
    dataset = access.view_dataset(session, user=user, dataset_id=dataset_id)
    rows = images.list_images(
        session,
        dataset_id=dataset.id,
        filters=filters,
        sort=sort,
        limit=limit + 1,
        after=_place(cursor, sort) if cursor else None,
        skip=skip,
    )
    page = rows[:limit]
    return paging.Page(
        items=[out(row) for row in page],
        next_cursor=cursor_after(page[-1], sort) if len(rows) > limit else None,
    )


@router.get("/images/{image_id}")
def show(image_id: deps.Id, user: UserDep, session: SessionDep) -> ImageOut:
    """One image."""
    return out(access.view_image(session, user=user, image_id=image_id))


@router.get("/images/{image_id}/neighbours")
def neighbours(
    image_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    filters: FiltersDep,
    sort: Sort = "id",
) -> NeighboursOut:
    """What stands before and after an image in the list with the same filters and order."""
    image = access.view_image(session, user=user, image_id=image_id)
    found = images.find_neighbours(session, image=image, filters=filters, sort=sort)
    return NeighboursOut.model_validate(vars(found))


@router.patch("/images/{image_id}", responses=problems.responses(409))
def change(image_id: deps.Id, body: ImageChange, user: UserDep, session: SessionDep) -> ImageOut:
    """Set an image's status; owners also rename it or move it to another subset."""
    changes = body.model_dump(exclude_unset=True, exclude_none=True)
    may = access.annotate_image if changes.keys() <= {"status"} else access.manage_image
    image = may(session, user=user, image_id=image_id)
    return out(images.change_image(session, image=image, changes=changes))


@router.delete("/images/{image_id}", status_code=status.HTTP_204_NO_CONTENT)
def delete(
    image_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    context: ContextDep,
    afterwards: BackgroundTasks,
) -> None:
    """Delete an image with its annotations, and its file unless another image has the same."""
    image = access.manage_image(session, user=user, image_id=image_id)
    sha256 = images.delete_image(session, image=image)
    if sha256 is not None:
        # Runs after the commit, when nobody can find the file any more.
        afterwards.add_task(cleaning.remove_unused, context, [sha256])
