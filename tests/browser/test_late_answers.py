"""Answers that come in another order than the questions, and hands that are faster than both."""

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Page, Request, Route, expect

from tests.browser.editor_page import EditorPage
from tests.serving import Server

pytestmark = pytest.mark.browser

_numbers = itertools.count(1)


class Held:
    """Answers that are kept on their way, and tell what held when they were asked for."""

    def __init__(self, page: Page, matches: Callable[[Request], bool], most: int = 1) -> None:
        self.page = page
        self.asked: list[Request] = []
        self._matches, self._most = matches, most
        self._kept: list[tuple[Route, APIResponse | None]] = []
        page.route("**/*", self._meet)

    def _meet(self, route: Route) -> None:
        request = route.request
        matches = self._matches(request)
        if matches:
            self.asked.append(request)
        if matches and len(self.asked) <= self._most:
            self._kept.append((route, route.fetch() if request.method == "GET" else None))
        else:
            route.fallback()

    def release(self) -> None:
        """The answers arrive, and the page has done with them what it does."""
        for route, answer in self._kept:
            url = route.request.url
            with self.page.expect_event("requestfinished", lambda one, url=url: one.url == url):
                route.continue_() if answer is None else route.fulfill(response=answer)
        self._kept.clear()


def settle(page: Page) -> None:
    """What the page does with an answer takes some turns of its loop, and no time."""
    page.evaluate("new Promise((done) => setTimeout(() => requestAnimationFrame(done)))")


@pytest.fixture
def dataset(server: Server) -> dict[str, Any]:
    """Three images without pixels, the first two with an object, and two categories."""
    made = server.client.post("/api/datasets", json={"name": f"Late {next(_numbers)}"})
    dataset = dict(made.raise_for_status().json())
    coco = {
        "images": [
            {"id": n, "file_name": f"{name}.jpg", "width": 600, "height": 400}
            for n, name in enumerate(("cat", "dog", "owl"))
        ],
        "categories": [{"id": 1, "name": "first"}, {"id": 2, "name": "second"}],
        "annotations": [
            {"id": n + 1, "image_id": n, "category_id": 1, "bbox": [10, 20, 300, 200],
             "area": 60000, "iscrowd": 0}
            for n in (0, 1)
        ],
    }  # fmt: skip
    server.import_coco(dataset["id"], coco)
    return dataset


def test_the_list_that_was_asked_for_last_is_shown(page: Page, dataset: dict[str, Any]) -> None:
    page.goto(f"/datasets/{dataset['id']}")
    held = Held(page, lambda request: "/images?q=dog" in request.url)
    search = page.get_by_label("File name contains")
    with page.expect_request(re.compile(r"/images\?q=dog")):
        search.fill("dog")
    search.fill("owl")
    titles = page.locator("#images .card-title")
    expect(titles).to_have_text(["owl.jpg"])
    held.release()
    settle(page)
    expect(titles).to_have_text(["owl.jpg"])


def test_the_counts_that_were_asked_for_last_are_shown(page: Page, dataset: dict[str, Any]) -> None:
    page.goto(f"/datasets/{dataset['id']}")
    held = Held(page, lambda request: request.resource_type == "fetch" and request.url == page.url)
    for name in ("cat", "dog"):
        page.locator(".card", has_text=f"{name}.jpg").hover()
        page.get_by_title(f"More about {name}.jpg").click()
        page.locator(".card", has_text=f"{name}.jpg").get_by_role(
            "button", name="Delete", exact=True
        ).click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.locator(".card", has_text=f"{name}.jpg")).to_have_count(0)
    totals = page.locator("#totals")
    expect(totals).to_contain_text("1 image ·")
    held.release()
    settle(page)
    expect(totals).to_contain_text("1 image ·")


def test_a_form_is_sent_once_though_it_is_pressed_again_while_the_page_is_left(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="New dataset").first.click()
    dialog = page.get_by_role("dialog", name="New dataset")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    dialog.get_by_label("Name", exact=True).fill(f"Once {next(_numbers)}")
    button = dialog.get_by_role("button", name="Make dataset")
    button.evaluate(
        "(button) => addEventListener('beforeunload', () => setTimeout(() => button.click()))"
    )
    button.click()
    page.wait_for_url("**/datasets/*")
    assert len(sent) == 1


def test_the_role_that_was_chosen_last_stays(
    page: Page, server: Server, dataset: dict[str, Any]
) -> None:
    email = f"late{dataset['id']}@example.org"
    server.client.post("/api/users", json={"email": email, "password": "long enough"})
    path = f"/api/datasets/{dataset['id']}/members"
    server.client.put(path, json={"email": email, "role": "annotator"}).raise_for_status()
    page.goto(f"/datasets/{dataset['id']}/members")
    role = page.get_by_label(f"Role of {email}")
    held = Held(page, lambda request: request.method == "PUT")
    with page.expect_request(lambda request: request.method == "PUT"):
        role.select_option("viewer")
    role.select_option("owner")
    settle(page)
    assert len(held.asked) == 1, "one after the other"
    held.release()
    expect(page.get_by_text(f"{email} is owner now.")).to_be_visible()
    members = server.client.get(path).json()["items"]
    assert [one["role"] for one in members if one["email"] == email] == ["owner"]


def test_a_dialog_that_is_opened_again_while_its_form_is_sent_keeps_what_is_typed(
    page: Page, server: Server, dataset: dict[str, Any], expected_errors: list[str]
) -> None:
    expected_errors.append("409")
    page.goto(f"/datasets/{dataset['id']}/categories")
    held = Held(page, lambda request: request.method == "PATCH", most=2)

    def rename(name: str, new: str) -> None:
        page.get_by_role("button", name=f"Edit {name}").click()
        dialog = page.get_by_role("dialog", name=f"Edit {name}")
        dialog.get_by_label("Name", exact=True).fill(new)
        with page.expect_request(lambda request: request.method == "PATCH"):
            dialog.get_by_role("button", name="Save").click()
        page.keyboard.press("Escape")

    again = page.get_by_role("dialog", name="Edit second")
    field = again.get_by_label("Name", exact=True)
    for new, said in (("second", "There is"), ("third", "third was changed.")):
        rename("first", new)
        page.get_by_role("button", name="Edit second").click()
        field.fill("half a na")
        held.release()
        expect(page.get_by_role("status").filter(has_text=said)).to_be_visible()
        expect(field).to_have_value("half a na")
        expect(
            again.locator("[data-error-for], [data-form-error]").filter(visible=True)
        ).to_have_count(0)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Drop it").click()
    # Once nothing is being typed the page shows what was changed.
    expect(page.locator("tbody")).to_contain_text("third")


def test_a_history_is_of_the_object_that_is_selected(
    page: Page, server: Server, dataset: dict[str, Any]
) -> None:
    path = f"/api/datasets/{dataset['id']}/images?sort=file_name"
    first, second, _ = (image["id"] for image in server.client.get(path).json()["items"])
    page.goto(f"/images/{first}?sort=file_name")
    editor = EditorPage(page)
    editor.ready()
    editor.press("v")
    editor.click(150, 100)
    theirs = editor.annotations[0]["id"]
    editor.press("d")
    page.wait_for_url(f"**/images/{second}?*")
    editor.ready()
    editor.click(150, 100)
    other = editor.annotations[0]["id"]
    with page.expect_request(re.compile(f"/annotations/{other}/history")):
        editor.press("Shift+W")
    with page.expect_request(re.compile(f"/annotations/{theirs}/history")):
        page.go_back()
    expect(page.get_by_role("dialog", name="History")).to_be_visible()
