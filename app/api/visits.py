"""All that a person needs to work on an image, in one answer: the editor waits for nothing else."""

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.api import annotations, deps, images, paging, problems
from app.api.deps import SessionDep, UserDep
from app.services import access
from app.services.annotations import annotations as annotation_rows
from app.services.annotations import view as annotation_view
from app.services.images import images as image_rows

__all__ = ["router"]

router = APIRouter(tags=["images"], responses=problems.responses(400, 401, 403, 404, 422, 503))

# Rows are read so many at a time, until their text is this long or all are there: an image may
# have any number of annotations, and each of them any number of points.
_ROWS_AT_A_TIME = 1000
_LONGEST_TEXT = 16_000_000


class VisitOut(BaseModel):
    """An image, its neighbours in a list, and its annotations.

    Of very many annotations only the first ones are here; `next_cursor` then leads on in the list
    of the image's annotations.
    """

    image: images.ImageOut
    neighbours: images.NeighboursOut
    annotations: paging.Page[annotations.AnnotationOut]


@router.get("/images/{image_id}/visit", response_model=VisitOut)
def visit(
    image_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    filters: images.FiltersDep,
    sort: images.Sort = "id",
) -> Response:
    """An image with its annotations and its neighbours in the list with these filters."""
    image = access.view_image(session, user=user, image_id=image_id)
    # The image is read before its annotations: newer ones than its revision says do no harm.
    shown = images.out(image).model_dump_json()
    found = image_rows.find_neighbours(session, image=image, filters=filters, sort=sort)
    neighbours = images.NeighboursOut.model_validate(vars(found)).model_dump_json()
    page = annotations.page_text(*_annotations(session, image_id))
    text = f'{{"image":{shown},"neighbours":{neighbours},"annotations":{page}}}'
    return Response(text, media_type="application/json")


def _annotations(session: Session, image_id: int) -> tuple[list[str], str | None]:
    """The texts of the first annotations, and the cursor behind them where there are more."""
    texts: list[str] = []
    length, after = 0, 0
    while length < _LONGEST_TEXT:
        rows = annotation_rows.list_annotations(
            session, image_id=image_id, limit=_ROWS_AT_A_TIME, after=after
        )
        texts += [annotation_view.as_text(row) for row in rows]
        if len(rows) < _ROWS_AT_A_TIME:
            return texts, None
        length += sum(map(len, texts[-len(rows) :]))
        after = rows[-1].id
    return texts, paging.encode(after)
