"""Imports an uploaded file of annotations; its result is the report."""

from typing import Any

from app.context import AppContext
from app.formats.records import FileError
from app.jobs.kind import JobRun
from app.models import Job
from app.services import imports
from app.services.import_zip import annotation_file
from app.services.imports import ImportOptions

__all__ = ["IMPORT"]


class _Import:
    """``params``: ``file`` (a storage key), ``file_name`` and the options of `ImportOptions`."""

    name = "import"
    title = "Import annotations"

    def run(self, run: JobRun) -> dict[str, Any]:
        job, params, settings = run.job, run.job.params, run.context.settings
        if job.dataset_id is None:
            raise ValueError("an import needs a dataset")
        options = ImportOptions(**params["options"])
        storage = run.context.storage
        try:
            with (
                storage.open(params["file"]) as sent,
                annotation_file(
                    sent,
                    storage.scratch,
                    max_files=settings.max_zip_files,
                    max_bytes=settings.max_upload_mb * 1_000_000,
                ) as file,
            ):
                return imports.import_file(
                    run.session,
                    dataset_id=job.dataset_id,
                    user_id=job.owner_id,
                    file=file,
                    options=options,
                    progress=run.progress,
                )
        except FileError as error:
            raise imports.unreadable(error, options) from None

    def clean_up(self, job: Job, context: AppContext) -> None:
        context.storage.delete(job.params["file"])


IMPORT = _Import()
