"""Exports: a dataset's annotations as files, streamed."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from threading import BoundedSemaphore
from typing import Annotated, Literal

import anyio
from fastapi import APIRouter, Depends, Path, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.types import Receive, Scope, Send

from app.api import deps, files, problems, wire
from app.api.deps import ContextDep, SessionDep, UserDep
from app.api.predictions import result_filter
from app.context import AppContext
from app.db import DOWNLOADS_AT_ONCE
from app.errors import Unavailable
from app.services import access
from app.services.exports import exports
from app.services.exports.exports import ExportOptions
from app.services.exports.folder import FolderOptions, export_folder, export_formats
from app.services.exports.zip import ZipOptions, export_zip
from app.services.images.images import ImageFilter
from app.services.predictions import predictions
from app.services.predictions.predictions import PredictionFilter

__all__ = ["router"]

router = APIRouter(
    prefix="/datasets/{dataset_id}",
    tags=["exports"],
    responses=problems.responses(400, 401, 403, 404, 413, 415, 422, 503),
)

Task = Literal[
    "instances", "person_keypoints", "stuff", "panoptic", "captions", "labels", "image_info"
]
Segmentation = Annotated[
    Literal["stored", "guess", "polygons", "mask"],
    Query(
        description="How segmentations are written: as they are kept; crowds as RLE and others as "
        "polygons; all as polygons that cover the same pixels (`iscrowd` 0); all as RLE "
        "(`iscrowd` 1). Boxes stay boxes."
    ),
]
Crop = Annotated[
    bool,
    Query(description="Cut away what later annotations of an image cover, and count `area` anew."),
]
Attributes = Annotated[bool, Query(description="Write the annotations' `attributes`.")]
Fill = Annotated[
    bool,
    Query(
        description="Add `area`, `bbox` and `iscrowd` where an annotation has none, and the size "
        "of images that have none."
    ),
]
Ascii = Annotated[
    bool, Query(description="Escape characters beyond ASCII, for readers that guess encodings.")
]
Ids = Annotated[
    Literal["preserve", "reindex"],
    Query(description="Keep the COCO ids, or number images and annotations from 1."),
]
Status = Literal["new", "in_progress", "done", "empty"]

_PIECE_BYTES = 1 << 19
_downloads = BoundedSemaphore(DOWNLOADS_AT_ONCE)


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The first piece at once, and the others in larger ones: each costs a change of threads."""
    yield from itertools.islice(pieces, 1)
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


class SnapshotStream(StreamingResponse):
    """An answer made from a snapshot of the database, which is closed however the answer ends."""

    def __init__(
        self, pieces: Iterator[bytes], stack: ExitStack, *, media_type: str, file_name: str
    ) -> None:
        disposition = files.disposition(file_name, kind="attachment")
        super().__init__(
            _gathered(pieces), media_type=media_type, headers={"Content-Disposition": disposition}
        )
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # A client that goes away cancels this task; the connection must go back even so.
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._stack.close)


@contextmanager
def _snapshot(context: AppContext) -> Iterator[Session]:
    """The state that is exported. Slow readers keep a connection each, so there are only so many.

    Who comes when all are taken is told at once: a download may last for hours.
    """
    if not _downloads.acquire(blocking=False):
        raise Unavailable("Too many downloads are under way; try again later.")
    try:
        with exports.snapshot(context.sessions) as session:
            yield session
    finally:
        _downloads.release()


def image_filter(
    category: Annotated[
        list[Annotated[int, Field(ge=1, le=2**63 - 1)]] | None,
        Query(description="Only these categories (ids here), and images that have them."),
    ] = None,
    annotated: Annotated[bool | None, Query(description="Images with or without any.")] = None,
    subset: Annotated[wire.Name | None, Query(description="Only images of this subset.")] = None,
    status: Annotated[Status | None, Query(description="Only images with this status.")] = None,
) -> ImageFilter:
    """Which images and categories to export."""
    return ImageFilter(
        categories=tuple(category or ()), annotated=annotated, subset=subset, status=status
    )


def file_options(
    filters: Annotated[ImageFilter, Depends(image_filter)],
    segmentation: Segmentation = "stored",
    ids: Ids = "preserve",
    crop_covered: Crop = False,
    allow_attributes: Attributes = True,
    fill: Fill = False,
    ensure_ascii: Ascii = False,
) -> ExportOptions:
    """How each file is written, whatever its task."""
    return ExportOptions(
        segmentation=segmentation,
        ids=ids,
        crop_covered=crop_covered,
        allow_attributes=allow_attributes,
        fill=fill,
        ensure_ascii=ensure_ascii,
        filters=filters,
    )


OptionsDep = Annotated[ExportOptions, Depends(file_options)]


