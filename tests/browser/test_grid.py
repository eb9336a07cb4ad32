"""The grid of a dataset's images: filters, what comes while one scrolls, the way back to it."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import picture, upload
from tests.browser.editor_page import EditorPage
from tests.serving import Server

pytestmark = pytest.mark.browser


@pytest.fixture
def long_list(server: Server, dataset: dict[str, Any]) -> list[str]:
    """The names of its images, of which more are loaded while one scrolls."""
    images = [
        {"id": n, "file_name": f"{n:04}.jpg", "width": 40, "height": 30} for n in range(1, 151)
    ]
    server.import_coco(dataset["id"], {"images": images, "categories": [], "annotations": []})
    return [str(image["file_name"]) for image in images]


def _titles(page: Page) -> list[str]:
    return page.locator("#images .card-title").all_text_contents()


def test_filters_change_grid_address_and_the_way_on(
    page: Page, server: Server, dataset: dict[str, Any], tmp_path: Path
) -> None:
    ids = upload(server, dataset, *(picture(tmp_path / f"{n}.jpg") for n in ("a1", "a2", "b1")))
    server.client.patch(f"/api/images/{ids[0]}", json={"status": "done"}).raise_for_status()
    page.goto(f"/datasets/{dataset['id']}")
    page.get_by_label("File name contains").press_sequentially("1")
    expect(page.locator("#images .card-title")).to_have_text(["a1.jpg", "b1.jpg"])
    page.get_by_label("Status", exact=True).select_option("new")
    expect(page.locator("#images .card-title")).to_have_text(["b1.jpg"])
    expect(page.get_by_role("search")).to_contain_text("1 image")
    assert page.url.endswith("?q=1&status=new")
    page.reload()
    assert _titles(page) == ["b1.jpg"]
    tabs = page.get_by_role("navigation", name="Dataset")
    tabs.get_by_role("link", name="Statistics").click()
    tabs.get_by_role("link", name="Images").click()
    expect(page.locator("#images .card-title")).to_have_text(["b1.jpg"])
    page.get_by_role("link", name="Start annotating").click()
    page.wait_for_url(re.compile(rf"/images/{ids[2]}\?q=1&status=new"))
    page.go_back()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#images .card-title")).to_have_count(3)
    assert page.url.endswith(f"/datasets/{dataset['id']}")


def test_categories_are_chosen_by_their_names(
    page: Page, server: Server, dataset: dict[str, Any]
) -> None:
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 40, "height": 30} for n in (1, 2)]
    categories = [{"id": n, "name": f"category {n}"} for n in range(1, 12)]
    found = [{"id": 1, "image_id": 2, "category_id": 11, "bbox": [1, 2, 3, 4]}]
    content = {"images": images, "categories": categories, "annotations": found}
    server.import_coco(dataset["id"], content)
    page.goto(f"/datasets/{dataset['id']}")
    page.locator("summary", has_text="Category").click()
    page.get_by_label("Search the categories").fill("11")
    # The name, not its box: a press on it takes the focus from the field, and the menu stays.
    page.get_by_role("search").get_by_text("category 11", exact=True).click()
    expect(page.locator("#images .card-title")).to_have_text(["2.jpg"])
    expect(page.get_by_role("checkbox", name="category 11")).to_be_checked()
    page.get_by_role("heading", level=1).click()
    expect(page.get_by_role("checkbox", name="category 11")).to_be_hidden()


def test_an_image_is_deleted_where_it_stands(
    page: Page, server: Server, dataset: dict[str, Any], tmp_path: Path
) -> None:
    upload(server, dataset, *(picture(tmp_path / f"{name}.jpg") for name in "ab"))
    page.goto(f"/datasets/{dataset['id']}")
    page.locator(".card", has_text="a.jpg").hover()
    page.get_by_title("More about a.jpg").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#images .card-title")).to_have_text(["b.jpg"])
    expect(page.locator("#totals")).to_contain_text("1 image ·")


def test_the_grid_loads_more_while_one_scrolls(
    page: Page, dataset: dict[str, Any], long_list: list[str]
) -> None:
    page.goto(f"/datasets/{dataset['id']}")
    cards = page.locator("#images .card-title")
    assert cards.count() == 60
    while (seen := cards.count()) < 150:
        page.keyboard.press("End")
        expect(cards).not_to_have_count(seen)
    assert _titles(page) == long_list


_IS_BACK = """() => {
  const { image, top } = JSON.parse(sessionStorage.getItem("maskwright-grid"));
  const card = document.querySelector(`[data-image="${image}"]`);
  return card !== null && Math.abs(card.getBoundingClientRect().top - top) < 2;
}"""


@pytest.mark.usefixtures("long_list")
def test_one_comes_back_to_where_one_was_in_the_grid(page: Page, dataset: dict[str, Any]) -> None:
    page.goto(f"/datasets/{dataset['id']}")
    cards = page.locator("#images .card")
    while (seen := cards.count()) < 150:
        page.keyboard.press("End")
        expect(cards).not_to_have_count(seen)
    card = cards.filter(has_text="0110.jpg")
    card.get_by_role("link").first.click()
    editor = EditorPage(page)
    editor.ready()
    editor.press("d")
    next_card = cards.filter(has_text="0111.jpg")
    expect(page).to_have_title(re.compile("0111.jpg"))
    page.get_by_role("link", name=dataset["name"]).click()
    expect(next_card.get_by_role("link").first).to_be_focused()
    expect(next_card).to_be_in_viewport()
    page.reload()
    # Once more while the list is still being brought back.
    page.reload()
    page.wait_for_function(_IS_BACK)
    expect(next_card).to_be_in_viewport()

    # The browser's own way back leads to the list as it was left, and to the image seen last.
    page.go_back()
    expect(page).to_have_title(re.compile("0111.jpg"))
    editor.ready()
    page.go_back()
    expect(page).to_have_title(re.compile("0110.jpg"))
    page.go_back()
    expect(card.get_by_role("link").first).to_be_focused()
    expect(card).to_be_in_viewport()
    expect(cards).to_have_count(150)

    # So do the tabs beside it, which stay in view.
    tabs = page.get_by_role("navigation", name="Dataset")
    tabs.get_by_role("link", name="Statistics").click()
    tabs.get_by_role("link", name="Images").click()
    page.wait_for_function(_IS_BACK)
    expect(card).to_be_in_viewport()
    # Going along them by keys moves nothing.
    place = page.evaluate("scrollY")
    tabs.get_by_role("link", name="Images").focus()
    for name in ("Categories", "Predictions"):
        page.keyboard.press("Tab")
        expect(tabs.get_by_role("link", name=name)).to_be_focused()
        assert page.evaluate("scrollY") == place


def test_a_card_whose_picture_is_broken_says_so(
    page: Page,
    server: Server,
    dataset: dict[str, Any],
    tmp_path: Path,
    expected_errors: list[str],
) -> None:
    expected_errors.append("net::ERR_FAILED")
    upload(server, dataset, picture(tmp_path / "a.jpg"))
    page.route("**/thumbnail*", lambda route: route.abort())
    page.goto(f"/datasets/{dataset['id']}")
    expect(page.locator(".card-picture")).to_have_text("Cannot be shown")
    expect(page.locator(".card-picture img")).to_have_count(0)
