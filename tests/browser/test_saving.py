"""Nothing is lost: two people on one annotation, a lost connection, a closed tab."""

import itertools
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS, sign_in
from tests.browser.editor_page import PATIENCE_MS, EditorPage
from tests.serving import Server

_numbers = itertools.count(1)
SQUARE = [100, 100, 200, 100, 200, 200, 100, 200]


@dataclass(frozen=True)
class Scene:
    """An image without pixels (640 x 480) with one square polygon on it."""

    image_id: int
    annotation_id: int


@pytest.fixture
def scene(server: Server) -> Scene:
    name = f"saving {next(_numbers)}"
    dataset = server.client.post("/api/datasets", json={"name": name}).json()["id"]
    coco = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480}],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [
            {"id": 5, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 10000.0,
             "bbox": [100, 100, 100, 100], "segmentation": [SQUARE]}
        ],
    }  # fmt: skip
    server.import_coco(dataset, coco)
    image = server.client.get(f"/api/datasets/{dataset}/images").json()["items"][0]["id"]
    found = server.client.get(f"/api/images/{image}/annotations").json()["items"]
    return Scene(image, found[0]["id"])


def stored(server: Server, scene: Scene) -> dict[str, Any]:
    found: dict[str, Any] = server.client.get(f"/api/annotations/{scene.annotation_id}").json()
    return found


def first_points(annotation: dict[str, Any]) -> list[int]:
    return [round(number) for number in annotation["segmentation"][0]]


def move_corner(editor: EditorPage, start: tuple[float, float], end: tuple[float, float]) -> None:
    editor.press("v")
    editor.click((start[0] + 150) / 2, (start[1] + 150) / 2)
    editor.drag(start, end)


def test_two_people_change_the_same_annotation(
    new_page: Callable[..., Page], server: Server, scene: Scene, expected_errors: list[str]
) -> None:
    expected_errors += ["412", "net::ERR_FAILED"]
    first, second = EditorPage(new_page()), EditorPage(new_page())
    # Without live updates, as behind a proxy that does not let them through.
    second.page.route("**/events?*", lambda route: route.abort())
    first.open(scene.image_id)
    second.open(scene.image_id)

    move_corner(first, (100, 100), (60, 60))
    first.saved()
    assert first_points(stored(server, scene))[:2] == [60, 60]

    move_corner(second, (200, 200), (260, 250))
    dialog = second.page.get_by_role("dialog", name="Changed in another window, too")
    expect(dialog).to_be_visible()
    assert first_points(stored(server, scene))[:2] == [60, 60], "theirs was not overwritten"
    assert first_points(second.annotations[0])[4:6] == [260, 250], "mine is still here"
    dialog.get_by_role("button", name="Keep mine").click()
    second.saved()

    now = first_points(stored(server, scene))
    assert now[4:6] == [260, 250]
    history = server.client.get(f"/api/annotations/{scene.annotation_id}/history").json()["items"]
    assert [60, 60] in [first_points(version.get("annotation", version))[:2] for version in history]


def test_taking_theirs(
    new_page: Callable[..., Page], server: Server, scene: Scene, expected_errors: list[str]
) -> None:
    expected_errors += ["412", "net::ERR_FAILED"]
    page = new_page()
    page.route("**/events?*", lambda route: route.abort())
    editor = EditorPage(page).open(scene.image_id)
    server.client.patch(
        f"/api/annotations/{scene.annotation_id}",
        json={"segmentation": [[0, 0, 50, 0, 50, 50]]},
        headers={"If-Match": '"1"'},
    ).raise_for_status()
    move_corner(editor, (200, 200), (260, 250))
    editor.page.get_by_role("button", name="Take the other").click()
    editor.saved()
    assert first_points(editor.annotations[0]) == [0, 0, 50, 0, 50, 50]
    assert stored(server, scene)["version"] == 2


def test_changes_of_different_things_are_both_kept(
    new_page: Callable[..., Page], server: Server, scene: Scene, expected_errors: list[str]
) -> None:
    expected_errors += ["412", "net::ERR_FAILED"]
    page = new_page()
    page.route("**/events?*", lambda route: route.abort())
    editor = EditorPage(page).open(scene.image_id)
    crowd = {"iscrowd": 1}
    path = f"/api/annotations/{scene.annotation_id}"
    server.client.patch(path, json=crowd, headers={"If-Match": '"1"'}).raise_for_status()
    move_corner(editor, (200, 200), (260, 250))
    expect(page.get_by_text("You have changed the same object in another window")).to_be_visible()
    editor.saved()
    expect(page.get_by_role("dialog")).to_have_count(0)
    now = stored(server, scene)
    assert [first_points(now)[4:6], now["iscrowd"], now["version"]] == [[260, 250], 1, 3]


