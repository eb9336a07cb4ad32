"""API tokens."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import ApiToken, User
from tests.build import make_user
from tests.conftest import ApiClient


def test_a_token_is_shown_once_and_works(
    session: Session, client: ApiClient, client_for: Callable[[User], ApiClient]
) -> None:
    owner = make_user(session)
    made = client_for(owner).post("/api/tokens", json={"name": "nightly export"})
    assert made.status_code == 201
    token = made.json()["token"]
    me = client.get("/api/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json()["id"] == owner.id
    listed = client_for(owner).get("/api/tokens").json()["items"]
    assert "nightly export" in [item["name"] for item in listed]
    assert token not in str(listed)
    shown = client_for(owner).get(f"/api/tokens/{made.json()['id']}").json()
    assert shown in listed
    assert token not in str(shown)
    hashes = session.scalars(select(ApiToken.token_hash)).all()
    assert all(token.encode() not in value for value in hashes)


def test_a_revoked_token_stops_working(
    session: Session, client: ApiClient, client_for: Callable[[User], ApiClient]
) -> None:
    script = client_for(make_user(session))
    made = script.post("/api/tokens", json={"name": "x"}).json()
    assert script.delete(f"/api/tokens/{made['id']}").status_code == 204
    answer = client.get("/api/me", headers={"Authorization": f"Bearer {made['token']}"})
    assert answer.status_code == 401


def test_nobody_revokes_the_token_of_another(
    session: Session, client_for: Callable[[User], ApiClient]
) -> None:
    made = client_for(make_user(session)).post("/api/tokens", json={"name": "x"}).json()
    other = client_for(make_user(session))
    assert other.get(f"/api/tokens/{made['id']}").status_code == 404
    assert other.delete(f"/api/tokens/{made['id']}").status_code == 404


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer nonsense", "Basic abc", "mw_x"])
def test_a_wrong_header_is_nobody(client: ApiClient, header: str) -> None:
    answer = client.get("/api/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_using_a_token_is_noted(session: Session, client_for: Callable[[User], ApiClient]) -> None:
    client_for(make_user(session)).get("/api/me")
    session.expire_all()
    assert session.scalars(select(ApiToken)).one().last_used_at is not None
