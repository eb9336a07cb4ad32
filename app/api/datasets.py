"""Datasets."""

from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter, BackgroundTasks, Query, status
from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.api import cleaning, deps, paging, problems, wire
from app.api.deps import ContextDep, SessionDep, UserDep
from app.models import Dataset, User
from app.services import access
from app.services.datasets import counts, datasets

__all__ = ["router"]

router = APIRouter(
    prefix="/datasets",
    tags=["datasets"],
    responses=problems.responses(400, 401, 403, 404, 413, 415, 422, 503),
)


class DatasetIn(wire.Model):
    """A new dataset; its name is unique on the server."""

    name: wire.Name
    description: wire.Text = ""


class DatasetChange(wire.Model):
    """What may change of a dataset."""

    name: wire.Name | None = None
    description: wire.Text | None = None


class DatasetOut(BaseModel):
    """A dataset; `role` is what the caller may do in it."""

    id: int
    name: str
    description: str
    image_count: int
    annotation_count: int
    images_by_status: dict[str, int]
    role: str
    created_at: datetime
    updated_at: datetime


def _out(dataset: Dataset, progress: counts.Progress, role: str) -> DatasetOut:
    return DatasetOut(
        id=dataset.id,
        name=dataset.name,
        description=dataset.description,
        image_count=progress.images,
        annotation_count=progress.annotations,
        images_by_status=progress.by_status,
        role=role,
        created_at=dataset.created_at,
        updated_at=dataset.updated_at,
    )


def _all(session: Session, user: User, found: Sequence[Dataset]) -> list[DatasetOut]:
    ids = [dataset.id for dataset in found]
    progress = counts.progress(session, dataset_ids=ids)
    roles = access.roles_in(session, user=user, dataset_ids=ids)
    # A member who was removed in this moment sees the list for the last time.
    return [
        _out(dataset, progress[dataset.id], roles.get(dataset.id, "viewer")) for dataset in found
    ]


def _one(session: Session, user: User, dataset: Dataset) -> DatasetOut:
    return _all(session, user, [dataset])[0]


@router.get("")
def index(
    user: UserDep,
    session: SessionDep,
    limit: deps.Limit = 50,
    cursor: str | None = Query(default=None, max_length=2000),
) -> paging.Page[DatasetOut]:
    """The datasets that the caller may see, by name."""
    after = paging.decode(cursor, str, int) if cursor else None
    rows = datasets.list_datasets(
        session, user=user, limit=limit + 1, after=(after[0], after[1]) if after else None
    )
    page = rows[:limit]
    return paging.Page(
        items=_all(session, user, page),
        next_cursor=paging.encode(page[-1].name, page[-1].id) if len(rows) > limit else None,
    )


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems.responses(409))
def create(body: DatasetIn, user: UserDep, session: SessionDep) -> DatasetOut:
    """Make a dataset; the caller becomes its owner."""
    dataset = datasets.create_dataset(
        session, user=user, name=body.name, description=body.description
    )
    session.refresh(dataset)
    return _one(session, user, dataset)


@router.get("/{dataset_id}")
def show(dataset_id: deps.Id, user: UserDep, session: SessionDep) -> DatasetOut:
    """One dataset."""
    dataset = access.view_dataset(session, user=user, dataset_id=dataset_id)
    return _one(session, user, dataset)


@router.patch("/{dataset_id}", responses=problems.responses(409))
def change(
    dataset_id: deps.Id, body: DatasetChange, user: UserDep, session: SessionDep
) -> DatasetOut:
    """Rename or describe a dataset."""
    dataset = access.manage_dataset(session, user=user, dataset_id=dataset_id)
    changes = body.model_dump(exclude_unset=True, exclude_none=True)
    datasets.change_dataset(session, dataset=dataset, changes=changes)
    return _one(session, user, dataset)


@router.delete(
    "/{dataset_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems.responses(409)
)
def delete(
    dataset_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    context: ContextDep,
    afterwards: BackgroundTasks,
) -> None:
    """Delete a dataset with its images, categories and annotations, for good."""
    dataset = access.manage_dataset(session, user=user, dataset_id=dataset_id)
    datasets.delete_dataset(session, dataset=dataset)
    # Runs after the commit, when nobody can find the files any more.
    afterwards.add_task(cleaning.remove_all_unused, context)
