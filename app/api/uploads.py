"""Uploads of images."""

from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Request, status
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from app.api import cleaning, deps, forms, images, multipart, problems
from app.api.deps import ContextDep
from app.api.forms import Form
from app.context import AppContext
from app.errors import Conflict, Invalid
from app.models import User
from app.services import access, turns
from app.services.files import blobs
from app.services.files.blobs import NewBlob
from app.services.files.storage import disk_full_as_problem
from app.services.images import intake
from app.services.images.intake import Inbox, Outcome
from app.services.imports.images import NO_SUBSET

__all__ = ["UploaderDep", "router"]

router = APIRouter(
    tags=["images"], responses=problems.responses(400, 401, 403, 404, 409, 413, 415, 422, 503)
)

_WAIT_FOR_TURN_SECONDS = 600.0
_BETWEEN_TRIES_SECONDS = 0.1


class RejectedOut(BaseModel):
    """A file that was not taken, and why."""

    file_name: str
    code: str
    message: str


class UploadOut(BaseModel):
    """What an upload brought: images new, filled or already there, and the files refused."""

    images: list[images.ImageOut]
    rejected: list[RejectedOut]


def get_uploader(request: Request, context: ContextDep, dataset_id: deps.Id) -> User:
    """Who is calling, owner of the dataset; asked in a transaction that is over before the body."""
    with context.sessions.begin() as session:
        user = deps.get_identity(request, context, session).user
        access.manage_dataset(session, user=user, dataset_id=dataset_id)
        return user


UploaderDep = Annotated[User, Depends(get_uploader)]

_FIELDS: dict[str, Any] = {
    "files": {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "format": "binary"},
        "description": "Images (JPEG, PNG, WebP, TIFF, BMP, GIF) or zips of them.",
    },
    "subset": {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "description": "Of the new images, such as train or val.",
    },
}


@router.post(
    "/datasets/{dataset_id}/images",
    status_code=status.HTTP_201_CREATED,
    openapi_extra=forms.described("files", _FIELDS),
)
async def upload(
    dataset_id: deps.Id, user: UploaderDep, request: Request, context: ContextDep
) -> UploadOut:
    """Upload images, or zips of images.

    A file whose name an imported image without pixels has becomes that image's pixels. A file that
    cannot be taken is listed in `rejected`, and the others go on.
    """
    with disk_full_as_problem(), context.storage.scratch.folder() as folder:
        inbox = Inbox(folder, context.settings, aside=multipart.aside)
        texts = await multipart.receive(
            request,
            files={"files"},
            texts={"subset"},
            new_path=inbox.new_path,
            on_file=lambda file: inbox.take(file.file_name, file.path, file.sha256),
        )
        subset = Form(texts).name("subset") or NO_SUBSET
        if not inbox.items:
            raise Invalid("Send at least one file.", code="missing", loc=("body", "files"))
        outcome = await _store(context, user, dataset_id, inbox, subset)
    return UploadOut(
        images=[images.out(image) for image in outcome.images],
        rejected=[RejectedOut.model_validate(vars(file)) for file in outcome.rejected],
    )


async def _store(
    context: AppContext, user: User, dataset_id: int, inbox: Inbox, subset: str
) -> Outcome:
    """Take everything in, in one transaction, and leave no file behind that no image uses.

    While another upload or import works on the dataset, this one waits without a connection and
    without a thread.
    """
    arrived = [file.blob for file in inbox.sound]
    used: set[str | None] = set()
    await run_in_threadpool(_note, context, arrived)
    try:
        until = anyio.current_time() + _WAIT_FOR_TURN_SECONDS
        while anyio.current_time() < until:
            outcome = await run_in_threadpool(_try_store, context, user, dataset_id, inbox, subset)
            if outcome is not None:
                used = {image.blob_sha256 for image in outcome.images}
                return outcome
            await anyio.sleep(_BETWEEN_TRIES_SECONDS)
        raise Conflict("Another upload or import works on this dataset; try again.", code="busy")
    finally:
        unused = {blob.sha256 for blob in arrived} - used
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(cleaning.remove_unused, context, unused)


def _note(context: AppContext, arrived: list[NewBlob]) -> None:
    with context.sessions.begin() as session:
        blobs.note(session, files=arrived)


def _try_store(
    context: AppContext, user: User, dataset_id: int, inbox: Inbox, subset: str
) -> Outcome | None:
    with context.sessions.begin() as session:
        # Asked again: much may have happened while the files came in.
        access.manage_dataset(session, user=user, dataset_id=dataset_id)
        if not turns.try_turn(session, dataset_id=dataset_id):
            return None
        return intake.store(
            session,
            context.storage,
            dataset_id=dataset_id,
            items=inbox.items,
            subset=subset,
        )
