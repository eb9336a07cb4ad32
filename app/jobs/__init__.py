"""What workers do: one kind of job, one file.

A kind is a module-level object that satisfies `JobKind` (app/jobs/kind.py). Adding one is one file
and one line in JOBS.
"""

from app.jobs.import_file import IMPORT
from app.jobs.import_masks import IMPORT_MASKS
from app.jobs.kind import JobKind, JobRun

__all__ = ["IMPORT", "IMPORT_MASKS", "JOBS", "JobKind", "JobRun"]

JOBS: tuple[JobKind, ...] = (IMPORT, IMPORT_MASKS)
