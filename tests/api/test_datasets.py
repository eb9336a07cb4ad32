"""Datasets and their members."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from app.context import AppContext
from app.errors import Conflict
from app.models import Annotation, Dataset, DatasetMember, Image, User
from app.services.datasets import datasets
from tests.build import (
    make_annotation,
    make_category,
    make_dataset,
    make_image,
    make_member,
    make_user,
)
from tests.conftest import ApiClient


def test_a_dataset_from_beginning_to_end(api: ApiClient) -> None:
    made = api.post("/api/datasets", json={"name": "Kitchens", "description": "At home"})
    assert made.status_code == 201
    dataset = made.json()
    assert dataset["role"] == "owner"
    assert (dataset["image_count"], dataset["annotation_count"]) == (0, 0)
    path = f"/api/datasets/{dataset['id']}"
    changed = api.patch(path, json={"name": "Kitchens 2"}).json()
    assert (changed["name"], changed["description"]) == ("Kitchens 2", "At home")
    assert api.get(path).json() == changed
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_names_are_unique(api: ApiClient) -> None:
    api.post("/api/datasets", json={"name": "A"})
    second = api.post("/api/datasets", json={"name": " A "})
    assert (second.status_code, second.json()["code"]) == (409, "name_taken")
    other = api.post("/api/datasets", json={"name": "B"}).json()["id"]
    assert api.patch(f"/api/datasets/{other}", json={"name": "A"}).status_code == 409
    assert api.patch(f"/api/datasets/{other}", json={"name": "B"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": " "},
        {"name": "a\x00b"},
        {"name": "line\nbreak"},
        {"name": "x" * 201},
        {"name": 5},
        {"name": None},
        {"name": "x", "colour": "red"},
        {"name": "x", "description": "\x00"},
        [],
        "name",
    ],
)
def test_unusable_names_are_refused(api: ApiClient, body: object) -> None:
    answer = api.post("/api/datasets", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert api.get("/api/datasets").json()["items"] == []


def test_a_list_is_paged_and_holds_only_what_one_may_see(
    api: ApiClient, session: Session, owner: User
) -> None:
    for number in range(5):
        make_dataset(session, owner=owner, name=f"mine {number}")
    make_dataset(session, name="not mine")
    names, cursor = [], ""
    while True:
        page = api.get(f"/api/datasets?limit=2{cursor}").json()
        names += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert names == [f"mine {number}" for number in range(5)]


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "ÿ", "W1siYSJdLDFd", "WyJhIiwgMWU5OV0"])
def test_a_foreign_cursor_is_refused(api: ApiClient, cursor: str) -> None:
    answer = api.get("/api/datasets", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


def test_deleting_takes_everything_along(api: ApiClient, session: Session, owner: User) -> None:
    dataset = make_dataset(session, owner=owner)
    category = make_category(session, dataset=dataset)
    make_annotation(session, image=make_image(session, dataset=dataset), category=category)
    kept = make_annotation(
        session, image=make_image(session, dataset=make_dataset(session, owner=owner))
    )
    assert api.delete(f"/api/datasets/{dataset.id}").status_code == 204
    session.expire_all()
    assert session.scalars(select(Annotation.id)).all() == [kept.id]
    assert session.scalar(select(func.count()).select_from(Image)) == 1


def test_members_come_change_and_go(api: ApiClient, session: Session, owner: User) -> None:
    dataset = make_dataset(session, owner=owner)
    guest = make_user(session)
    path = f"/api/datasets/{dataset.id}/members"
    put = api.put(path, json={"email": guest.email.upper(), "role": "viewer"})
    assert put.json() == {
        "user_id": guest.id, "email": guest.email, "name": "", "role": "viewer"
    }  # fmt: skip
    api.put(path, json={"email": guest.email, "role": "annotator"})
    roles = {item["email"]: item["role"] for item in api.get(path).json()["items"]}
    assert roles == {owner.email: "owner", guest.email: "annotator"}
    assert api.delete(f"{path}/{guest.id}").status_code == 204
    assert api.delete(f"{path}/{guest.id}").status_code == 404


def test_an_unknown_member_is_refused(api: ApiClient, session: Session, owner: User) -> None:
    path = f"/api/datasets/{make_dataset(session, owner=owner).id}/members"
    assert api.put(path, json={"email": "no@where.org", "role": "viewer"}).status_code == 404
    assert api.put(path, json={"email": owner.email, "role": "king"}).status_code == 422


def test_a_dataset_keeps_an_owner(api: ApiClient, session: Session, owner: User) -> None:
    path = f"/api/datasets/{make_dataset(session, owner=owner).id}/members"
    for answer in (
        api.delete(f"{path}/{owner.id}"),
        api.put(path, json={"email": owner.email, "role": "viewer"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")


def test_two_owners_cannot_remove_each_other_at_once(
    session: Session, owner: User, context: AppContext
) -> None:
    dataset = make_dataset(session, owner=owner)
    second = make_member(session, dataset=dataset, role="owner")

    def remove(user_id: int) -> bool:
        try:
            with context.sessions.begin() as own:
                found = own.get_one(Dataset, dataset.id)
                datasets.remove_member(own, dataset=found, user_id=user_id)
        except Conflict:
            return False
        return True

    session.commit()
    with ThreadPoolExecutor(2) as pool:
        removed = list(pool.map(remove, [owner.id, second.id]))
    assert sorted(removed) == [False, True]
    session.expire_all()
    assert session.scalar(select(func.count()).select_from(DatasetMember)) == 1


def test_coco_ids_are_never_given_twice(session: Session, context: AppContext) -> None:
    dataset_id = make_dataset(session).id

    def take(_: int) -> int:
        with context.sessions.begin() as own:
            return datasets.take_coco_ids(own, dataset_id=dataset_id, kind="image")

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, range(40))) == list(range(1, 41))


def test_a_long_list_takes_as_many_statements_as_a_short_one(
    api: ApiClient, session: Session, owner: User, engine: Engine
) -> None:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    def listed() -> int:
        statements.clear()
        api.get("/api/datasets")
        return len(statements)

    make_dataset(session, owner=owner)
    api.get("/api/datasets")
    event.listen(engine, "before_cursor_execute", note)
    try:
        short = listed()
        for _ in range(5):
            make_dataset(session, owner=owner)
        assert listed() == short
    finally:
        event.remove(engine, "before_cursor_execute", note)
