"""Jobs over HTTP: lists, events, cancelling, and who may."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.context import AppContext
from app.models import ApiToken, Dataset, Job, User
from app.services import jobs
from app.services.jobs import create_job
from tests.build import make_member, make_user
from tests.conftest import ApiClient

ClientFor = Callable[[User], ApiClient]


@pytest.fixture
def client(client_for: ClientFor, owner: User) -> ApiClient:
    return client_for(owner)


def make_job(session: Session, owner: User, dataset: Dataset | None = None) -> Job:
    dataset_id = dataset.id if dataset else None
    params = {"file": "jobs/secret"}
    job = create_job(session, kind="import", owner=owner, dataset_id=dataset_id, params=params)
    session.commit()
    return job


def test_a_job(client: ApiClient, session: Session, owner: User, dataset: Dataset) -> None:
    job = make_job(session, owner, dataset)
    shown = client.get(f"/api/jobs/{job.id}").json()
    assert shown.pop("created_at")
    assert shown == {
        "id": job.id,
        "kind": "import",
        "state": "queued",
        "dataset_id": dataset.id,
        "owner_id": owner.id,
        "done": 0,
        "total": 0,
        "message": "",
        "cancel_requested": False,
        "started_at": None,
        "finished_at": None,
        "result": None,
    }


def test_lists(
    client: ApiClient, client_for: ClientFor, session: Session, owner: User, dataset: Dataset
) -> None:
    """One's own, and those of datasets that one may see; newest first, page by page."""
    mine = [make_job(session, owner).id for _ in range(3)]
    shared = make_job(session, make_user(session), dataset).id
    make_job(session, make_user(session))
    first = client.get("/api/jobs", params={"limit": 3}).json()
    assert [job["id"] for job in first["items"]] == [shared, mine[2], mine[1]]
    assert "result" not in first["items"][0]
    rest = client.get("/api/jobs", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [job["id"] for job in rest["items"]] == [mine[0]]
    assert rest["next_cursor"] is None
    here = client.get("/api/jobs", params={"dataset": dataset.id}).json()
    assert [job["id"] for job in here["items"]] == [shared]
    viewer = client_for(make_member(session, dataset=dataset, role="viewer"))
    assert [job["id"] for job in viewer.get("/api/jobs").json()["items"]] == [shared]
    assert client.get("/api/jobs", params={"cursor": "x"}).json()["code"] == "bad_cursor"


def test_cancelling(client: ApiClient, session: Session, owner: User) -> None:
    job = make_job(session, owner)
    answer = client.delete(f"/api/jobs/{job.id}")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    again = client.delete(f"/api/jobs/{job.id}")
    assert (again.status_code, again.json()["code"]) == (409, "job_finished")


def test_cancelling_a_running_job(client: ApiClient, session: Session, owner: User) -> None:
    job = make_job(session, owner)
    jobs.start(session, job_id=job.id)
    answer = client.delete(f"/api/jobs/{job.id}").json()
    assert (answer["state"], answer["cancel_requested"]) == ("running", True)


def test_who_may_cancel(
    client_for: ClientFor, session: Session, owner: User, dataset: Dataset
) -> None:
    member = make_member(session, dataset=dataset, role="annotator")
    job = make_job(session, member, dataset)
    other = make_member(session, dataset=dataset, role="annotator")
    assert client_for(other).delete(f"/api/jobs/{job.id}").status_code == 403
    assert client_for(make_user(session)).delete(f"/api/jobs/{job.id}").status_code == 404
    assert client_for(owner).delete(f"/api/jobs/{job.id}").status_code == 200


def events(text: str) -> list[dict[str, Any]]:
    return [
        json.loads(line.removeprefix("data: "))
        for line in text.splitlines()
        if line.startswith("data: ")
    ]


def test_events_of_an_ended_job(client: ApiClient, session: Session, owner: User) -> None:
    job = make_job(session, owner)
    client.delete(f"/api/jobs/{job.id}")
    answer = client.get(f"/api/jobs/{job.id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.endswith("\n\n")
    assert [event["state"] for event in events(answer.text)] == ["cancelled"]


def test_events_of_a_running_job(
    client: ApiClient, context: AppContext, session: Session, owner: User
) -> None:
    """The present state at once, each change, and the end."""
    job_id = make_job(session, owner).id

    def work() -> None:
        for step in ("start", "half", "end"):
            time.sleep(0.6)
            with context.sessions.begin() as own:
                if step == "start":
                    jobs.start(own, job_id=job_id)
                    continue
                job = own.get_one(Job, job_id)
                job.done, job.total = 1, 2
                if step == "end":
                    jobs.finish(job, "succeeded", result={"answer": 42})

    worker = threading.Thread(target=work)
    worker.start()
    answer = client.get(f"/api/jobs/{job_id}/events")
    worker.join(20)
    told = [(event["state"], event["done"]) for event in events(answer.text)]
    # A busy machine may look for the first time when the work has begun: what was told is in order,
    # nothing twice, and the end is never left out.
    course = [("queued", 0), ("running", 0), ("running", 1), ("succeeded", 1)]
    assert told == [step for step in course if step in told]
    assert len(told) >= 2
    assert told[-1] == ("succeeded", 1)
    assert events(answer.text)[-1]["result"] == {"answer": 42}


def test_events_end_when_one_may_not_see_them_any_more(
    client_for: ClientFor, context: AppContext, session: Session, owner: User, dataset: Dataset
) -> None:
    viewer = make_member(session, dataset=dataset, role="viewer")
    job = make_job(session, owner, dataset)
    client = client_for(viewer)
    path = f"/api/datasets/{dataset.id}/members/{viewer.id}"
    remove, viewer_id = client_for(owner).delete, viewer.id

    def remove_once_asked() -> None:
        used = select(ApiToken.last_used_at).where(ApiToken.user_id == viewer_id)
        with context.sessions() as own:
            while own.scalar(used) is None:
                own.rollback()
                time.sleep(0.05)
        # The request is in: its first look at the job takes a few milliseconds.
        time.sleep(1)
        remove(path)

    remover = threading.Thread(target=remove_once_asked)
    remover.start()
    answer = client.get(f"/api/jobs/{job.id}/events")
    remover.join(20)
    # A busy machine may look for the first time when it is too late. The stream ends all the same.
    assert [event["state"] for event in events(answer.text)] in (["queued"], [])


def test_events_of_somebody_elses_job(client: ApiClient, session: Session) -> None:
    job = make_job(session, make_user(session))
    answer = client.get(f"/api/jobs/{job.id}/events")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
