"""The pixels of an image: its file, thumbnails, and overlays of its annotations."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.api import deps, files, problems
from app.api.deps import ContextDep
from app.models import Blob, Image
from app.services import access, pictures, pixels
from app.services.storage import blob_key

__all__ = ["router"]

router = APIRouter(
    tags=["images"], responses=problems.responses(400, 401, 403, 404, 413, 415, 422, 503)
)

Size = Annotated[
    int,
    Query(
        ge=1,
        le=10_000,
        description="At most so many pixels wide and high; rounded up to one of a few sizes.",
    ),
]
Version = Annotated[
    str | None,
    Query(
        max_length=200,
        description="Any text that changes with the picture, such as the image's revision. With "
        "it, browsers keep the answer and do not ask again.",
    ),
]


@dataclass(frozen=True)
class Shown:
    """An image that the caller may see, and the type of its file."""

    image: Image
    media_type: str


def get_shown(request: Request, context: ContextDep, image_id: deps.Id) -> Shown:
    """Asked in a transaction that is over before a picture is decoded, which may take long."""
    with context.sessions.begin() as session:
        user = deps.get_identity(request, context, session).user
        image = access.view_image(session, user=user, image_id=image_id)
        blob = session.get(Blob, image.blob_sha256) if image.blob_sha256 else None
        return Shown(image, blob.media_type if blob else "")


ShownDep = Annotated[Shown, Depends(get_shown)]
_TYPES = tuple(dict.fromkeys(pixels.MEDIA_TYPES.values()))


@router.get(
    "/images/{image_id}/file",
    response_class=Response,
    responses=files.binary(*_TYPES, ranges=True) | problems.responses(416),
)
def file(
    shown: ShownDep,
    context: ContextDep,
    request: Request,
    v: Version = None,
) -> Response:
    """The file as it was uploaded, byte for byte; with ETag and ranges."""
    image = shown.image
    sha256, forever = pictures.blob_of(image), v is not None
    known = files.not_modified(request, sha256, forever=forever)
    if known is not None:
        return known
    return files.send(
        request,
        context.storage,
        blob_key(sha256),
        media_type=shown.media_type,
        tag=sha256,
        more={"Content-Disposition": files.disposition(image.file_name)},
        forever=forever,
    )


@router.get(
    "/images/{image_id}/picture",
    response_class=Response,
    responses=files.binary(*_TYPES, ranges=True) | problems.responses(416),
)
def picture(
    shown: ShownDep,
    context: ContextDep,
    request: Request,
    v: Version = None,
) -> Response:
    """The whole picture as a browser can show it: the file itself, or a PNG made from it.

    A browser that heeds the EXIF orientation shows it upright, in the image's width and height.
    """
    image, media_type = shown.image, shown.media_type
    sha256, storage = pictures.blob_of(image), context.storage
    key, tag = blob_key(sha256), sha256
    if pictures.needs_converting(storage, image=image, media_type=media_type):
        media_type, tag = "image/png", f"{sha256[:32]}-{image.orientation}-picture"
        key = pictures.converted(storage, sha256=sha256, orientation=image.orientation)
    forever = v is not None
    return files.not_modified(request, tag, forever=forever) or files.send(
        request, storage, key, media_type=media_type, tag=tag, more={}, forever=forever
    )


@router.get(
    "/images/{image_id}/thumbnail",
    response_class=Response,
    responses=files.binary("image/jpeg"),
)
def thumbnail(
    shown: ShownDep,
    context: ContextDep,
    request: Request,
    size: Size = 256,
    v: Version = None,
) -> Response:
    """A small upright picture; an image smaller than that keeps its size."""
    image = shown.image
    size, forever = pictures.step(size), v is not None
    tag = pictures.thumbnail_tag(image, size)
    known = files.not_modified(request, tag, forever=forever)
    if known is not None:
        return known
    data = pictures.thumbnail(
        context.storage,
        sha256=pictures.blob_of(image),
        orientation=image.orientation,
        size=size,
    )
    return files.send_bytes(data, media_type="image/jpeg", tag=tag, forever=forever)


@router.get(
    "/images/{image_id}/overlay",
    response_class=Response,
    responses=files.binary("image/jpeg", "image/png"),
)
def overlay(
    shown: ShownDep,
    context: ContextDep,
    request: Request,
    size: Size = 512,
    background: Literal["picture", "none"] = "picture",
) -> Response:
    """The picture with its annotations drawn on it; with `background=none` only these, as PNG.

    An image without pixels has a neutral ground.
    """
    image = shown.image
    size, on_picture = pictures.step(size), background == "picture"
    with context.sessions.begin() as session:
        tag = pictures.overlay_tag(session, image=image, size=size, on_picture=on_picture)
        known = files.not_modified(request, tag)
        if known is not None:
            return known
        plan = pictures.plan_overlay(session, image=image)
    data = pictures.overlay(context.storage, plan, size=size, on_picture=on_picture)
    media_type = "image/jpeg" if on_picture else "image/png"
    return files.send_bytes(data, media_type=media_type, tag=tag)
