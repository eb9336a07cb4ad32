"""Requests at the same moment: none waits for ever, none fails, and nothing is half done.

A test of a race holds one side with a row lock of its own, so that both really meet.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import anyio
import httpx2 as httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.context import AppContext
from app.db import TRANSACTIONS_AT_ONCE, connect, session_factory
from app.errors import NotFound
from app.main import create_app
from app.models import (
    Annotation,
    Category,
    Dataset,
    DatasetMember,
    Image,
    Prediction,
    User,
)
from app.services import turns, users
from app.services.annotations import annotations
from app.services.annotations.shapes import Json
from app.services.datasets import categories, datasets
from app.services.predictions import decisions as prediction_decisions
from app.services.predictions import predictions
from tests.build import (
    make_annotation,
    make_category,
    make_image,
    make_prediction,
    make_user,
)
from tests.conftest import ApiClient, run_async

SECONDS = 20


@pytest.fixture
def beside() -> Iterator[ThreadPoolExecutor]:
    """Where the other side of a race runs."""
    with ThreadPoolExecutor(1) as threads:
        yield threads


@contextmanager
def waiting(session: Session, started: Callable[[], "Future[Any]"]) -> Iterator["Future[Any]"]:
    """Start the other side, and go on once it waits for a lock of this one."""
    blocked = text("select count(*) from pg_locks where not granted")
    with Session(session.get_bind()) as looking:
        future = started()
        while not looking.scalar(blocked) and not future.done():
            looking.rollback()
        yield future


async def ask_at_once(app: FastAPI, token: str, path: str, number: int) -> list[int]:
    """The statuses of as many requests, all sent before the first is answered."""
    statuses: list[int] = []
    headers = {"Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client,
        anyio.create_task_group() as group,
    ):

        async def ask() -> None:
            statuses.append((await client.get(path)).status_code)

        for _ in range(number):
            group.start_soon(ask)
    return statuses


@pytest.mark.parametrize("is_noted", [True, False])
def test_more_requests_than_connections_and_threads(
    context: AppContext, session: Session, owner: User, dataset: Dataset, is_noted: bool
) -> None:
    """A request that has a connection gets a thread, also when each has a visit to note."""
    _, token = users.create_token(session, user=owner, name="many")
    if is_noted:
        users.touch_token(session, token=token)
    session.commit()
    engine = connect(str(context.settings.database_url), pool_size=1)
    parts = AppContext(
        context.settings, engine, session_factory(engine), context.storage, context.secret_key
    )
    app = create_app(context.settings, parts)

    async def main() -> list[int]:
        with anyio.fail_after(SECONDS):
            return await ask_at_once(app, token, f"/api/datasets/{dataset.id}", 150)

    assert run_async(main) == [200] * 150
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    engine.dispose()


def test_a_flood_of_sign_ins_leaves_room_for_others(
    app: FastAPI, session: Session, owner: User
) -> None:
    _, token = users.create_token(session, user=owner, name="busy")
    session.commit()
    over: list[str] = []

    async def main() -> None:
        transport = httpx.ASGITransport(app)
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://test") as client,
            anyio.create_task_group() as group,
        ):

            async def guess(number: int) -> None:
                body = {"email": f"{number}@example.org", "password": "a guess"}
                await client.post("/api/session", json=body)
                over.append("guess")

            async def work() -> None:
                await client.get("/api/me", headers={"Authorization": f"Bearer {token}"})
                over.append("work")

            for number in range(8):
                group.start_soon(guess, number)
            await anyio.sleep(0)
            group.start_soon(work)

    run_async(main)
    assert over.index("work") < 5


def test_fewer_transactions_than_threads() -> None:
    assert TRANSACTIONS_AT_ONCE < 40


def test_a_category_that_an_annotation_takes_is_not_deleted(
    session: Session,
    dataset: Dataset,
    owner: User,
    client_for: Callable[[User], ApiClient],
    beside: ThreadPoolExecutor,
) -> None:
    category = make_category(session, dataset=dataset)
    image = make_image(session, dataset=dataset)
    client = client_for(owner)
    fields = {"category_id": Json.of(category.id), "bbox": Json.of([1, 2, 3, 4])}
    with Session(session.get_bind(), expire_on_commit=False) as saving:
        made = annotations.create_annotation(saving, image=image, user=owner, fields=fields)
        path = f"/api/categories/{category.id}"
        with waiting(session, lambda: beside.submit(client.delete, path)) as deletion:
            saving.commit()
            answer = deletion.result(SECONDS)
    assert (answer.status_code, answer.json()["code"]) == (409, "category_in_use")
    session.expire_all()
    assert session.get_one(Annotation, made.id).category_id == category.id


def test_an_annotation_does_not_take_a_category_that_is_being_deleted(
    session: Session,
    dataset: Dataset,
    owner: User,
    client_for: Callable[[User], ApiClient],
    beside: ThreadPoolExecutor,
) -> None:
    category = make_category(session, dataset=dataset)
    image = make_image(session, dataset=dataset)
    client = client_for(owner)
    body = {"category_id": category.id, "bbox": [1, 2, 3, 4]}
    with Session(session.get_bind()) as deleting:
        categories.delete_category(deleting, category=deleting.get_one(Category, category.id))
        path = f"/api/images/{image.id}/annotations"
        with waiting(session, lambda: beside.submit(client.post, path, json=body)) as saving:
            deleting.commit()
            answer = saving.result(SECONDS)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert client.get(path).json()["items"] == []


def test_deleted_annotations_lose_a_deleted_category(
    session: Session, dataset: Dataset, owner: User, client_for: Callable[[User], ApiClient]
) -> None:
    category = make_category(session, dataset=dataset)
    image = make_image(session, dataset=dataset)
    annotation = make_annotation(session, image=image, category=category)
    client = client_for(owner)
    path = f"/api/annotations/{annotation.id}"
    assert client.delete(path, headers={"If-Match": "*"}).status_code == 204
    assert client.delete(f"/api/categories/{category.id}").status_code == 204
    answer = client.post(f"{path}/restore", json={"version": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "category_deleted")


def test_two_changes_of_a_category_both_reach_its_record(
    session: Session,
    dataset: Dataset,
    owner: User,
    client_for: Callable[[User], ApiClient],
    beside: ThreadPoolExecutor,
) -> None:
    category = make_category(session, dataset=dataset)
    client = client_for(owner)
    path = f"/api/categories/{category.id}"
    with Session(session.get_bind()) as first:
        categories.change_category(
            first, category=first.get_one(Category, category.id), changes={"name": "renamed"}
        )
        change = {"supercategory": "animal"}
        with waiting(session, lambda: beside.submit(client.patch, path, json=change)) as second:
            first.commit()
            assert second.result(SECONDS).json()["name"] == "renamed"
    session.expire_all()
    record = session.get_one(Category, category.id).record
    assert '"renamed"' in record
    assert '"animal"' in record


def test_two_categories_do_not_take_the_same_name_at_once(
    session: Session,
    dataset: Dataset,
    owner: User,
    client_for: Callable[[User], ApiClient],
    beside: ThreadPoolExecutor,
) -> None:
    client = client_for(owner)
    path = f"/api/datasets/{dataset.id}/categories"
    with Session(session.get_bind()) as first:
        categories.create_category(first, dataset_id=dataset.id, name="cat")
        body = {"name": "cat"}
        with waiting(session, lambda: beside.submit(client.post, path, json=body)) as second:
            first.commit()
            answer = second.result(SECONDS)
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


def test_a_dataset_is_deleted_while_an_annotation_is_saved(
    session: Session,
    dataset: Dataset,
    owner: User,
    client_for: Callable[[User], ApiClient],
    beside: ThreadPoolExecutor,
) -> None:
    """The deletion waits for who was first, and both succeed."""
    image = make_image(session, dataset=dataset)
    annotation = make_annotation(session, image=image)
    client = client_for(owner)
    with Session(session.get_bind()) as saving:
        annotations.change_annotation(
            saving,
            annotation=saving.get_one(Annotation, annotation.id),
            user=owner,
            fields={"bbox": Json.of([5, 6, 7, 8])},
            expected=None,
        )
        path = f"/api/datasets/{dataset.id}"
        with waiting(session, lambda: beside.submit(client.delete, path)) as deletion:
            saving.commit()
            assert deletion.result(SECONDS).status_code == 204
    assert session.scalar(select(func.count()).select_from(Image)) == 0


def test_a_dataset_that_an_import_works_on_is_not_deleted(
    session: Session, dataset: Dataset, owner: User, client_for: Callable[[User], ApiClient]
) -> None:
    client = client_for(owner)
    with Session(session.get_bind()) as importing:
        assert turns.try_turn(importing, dataset_id=dataset.id)
        answer = client.delete(f"/api/datasets/{dataset.id}")
        assert (answer.status_code, answer.json()["code"]) == (409, "busy")
    assert client.delete(f"/api/datasets/{dataset.id}").status_code == 204


@pytest.mark.parametrize("change", [{"bbox": [1, 1, 2, 2]}, {"score": 0.5}])
def test_an_image_is_deleted_while_its_annotation_is_changed(
    session: Session,
    dataset: Dataset,
    owner: User,
    context: AppContext,
    change: dict[str, Any],
) -> None:
    annotation = make_annotation(session, image=make_image(session, dataset=dataset))
    fields = {name: Json.of(value) for name, value in change.items()}
    with context.sessions() as changing:
        read = changing.get_one(Annotation, annotation.id)
        session.delete(session.get_one(Image, annotation.image_id))
        session.commit()
        with pytest.raises(NotFound, match="no such image"):
            annotations.change_annotation(
                changing, annotation=read, user=owner, fields=fields, expected=None
            )


def test_a_dataset_is_deleted_while_it_is_renamed(
    session: Session,
    dataset: Dataset,
    owner: User,
    client_for: Callable[[User], ApiClient],
    beside: ThreadPoolExecutor,
) -> None:
    client = client_for(owner)
    path = f"/api/datasets/{dataset.id}"
    with Session(session.get_bind()) as deleting:
        datasets.delete_dataset(deleting, dataset=deleting.get_one(Dataset, dataset.id))
        body = {"name": "too late"}
        with waiting(session, lambda: beside.submit(client.patch, path, json=body)) as renaming:
            deleting.commit()
            assert renaming.result(SECONDS).status_code == 404


def test_two_owners_do_not_remove_each_other(
    session: Session,
    dataset: Dataset,
    owner: User,
    client_for: Callable[[User], ApiClient],
    beside: ThreadPoolExecutor,
) -> None:
    other = make_user(session)
    session.add(DatasetMember(dataset_id=dataset.id, user_id=other.id, role="owner"))
    client = client_for(owner)
    path = f"/api/datasets/{dataset.id}/members/{other.id}"
    with Session(session.get_bind()) as first:
        datasets.remove_member(first, dataset=dataset, user_id=owner.id)
        with waiting(session, lambda: beside.submit(client.delete, path)) as second:
            first.commit()
            answer = second.result(SECONDS)
    assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")


def test_two_people_accept_the_same_prediction(
    context: AppContext, session: Session, owner: User, dataset: Dataset, beside: ThreadPoolExecutor
) -> None:
    """Whoever comes second gets the annotation that the first one made."""
    category = make_category(session, dataset=dataset)
    image = make_image(session, dataset=dataset)
    prediction = make_prediction(session, image=image, category=category)
    key, user_id = prediction.id, owner.id

    def accept(own: Session) -> int:
        user, found = own.get_one(User, user_id), own.get_one(Prediction, key)
        return prediction_decisions.accept(own, prediction=found, user=user, edits={}).id

    def second() -> int:
        with context.sessions.begin() as own:
            return accept(own)

    first = accept(session)
    with waiting(session, lambda: beside.submit(second)) as other:
        session.commit()
        assert other.result(SECONDS) == first
    session.expire_all()
    assert session.scalars(select(Annotation.id)).all() == [first]
    assert session.get_one(Image, image.id).annotation_count == 1


def test_accepting_what_is_being_deleted(
    context: AppContext, session: Session, owner: User, dataset: Dataset, beside: ThreadPoolExecutor
) -> None:
    category = make_category(session, dataset=dataset)
    image = make_image(session, dataset=dataset)
    prediction = make_prediction(session, image=image, category=category)
    key, user_id = prediction.id, owner.id

    def accept() -> None:
        with context.sessions.begin() as own:
            user, found = own.get_one(User, user_id), own.get_one(Prediction, key)
            prediction_decisions.accept(own, prediction=found, user=user, edits={})

    predictions.delete_set(session, set_id=prediction.set_id)
    with waiting(session, lambda: beside.submit(accept)) as other:
        session.commit()
        assert isinstance(other.exception(SECONDS), NotFound)
    assert session.scalars(select(Annotation)).all() == []
