"""Numbers about a dataset."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from app.api import deps, problems
from app.api.deps import SessionDep, UserDep
from app.services import access
from app.services.datasets import statistics

__all__ = ["router"]

router = APIRouter(
    prefix="/datasets/{dataset_id}/statistics",
    tags=["datasets"],
    responses=problems.responses(400, 401, 403, 404, 413, 415, 422, 503),
)


class _Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CategoryNumbers(_Read):
    """What one category has; `category_id` is null for annotations without a category."""

    category_id: int | None
    name: str
    annotations: int
    images: int


class StatusNumbers(_Read):
    """Images of one status, and the annotations on them."""

    status: str
    images: int
    annotations: int


class PersonNumbers(_Read):
    """Annotations that a person made, and those whose newest state is theirs."""

    user_id: int | None
    name: str
    created: int
    updated: int
    images: int


class StatisticsOut(_Read):
    """All numbers about one dataset."""

    images: int
    annotated_images: int
    images_without_file: int
    annotations: int
    annotations_per_image: float
    crowds: int
    by_category: list[CategoryNumbers]
    by_status: list[StatusNumbers]
    by_person: list[PersonNumbers]


@router.get("")
def show(dataset_id: deps.Id, user: UserDep, session: SessionDep) -> StatisticsOut:
    """Counts by category, by status and by person."""
    dataset = access.view_dataset(session, user=user, dataset_id=dataset_id)
    found = statistics.of_dataset(session, dataset_id=dataset.id)
    return StatisticsOut.model_validate(found)
