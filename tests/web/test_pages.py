"""Every page: who sees it, that it is safe, and that it says what is there."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy.orm import Session

from app import db
from app.context import AppContext
from app.main import create_app
from app.models import Category, Dataset, Image, Job, PredictionSet, User
from app.web import pages
from tests.build import (
    make_annotation,
    make_category,
    make_dataset,
    make_image,
    make_member,
    make_prediction,
    make_user,
)
from tests.conftest import ApiClient
from tests.web.page import read

BrowserOf = Callable[[User], ApiClient]
HOSTILE = "<script>alert(1)</script>\"'&{{ 7 * 7 }}"

# What each role gets: a, the page; r, on to another page; 404 or 403, a page that says so.
MEMBER_PAGES = {
    "/datasets/{dataset}": 200,
    "/datasets/{dataset}/images": 200,
    "/datasets/{dataset}/categories": 200,
    "/datasets/{dataset}/predictions": 200,
    "/datasets/{dataset}/statistics": 200,
    "/datasets/{dataset}/members": 200,
    "/datasets/{dataset}/settings": 200,
    "/datasets/{dataset}/start": 303,
    "/images/{image}": 200,
    "/jobs/{job}": 200,
    "/jobs/{job}/report": 200,
}
OWN_PAGES = {
    "/": 200,
    "/datasets": 303,
    "/datasets?cursor=WyJhIiwxXQ": 200,
    "/jobs": 200,
    "/jobs/rows": 200,
}
OPEN_PAGES = {"/docs": 200}
ROLES = ("owner", "annotator", "viewer")


@dataclass
class House:
    """A dataset with one of everything, under names that try to break out of the page."""

    owner: User
    dataset: Dataset
    image: Image
    category: Category
    job: Job

    def path(self, pattern: str) -> str:
        return pattern.format(dataset=self.dataset.id, image=self.image.id, job=self.job.id)


@pytest.fixture
def house(session: Session) -> House:
    owner = make_user(session)
    owner.name = HOSTILE
    dataset = make_dataset(session, owner=owner, name=HOSTILE)
    dataset.description = HOSTILE
    category = make_category(
        session, dataset=dataset, name=HOSTILE, supercategory=HOSTILE, keypoints=[HOSTILE, "b"]
    )
    image = make_image(session, dataset=dataset, file_name=HOSTILE, subset=HOSTILE)
    make_annotation(session, image=image, category=category)
    prediction = make_prediction(session, image=image, category=category)
    session.get_one(PredictionSet, prediction.set_id).name = HOSTILE
    issue = {
        "severity": HOSTILE,
        "code": HOSTILE,
        "path": HOSTILE,
        "id": HOSTILE,
        "message": HOSTILE,
        "action": HOSTILE,
    }
    job = Job(
        kind="import",
        state="succeeded",
        dataset_id=dataset.id,
        owner_id=owner.id,
        message=HOSTILE,
        result={"issues": [issue], "issue_counts": {HOSTILE: 1}, HOSTILE: HOSTILE},
    )
    session.add(job)
    session.commit()
    return House(owner, dataset, image, category, job)


def _browser(session: Session, browser_of: BrowserOf, house: House, role: str) -> ApiClient:
    if role == "owner":
        return browser_of(house.owner)
    return browser_of(make_member(session, dataset=house.dataset, role=role))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("pattern", [*MEMBER_PAGES, *OWN_PAGES, "/account", *OPEN_PAGES])
def test_members_see_their_pages(
    session: Session, browser_of: BrowserOf, house: House, pattern: str, role: str
) -> None:
    wanted = (MEMBER_PAGES | OWN_PAGES | OPEN_PAGES | {"/account": 200})[pattern]
    answer = _browser(session, browser_of, house, role).get(house.path(pattern))
    assert answer.status_code == wanted, answer.text


def test_every_page_stands_in_these_tables() -> None:
    """A new page without a row fails here."""
    known = {pattern.partition("?")[0] for pattern in (MEMBER_PAGES | OWN_PAGES | OPEN_PAGES)}
    known |= {"/login", "/account", "/admin/users"}
    paths = [str(route.path) for route in iter_route_contexts(pages.router.routes)]
    found = {re.sub(r"\{(\w+)_id\}", r"{\1}", path) for path in paths}
    assert found == known


@pytest.mark.parametrize("pattern", MEMBER_PAGES)
def test_strangers_get_a_page_that_tells_nothing(
    session: Session, browser_of: BrowserOf, house: House, pattern: str
) -> None:
    answer = browser_of(make_user(session)).get(house.path(pattern))
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "Nothing here" in answer.text
    assert "alert(1)" not in answer.text


@pytest.mark.parametrize("pattern", [*MEMBER_PAGES, *OWN_PAGES, "/account", "/admin/users"])
def test_nobody_is_sent_to_sign_in_and_comes_back(
    nobody: ApiClient, house: House, pattern: str
) -> None:
    path = house.path(pattern)
    answer = nobody.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")
    form = read(nobody.get(answer.headers["location"]).text).one("form", action="/api/session")
    assert form["data-then"] == path


def test_only_administrators_see_the_users(session: Session, browser_of: BrowserOf) -> None:
    other = make_user(session, email="someone@example.org")
    refused = browser_of(other).get("/admin/users")
    assert refused.status_code == 403
    assert "You may not do that" in refused.text
    answer = browser_of(make_user(session, is_admin=True)).get("/admin/users")
    assert answer.status_code == 200
    assert "someone@example.org" in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "jobs",
        "\\/evil.example",
    ],
)
def test_signing_in_never_leads_away(
    session: Session, nobody: ApiClient, browser_of: BrowserOf, target: str
) -> None:
    page = read(nobody.get("/login", params={"next": target}).text)
    assert page.one("form", action="/api/session")["data-then"] == "/"
    answer = browser_of(make_user(session)).get("/login", params={"next": target})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_who_is_signed_in_goes_on(session: Session, browser_of: BrowserOf) -> None:
    browser = browser_of(make_user(session))
    answer = browser.get("/login", params={"next": "/jobs?cursor=a"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs?cursor=a")


def test_the_first_visit_says_how_to_begin(session: Session, nobody: ApiClient) -> None:
    assert "maskwright user add" in nobody.get("/login").text
    make_user(session)
    assert "maskwright user add" not in nobody.get("/login").text


SAFE_PATHS = [*MEMBER_PAGES, *OWN_PAGES, "/account", "/docs", "/admin/users", "/datasets/1234567"]


@pytest.mark.parametrize("pattern", SAFE_PATHS)
def test_names_cannot_break_out_of_a_page(
    session: Session, browser_of: BrowserOf, house: House, pattern: str
) -> None:
    house.owner.is_admin = True
    session.commit()
    answer = browser_of(house.owner).get(house.path(pattern))
    if answer.status_code == 303:
        return
    assert "<script>alert" not in answer.text
    page = read(answer.text)
    for script in page.all("script"):
        # Data for scripts is no script; everything else comes from a file of ours.
        if script.attributes.get("type") != "application/json":
            assert script["src"].startswith("/static/assets/")
            assert script.text == ""
    for element in page.elements:
        assert not [name for name in element.attributes if name.startswith("on")], element
        assert not element.attributes.get("href", "").startswith("javascript:"), element


@pytest.mark.parametrize("pattern", SAFE_PATHS)
def test_pages_forbid_what_they_do_not_need(
    browser_of: BrowserOf, house: House, pattern: str
) -> None:
    answer = browser_of(house.owner).get(house.path(pattern))
    if answer.status_code == 303:
        return
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"


def test_titles_are_shown_as_they_are(browser_of: BrowserOf, house: House) -> None:
    page = read(browser_of(house.owner).get(house.path("/datasets/{dataset}")).text)
    assert page.one("h1").text == HOSTILE
    assert page.one("h3").text == HOSTILE


def test_the_api_keeps_its_problems(browser_of: BrowserOf, nobody: ApiClient, house: House) -> None:
    """Even for a browser: what its scripts read must not turn into a page."""
    for browser, path, status in (
        (browser_of(house.owner), "/api/datasets/1", 404),
        (nobody, "/api/me", 401),
        (nobody, "/api/nothing", 404),
    ):
        answer = browser.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


def test_scripts_get_problems_from_pages(client: ApiClient) -> None:
    answer = client.get("/jobs", headers={"Accept": "*/*"})
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize("path", ["/nothing", "/datasets/abc", "/images/0", "/jobs/-1"])
def test_unknown_addresses_are_pages_too(
    session: Session, browser_of: BrowserOf, path: str
) -> None:
    answer = browser_of(make_user(session)).get(path)
    assert answer.status_code == 404
    assert "Nothing here" in answer.text
    assert "Account of" in answer.text, "who is signed in stays so"


def test_a_failure_of_ours_is_a_page(app: FastAPI, session: Session) -> None:
    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("a path of the server: /root/secret")

    browser = ApiClient(app, session)
    # The client would raise what the server only logs.
    browser._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
    answer = browser.get("/broken", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert "Nothing was changed" in answer.text
    assert "secret" not in answer.text


def test_a_page_brings_the_csrf_cookie_back(session: Session, browser_of: BrowserOf) -> None:
    browser = browser_of(make_user(session))
    wanted = browser.cookies["maskwright_csrf"]
    for wrong in (None, "something else"):
        browser.cookies.delete("maskwright_csrf")
        if wrong:
            browser.cookies.set("maskwright_csrf", wrong)
        answer = browser.get("/")
        assert answer.cookies["maskwright_csrf"] == wanted
    assert "set-cookie" not in browser_of(make_user(session)).get("/").headers


@pytest.mark.parametrize(
    ("cookie", "attribute"), [("dark", "dark"), ("light", "light"), ('"><b>', None), ("", None)]
)
def test_the_theme_is_there_with_the_first_paint(
    nobody: ApiClient, cookie: str, attribute: str | None
) -> None:
    answer = nobody.get("/login", headers={"Cookie": f"maskwright_theme={cookie}"})
    assert read(answer.text).one("html").attributes.get("data-theme") == attribute


def test_static_files_are_kept_for_ever(nobody: ApiClient) -> None:
    page = read(nobody.get("/login").text)
    for address in [page.one("script")["src"], page.all("link", rel="stylesheet")[0]["href"]]:
        answer = nobody.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        plain = nobody.get(address, headers={"Accept-Encoding": "identity"})
        assert (answer.headers["content-encoding"], plain.headers.get("content-encoding")) == (
            "gzip",
            None,
        )
        assert int(answer.headers["content-length"]) < int(plain.headers["content-length"]) / 2
        assert answer.text == plain.text
        assert answer.headers["content-type"] == plain.headers["content-type"]
        assert answer.headers["etag"] != plain.headers["etag"]
        assert answer.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert nobody.get("/static/../pages.py").status_code == 404
    assert nobody.get("/static/assets/nothing.js").status_code == 404


def test_unknown_addresses_while_the_database_is_down(
    context: AppContext, session: Session, browser_of: BrowserOf
) -> None:
    """The address is wrong, whoever asks."""
    engine = db.connect("postgresql+psycopg://u@127.0.0.1:1/x")
    sessions = db.session_factory(engine)
    parts = AppContext(context.settings, engine, sessions, context.storage, context.secret_key)
    signed_in = browser_of(make_user(session))
    app = create_app(context.settings, parts)
    browser = ApiClient(app, session)
    browser.headers.update(signed_in.headers)
    browser.cookies.update(signed_in.cookies)
    answer = browser.get("/nothing")
    assert answer.status_code == 404
    assert "Nothing here" in answer.text
    engine.dispose()
    app.state.tiles.close()
    app.state.large_pictures.close()
