"""Runs one job: claims its row, watches it, and writes how it ended."""

import logging
import time
from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.context import AppContext
from app.errors import AppError
from app.jobs import JOBS
from app.jobs.kind import JobKind, JobRun
from app.models import FINISHED_STATES, Job
from app.services import jobs
from app.services.jobs import JobCancelled, JobFailed, WorkerStopping

__all__ = ["recover", "run_job"]

_log = logging.getLogger(__name__)
# Progress is written at most this often: a reader looks twice a second.
_TELL_EVERY_SECONDS = 0.2
_TRIES_FOR_LOCK = 40
_BETWEEN_TRIES_SECONDS = 0.1


class _Told:
    """Progress written to the job's row, each time in a transaction of its own."""

    def __init__(self, line: Connection, job_id: int, stopping: Callable[[], bool]) -> None:
        self._line = line
        self._job_id = job_id
        self._stopping = stopping
        self._next = 0.0
        self._message = ""

    def tell(self, done: int, total: int, message: str = "") -> None:
        if self._stopping():
            raise WorkerStopping
        now = time.monotonic()
        if now < self._next and message in ("", self._message):
            return
        self._next = now + _TELL_EVERY_SECONDS
        self._message = message or self._message
        if jobs.record_progress(
            self._line, job_id=self._job_id, done=done, total=total, message=self._message
        ):
            raise JobCancelled


def run_job(
    context: AppContext,
    job_id: int,
    stopping: Callable[[], bool] = lambda: False,
    file: str | None = None,
) -> None:
    """Do the job if it is still queued and nobody else does it.

    `file` is what was uploaded for it, to be removed should the job be gone by now.
    """
    # One connection lives as long as the job: its lock says that somebody works on the job.
    with context.engine.connect() as connection:
        line = connection.execution_options(isolation_level="AUTOCOMMIT")
        for _ in range(_TRIES_FOR_LOCK):
            with jobs.hold(line, job_id=job_id) as mine:
                if mine:
                    done = _run(context, job_id, _Told(line, job_id, stopping), file)
                    break
            # Whoever queued the job again may hold the lock for another moment.
            if not jobs.is_queued(line, job_id=job_id):
                return
            time.sleep(_BETWEEN_TRIES_SECONDS)
        else:
            return
    if not done:
        # Only now is the lock free for whoever takes the job next.
        with context.sessions.begin() as session:
            jobs.interrupt(session, job_id=job_id)


def _run(context: AppContext, job_id: int, progress: _Told, file: str | None) -> bool:
    """Do the job, whose lock we hold; False when the worker stops before it is done."""
    with context.sessions.begin() as session:
        job = jobs.start(session, job_id=job_id)
        present = job or session.get(Job, job_id)
    if job is None:
        if present is not None:
            _clean_up(context, present)
        elif file is not None:
            context.storage.delete(file)
        return True
    kind = _kind(job)
    try:
        if kind is None:
            raise JobFailed(f"This version does not know jobs of the kind {job.kind}.")
        _work(context, kind, job_id, progress)
    except WorkerStopping:
        return False
    except JobCancelled:
        _end(context, job_id, "cancelled", "Cancelled.")
    except JobFailed as error:
        _end(context, job_id, "failed", error.message, error.result)
    except AppError as error:
        _end(context, job_id, "failed", error.detail)
    except (DBAPIError, psycopg.Error):
        # The database went away, or refused something that we should have checked.
        _log.exception("job %s", job_id)
        _end(context, job_id, "failed", "The database refused or did not answer; see the log.")
    except Exception:  # noqa: BLE001
        # A defect in one job must not stop the worker.
        _log.exception("job %s", job_id)
        _end(context, job_id, "failed", "Something went wrong on the server; it is in its log.")
    _clean_up(context, job)
    return True


def _kind(job: Job) -> JobKind | None:
    return next((kind for kind in JOBS if kind.name == job.kind), None)


def _clean_up(context: AppContext, job: Job) -> None:
    """Take away what an ended job needed; its row may be a moment old, so it is read again."""
    with context.sessions.begin() as session:
        ended = session.get(Job, job.id)
        state = None if ended is None else ended.state
    kind = _kind(job)
    if kind is not None and (state is None or state in FINISHED_STATES):
        kind.clean_up(job, context)


def _work(context: AppContext, kind: JobKind, job_id: int, progress: _Told) -> None:
    """The job's transaction, which ends with its result."""
    with context.sessions.begin() as session:
        job = session.get_one(Job, job_id)
        result = kind.run(JobRun(job, session, context, progress))
        session.flush()
        # Locked only now: progress was written to this row by another connection until here.
        session.refresh(job, with_for_update=True)
        jobs.finish(job, "succeeded", message=kind.told(result), result=result)
        job.done = job.total


def _end(
    context: AppContext,
    job_id: int,
    state: str,
    message: str,
    result: dict[str, Any] | None = None,
) -> None:
    with context.sessions.begin() as session:
        job = session.get(Job, job_id, with_for_update=True)
        if job is not None:
            jobs.finish(job, state, message=message, result=result)


def recover(context: AppContext) -> list[int]:
    """Put jobs that lost their worker back into the queue; see app/services/jobs.py."""
    with context.sessions.begin() as session:
        lost = jobs.recover(session)
    for job in lost:
        _log.warning("job %s had lost its worker and is %s now", job.id, job.state)
        _clean_up(context, job)
    return [job.id for job in lost]
