"""The pixels of an image: its file, thumbnails, and overlays of its annotations."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from app.api import deps, files, problems
from app.api.deps import ContextDep
from app.api.waiting import read_or_remake, wait_for
from app.context import AppContext
from app.errors import Unavailable
from app.models import Blob, Image
from app.services import access
from app.services.files.storage import blob_key
from app.services.pictures import large as large_pictures
from app.services.pictures import pictures, pixels
from app.services.pictures.decoding import Source
from app.services.pictures.large import LargePictures
from app.services.pictures.pictures import OverlayPlan

__all__ = ["Shown", "ShownDep", "Version", "router", "source_of"]

Content = TypeVar("Content")
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


def source_of(shown: Shown) -> Source:
    """The image's file; NotFound while it has none."""
    return Source(pictures.blob_of(shown.image), shown.media_type, shown.image.orientation)


def get_large(request: Request) -> LargePictures:
    """The pictures that this process makes of large images."""
    found: LargePictures = request.app.state.large_pictures
    return found


ShownDep = Annotated[Shown, Depends(get_shown)]
LargeDep = Annotated[LargePictures, Depends(get_large)]
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
async def picture(
    shown: ShownDep,
    context: ContextDep,
    large: LargeDep,
    request: Request,
    v: Version = None,
) -> Response:
    """The whole picture as a browser can show it: the file itself, or a PNG made from it.

    A browser that heeds the EXIF orientation shows it upright, in the image's width and height.
    """
    source, forever = source_of(shown), v is not None
    key, tag, media_type = blob_key(source.sha256), source.sha256, source.media_type
    is_converted = await run_in_threadpool(
        pictures.needs_converting, context.storage, image=shown.image, media_type=media_type
    )
    if is_converted:
        media_type, tag = "image/png", f"{tag[:32]}-{source.orientation}-picture"
        key = pictures.converted_key(source)
    known = files.not_modified(request, tag, forever=forever)
    if known is not None:
        return known

    def send() -> Response:
        return files.send(
            request,
            context.storage,
            key,
            media_type=media_type,
            tag=tag,
            more={},
            forever=forever,
        )

    if not is_converted:
        return await run_in_threadpool(send)
    is_large = large_pictures.is_large_whole(shown.image, shown.media_type)
    return await _read_made(
        request, large, key, lambda: large.converted(source, is_large=is_large), send
    )


@router.get(
    "/images/{image_id}/thumbnail",
    response_class=Response,
    responses=files.binary("image/jpeg"),
)
async def thumbnail(
    shown: ShownDep,
    context: ContextDep,
    large: LargeDep,
    request: Request,
    size: Size = 256,
    v: Version = None,
) -> Response:
    """A small upright picture; an image smaller than that keeps its size."""
    size, forever = pictures.step(size), v is not None
    tag = pictures.thumbnail_tag(shown.image, size)
    known = files.not_modified(request, tag, forever=forever)
    if known is not None:
        return known
    data = await _thumbnail(request, context, large, shown, size)
    return files.send_bytes(data, media_type="image/jpeg", tag=tag, forever=forever)


@router.get(
    "/images/{image_id}/overlay",
    response_class=Response,
    responses=files.binary("image/jpeg", "image/png"),
)
async def overlay(
    shown: ShownDep,
    context: ContextDep,
    large: LargeDep,
    request: Request,
    size: Size = 512,
    background: Literal["picture", "none"] = "picture",
) -> Response:
    """The picture with its annotations drawn on it; with `background=none` only these, as PNG.

    An image without pixels has a neutral ground.
    """
    image = shown.image
    size, on_picture = pictures.step(size), background == "picture"
    plan, tag = await run_in_threadpool(_plan, context, image, size, on_picture=on_picture)
    known = files.not_modified(request, tag)
    if known is not None:
        return known
    ground = None
    if on_picture and image.blob_sha256 is not None:
        ground = await _thumbnail(request, context, large, shown, size)
    data = await run_in_threadpool(
        pictures.overlay, plan, size=size, on_picture=on_picture, picture=ground
    )
    media_type = "image/jpeg" if on_picture else "image/png"
    return files.send_bytes(data, media_type=media_type, tag=tag)


def _plan(
    context: AppContext, image: Image, size: int, *, on_picture: bool
) -> tuple[OverlayPlan, str]:
    with context.sessions.begin() as session:
        tag = pictures.overlay_tag(session, image=image, size=size, on_picture=on_picture)
        return pictures.plan_overlay(session, image=image), tag


async def _thumbnail(
    request: Request, context: AppContext, large: LargePictures, shown: Shown, size: int
) -> bytes:
    """The bytes of a thumbnail; whoever waits for that of a large image takes no thread."""
    source, storage = source_of(shown), context.storage
    is_largest = size == pictures.SIZES[-1]

    def find() -> bytes | None:
        return pictures.find_thumbnail(storage, source, size=size)

    # A page shows many small ones; to tell whether an image is large may take a look at its file.
    data = None if is_largest else await run_in_threadpool(find)
    if data is not None:
        return data
    is_large = await run_in_threadpool(
        large_pictures.is_large, storage, shown.image, shown.media_type
    )

    def make() -> bytes:
        return pictures.make_thumbnail(storage, source, size=size, is_large=is_large)

    if not is_large:
        return await run_in_threadpool(lambda: (find() if is_largest else None) or make())
    # The largest one of a large image counts towards the limit: whoever reads it says so.
    key = pictures.largest_thumbnail_key(source)
    return await _read_made(request, large, key, lambda: large.shrunk(source), make)


async def _read_made(
    request: Request,
    large: LargePictures,
    key: str,
    begin: Callable[[], Future[None] | None],
    read: Callable[[], Content],
) -> Content:
    """What `read` gives once the file is there that `begin` makes unless it is."""

    async def make() -> None:
        making = await run_in_threadpool(begin)
        if making is not None:
            gone = Unavailable("Nobody waits for the picture any more.", code="picture_unavailable")
            await wait_for(request, making, leave=large.leave, gone=gone)

    await make()
    return await read_or_remake(
        None,
        lambda _: read(),
        make=make,
        forget=lambda: large.forget(key),
        lost=Unavailable("The picture cannot be kept.", code="picture_unavailable"),
    )
