"""Makes annotations of uploaded mask images; its result is the report."""

import shutil
from typing import Any

from app.context import AppContext
from app.jobs.kind import JobRun
from app.models import Job
from app.services.imports.mask_mapping import MaskOptions
from app.services.imports.masks import import_masks
from app.services.imports.tally import told_of

__all__ = ["IMPORT_MASKS"]


class _ImportMasks:
    """``params``: ``file`` (the storage key of a zip), ``file_name`` and the `MaskOptions`."""

    name = "import_masks"
    title = "Import mask images"

    def run(self, run: JobRun) -> dict[str, Any]:
        job, storage = run.job, run.context.storage
        if job.dataset_id is None or job.owner_id is None:
            raise ValueError("an import of masks needs a dataset and an owner")
        with storage.scratch.folder() as folder:
            path = folder / "masks.zip"
            with storage.open(job.params["file"]) as file, path.open("wb") as copy:
                shutil.copyfileobj(file, copy)
            return import_masks(
                run.session,
                dataset_id=job.dataset_id,
                user_id=job.owner_id,
                path=path,
                scratch=storage.scratch,
                settings=run.context.settings,
                options=MaskOptions(**job.params["options"]),
                progress=run.progress,
            )

    def told(self, result: dict[str, Any]) -> str:
        return told_of(result)

    def clean_up(self, job: Job, context: AppContext) -> None:
        context.storage.delete(job.params["file"])


IMPORT_MASKS = _ImportMasks()
