"""Imports of mask images: pictures go in, a job comes out that makes annotations of them."""

import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, status
from fastapi.concurrency import run_in_threadpool

from app.api import deps, forms, imports, multipart, problems
from app.api.deps import ContextDep
from app.api.forms import Form
from app.api.jobs import JobOut
from app.api.multipart import ReceivedFile
from app.api.uploads import UploaderDep
from app.errors import Invalid
from app.formats import MODES
from app.jobs import IMPORT_MASKS
from app.services.files import names as file_names
from app.services.files import zips
from app.services.files.storage import disk_full_as_problem
from app.services.imports.mask_mapping import (
    OUTLINES,
    PARTS,
    MaskOptions,
    read_ignored,
    read_mapping,
)

__all__ = ["router"]

router = APIRouter(
    prefix="/datasets/{dataset_id}",
    tags=["imports"],
    responses=problems.responses(400, 401, 403, 404, 413, 415, 422, 503),
)

_LONGEST_SUFFIX = 60
_FIELDS: dict[str, dict[str, Any]] = {
    "file": {
        "type": "array",
        "items": {"type": "string", "format": "binary"},
        "description": "PNG, TIFF, BMP or GIF pictures, each called like its image but for the "
        "ending, or one .zip of them.",
    },
    "mapping": {
        "type": "string",
        "description": "A JSON object from values (palette index, grey value, or colour as "
        "#rrggbb) to categories: a name, a COCO id, or null for nothing. An object as a value is "
        "the mapping of the file of that name. Without it, each value is the category of its "
        "name or colour.",
    },
    "ignore": {
        "type": "string",
        "default": MaskOptions.ignore,
        "description": "Values of nothing that the mapping does not name, such as `0, 255`.",
    },
    "parts": {
        "type": "string",
        "enum": list(PARTS),
        "default": PARTS[0],
        "description": "One annotation for each value, or for each connected part of it, by 4 or "
        "8 neighbours.",
    },
    "outline": {
        "type": "string",
        "enum": list(OUTLINES),
        "default": OUTLINES[0],
        "description": "RLEs, or polygons of exactly the same pixels.",
    },
    "suffix": {
        "type": "string",
        "maxLength": _LONGEST_SUFFIX,
        "description": "What names of masks have behind those of images, such as `_mask`.",
    },
    "mode": {
        "type": "string",
        "enum": list(MODES),
        "default": MODES[0],
        "description": "`lenient` leaves wrong pictures out and says so; `strict` imports nothing "
        "then.",
    },
    "dry_run": {
        "type": "boolean",
        "default": False,
        "description": "Only report what an import would do.",
    },
}


@router.post(
    "/mask-imports",
    status_code=status.HTTP_202_ACCEPTED,
    openapi_extra=forms.described("file", _FIELDS),
)
async def create(
    dataset_id: deps.Id, user: UploaderDep, request: Request, context: ContextDep
) -> JobOut:
    """Import mask images: the pictures are received, and a job makes annotations of them.

    The job's `result` is the report. A failed import leaves the dataset as it was.
    """
    with (
        disk_full_as_problem(),
        context.storage.scratch.folder() as folder,
        _Package(folder) as package,
    ):
        texts = await multipart.receive(
            request,
            files={"file"},
            texts=_FIELDS.keys() - {"file"},
            most_files=context.settings.max_zip_files,
            new_path=lambda: folder / "upload",
            on_file=package.add,
        )
        options = _options(Form(texts))
        path, shown = await run_in_threadpool(package.close)
        return await run_in_threadpool(
            imports.queue,
            context,
            user,
            dataset_id,
            path,
            kind=IMPORT_MASKS.name,
            shown=shown,
            options=asdict(options),
        )


class _Package:
    """What was sent, as one zip: the one that came, or a new one of the pictures that did."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "masks.zip"
        self._archive = zipfile.ZipFile(self._path, "w")
        self._sent: Path | None = None
        self._names: list[str] = []

    def __enter__(self) -> "_Package":
        return self

    def __exit__(self, *_error: object) -> None:
        self._archive.close()

    def add(self, file: ReceivedFile) -> None:
        """Take one file in."""
        name = file_names.check_file_name(file.file_name)
        with file.path.open("rb") as opened:
            zipped = zips.is_zip(opened.read(4))
        if (zipped and self._names) or self._sent is not None:
            told = "Send pictures, or one zip of them."
            raise Invalid(told, code="zip_nested", loc=("body", "file"))
        self._names.append(name)
        if zipped:
            self._sent = file.path.rename(self._path.with_name("sent.zip"))
            return
        self._archive.write(file.path, name)

    def close(self) -> tuple[Path, str]:
        """The zip, and what to call it."""
        if not self._names:
            raise Invalid("Send a file.", code="missing", loc=("body", "file"))
        self._archive.close()
        count = len(self._names)
        shown = Path(self._names[0]).name if count == 1 else f"{count:,} mask images"
        return self._sent or self._path, shown


def _options(form: Form) -> MaskOptions:
    suffix = form.text("suffix")
    if len(suffix) > _LONGEST_SUFFIX or not suffix.isprintable():
        told = f"A suffix has at most {_LONGEST_SUFFIX} characters."
        raise Invalid(told, code="suffix_invalid", loc=("body", "suffix"))
    options = MaskOptions(
        mapping=form.text("mapping"),
        ignore=form.text("ignore", MaskOptions.ignore),
        parts=form.choice("parts", PARTS, code="choice_unknown"),
        outline=form.choice("outline", OUTLINES, code="choice_unknown"),
        suffix=suffix,
        mode=form.choice("mode", MODES, code="mode_unknown"),
        dry_run=form.flag("dry_run"),
    )
    # What cannot be read is told at once, and not by a job that fails.
    read_mapping(options.mapping)
    read_ignored(options.ignore)
    return options
