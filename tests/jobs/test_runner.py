"""Running jobs: claimed once, watched, cancelled, interrupted, recovered."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.context import AppContext
from app.errors import Conflict
from app.jobs import JOBS, JobRun, runner
from app.models import Dataset, Job, User
from app.services import jobs
from app.services.jobs import MAX_ATTEMPTS, JobFailed, create_job
from tests.build import make_user


class Kind:
    """A kind of job that does what a test says."""

    name = "test"
    title = "Do what a test says"

    def __init__(self) -> None:
        self.work: Callable[[JobRun], dict[str, Any]] = lambda _run: {"answer": 42}
        self.cleaned: list[int] = []

    def run(self, run: JobRun) -> dict[str, Any]:
        return self.work(run)

    def told(self, result: dict[str, Any]) -> str:
        return f"Done: {result.get('answer')}."

    def clean_up(self, job: Job, context: AppContext) -> None:
        assert context.storage is not None
        self.cleaned.append(job.id)


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Kind:
    kind = Kind()
    monkeypatch.setattr(runner, "JOBS", (*JOBS, kind))
    return kind


@pytest.fixture
def user(session: Session) -> User:
    return make_user(session)


@pytest.fixture
def job(session: Session, user: User) -> Job:
    job = create_job(session, kind="test", owner=user, dataset_id=None, params={})
    session.commit()
    return job


def messages(session: Session) -> int:
    """How often the queue tells of jobs."""
    session.commit()
    return (
        session.scalar(text("select count(*) from procrastinate_jobs where status = 'todo'")) or 0
    )


def look(session: Session, job: Job) -> Job:
    session.commit()
    session.refresh(job)
    return job


def test_queued_with_its_transaction(session: Session, user: User) -> None:
    create_job(session, kind="test", owner=user, dataset_id=None, params={})
    session.rollback()
    assert messages(session) == 0
    create_job(session, kind="test", owner=user, dataset_id=None, params={})
    assert messages(session) == 1


def test_success(context: AppContext, session: Session, kind: Kind, job: Job) -> None:
    runner.run_job(context, job.id)
    look(session, job)
    assert (job.state, job.result, job.message) == ("succeeded", {"answer": 42}, "Done: 42.")
    assert job.started_at
    assert job.finished_at
    assert kind.cleaned == [job.id]


def test_done_once(context: AppContext, session: Session, kind: Kind, job: Job) -> None:
    """A second message about the same job does nothing."""
    runner.run_job(context, job.id)
    kind.work = lambda _run: {"answer": 0}
    runner.run_job(context, job.id)
    assert look(session, job).result == {"answer": 42}
    runner.run_job(context, 999_999)


def test_work_and_result_are_one_transaction(
    context: AppContext, session: Session, kind: Kind, job: Job
) -> None:
    def work(run: JobRun) -> dict[str, Any]:
        run.session.add(Dataset(name="half-done"))
        run.session.flush()
        raise JobFailed("It cannot be done.", {"why": "a test"})

    kind.work = work
    runner.run_job(context, job.id)
    look(session, job)
    assert (job.state, job.message, job.result) == (
        "failed",
        "It cannot be done.",
        {"why": "a test"},
    )
    assert session.scalars(select(Dataset)).all() == []
    assert kind.cleaned == [job.id]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Conflict("That clashes."), "That clashes."),
        (ZeroDivisionError("secret"), "Something went wrong on the server; it is in its log."),
    ],
)
def test_failures(
    context: AppContext, session: Session, kind: Kind, job: Job, error: Exception, message: str
) -> None:
    def work(_run: JobRun) -> dict[str, Any]:
        raise error

    kind.work = work
    runner.run_job(context, job.id)
    assert (look(session, job).state, job.message) == ("failed", message)


def test_a_failing_statement(context: AppContext, session: Session, kind: Kind, job: Job) -> None:
    def work(run: JobRun) -> dict[str, Any]:
        run.session.execute(text("select 1 / 0"))
        return {}

    kind.work = work
    runner.run_job(context, job.id)
    assert (look(session, job).state, kind.cleaned) == ("failed", [job.id])


def test_an_unknown_kind(context: AppContext, session: Session, user: User) -> None:
    job = create_job(session, kind="from-the-future", owner=user, dataset_id=None, params={})
    session.commit()
    runner.run_job(context, job.id)
    assert look(session, job).state == "failed"
    assert "from-the-future" in job.message


def test_progress_is_seen_while_it_runs(
    context: AppContext, session: Session, kind: Kind, job: Job
) -> None:
    seen = []

    def work(run: JobRun) -> dict[str, Any]:
        run.progress.tell(3, 10, "Counting.")
        look(session, job)
        seen.append((job.state, job.done, job.total, job.message))
        return {}

    kind.work = work
    runner.run_job(context, job.id)
    assert seen == [("running", 3, 10, "Counting.")]
    assert look(session, job).done == 10


def test_cancelling_while_it_runs(
    context: AppContext, session: Session, kind: Kind, job: Job
) -> None:
    def work(run: JobRun) -> dict[str, Any]:
        run.session.add(Dataset(name="half-done"))
        run.session.flush()
        jobs.request_cancel(session, job=job)
        session.commit()
        run.progress.tell(1, 2, "Next step.")
        return {}

    kind.work = work
    runner.run_job(context, job.id)
    assert (look(session, job).state, job.result) == ("cancelled", None)
    assert session.scalars(select(Dataset)).all() == []
    with pytest.raises(Conflict) as caught:
        jobs.request_cancel(session, job=job)
    assert caught.value.code == "job_finished"


def test_cancelling_a_queued_job(
    context: AppContext, session: Session, kind: Kind, job: Job
) -> None:
    assert jobs.request_cancel(session, job=job).state == "cancelled"
    session.commit()
    runner.run_job(context, job.id)
    assert (look(session, job).state, kind.cleaned) == ("cancelled", [job.id])


def test_a_worker_that_stops(context: AppContext, session: Session, kind: Kind, job: Job) -> None:
    """The job goes back into the queue and starts again from the beginning."""

    def work(run: JobRun) -> dict[str, Any]:
        run.progress.tell(1, 2)
        return {"answer": 1}

    kind.work = work
    before = messages(session)
    for _ in range(MAX_ATTEMPTS + 1):
        runner.run_job(context, job.id, lambda: True)
        assert (look(session, job).state, kind.cleaned) == ("queued", [])
    assert messages(session) == before + MAX_ATTEMPTS + 1
    runner.run_job(context, job.id)
    assert look(session, job).result == {"answer": 1}


# Recovery. --------------------------------------------------------------------------------------


def _lose(session: Session, job: Job) -> None:
    """Leave the job as a killed worker does."""
    session.commit()
    assert jobs.start(session, job_id=job.id) is not None
    session.commit()


def test_a_lost_job_starts_again(
    context: AppContext, session: Session, kind: Kind, job: Job
) -> None:
    _lose(session, job)
    before = messages(session)
    assert runner.recover(context) == [job.id]
    assert (look(session, job).state, messages(session)) == ("queued", before + 1)
    runner.run_job(context, job.id)
    assert look(session, job).state == "succeeded"
    assert runner.recover(context) == []


def test_a_job_that_is_lost_too_often(
    context: AppContext, session: Session, kind: Kind, job: Job
) -> None:
    for _ in range(MAX_ATTEMPTS):
        assert look(session, job).state == "queued"
        _lose(session, job)
        runner.recover(context)
    assert (look(session, job).state, kind.cleaned) == ("failed", [job.id])


def test_a_lost_job_that_was_to_be_cancelled(
    context: AppContext, session: Session, kind: Kind, job: Job
) -> None:
    _lose(session, job)
    jobs.request_cancel(session, job=job)
    session.commit()
    runner.recover(context)
    assert (look(session, job).state, kind.cleaned) == ("cancelled", [job.id])


@pytest.fixture
def busy(context: AppContext, kind: Kind, job: Job) -> Iterator[threading.Event]:
    """The job runs in another thread until the event is set."""
    started, end = threading.Event(), threading.Event()

    def work(_run: JobRun) -> dict[str, Any]:
        started.set()
        end.wait(20)
        return {"answer": 42}

    kind.work = work
    worker = threading.Thread(target=runner.run_job, args=(context, job.id))
    worker.start()
    assert started.wait(20)
    yield end
    end.set()
    worker.join(20)


def test_a_running_job_is_left_alone(
    context: AppContext, session: Session, job: Job, busy: threading.Event
) -> None:
    assert runner.recover(context) == []
    runner.run_job(context, job.id)
    assert look(session, job).state == "running"


def test_a_job_whose_message_was_lost(
    context: AppContext, session: Session, kind: Kind, job: Job
) -> None:
    session.execute(text("delete from procrastinate_jobs"))
    runner.recover(context)
    assert messages(session) == 0
    session.execute(update(Job).values(created_at=text("clock_timestamp() - interval '1 minute'")))
    session.commit()
    runner.recover(context)
    assert messages(session) == 1
    runner.recover(context)
    assert messages(session) == 1


def test_a_dataset_that_is_deleted_ends_its_jobs(
    context: AppContext, session: Session, kind: Kind, user: User
) -> None:
    dataset = Dataset(name="short-lived")
    session.add(dataset)
    session.flush()
    job = create_job(session, kind="test", owner=user, dataset_id=dataset.id, params={})
    session.commit()

    def work(run: JobRun) -> dict[str, Any]:
        session.delete(dataset)
        session.commit()
        run.progress.tell(1, 2, "Next step.")
        return {}

    kind.work = work
    job_id = job.id
    runner.run_job(context, job_id)
    assert kind.cleaned == [job_id]
    assert session.scalars(select(Job)).all() == []
