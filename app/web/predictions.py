"""The tab of a dataset's predictions."""

from fastapi import APIRouter, Response

from app.api import deps
from app.services import access
from app.services.predictions import predictions
from app.web.datasets import frame
from app.web.render import PageDep

__all__ = ["router"]

router = APIRouter()


@router.get("/datasets/{dataset_id}/predictions")
def prediction_tab(dataset_id: deps.Id, page: PageDep) -> Response:
    """What models found, by model or run, and how much of it is decided."""
    dataset = access.view_dataset(page.session, user=page.user, dataset_id=dataset_id)
    return page.render(
        "dataset/predictions.html",
        sets=predictions.list_sets(page.session, dataset_id=dataset.id),
        **frame(page, dataset, "predictions"),
    )
