"""Jobs: what the workers do, how far they are, and how it ended."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Literal

import anyio
from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import BaseModel

from app.api import deps, paging, problems
from app.api.deps import ContextDep, SessionDep, UserDep
from app.context import AppContext
from app.errors import AppError
from app.models import FINISHED_STATES, Job, User
from app.services import access, jobs

__all__ = ["JobOut", "router"]

router = APIRouter(
    prefix="/jobs",
    tags=["jobs"],
    responses=problems.responses(400, 401, 403, 404, 413, 415, 422, 503),
)

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
_LOOK_EVERY_SECONDS = 0.25
# Proxies close a connection on which nothing moves for a minute or so.
_PING_EVERY_SECONDS = 15.0


class JobItem(BaseModel):
    """A job without its result, for lists."""

    id: int
    kind: str
    state: State
    dataset_id: int | None
    owner_id: int | None
    done: int
    total: int
    message: str
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobOut(JobItem):
    """A job; `result` is there once it has ended, and depends on its kind."""

    result: dict[str, Any] | None


def out(job: Job) -> JobOut:
    """A job as the API shows it."""
    return JobOut.model_validate(vars(job))


@router.get("")
def index(
    user: UserDep,
    session: SessionDep,
    dataset: int | None = Query(default=None, ge=1, le=2**63 - 1, description="Of this dataset."),
    limit: deps.Limit = 50,
    cursor: str | None = Query(default=None, max_length=2000),
) -> paging.Page[JobItem]:
    """The caller's jobs and those of the datasets that they may see, newest first."""
    before = paging.decode(cursor, int)[0] if cursor else None
    rows = jobs.list_jobs(session, user=user, limit=limit + 1, before=before, dataset_id=dataset)
    page = rows[:limit]
    return paging.Page(
        items=[JobItem.model_validate(vars(row)) for row in page],
        next_cursor=paging.encode(page[-1].id) if len(rows) > limit else None,
    )


@router.get("/{job_id}")
def show(job_id: deps.Id, user: UserDep, session: SessionDep) -> JobOut:
    """One job."""
    return out(access.view_job(session, user=user, job_id=job_id))


@router.delete("/{job_id}", responses=problems.responses(409))
def cancel(job_id: deps.Id, user: UserDep, session: SessionDep) -> JobOut:
    """Cancel a job: at once while it is queued, at its next step while it runs."""
    job = access.cancel_job(session, user=user, job_id=job_id)
    return out(jobs.request_cancel(session, job=job))


@router.get(
    "/{job_id}/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: each `data` line is the job as JSON.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
def events(
    job_id: deps.Id, user: UserDep, session: SessionDep, context: ContextDep, request: Request
) -> StreamingResponse:
    """The job now and whenever it changes, as server-sent events; ends when the job has ended."""
    access.view_job(session, user=user, job_id=job_id)
    return StreamingResponse(
        _follow(context, user, job_id, request),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _follow(
    context: AppContext, user: User, job_id: int, request: Request
) -> AsyncIterator[bytes]:
    told: JobOut | None = None
    silent = 0.0
    while not await request.is_disconnected():
        job = await run_in_threadpool(_look, context, user, job_id)
        if job is None:
            return
        if job != told:
            told, silent = job, 0.0
            yield format_sse_event(data_str=job.model_dump_json())
        if job.state in FINISHED_STATES:
            return
        await anyio.sleep(_LOOK_EVERY_SECONDS)
        silent += _LOOK_EVERY_SECONDS
        if silent >= _PING_EVERY_SECONDS:
            silent = 0.0
            yield format_sse_event(comment="ping")


def _look(context: AppContext, user: User, job_id: int) -> JobOut | None:
    """The job, or None when it is gone or the user may not see it any more."""
    with context.sessions.begin() as session:
        try:
            return out(access.view_job(session, user=user, job_id=job_id))
        except AppError:
            return None
