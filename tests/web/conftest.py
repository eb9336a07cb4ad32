"""A browser's view of the server: HTML asked for, the session kept in a cookie."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from sqlalchemy.orm import Session

from app.models import User
from app.web.assets import DIST
from tests.build import PASSWORD
from tests.conftest import ApiClient

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """Pages name the files of the front-end build."""
    if not (DIST / ".vite" / "manifest.json").exists():
        pytest.fail("The front end is not built: run `make build` first.")


@pytest.fixture
def nobody(app: FastAPI, session: Session) -> ApiClient:
    """A browser that is not signed in; it does not follow redirects."""
    browser = ApiClient(app, session)
    browser.headers.update(HTML)
    browser.follow_redirects = False
    return browser


@pytest.fixture
def browser_of(app: FastAPI, session: Session) -> Callable[[User], ApiClient]:
    """Makes a browser in which a user is signed in."""

    def make(user: User) -> ApiClient:
        browser = ApiClient(app, session)
        browser.headers.update(HTML)
        browser.follow_redirects = False
        sent = {"email": user.email, "password": PASSWORD}
        assert browser.post("/api/session", json=sent).status_code == 200
        return browser

    return make
