"""How the pages fit a phone: nothing cut, nothing wider than the window."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.editor_page import PATIENCE_MS, EditorPage
from tests.serving import Server

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


def test_filters_on_a_phone_are_equally_wide(
    new_page: Callable[..., Page], server: Server, dataset: dict[str, Any]
) -> None:
    images = [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 30}]
    server.import_coco(dataset["id"], {"images": images, "categories": [], "annotations": []})
    page = new_page(viewport=PHONE)
    page.goto(f"/datasets/{dataset['id']}")
    fields = page.locator(".filters input:visible, .filters select:visible")
    widths = fields.evaluate_all("all => all.map((field) => field.offsetWidth)")
    assert len(widths) == 4
    assert len(set(widths)) == 1


PATHS = [
    "/",
    "/datasets/{id}",
    "/datasets/{id}/categories",
    "/datasets/{id}/predictions",
    "/datasets/{id}/statistics",
    "/datasets/{id}/members",
    "/datasets/{id}/settings",
    "/jobs",
    "/jobs/{job}",
    "/account",
    "/admin/users",
    "/docs",
]

# What can be scrolled sideways or is cut, without a way to the rest; tabs show that there are more.
_CUT = """() => [...document.querySelectorAll('main *')].filter((element) => {
  const { overflowX, textOverflow } = getComputedStyle(element);
  if (overflowX === 'visible' || element.scrollWidth <= element.clientWidth + 1) return false;
  const exempt = element.matches('input') || element.closest('.visually-hidden, .tabs, thead');
  if (exempt || !element.checkVisibility({ visibilityProperty: true })) return false;
  return textOverflow !== 'ellipsis' || !element.closest('[title]');
}).map((element) => element.outerHTML.slice(0, 120))"""


def test_nothing_is_wider_than_a_phone(
    new_page: Callable[..., Page], server: Server, dataset: dict[str, Any]
) -> None:
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}
    coco = {
        "images": [{"id": 1, "file_name": "a" * 120 + ".jpg", "width": 40, "height": 30}],
        "categories": [{"id": 1, "name": "c" * 120, "supercategory": "d" * 120}],
        "annotations": [annotation],
    }
    server.import_coco(dataset["id"], coco)
    results = [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]
    job = server.import_coco(dataset["id"], results, task="results", name="r" * 120)
    name = f"{dataset['id']} " + "n" * 150
    server.client.patch(f"/api/datasets/{dataset['id']}", json={"name": name}).raise_for_status()
    phone = new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    for path in PATHS:
        phone.goto(path.format(id=dataset["id"], job=job["id"]))
        width = phone.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], path
        assert phone.evaluate(_CUT) == [], path
    # A page that is open would ask for what is gone.
    phone.close()
    server.client.delete(f"/api/datasets/{dataset['id']}").raise_for_status()


def _height(locator: Locator) -> float:
    return float(locator.evaluate("element => element.getBoundingClientRect().height"))


def test_long_names_leave_room_in_the_editor_on_a_phone(
    new_page: Callable[..., Page], server: Server, dataset: dict[str, Any]
) -> None:
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 20]}
    coco = {
        "images": [{"id": 1, "file_name": "a" * 190 + ".jpg", "width": 40, "height": 30}],
        "categories": [{"id": 1, "name": "c" * 190}],
        "annotations": [box],
    }
    server.import_coco(dataset["id"], coco)
    image = server.client.get(f"/api/datasets/{dataset['id']}/images").json()["items"][0]
    account = {"email": f"layout{dataset['id']}@example.org", "password": "long enough"}
    server.client.post("/api/users", json=account | {"name": "w" * 150}).raise_for_status()
    member = {"email": account["email"], "role": "annotator"}
    server.client.put(f"/api/datasets/{dataset['id']}/members", json=member).raise_for_status()
    page = new_page(signed_in=False, viewport=PHONE, has_touch=True, is_mobile=True)
    sign_in(page, **account)
    editor = EditorPage(page).open(image["id"])
    title = page.get_by_role("heading", level=1)
    assert _height(title) <= 40, "two lines"
    title.get_by_role("button").click()
    expect(title).to_have_class(re.compile("whole"))
    assert _height(title) > 100, "all of it"
    page.get_by_role("button", name="account of").click()
    menu = page.get_by_role("menu").bounding_box()
    assert menu is not None
    assert menu["x"] >= 0
    assert menu["x"] + menu["width"] <= PHONE["width"]
    editor.press("Escape", "Control+a")
    page.get_by_role("button", name="Categories, objects and properties").click()
    heading = page.get_by_role("region", name="Properties").get_by_role("heading").first
    assert heading.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert 28 <= _height(heading) <= 48


def _expect_inside(inner: Locator, outer: Locator) -> None:
    """Wait until nothing of it is cut, or lies beside."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not _inside(inner, outer):
        assert time.monotonic() < deadline, f"{inner} is not inside of {outer}"
        inner.page.wait_for_timeout(50)


