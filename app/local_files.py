"""Imports from files and folders of this machine, for the command line and the demo.

What arrives over HTTP goes the same way behind `imports` and `intake`; here it is copied instead of
received.
"""

import hashlib
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.api.cleaning import remove_unused
from app.context import AppContext
from app.errors import Conflict, NotFound
from app.models import User
from app.services import turns, users
from app.services.datasets import categories
from app.services.files import blobs
from app.services.files import names as file_names
from app.services.images import intake
from app.services.images.intake import Inbox, Outcome, Rejection
from app.services.imports import masks as mask_images
from app.services.imports.imports import ImportOptions
from app.services.imports.mask_mapping import MaskOptions
from app.services.imports.panoptic_pngs import FolderPngs
from app.services.imports.zip import import_upload
from app.services.jobs import Progress

__all__ = [
    "Taken",
    "category_ids",
    "first_administrator",
    "import_annotations",
    "import_images",
    "import_masks",
]

# Each batch is one transaction: a folder of a million images is not one.
IMAGES_AT_ONCE = 200
TURN_SECONDS = 600.0


@dataclass
class Taken:
    """What became of a folder of images."""

    images: int = 0
    rejected: list[Rejection] = field(default_factory=list)


def first_administrator(session: Session) -> User:
    """The oldest account that administers: who owns what nobody in particular made."""
    found = sorted(
        (user for user in users.list_users(session) if user.is_admin and not user.disabled_at),
        key=lambda user: user.id,
    )
    if not found:
        raise NotFound("There is no administrator; make one with `maskwright user add --admin`.")
    return found[0]


def category_ids(session: Session, *, dataset_id: int, given: Sequence[str]) -> tuple[int, ...]:
    """Our ids of categories that were named by name or by id; a name wins when both fit."""
    rows = categories.list_categories(session, dataset_id=dataset_id)
    known = {str(row.id): row.id for row in rows} | {row.name: row.id for row in rows}
    for name in given:
        if name not in known:
            raise NotFound(f"There is no category {name} in this dataset.")
    return tuple(known[name] for name in given)


def import_annotations(
    context: AppContext,
    *,
    dataset_id: int,
    path: Path,
    options: ImportOptions,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Import one file and return the report; raises `imports.ImportFailed`."""
    with path.open("rb") as file, context.sessions.begin() as session:
        return import_upload(
            session,
            dataset_id=dataset_id,
            user_id=None,
            file=file,
            sessions=context.sessions,
            storage=context.storage,
            settings=context.settings,
            options=replace(options, file_name=path.name),
            progress=progress,
            pngs=FolderPngs.beside(path, max_pixels=context.settings.max_image_pixels),
        )


def import_masks(
    context: AppContext,
    *,
    dataset_id: int,
    folder: Path,
    options: MaskOptions,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make annotations of all mask images below `folder`, in the name of the first administrator.

    Returns the report; raises `imports.ImportFailed`.
    """
    scratch = context.storage.scratch
    with scratch.folder() as own, context.sessions.begin() as session:
        path = own / "masks.zip"
        with zipfile.ZipFile(path, "w", strict_timestamps=False) as archive:
            for file in _pictures(folder):
                archive.write(file, file.relative_to(folder))
        return mask_images.import_masks(
            session,
            dataset_id=dataset_id,
            user_id=first_administrator(session).id,
            path=path,
            scratch=scratch,
            settings=context.settings,
            options=options,
            progress=progress,
        )


def _pictures(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.rglob("*") if file_names.is_picture(path.name) and path.is_file()
    )


def import_images(
    context: AppContext,
    *,
    dataset_id: int,
    folder: Path,
    subset: str = "default",
    progress: Progress | None = None,
) -> Taken:
    """Take in every image below `folder`, under its path from there."""
    files = _pictures(folder)
    taken, done = Taken(), 0
    for batch in _batches(files):
        outcome = _take(context, dataset_id, folder, batch, subset)
        taken.images += len(outcome.images)
        taken.rejected += outcome.rejected
        done += len(batch)
        if progress is not None:
            progress.tell(done, len(files), "Importing images.")
    return taken


def _batches(files: list[Path]) -> list[list[Path]]:
    starts = range(0, len(files), IMAGES_AT_ONCE)
    return [files[start : start + IMAGES_AT_ONCE] for start in starts]


def _take(
    context: AppContext, dataset_id: int, folder: Path, files: list[Path], subset: str
) -> Outcome:
    with context.storage.scratch.folder() as scratch:
        inbox = Inbox(scratch, context.settings)
        for file in files:
            copied = inbox.new_path()
            inbox.take(file.relative_to(folder).as_posix(), copied, _copy(file, copied))
        arrived = [file.blob for file in inbox.sound]
        with context.sessions.begin() as session:
            blobs.note(session, files=arrived)
        used: set[str | None] = set()
        try:
            outcome = _store(context, dataset_id, inbox, subset)
            used = {image.blob_sha256 for image in outcome.images}
            return outcome
        finally:
            remove_unused(context, {blob.sha256 for blob in arrived} - used)


def _copy(source: Path, target: Path) -> str:
    """Copy a file and return its SHA-256."""
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as written:
        while chunk := read.read(1 << 20):
            digest.update(chunk)
            written.write(chunk)
    return digest.hexdigest()


def _store(context: AppContext, dataset_id: int, inbox: Inbox, subset: str) -> Outcome:
    until = time.monotonic() + TURN_SECONDS
    while time.monotonic() < until:
        with context.sessions.begin() as session:
            if turns.try_turn(session, dataset_id=dataset_id, pause_seconds=0.0):
                return intake.store(
                    session,
                    context.storage,
                    dataset_id=dataset_id,
                    items=inbox.items,
                    subset=subset,
                )
        time.sleep(0.2)
    raise Conflict("Another upload or import works on this dataset; try again.", code="busy")
