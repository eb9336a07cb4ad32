"""The mask of an annotation, as COCO's annToRLE and annToMask give it."""

from fastapi import APIRouter, Request, Response

from app import masks
from app.api import deps, files, preconditions, problems
from app.api.deps import SessionDep, UserDep
from app.api.masks import MAX_PNG_PIXELS, RleOut
from app.services import access
from app.services.annotations import annotations
from app.services.annotations import masks as annotation_masks

__all__ = ["router"]

router = APIRouter(
    prefix="/annotations/{annotation_id}",
    tags=["annotations"],
    responses=problems.responses(400, 401, 403, 404, 413, 422, 503),
)


@router.get("/rle")
def rle(annotation_id: deps.Id, user: UserDep, session: SessionDep, response: Response) -> RleOut:
    """The annotation's mask as an RLE with string counts, of the size of its image.

    Polygons are drawn, without their holes; a bare box is all of its pixels. Answers 404 `no_mask`
    for keypoints or a caption alone.
    """
    annotation = annotations.require_present(
        access.view_annotation(session, user=user, annotation_id=annotation_id)
    )
    response.headers["ETag"] = preconditions.etag(annotation.version)
    found = masks.to_dicts(annotation_masks.mask_of(session, annotation=annotation))[0]
    return RleOut.model_validate(found)


@router.get("/mask.png", response_class=Response, responses=files.binary("image/png"))
def mask_png(
    annotation_id: deps.Id, user: UserDep, session: SessionDep, request: Request
) -> Response:
    """The annotation's mask as a grey PNG of its image's size: 0, and 255 where it is."""
    annotation = annotations.require_present(
        access.view_annotation(session, user=user, annotation_id=annotation_id)
    )
    tag = str(annotation.version)
    known = files.not_modified(request, tag)
    if known is not None:
        return known
    data = annotation_masks.png_of(session, annotation=annotation, max_pixels=MAX_PNG_PIXELS)
    return files.send_bytes(data, media_type="image/png", tag=tag)
