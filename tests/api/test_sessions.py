"""Signing in and out, cookies, the CSRF defence, and the brake on guessing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.context import AppContext
from app.models import SignInFailure, User, UserSession
from app.services import users
from tests.build import PASSWORD, make_user
from tests.conftest import ApiClient


def sign_in(client: ApiClient, user: User, password: str = PASSWORD) -> str:
    """Sign in with a cookie; returns the CSRF token that the page would send."""
    answer = client.post("/api/session", json={"email": user.email, "password": password})
    assert answer.status_code == 200, answer.text
    token = client.cookies["maskwright_csrf"]
    assert token
    return token


def test_signing_in_sets_a_cookie_that_scripts_cannot_read(
    client: ApiClient, session: Session
) -> None:
    user = make_user(session)
    answer = client.post("/api/session", json={"email": user.email.upper(), "password": PASSWORD})
    assert answer.json()["email"] == user.email
    cookies = answer.headers.get_list("set-cookie")
    own = next(c for c in cookies if c.startswith("maskwright_session="))
    assert "HttpOnly" in own
    assert "SameSite=lax" in own
    assert "Secure" not in own
    assert client.get("/api/me").json()["id"] == user.id


def test_behind_https_the_cookies_are_secure(app: FastAPI, session: Session) -> None:
    user = make_user(session)
    client = ApiClient(app, session)
    client.base_url = "https://testserver"
    answer = client.post("/api/session", json={"email": user.email, "password": PASSWORD})
    assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))


def test_signing_out_ends_the_session_on_the_server(client: ApiClient, session: Session) -> None:
    csrf = sign_in(client, make_user(session))
    cookie = client.cookies["maskwright_session"]
    assert client.delete("/api/session", headers={"X-CSRF-Token": csrf}).status_code == 204
    client.cookies.set("maskwright_session", cookie)
    assert client.get("/api/me").status_code == 401


def test_only_hashes_are_stored(client: ApiClient, session: Session) -> None:
    sign_in(client, make_user(session))
    cookie = client.cookies["maskwright_session"]
    stored = session.scalars(select(UserSession)).one()
    assert cookie.encode() not in stored.token_hash


@pytest.mark.parametrize("header", [None, "", "0" * 64, "ümlaut".encode()])
def test_a_cookie_without_the_pages_token_cannot_write(
    client: ApiClient, session: Session, header: str | bytes | None
) -> None:
    sign_in(client, make_user(session))
    headers = {} if header is None else {"X-CSRF-Token": header}
    answer = client.post("/api/datasets", json={"name": "x"}, headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert client.get("/api/datasets").json()["items"] == []


def test_a_cookie_with_the_pages_token_can_write(client: ApiClient, session: Session) -> None:
    csrf = sign_in(client, make_user(session))
    answer = client.post("/api/datasets", json={"name": "x"}, headers={"X-CSRF-Token": csrf})
    assert answer.status_code == 201


def test_the_token_of_another_session_does_not_do(app: FastAPI, session: Session) -> None:
    first, second = ApiClient(app, session), ApiClient(app, session)
    other = sign_in(first, make_user(session))
    sign_in(second, make_user(session))
    answer = second.post("/api/datasets", json={"name": "x"}, headers={"X-CSRF-Token": other})
    assert answer.json()["code"] == "csrf_failed"


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD + " ", "x" * 9000])
def test_wrong_credentials_tell_nothing(client: ApiClient, session: Session, password: str) -> None:
    user = make_user(session)
    known = client.post("/api/session", json={"email": user.email, "password": password})
    unknown = client.post("/api/session", json={"email": "no@where.org", "password": password})
    assert known.status_code == unknown.status_code == 401
    assert known.json() == unknown.json()
    assert "set-cookie" not in known.headers


def test_guessing_is_slowed_down(client: ApiClient, session: Session) -> None:
    user = make_user(session)
    wrong = {"email": user.email, "password": "wrong"}
    answers = [client.post("/api/session", json=wrong) for _ in range(11)]
    assert [a.status_code for a in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    right = client.post("/api/session", json={"email": user.email, "password": PASSWORD})
    assert right.status_code == 429, "the right password must not be told apart by then"
    session.execute(update(SignInFailure).values(at=datetime.now(UTC) - timedelta(minutes=16)))
    right = client.post("/api/session", json={"email": user.email, "password": PASSWORD})
    assert right.status_code == 200


def test_a_disabled_account_is_out_at_once(
    client: ApiClient, session: Session, client_for: Callable[[User], ApiClient]
) -> None:
    user = make_user(session)
    sign_in(client, user)
    script = client_for(user)
    assert script.get("/api/me").status_code == 200
    users.set_disabled(session, user=user, disabled=True)
    assert client.get("/api/me").status_code == 401
    assert script.get("/api/me").status_code == 401
    answer = client.post("/api/session", json={"email": user.email, "password": PASSWORD})
    assert answer.status_code == 401


def test_an_expired_session_is_over(client: ApiClient, session: Session) -> None:
    sign_in(client, make_user(session))
    session.execute(update(UserSession).values(expires_at=datetime.now(UTC)))
    assert client.get("/api/me").status_code == 401


def test_a_visit_prolongs_the_session(client: ApiClient, session: Session) -> None:
    sign_in(client, make_user(session))
    soon = datetime.now(UTC) + timedelta(hours=1)
    session.execute(
        update(UserSession).values(
            expires_at=soon, last_seen_at=datetime.now(UTC) - timedelta(hours=1)
        )
    )
    assert client.get("/api/me").status_code == 200
    session.expire_all()
    assert session.scalars(select(UserSession)).one().expires_at > soon + timedelta(days=1)


def test_a_new_password_signs_out_the_other_browsers(app: FastAPI, session: Session) -> None:
    user = make_user(session)
    here, there = ApiClient(app, session), ApiClient(app, session)
    csrf = sign_in(here, user)
    sign_in(there, user)
    change = {"password": "a new password", "current_password": PASSWORD}
    answer = here.patch("/api/me", json=change, headers={"X-CSRF-Token": csrf})
    assert answer.status_code == 200
    assert here.get("/api/me").status_code == 200
    assert there.get("/api/me").status_code == 401
    sign_in(there, user, password="a new password")


def test_a_new_password_needs_the_present_one(
    session: Session, client_for: Callable[[User], ApiClient]
) -> None:
    client = client_for(make_user(session))
    answer = client.patch("/api/me", json={"password": "a new password"})
    assert (answer.status_code, answer.json()["code"]) == (422, "wrong_password")


def test_a_long_request_does_not_hold_up_others(context: AppContext, session: Session) -> None:
    """Of two requests that would note the same visit, the second one does not wait."""
    user = make_user(session)
    with context.sessions.begin() as own:
        cookie = users.start_session(own, user=user, days=1, user_agent="")
        _, token = users.create_token(own, user=user, name="x")
    with context.sessions.begin() as long, context.sessions.begin() as other:
        users.touch_session(long, token=cookie, days=1)
        users.touch_token(long, token=token)
        other.execute(text("set local lock_timeout = '1ms'"))
        users.touch_session(other, token=cookie, days=1)
        users.touch_token(other, token=token)


def test_guessing_the_present_password_is_slowed_down(
    session: Session, client_for: Callable[[User], ApiClient]
) -> None:
    """Whoever sits down at an open browser must not try out passwords there either."""
    client = client_for(make_user(session))
    change = {"password": "a new password", "current_password": "wrong", "name": "Me"}
    answers = [client.patch("/api/me", json=change) for _ in range(11)]
    assert [a.status_code for a in answers] == [422] * 10 + [429]
    assert client.get("/api/me").json()["name"] == "", "a refused change changes nothing"


def test_letters_that_postgresql_does_not_lower(client: ApiClient, session: Session) -> None:
    make_user(session, email="ÄÖÜ@example.org")
    body = {"email": "ÄÖÜ@example.org", "password": PASSWORD}
    assert client.post("/api/session", json=body).status_code == 200
