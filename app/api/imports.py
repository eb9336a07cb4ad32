"""Imports: an annotation file goes in, a job comes out."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, status
from fastapi.concurrency import run_in_threadpool

from app.api import deps, forms, jobs, multipart, problems
from app.api.deps import ContextDep
from app.api.forms import Form
from app.api.jobs import JobOut
from app.api.multipart import ReceivedFile
from app.api.uploads import UploaderDep
from app.context import AppContext
from app.errors import Invalid
from app.formats import MODES, TASKS
from app.jobs import IMPORT
from app.models import User
from app.services import access
from app.services.files.storage import disk_full_as_problem, job_key
from app.services.imports import imports
from app.services.imports.imports import AUTO, ImportOptions
from app.services.imports.results import RESULTS
from app.services.jobs import create_job

__all__ = ["queue", "router"]

router = APIRouter(
    prefix="/datasets/{dataset_id}",
    tags=["imports"],
    responses=problems.responses(400, 401, 403, 404, 413, 415, 422, 503),
)

_FIELDS: dict[str, Any] = {
    "file": {
        "type": "string",
        "format": "binary",
        "description": "A COCO .json, a .zip of them and of images, with "
        "the folders of PNGs of panoptic files, or a .zip of a folder in "
        "another format, with or without its images.",
    },
    "format": {
        "type": "string",
        "enum": [AUTO, *(form.name for form in imports.import_formats())],
        "default": AUTO,
        "description": "What the file is in; `auto` finds out.",
    },
    "task": {
        "type": "string",
        "enum": [AUTO, *TASKS, RESULTS],
        "default": AUTO,
        "description": "What the file holds; `auto` finds out by its "
        "content and, where that leaves it open, by its name. "
        "`results` are those of a model: they become predictions.",
    },
    "mode": {
        "type": "string",
        "enum": list(MODES),
        "default": MODES[0],
        "description": "`lenient` leaves wrong records out and says so; "
        "`strict` imports nothing then.",
    },
    "placeholders": {
        "type": "boolean",
        "default": False,
        "description": "For images and categories that annotations name and "
        "the COCO file lacks: take the dataset's with these ids, or else make "
        "placeholders. Without it, such annotations are left out.",
    },
    "dry_run": {
        "type": "boolean",
        "default": False,
        "description": "Only report what an import would do.",
    },
    "subset": {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "description": "Of the new images and of those that are in none, such "
        "as train or val; what the file's name `<task>_<subset>.json` says "
        "when not given. Results are then of images of this subset.",
    },
    "name": {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "description": "Of results: the model or run that they are of; the "
        "file's name when not given.",
    },
}


@router.post(
    "/imports", status_code=status.HTTP_202_ACCEPTED, openapi_extra=forms.described("file", _FIELDS)
)
async def create(
    dataset_id: deps.Id, user: UploaderDep, request: Request, context: ContextDep
) -> JobOut:
    """Import annotations: the file is received, and a job does the rest.

    The job's `result` is the report. A failed import leaves the dataset as it was.
    """
    with disk_full_as_problem(), context.storage.scratch.folder() as folder:
        received: list[ReceivedFile] = []
        texts = await multipart.receive(
            request,
            files={"file"},
            texts=_FIELDS.keys() - {"file"},
            most_files=1,
            new_path=lambda: folder / "upload",
            on_file=received.append,
        )
        options = _options(Form(texts))
        if not received:
            raise Invalid("Send a file.", code="missing", loc=("body", "file"))
        return await run_in_threadpool(_queue, context, user, dataset_id, received[0], options)


def _queue(
    context: AppContext, user: User, dataset_id: int, file: ReceivedFile, options: ImportOptions
) -> JobOut:
    name = Path(file.file_name.replace("\\", "/")).name
    shown = "".join(char if char.isprintable() else "\ufffd" for char in name)[:200] or "a file"
    options = replace(options, file_name=shown)
    return queue(
        context,
        user,
        dataset_id,
        file.path,
        kind=IMPORT.name,
        shown=shown,
        options=asdict(options),
    )


def queue(
    context: AppContext,
    user: User,
    dataset_id: int,
    path: Path,
    *,
    kind: str,
    shown: str,
    options: dict[str, Any],
) -> JobOut:
    """Keep the file where any worker finds it, and make the job; or neither."""
    key = _keep(context, path)
    params = {"file": key, "file_name": shown, "options": options}
    try:
        with context.sessions.begin() as session:
            # Asked again: much may have happened while the file came in.
            access.manage_dataset(session, user=user, dataset_id=dataset_id)
            job = create_job(
                session,
                kind=kind,
                owner=user,
                dataset_id=dataset_id,
                params=params,
                message=f"Waiting to import {shown}.",
            )
            return jobs.out(job)
    except BaseException:
        context.storage.delete(key)
        raise


def _keep(context: AppContext, path: Path) -> str:
    key = job_key()
    context.storage.put(key, path)
    return key


def _options(form: Form) -> ImportOptions:
    formats = [one.name for one in imports.import_formats()]
    return ImportOptions(
        format=form.choice("format", [AUTO, *formats], code="format_unknown"),
        task=form.choice("task", [AUTO, *imports.import_kinds()], code="task_unknown"),
        mode=form.choice("mode", MODES, code="mode_unknown"),
        placeholders=form.flag("placeholders"),
        dry_run=form.flag("dry_run"),
        subset=form.name("subset"),
        name=form.name("name"),
    )
