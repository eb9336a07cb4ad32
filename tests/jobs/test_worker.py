"""The worker as a process of its own: it works, stops in time, and may be killed."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.context import AppContext
from app.models import Dataset, Job, User
from app.services import turns
from app.services.files.storage import job_key
from app.services.jobs import create_job
from tests.build import make_dataset
from tests.build.coco import annotation, coco
from tests.running import SOON, environment

MASKWRIGHT = Path(sys.executable).parent / "maskwright"


@contextmanager
def worker(context: AppContext) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [MASKWRIGHT, "worker"],
        env=environment(
            context.settings.data_dir,
            database_url=str(context.settings.database_url),
            log_level="info",
        ),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session)


def queue_import(context: AppContext, session: Session, dataset: Dataset, count: int) -> Job:
    """An import of so many annotations, as the API makes it."""
    path = context.settings.data_dir / "upload"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(coco(*(annotation(id=i) for i in range(count)))))
    key = job_key()
    context.storage.put(key, path)
    job = create_job(
        session,
        kind="import",
        owner=session.get_one(User, dataset.created_by),
        dataset_id=dataset.id,
        params={"file": key, "file_name": "upload", "options": {}},
    )
    session.commit()
    return job


def state(session: Session, job: Job) -> str:
    session.commit()
    session.refresh(job)
    return job.state


def annotations(session: Session) -> int:
    return session.scalar(text("select count(*) from annotations")) or 0


def test_work_and_a_stop_in_time(context: AppContext, session: Session, dataset: Dataset) -> None:
    with worker(context) as process:
        job = queue_import(context, session, dataset, 10)
        wait_for(lambda: state(session, job) == "succeeded")
        assert annotations(session) == 10
        # A worker that is up takes a job at once.
        start = time.monotonic()
        job = queue_import(context, session, dataset, 11)
        wait_for(lambda: state(session, job) == "succeeded")
        assert time.monotonic() - start < SOON
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert annotations(session) == 11


# Held, an import writes all but the counts, or has its first rows on their way into the table.
HELD = {
    "Saving.": "select from datasets for no key update",
    "Importing annotations.": "lock table annotations in share row exclusive mode",
}


@pytest.mark.parametrize("step", HELD)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_ends_in_the_middle(
    context: AppContext, session: Session, dataset: Dataset, number: signal.Signals, step: str
) -> None:
    """Its import leaves nothing behind, and the next worker does it from the beginning."""
    job = queue_import(context, session, dataset, 100)
    with Session(context.engine) as other, worker(context) as process:
        other.execute(text(HELD[step]))
        wait_for(lambda: state(session, job) == "running" and job.message == step)
        process.send_signal(number)
        process.wait(20)
        other.rollback()
    assert state(session, job) in ("running", "queued")
    assert annotations(session) == 0
    with worker(context):
        wait_for(lambda: state(session, job) == "succeeded")
        # The upload goes once the job's end is written down.
        wait_for(lambda: not list((context.settings.data_dir / "jobs").glob("*")))
    assert annotations(session) == 100


def test_cancelling_in_the_middle(context: AppContext, session: Session, dataset: Dataset) -> None:
    job = queue_import(context, session, dataset, 10)
    with Session(context.engine) as other, worker(context):
        assert turns.try_turn(other, dataset_id=dataset.id)
        wait_for(lambda: state(session, job) == "running" and "Waiting" in job.message)
        job.cancel_requested = True
        wait_for(lambda: state(session, job) == "cancelled")
    assert annotations(session) == 0


def test_a_lost_connection(context: AppContext, session: Session, dataset: Dataset) -> None:
    """The worker finds its way back after PostgreSQL ended all of its connections."""
    with worker(context) as process:
        job = queue_import(context, session, dataset, 1)
        wait_for(lambda: state(session, job) == "succeeded")
        session.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        )
        session.commit()
        context.engine.dispose()
        job = queue_import(context, session, dataset, 2)
        wait_for(lambda: state(session, job) == "succeeded")
        assert process.poll() is None