def test_a_lost_connection_loses_nothing(
    new_page: Callable[..., Page], server: Server, scene: Scene, expected_errors: list[str]
) -> None:
    expected_errors.append("net::ERR_INTERNET_DISCONNECTED")
    editor = EditorPage(new_page()).open(scene.image_id)
    editor.page.context.set_offline(True)
    move_corner(editor, (100, 100), (60, 60))
    state = editor.page.get_by_role("status").filter(has_text="Offline, 1 waiting")
    expect(state).to_be_visible()
    assert stored(server, scene)["version"] == 1
    editor.page.context.set_offline(False)
    editor.saved()
    assert first_points(stored(server, scene))[:2] == [60, 60]


def test_a_closed_tab_loses_nothing(
    new_page: Callable[..., Page], server: Server, scene: Scene, expected_errors: list[str]
) -> None:
    expected_errors.append("net::ERR_INTERNET_DISCONNECTED")
    page = new_page()
    editor = EditorPage(page).open(scene.image_id)
    page.context.set_offline(True)
    move_corner(editor, (100, 100), (60, 60))
    expect(page.get_by_role("status").filter(has_text="Offline")).to_be_visible()
    again = page.context.new_page()
    page.close(run_before_unload=False)
    again.context.set_offline(False)
    reopened = EditorPage(again).open(scene.image_id)
    reopened.saved()
    assert first_points(reopened.annotations[0])[:2] == [60, 60]
    assert first_points(stored(server, scene))[:2] == [60, 60]


@pytest.mark.parametrize("locks", [True, False], ids=["locks", "plain-http"])
def test_two_tabs_on_one_image(
    new_page: Callable[..., Page],
    server: Server,
    scene: Scene,
    expected_errors: list[str],
    locks: bool,
) -> None:
    """Each saves what is its own; what a closed one left is taken over by the other."""
    expected_errors += ["net::ERR_FAILED", "412"]
    page = new_page()
    if not locks:
        # As browsers have it outside of secure contexts.
        page.context.add_init_script("Object.defineProperty(navigator, 'locks', {})")
    first = EditorPage(page).open(scene.image_id)
    second = EditorPage(page.context.new_page()).open(scene.image_id)
    cut = "**/api/annotations/*"
    page.route(cut, lambda route: route.abort())
    move_corner(first, (100, 100), (60, 60))
    waiting = page.get_by_role("status").filter(has_text="Offline, 1 waiting")
    expect(waiting).to_be_visible()

    second.page.reload()
    second.ready()
    assert first_points(second.annotations[0])[:2] == [100, 100], "not its own"
    assert stored(server, scene)["version"] == 1
    page.unroute(cut)
    first.saved()
    assert first_points(stored(server, scene))[:2] == [60, 60]

    page.route(cut, lambda route: route.abort())
    move_corner(first, (60, 60), (40, 40))
    expect(waiting).to_be_visible()
    page.close(run_before_unload=False)
    second.page.reload()
    second.ready()
    second.saved()
    assert first_points(second.annotations[0])[:2] == [40, 40]
    assert first_points(stored(server, scene))[:2] == [40, 40]


def test_a_killed_browser_loses_nothing(server: Server, scene: Scene, tmp_path: Path) -> None:
    path = os.environ.get("MASKWRIGHT_TEST_CHROMIUM") or shutil.which("chromium")

    def open_browser(playwright: Playwright) -> tuple[BrowserContext, EditorPage]:
        context = playwright.chromium.launch_persistent_context(
            tmp_path,
            executable_path=path,
            args=CHROMIUM_FLAGS,
            base_url=server.address,
            viewport={"width": 1440, "height": 900},
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        sign_in(page)
        return context, EditorPage(page).open(scene.image_id)

    def draw(playwright: Playwright) -> None:
        context, editor = open_browser(playwright)
        context.set_offline(True)
        move_corner(editor, (100, 100), (60, 60))
        state = editor.page.get_by_role("status").filter(has_text="Offline, 1 waiting")
        expect(state).to_be_visible()
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if any(str(tmp_path) in part for part in process.cmdline()):
                    process.kill()

    def look(playwright: Playwright) -> None:
        context, editor = open_browser(playwright)
        editor.saved()
        context.close()

    # A thread each: the fixtures of other tests have a Playwright of this one.
    with ThreadPoolExecutor(1) as thread:
        for step in (draw, look):
            thread.submit(_with_playwright, step).result()
    assert first_points(stored(server, scene))[:2] == [60, 60]


def _with_playwright(step: Callable[[Playwright], None]) -> None:
    with sync_playwright() as playwright:
        step(playwright)


def test_opening_and_leaving_an_image_changes_nothing(
    page: Page, server: Server, scene: Scene
) -> None:
    before = stored(server, scene)
    editor = EditorPage(page).open(scene.image_id)
    editor.press("v")
    editor.click(150, 150)
    editor.press("Escape", "f")
    editor.saved()
    page.goto("/")
    assert stored(server, scene) == before
