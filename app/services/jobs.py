"""Jobs: long work that a worker does, as its owner sees it.

::

    queued ──> running ──> succeeded
      │           ├──────> failed
      └───────────┴──────> cancelled

A worker that runs a job holds an advisory lock of PostgreSQL named after the job. The server frees
it the moment the worker's connection ends, however that happens: a job that says ``running`` while
nobody holds its lock has lost its worker, and `recover` queues it again, or fails it when that
happened too often.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import Connection, select, text, update
from sqlalchemy.orm import Session

from app.errors import Conflict
from app.models import FINISHED_STATES, Job, User
from app.services import access, queue

__all__ = [
    "MAX_ATTEMPTS",
    "JobCancelled",
    "JobFailed",
    "Progress",
    "Silent",
    "WorkerStopping",
    "create_job",
    "finish",
    "hold",
    "interrupt",
    "is_queued",
    "list_jobs",
    "record_progress",
    "recover",
    "request_cancel",
    "requeue",
    "start",
]

MAX_ATTEMPTS = 3
# Any number will do as the first half of the lock's name, as long as nothing else takes it.
_LOCK = 7_227_002


class JobCancelled(Exception):
    """Raised inside a job when somebody cancelled it."""


class WorkerStopping(Exception):
    """Raised inside a job when its worker must stop; another worker starts the job again."""


class JobFailed(Exception):
    """A job that cannot succeed: why, in one sentence, and what it found out until then."""

    def __init__(self, message: str, result: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.result = result


class Progress(Protocol):
    """How a job tells what it has done; raises JobCancelled or WorkerStopping when it must end."""

    def tell(self, done: int, total: int, message: str = "") -> None: ...


class Silent:
    """Progress that nobody watches."""

    def tell(self, done: int, total: int, message: str = "") -> None:
        """Do nothing."""


def create_job(
    session: Session,
    *,
    kind: str,
    owner: User,
    dataset_id: int | None,
    params: dict[str, Any],
    message: str = "",
) -> Job:
    """A new job, queued when the transaction commits."""
    job = Job(kind=kind, owner_id=owner.id, dataset_id=dataset_id, params=params, message=message)
    session.add(job)
    session.flush()
    session.refresh(job)
    _defer(session, job)
    return job


def _defer(session: Session, job: Job) -> None:
    queue.defer(session, job_id=job.id, file=job.params.get("file"))


def list_jobs(
    session: Session,
    *,
    user: User,
    limit: int,
    before: int | None = None,
    dataset_id: int | None = None,
) -> Sequence[Job]:
    """The jobs that the user may see, newest first; `before` is the last id seen."""
    query = select(Job).where(access.visible_jobs(user)).order_by(Job.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Job.id < before)
    if dataset_id is not None:
        query = query.where(Job.dataset_id == dataset_id)
    return session.scalars(query).all()


def request_cancel(session: Session, *, job: Job) -> Job:
    """Cancel a queued job at once and a running one at its next step."""
    session.refresh(job, with_for_update=True)
    if job.state in FINISHED_STATES:
        raise Conflict(f"The job has ended already: it {_ENDED[job.state]}.", code="job_finished")
    job.cancel_requested = True
    if job.state == "queued":
        finish(job, "cancelled", message="Cancelled before it started.")
    session.flush()
    return job


_ENDED = {"succeeded": "succeeded", "failed": "failed", "cancelled": "was cancelled"}


def start(session: Session, *, job_id: int) -> Job | None:
    """Take a queued job; None when there is nothing to do (any more)."""
    job = session.get(Job, job_id, with_for_update=True)
    if job is None or job.state != "queued":
        return None
    job.state = "running"
    job.started_at = datetime.now(UTC)
    job.params = job.params | {"attempt": job.params.get("attempt", 0) + 1}
    session.flush()
    return job


def finish(
    job: Job, state: str, *, message: str | None = None, result: dict[str, Any] | None = None
) -> None:
    """Set a job's last state."""
    job.state = state
    job.finished_at = datetime.now(UTC)
    if message is not None:
        job.message = message
    if result is not None:
        job.result = result


def requeue(session: Session, *, job: Job) -> None:
    """Have a job that stopped half-way start again from the beginning."""
    job.state, job.started_at, job.done = "queued", None, 0
    _defer(session, job)


def interrupt(session: Session, *, job_id: int) -> None:
    """Requeue a job whose worker stops in good order, which does not count as an attempt."""
    job = session.get(Job, job_id, with_for_update=True)
    if job is not None and job.state == "running":
        job.params = job.params | {"attempt": job.params["attempt"] - 1}
        requeue(session, job=job)


@contextmanager
def hold(connection: Connection, *, job_id: int) -> Iterator[bool]:
    """Hold the job's lock on this connection; yields False when somebody else has it."""
    key = {"space": _LOCK, "id": job_id % 2**31}
    locked = connection.scalar(text("select pg_try_advisory_lock(:space, :id)"), key)
    try:
        yield bool(locked)
    finally:
        if locked and not connection.closed and not connection.invalidated:
            connection.execute(text("select pg_advisory_unlock(:space, :id)"), key)


def recover(session: Session) -> list[Job]:
    """Queue again, or end, the jobs whose worker is gone, and send lost messages again."""
    lost = [job for job_id in _running(session) if (job := _take_lost(session, job_id))]
    for job in lost:
        if job.cancel_requested:
            finish(job, "cancelled", message="Cancelled.")
        elif job.params.get("attempt", 0) >= MAX_ATTEMPTS:
            finish(job, "failed", message="Its worker stopped unexpectedly, several times.")
        else:
            requeue(session, job=job)
    session.flush()
    for job in session.scalars(select(Job).from_statement(text(_WITHOUT_MESSAGE))).all():
        _defer(session, job)
    return lost


# A worker that was killed just after it took a message leaves a job that nobody is told about.
_WITHOUT_MESSAGE = """
    select jobs.* from jobs
    where jobs.state = 'queued' and jobs.created_at < now() - interval '15 seconds'
      and not exists (
        select 1 from procrastinate_jobs message
        where message.status = 'todo' and (message.args ->> 'job_id')::bigint = jobs.id
      )
    for update of jobs skip locked
"""


def _running(session: Session) -> Sequence[int]:
    return session.scalars(select(Job.id).where(Job.state == "running").order_by(Job.id)).all()


def _take_lost(session: Session, job_id: int) -> Job | None:
    """The job, locked, when it says that it is running and nobody holds its lock."""
    key = {"space": _LOCK, "id": job_id % 2**31}
    if not session.scalar(text("select pg_try_advisory_xact_lock(:space, :id)"), key):
        return None
    return session.scalar(
        select(Job)
        .where(Job.id == job_id, Job.state == "running")
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def record_progress(
    connection: Connection, *, job_id: int, done: int, total: int, message: str
) -> bool:
    """Write a running job's progress; returns whether it must end."""
    cancelled = connection.scalar(
        update(Job)
        .where(Job.id == job_id)
        .values(done=done, total=total, message=message)
        .returning(Job.cancel_requested)
    )
    # A row that is gone was deleted with its dataset.
    return cancelled is None or cancelled


def is_queued(connection: Connection, *, job_id: int) -> bool:
    return connection.scalar(select(Job.state).where(Job.id == job_id)) == "queued"