@router.get(
    "/export/{task}.json",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The COCO file.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
def export_json(
    dataset_id: deps.Id,
    task: Task,
    user: UserDep,
    session: SessionDep,
    context: ContextDep,
    wished: OptionsDep,
) -> SnapshotStream:
    """A COCO file of the dataset, streamed from one consistent state of it.

    What nobody edited is written exactly as it was imported, but for what the options say. The PNGs
    of the task panoptic come with `export.zip`.
    """
    dataset = access.view_dataset(session, user=user, dataset_id=dataset_id)
    options = replace(wished, task=task)
    with ExitStack() as stack:
        own = stack.enter_context(_snapshot(context))
        pieces = exports.export_file(own, dataset_id=dataset.id, options=options)
        # As COCO calls its files; imported again, it says which subset its images are of.
        name = f"{task}_{exports.file_stem(wished.filters.subset or dataset.name)}.json"
        return SnapshotStream(
            pieces, stack.pop_all(), media_type="application/json", file_name=name
        )


def _tasks(
    tasks: Annotated[
        str | None,
        Query(max_length=200, description="Comma list; those that there are when not given."),
    ] = None,
) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(str.strip, (tasks or "").split(",")))))


@router.get(
    "/export.zip",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The zip.",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems.responses(409),
    },
)
def export_zipped(
    dataset_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    context: ContextDep,
    file: OptionsDep,
    tasks: Annotated[tuple[str, ...], Depends(_tasks)],
    images: Annotated[bool, Query(description="With the image files.")] = False,
    merge_images: Annotated[
        bool, Query(description="All images in one folder, not one for each subset.")
    ] = False,
) -> SnapshotStream:
    """A zip of annotation files, one for each task and subset, and of the images if wanted.

    ::

        annotations/{task}_{subset}.json
        annotations/panoptic_{subset}/{file_name}.png
        images/{subset}/{file_name}        or images/{file_name} with merge_images

    Answers 409 `name_collision` when two images or PNGs would have the same name in it.
    """
    dataset = access.view_dataset(session, user=user, dataset_id=dataset_id)
    options = ZipOptions(tasks=tasks, images=images, merge_images=merge_images, file=file)
    with ExitStack() as stack:
        own = stack.enter_context(_snapshot(context))
        pieces = export_zip(own, context.storage, dataset_id=dataset.id, options=options)
        name = f"{exports.file_stem(dataset.name)}.zip"
        return SnapshotStream(pieces, stack.pop_all(), media_type="application/zip", file_name=name)


@router.get(
    "/predictions/{set_id}/results.json",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The results file.",
            "content": {"application/json": {"schema": {"type": "array"}}},
        }
    },
)
def export_results(
    dataset_id: deps.Id,
    set_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    context: ContextDep,
    filters: Annotated[PredictionFilter, Depends(result_filter)],
) -> SnapshotStream:
    """A set of predictions as a results file, each exactly as it was imported, in its order."""
    found = access.view_prediction_set(session, user=user, dataset_id=dataset_id, set_id=set_id)
    with ExitStack() as stack:
        own = stack.enter_context(_snapshot(context))
        pieces = predictions.results_file(own, set_id=found.id, filters=filters)
        name = f"{exports.file_stem(found.name)}.json"
        return SnapshotStream(
            pieces, stack.pop_all(), media_type="application/json", file_name=name
        )


_Format = Annotated[
    str,
    Path(
        max_length=40,
        description="One of the formats that are folders of files.",
        json_schema_extra={"enum": [form.name for form in export_formats()]},
    ),
]


@router.get(
    "/export/{format}.zip",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The zip.",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems.responses(409),
    },
)
def export_in_format(
    dataset_id: deps.Id,
    format: _Format,  # noqa: A002 - it is called so in the address
    user: UserDep,
    session: SessionDep,
    context: ContextDep,
    filters: Annotated[ImageFilter, Depends(image_filter)],
    images: Annotated[bool, Query(description="With the image files.")] = False,
) -> SnapshotStream:
    """A zip in another format than COCO, from one consistent state of the dataset.

    The last file in it, `export-report.json`, tells what the format could not hold. Answers 422
    `format_unknown`, and 409 `name_collision` when two images would have the same name in it.
    """
    dataset = access.view_dataset(session, user=user, dataset_id=dataset_id)
    options = FolderOptions(
        format=format,
        images=images,
        filters=filters,
        max_pixels=context.settings.max_image_pixels,
    )
    with ExitStack() as stack:
        own = stack.enter_context(_snapshot(context))
        pieces = export_folder(own, context.storage, dataset_id=dataset.id, options=options)
        name = f"{exports.file_stem(dataset.name)}_{format}.zip"
        return SnapshotStream(pieces, stack.pop_all(), media_type="application/zip", file_name=name)
