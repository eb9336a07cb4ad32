"""How one likes the editor: kept per person, merged, bounded."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.build import make_user
from tests.conftest import ApiClient

Caller = Callable[..., ApiClient]
PATH = "/api/me/preferences"
DEFAULT_VIEW = {
    "color_by": "category",
    "fill_opacity": 0.28,
    "outline_only": False,
    "labels": False,
    "object_sort": "area",
    "group_objects": False,
}


@pytest.fixture
def me(client_for: Caller, session: Session) -> ApiClient:
    return client_for(make_user(session))


def test_what_one_chose_is_kept_and_the_rest_has_its_default(me: ApiClient) -> None:
    assert me.get(PATH).json() == {"keys": {}, "view": DEFAULT_VIEW}
    changed = me.patch(PATH, json={"keys": {"undo": ["Mod+U", "F9"]}, "view": {"labels": True}})
    wanted = {"keys": {"undo": ["Mod+U", "F9"]}, "view": DEFAULT_VIEW | {"labels": True}}
    assert changed.json() == wanted
    assert me.get(PATH).json() == wanted


def test_a_change_leaves_the_rest_and_null_brings_the_default_back(me: ApiClient) -> None:
    me.patch(PATH, json={"keys": {"undo": ["U"], "fit": []}, "view": {"fill_opacity": 0.5}})
    me.patch(PATH, json={"keys": {"undo": None, "redo": ["R"]}, "view": {"color_by": "instance"}})
    kept = me.get(PATH).json()
    assert kept["keys"] == {"fit": [], "redo": ["R"]}
    assert (kept["view"]["fill_opacity"], kept["view"]["color_by"]) == (0.5, "instance")
    me.patch(PATH, json={"keys": None, "view": None})
    assert me.get(PATH).json() == {"keys": {}, "view": DEFAULT_VIEW}
    assert me.patch(PATH, json={}).json() == {"keys": {}, "view": DEFAULT_VIEW}


def test_everybody_has_their_own(me: ApiClient, client_for: Caller, session: Session) -> None:
    me.patch(PATH, json={"keys": {"undo": ["U"]}})
    assert client_for(make_user(session)).get(PATH).json()["keys"] == {}


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"keys": {"undo": "U"}}, ["body", "keys", "undo"]),
        ({"keys": {"undo": [""]}}, ["body", "keys", "undo", 0]),
        ({"keys": {"undo": ["x" * 41]}}, ["body", "keys", "undo", 0]),
        ({"keys": {"undo": ["\x00"]}}, ["body", "keys", "undo", 0]),
        ({"keys": {"undo": ["A"] * 7}}, ["body", "keys", "undo"]),
        ({"keys": {"Undo it": ["A"]}}, ["body", "keys", "Undo it", "[key]"]),
        ({"keys": {f"c{i}": ["A"] for i in range(401)}}, ["body", "keys"]),
        ({"view": {"color_by": "area"}}, ["body", "view", "color_by"]),
        ({"view": {"fill_opacity": 1.5}}, ["body", "view", "fill_opacity"]),
        ({"view": {"labels": "maybe"}}, ["body", "view", "labels"]),
        ({"theme": "dark"}, ["body", "theme"]),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    me: ApiClient, body: dict[str, Any], loc: list[Any]
) -> None:
    answer = me.patch(PATH, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"][0]["loc"] == loc
    assert me.get(PATH).json() == {"keys": {}, "view": DEFAULT_VIEW}


def test_they_do_not_grow_without_end(me: ApiClient) -> None:
    me.patch(PATH, json={"keys": {f"command-{i}": ["A"] for i in range(400)}})
    answer = me.patch(PATH, json={"keys": {"one-more": ["A"]}})
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_keys")
    assert len(me.get(PATH).json()["keys"]) == 400
