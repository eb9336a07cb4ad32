"""Annotations of a whole dataset, by what COCO's getAnnIds and loadAnns ask for."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from app.api import annotations, deps, paging, problems, wire
from app.api.deps import SessionDep, UserDep
from app.services import access
from app.services.annotations import lists as annotation_lists
from app.services.annotations import view as annotation_view
from app.services.annotations.lists import AnnotationFilter

__all__ = ["router"]

router = APIRouter(tags=["annotations"], responses=problems.responses(400, 401, 403, 404, 422, 503))

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
# Infinity is a number here, as in the area ranges of pycocotools; what is no number fits no bound.
Area = Annotated[float, Field(ge=0)]


def get_filters(
    coco_id: list[wire.CocoId] = Query(
        default=[], max_length=500, description="With one of these ids in COCO files."
    ),
    image: list[Id] = Query(default=[], max_length=500, description="On one of these images."),
    image_coco_id: list[wire.CocoId] = Query(
        default=[], max_length=500, description="The same, by ids in COCO files."
    ),
    category: list[Id] = Query(
        default=[], max_length=500, description="Of one of these categories."
    ),
    category_coco_id: list[wire.CocoId] = Query(
        default=[], max_length=500, description="The same, by ids in COCO files."
    ),
    area_min: Annotated[Area | None, Query(description="Larger than this, in pixels.")] = None,
    area_max: Annotated[Area | None, Query(description="Smaller than this, in pixels.")] = None,
    iscrowd: Annotated[bool | None, Query(description="Only crowds, or none.")] = None,
) -> AnnotationFilter:
    return AnnotationFilter(
        coco_ids=tuple(coco_id),
        images=tuple(image),
        image_coco_ids=tuple(image_coco_id),
        categories=tuple(category),
        category_coco_ids=tuple(category_coco_id),
        area_min=area_min,
        area_max=area_max,
        iscrowd=iscrowd,
    )


@router.get(
    "/datasets/{dataset_id}/annotations",
    response_model=paging.Page[annotations.AnnotationOut],
)
def index(
    dataset_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    filters: Annotated[AnnotationFilter, Depends(get_filters)],
    limit: deps.Limit = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """The annotations of a dataset that fit all filters, in the order in which they came.

    An id of a COCO file is JSON, as in the file: `7`, or `"7"` for a text. What is no JSON is a
    text, too.
    """
    dataset = access.view_dataset(session, user=user, dataset_id=dataset_id)
    rows = annotation_lists.list_in_dataset(
        session,
        dataset_id=dataset.id,
        filters=filters,
        limit=limit + 1,
        after=paging.decode(cursor, int)[0] if cursor else 0,
    )
    following = paging.encode(rows[limit - 1].id) if len(rows) > limit else None
    return annotations.page([annotation_view.as_text(row) for row in rows[:limit]], following)
