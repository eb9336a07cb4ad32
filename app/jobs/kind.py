"""What a kind of job is."""

from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from app.context import AppContext
from app.models import Job
from app.services.jobs import Progress

__all__ = ["JobKind", "JobRun"]


@dataclass(frozen=True)
class JobRun:
    """One run of one job.

    `session` is the job's only transaction: the runner commits it together with the result, so
    that work is done once and as a whole, or not at all.
    """

    job: Job
    session: Session
    context: AppContext
    progress: Progress


class JobKind(Protocol):
    """One kind of work; `name` is what the API calls ``kind``."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str:
        """What it does, for a list of jobs: "Import a COCO file"."""
        ...

    def run(self, run: JobRun) -> dict[str, Any]:
        """Do it and return the result.

        Raises JobFailed or an AppError when it cannot be done; lets through what
        ``progress.tell`` raises. Anything else counts as a defect of ours.
        """
        ...

    def told(self, result: dict[str, Any]) -> str:
        """The result in a sentence."""
        ...

    def clean_up(self, job: Job, context: AppContext) -> None:
        """Take away what the job needed, such as its uploaded file; called once it has ended."""
        ...