def _inside(inner: Locator, outer: Locator) -> bool:
    within, around = inner.bounding_box(), outer.bounding_box()
    # It is not there, or another one is taking its place.
    if within is None or around is None:
        return False
    return (
        around["x"] <= within["x"] + 1
        and around["y"] <= within["y"] + 1
        and within["x"] + within["width"] <= around["x"] + around["width"] + 1
        and within["y"] + within["height"] <= around["y"] + around["height"] + 1
    )


def test_lists_and_notices_have_room_in_small_windows(
    new_page: Callable[..., Page],
    server: Server,
    dataset: dict[str, Any],
    expected_errors: list[str],
) -> None:
    boxes = [
        {"image_id": 1, "category_id": n, "bbox": [n, n, 20, 10], "segmentation": [], "area": 200}
        for n in range(1, 13)
    ]
    coco = {
        "images": [
            {"id": 1, "file_name": "a" * 90 + ".jpg", "width": 40, "height": 30},
            {"id": 2, "file_name": "b.jpg", "width": 40, "height": 30},
        ],
        "categories": [{"id": n, "name": f"thing {n}"} for n in range(1, 30)],
        "annotations": [one | {"id": n, "iscrowd": 0} for n, one in enumerate(boxes, 1)],
    }
    server.import_coco(dataset["id"], coco)
    results = [one | {"score": 0.9 - n / 100} for n, one in enumerate(boxes)]
    server.import_coco(dataset["id"], results, task="results")
    captions = [{"id": n, "image_id": 1, "caption": "a long caption " * 4} for n in range(1, 6)]
    images = {"images": coco["images"]}
    server.import_coco(dataset["id"], images | {"annotations": captions}, task="captions")
    first = server.client.get(f"/api/datasets/{dataset['id']}/images").json()["items"][0]

    tablet = new_page(viewport={"width": 1024, "height": 768})
    EditorPage(tablet).open(first["id"])
    predictions = tablet.get_by_role("listbox", name="Predictions")
    expect(predictions.get_by_role("option")).to_have_count(12)
    panel = tablet.get_by_role("complementary", name="Annotations")
    predictions.get_by_role("option").first.click()
    expect(tablet.get_by_role("group", name="Decide about")).to_be_visible()
    rows = [predictions.get_by_role("option").nth(n) for n in range(4)]
    for row in rows:
        _expect_inside(row, predictions)
    assert predictions.evaluate("list => list.clientHeight % 28") <= 4, "whole rows"
    assert panel.evaluate("panel => panel.scrollHeight - panel.clientHeight") == 0
    tablet.close()

    phone = new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    editor = EditorPage(phone).open(first["id"])
    expected_errors.append("Failed to load resource")
    phone.route("**/annotations**", lambda route: route.abort())
    phone.get_by_role("button", name="Captions and labels").click()
    card = phone.get_by_role("region", name="Captions and labels")
    phone.get_by_role("textbox", name="New caption").fill("one more")
    phone.keyboard.press("Enter")
    labels = card.locator(".labels .row")
    expect(labels).to_have_count(29)
    for n in range(3):
        _expect_inside(labels.nth(n), card)
    editor.press("Escape")
    expect(card).to_have_count(0)
    phone.get_by_role("button", name="Next image").click()
    expect(phone).to_have_title(re.compile(r"b\.jpg"))
    # What was not saved is told of, with a way to save it and one to put it away.
    notice = phone.get_by_role("status").filter(has_text="Unsaved changes of")
    phone.get_by_role("button", name="Captions and labels").click()
    _expect_inside(notice, phone.locator(".stage-area"))
    for element in (notice.get_by_role("link"), notice.get_by_role("button", name="Dismiss")):
        _expect_inside(element, notice)
