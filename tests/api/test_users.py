"""Accounts, as administrators manage them."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from app.models import User
from tests.build import PASSWORD, make_user
from tests.conftest import ApiClient


@pytest.fixture
def admin(session: Session) -> User:
    return make_user(session, is_admin=True)


@pytest.fixture
def api(admin: User, client_for: Callable[[User], ApiClient]) -> ApiClient:
    return client_for(admin)


def test_an_account_is_made_and_signs_in(api: ApiClient, client: ApiClient) -> None:
    body = {"email": "New.Person@example.org", "password": PASSWORD, "name": "New Person"}
    assert api.post("/api/users", json=body).status_code == 201
    credentials = {"email": "new.person@EXAMPLE.org", "password": PASSWORD}
    assert client.post("/api/session", json=credentials).status_code == 200
    emails = [item["email"] for item in api.get("/api/users").json()["items"]]
    assert "New.Person@example.org" in emails


@pytest.mark.parametrize(
    ("email", "password", "code"),
    [
        ("nobody", PASSWORD, "email_invalid"),
        ("a b@c.org", PASSWORD, "email_invalid"),
        ("@c.org", PASSWORD, "email_invalid"),
        ("a@c.org", "short", "password_length"),
        ("a@c.org", "x" * 1001, "password_length"),
    ],
)
def test_unusable_accounts(api: ApiClient, email: str, password: str, code: str) -> None:
    answer = api.post("/api/users", json={"email": email, "password": password})
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_an_address_is_taken_in_any_case(api: ApiClient, admin: User) -> None:
    body = {"email": admin.email.upper(), "password": PASSWORD}
    answer = api.post("/api/users", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")


def test_disabling_enabling_and_resetting(
    api: ApiClient, client: ApiClient, session: Session
) -> None:
    user = make_user(session)
    path = f"/api/users/{user.id}"
    assert api.patch(path, json={"disabled": True}).json()["disabled_at"] is not None
    change = {"disabled": False, "password": "another password"}
    assert api.patch(path, json=change).json()["disabled_at"] is None
    credentials = {"email": user.email, "password": "another password"}
    assert client.post("/api/session", json=credentials).status_code == 200


@pytest.mark.parametrize("change", [{"disabled": True}, {"is_admin": False}])
def test_nobody_shuts_themselves_out(api: ApiClient, admin: User, change: dict[str, bool]) -> None:
    answer = api.patch(f"/api/users/{admin.id}", json=change)
    assert (answer.status_code, answer.json()["code"]) == (409, "own_account")


@pytest.mark.parametrize("name", ["a\x07", "a\nb", "\x00"])
def test_names_without_control_characters(api: ApiClient, name: str) -> None:
    body = {"email": "x@example.org", "password": PASSWORD, "name": name}
    assert api.post("/api/users", json=body).status_code == 422
