"""Pages of jobs: the list, and one job with its progress or its report."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Query, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.api import deps, paging
from app.errors import AppError
from app.models import FINISHED_STATES, Dataset, Job, User
from app.services import access, jobs
from app.web.formats import query_string
from app.web.render import Page, PageDep
from app.web.reports import report_of

__all__ = ["router"]

router = APIRouter()
PAGE_SIZE = 50


@dataclass(frozen=True)
class Row:
    """A job with what a page says about it."""

    job: Job
    dataset: Dataset | None
    owner: str | None
    may_cancel: bool

    @property
    def title(self) -> str:
        return self.job.kind.replace("_", " ").capitalize()

    @property
    def file_name(self) -> str:
        """The file that the job is about, where there is one."""
        return str(self.job.params.get("file_name", ""))

    @property
    def active(self) -> bool:
        return self.job.state not in FINISHED_STATES

    @property
    def outcome(self) -> str:
        """What an import that succeeded came to."""
        return str((self.job.result or {}).get("outcome", ""))

    @property
    def seconds(self) -> str | None:
        """How long it ran."""
        if self.job.started_at is None or self.job.finished_at is None:
            return None
        return f"{(self.job.finished_at - self.job.started_at).total_seconds():,.1f}"


def _rows(page: Page, found: Sequence[Job]) -> list[Row]:
    session = page.session
    datasets = {
        row.id: row
        for row in session.scalars(
            select(Dataset).where(Dataset.id.in_({job.dataset_id for job in found}))
        )
    }
    names = {
        row.id: row.name or row.email
        for row in session.scalars(select(User).where(User.id.in_({job.owner_id for job in found})))
    }
    return [
        Row(
            job=job,
            dataset=datasets.get(job.dataset_id or 0),
            owner=names.get(job.owner_id or 0),
            may_cancel=_may_cancel(session, page.user, job),
        )
        for job in found
    ]


def _may_cancel(session: Session, user: User, job: Job) -> bool:
    if job.state in FINISHED_STATES:
        return False
    try:
        access.cancel_job(session, user=user, job_id=job.id)
    except AppError:
        return False
    return True


def _list(page: Page, template: str, cursor: str | None) -> Response:
    before = paging.decode(cursor, int)[0] if cursor else None
    found = jobs.list_jobs(page.session, user=page.user, limit=PAGE_SIZE + 1, before=before)
    shown = found[:PAGE_SIZE]
    following = paging.encode(shown[-1].id) if len(found) > PAGE_SIZE else None
    return page.render(
        template,
        rows=_rows(page, shown),
        query=query_string({"cursor": cursor}),
        next_query=query_string({"cursor": following}),
    )


@router.get("/jobs")
def index(page: PageDep, cursor: str | None = Query(default=None, max_length=2000)) -> Response:
    """The newest jobs."""
    return _list(page, "jobs.html", cursor)


@router.get("/jobs/rows")
def rows(page: PageDep, cursor: str | None = Query(default=None, max_length=2000)) -> Response:
    """The rows of the list alone, for its script."""
    return _list(page, "_jobs.html", cursor)


@router.get("/jobs/{job_id}")
def show(job_id: deps.Id, page: PageDep) -> Response:
    """One job."""
    job = access.view_job(page.session, user=page.user, job_id=job_id)
    [row] = _rows(page, [job])
    return page.render("job.html", row=row, report=report_of(job), brief=False)


@router.get("/jobs/{job_id}/report")
def report(job_id: deps.Id, page: PageDep) -> Response:
    """The report alone and in short, for the dialog in which the job was started."""
    job = access.view_job(page.session, user=page.user, job_id=job_id)
    [row] = _rows(page, [job])
    return page.render("_report.html", row=row, report=report_of(job), brief=True)
