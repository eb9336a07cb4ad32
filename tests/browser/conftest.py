"""A real server and a real Chromium.

Both start once per test process. Each test has a browser context of its own, and fails when the
page logged an error or threw one that the test did not expect.
"""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.browser.editor_page import PATIENCE_MS
from tests.browser.slow import slow_down
from tests.serving import EMAIL, PASSWORD, Server, running

# Background traffic of Chromium's own would only fail on a machine without a network.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LAPTOP = {"width": 1440, "height": 900}
_numbers = itertools.count(1)
expect.set_options(timeout=PATIENCE_MS)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", metavar="SEED", help="run browser tests as on a slow machine")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("MASKWRIGHT_TEST_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def expected_errors() -> list[str]:
    """Parts of console messages that the test causes on purpose."""
    return []


@pytest.fixture
def new_page(
    request: pytest.FixtureRequest, chromium: Browser, server: Server, expected_errors: list[str]
) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser of its own, with the session of `server` unless told otherwise."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []
    slow: str | None = request.config.getoption("slow")

    def make(*, signed_in: bool = True, **options: Any) -> Page:
        options.setdefault("viewport", LAPTOP)
        context = chromium.new_context(base_url=server.address, **options)
        contexts.append(context)
        if slow is not None:
            slow_down(context, f"{slow} {request.node.nodeid} {len(contexts)}")
        if signed_in:
            jar = server.client.cookies.jar
            context.add_cookies(
                [{"name": c.name, "value": c.value or "", "url": server.address} for c in jar]
            )
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda m: errors.append(_told(m)) if m.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    unexpected = [e for e in errors if not any(part in e for part in expected_errors)]
    assert unexpected == []


@pytest.fixture
def dataset(server: Server) -> dict[str, Any]:
    """A new one, without images."""
    name = f"Dataset {next(_numbers)}"
    answer = server.client.post("/api/datasets", json={"name": name})
    return dict(answer.raise_for_status().json())


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


def _told(message: ConsoleMessage) -> str:
    return f"{message.text} ({message.location.get('url', '')})"


def sign_in(page: Page, email: str = EMAIL, password: str = PASSWORD) -> None:
    """Through the page, as a person does."""
    page.goto("/login")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)


def picture(path: Path, color: str = "teal") -> Path:
    """A file with a picture of one colour, 320 x 240."""
    Image.new("RGB", (320, 240), color).save(path)
    return path


def upload(server: Server, dataset: dict[str, Any], *paths: Path) -> list[int]:
    """The ids of the images that come of these files."""
    files = [("files", (path.name, path.read_bytes(), "image/jpeg")) for path in paths]
    answer = server.client.post(f"/api/datasets/{dataset['id']}/images", files=files)
    return [image["id"] for image in answer.raise_for_status().json()["images"]]
