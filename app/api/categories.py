"""Categories of a dataset."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, status
from pydantic import BaseModel, Field

from app.api import deps, paging, problems, wire
from app.api.deps import SessionDep, UserDep
from app.models import Category
from app.services import access
from app.services.datasets import categories

__all__ = ["out", "router"]

router = APIRouter(
    tags=["categories"], responses=problems.responses(400, 401, 403, 404, 413, 415, 422, 503)
)

Keypoints = Annotated[list[wire.Name], Field(max_length=1000)]
Edge = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2, max_length=2)]
Skeleton = Annotated[list[Edge], Field(max_length=10_000)]


class CategoryIn(wire.Model):
    """A new category; `skeleton` names keypoints by their place, counted from 1."""

    name: wire.Name
    supercategory: wire.Name | None = None
    color: wire.Color | None = None
    isthing: bool = True
    keypoints: Keypoints = []
    skeleton: Skeleton = []


class CategoryChange(wire.Model):
    """What may change of a category; what is not named stays."""

    name: wire.Name | None = None
    supercategory: wire.Name | None = None
    color: wire.Color | None = None
    isthing: bool | None = None
    keypoints: Keypoints | None = None
    skeleton: Skeleton | None = None


class CategoryOut(BaseModel):
    """A category; `coco_id` is its id in COCO files."""

    id: int
    coco_id: Any
    dataset_id: int
    name: str
    supercategory: str | None
    color: str
    isthing: bool
    keypoints: list[str]
    skeleton: list[list[int]]
    annotation_count: int


def out(category: Category, annotation_count: int) -> CategoryOut:
    """As an answer."""
    return CategoryOut.model_validate({**vars(category), "annotation_count": annotation_count})


@router.get("/datasets/{dataset_id}/categories")
def index(
    dataset_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    name: list[wire.Name] = Query(
        default=[], max_length=500, description="With one of these names."
    ),
    supercategory: list[wire.Name] = Query(
        default=[], max_length=500, description="With one of these supercategories."
    ),
    coco_id: list[wire.CocoId] = Query(
        default=[], max_length=500, description="With one of these ids in COCO files."
    ),
    limit: deps.ShortLimit = None,
    cursor: str | None = None,
) -> paging.Page[CategoryOut]:
    """The categories of a dataset that fit, in the order in which they came."""
    dataset = access.view_dataset(session, user=user, dataset_id=dataset_id)
    rows = categories.list_categories(
        session,
        dataset_id=dataset.id,
        names=name,
        supercategories=supercategory,
        ids=coco_id,
    )
    numbers = categories.count_annotations(session, dataset_id=dataset.id)
    found = [out(row, numbers.get(row.id, 0)) for row in rows]
    return paging.short(found, key=lambda row: ("", row.id), limit=limit, cursor=cursor)


@router.post(
    "/datasets/{dataset_id}/categories",
    status_code=status.HTTP_201_CREATED,
    responses=problems.responses(409),
)
def create(
    dataset_id: deps.Id, body: CategoryIn, user: UserDep, session: SessionDep
) -> CategoryOut:
    """Make a category."""
    dataset = access.manage_dataset(session, user=user, dataset_id=dataset_id)
    category = categories.create_category(session, dataset_id=dataset.id, **body.model_dump())
    return out(category, 0)


@router.patch("/categories/{category_id}", responses=problems.responses(409))
def change(
    category_id: deps.Id, body: CategoryChange, user: UserDep, session: SessionDep
) -> CategoryOut:
    """Change a category; its exported record keeps every member that is not named."""
    category = access.edit_category(session, user=user, category_id=category_id)
    changes = body.model_dump(exclude_unset=True)
    nullable = {"supercategory"}
    changes = {k: v for k, v in changes.items() if v is not None or k in nullable}
    categories.change_category(session, category=category, changes=changes)
    numbers = categories.count_annotations(session, dataset_id=category.dataset_id)
    return out(category, numbers.get(category.id, 0))


@router.delete(
    "/categories/{category_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems.responses(409),
)
def delete(category_id: deps.Id, user: UserDep, session: SessionDep) -> None:
    """Delete a category that no annotation has."""
    category = access.edit_category(session, user=user, category_id=category_id)
    categories.delete_category(session, category=category)
