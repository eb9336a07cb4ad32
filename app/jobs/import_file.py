"""Imports an uploaded file of annotations; its result is the report."""

from typing import Any

from app.context import AppContext
from app.jobs.kind import JobRun
from app.models import Job
from app.services.imports.imports import ImportOptions
from app.services.imports.tally import told_of
from app.services.imports.zip import import_upload

__all__ = ["IMPORT"]


class _Import:
    """``params``: ``file`` (a storage key), ``file_name`` and the options of `ImportOptions`."""

    name = "import"
    title = "Import annotations"

    def run(self, run: JobRun) -> dict[str, Any]:
        job, context = run.job, run.context
        if job.dataset_id is None:
            raise ValueError("an import needs a dataset")
        with context.storage.open(job.params["file"]) as file:
            return import_upload(
                run.session,
                dataset_id=job.dataset_id,
                user_id=job.owner_id,
                file=file,
                sessions=context.sessions,
                storage=context.storage,
                settings=context.settings,
                options=ImportOptions(**job.params["options"]),
                progress=run.progress,
            )

    def told(self, result: dict[str, Any]) -> str:
        return told_of(result)

    def clean_up(self, job: Job, context: AppContext) -> None:
        context.storage.delete(job.params["file"])


IMPORT = _Import()
