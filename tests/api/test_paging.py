"""Lists that are short enough to be read whole, and can be paged all the same."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.models import PredictionSet, User
from tests.build import make_category, make_dataset, make_member, make_user
from tests.conftest import ApiClient

NAMES = ["Wren", "ape", "zebra", "Bee", "ant"]


@pytest.fixture
def api(session: Session, client_for: Callable[[User], ApiClient]) -> ApiClient:
    return client_for(make_user(session, is_admin=True))


@pytest.fixture
def lists(session: Session, api: ApiClient) -> list[str]:
    """Their addresses; each has five items or more."""
    owner = make_user(session)
    dataset = make_dataset(session, owner=owner)
    for name in NAMES:
        make_category(session, dataset=dataset, name=name)
        make_member(session, dataset=dataset, role="viewer")
        session.add(PredictionSet(dataset_id=dataset.id, name=name))
        api.post("/api/tokens", json={"name": name}).raise_for_status()
    session.commit()
    parts = [
        f"/api/datasets/{dataset.id}/{part}" for part in ("categories", "members", "predictions")
    ]
    return [*parts, "/api/tokens", "/api/users"]


def paged(api: ApiClient, url: str, limit: int) -> Iterator[list[dict[str, Any]]]:
    cursor: dict[str, str] = {}
    while True:
        page = api.get(url, params={"limit": limit, **cursor}).raise_for_status().json()
        yield page["items"]
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


def test_pages_are_the_list_and_the_list_is_whole(api: ApiClient, lists: list[str]) -> None:
    for url in lists:
        whole = api.get(url).raise_for_status().json()
        assert (len(whole["items"]) >= 5, whole["next_cursor"]) == (True, None)
        pages = list(paged(api, url, 2))
        assert [len(page) for page in pages[:-1]] == [2] * (len(pages) - 1)
        assert [item for page in pages for item in page] == whole["items"]
        (all_at_once,) = paged(api, url, len(whole["items"]))
        assert all_at_once == whole["items"]


def test_a_page_stays_right_while_rows_come_and_go(session: Session, api: ApiClient) -> None:
    dataset = make_dataset(session, owner=make_user(session))
    rows = [make_category(session, dataset=dataset, name=name) for name in NAMES]
    url = f"/api/datasets/{dataset.id}/categories"
    pages = paged(api, url, 2)
    assert [item["name"] for item in next(pages)] == NAMES[:2]
    api.delete(f"/api/categories/{rows[1].id}").raise_for_status()
    make_category(session, dataset=dataset, name="yak")
    assert [item["name"] for page in pages for item in page] == [*NAMES[2:], "yak"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [({"limit": 0}, 422), ({"limit": 501}, 422), ({"limit": "x"}, 422), ({"cursor": "x"}, 400)],
)
def test_what_is_no_page(
    api: ApiClient, lists: list[str], params: dict[str, Any], expected: int
) -> None:
    assert [api.get(url, params=params).status_code for url in lists] == [expected] * len(lists)
