"""The panels around the image: keys of one's own, lists, properties, problems."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editor_page import EditorPage
from tests.serving import Server, stored

# As the browser asks the page; the question itself is the browser's.
ASKED_BEFORE_LEAVING = """
() => !dispatchEvent(new Event("beforeunload", { cancelable: true }))
"""
BOXES = [[20, 20, 100, 80], [200, 20, 120, 90], [400, 200, 100, 100]]


@pytest.fixture(scope="module")
def image_ids(server: Server) -> list[int]:
    """Images without pixels (640 x 480), with a box of one category and two of another."""
    made = server.client.post("/api/datasets", json={"name": "panels"}).json()["id"]
    coco: dict[str, Any] = {
        "images": [
            {"id": i, "file_name": f"{i:02}.jpg", "width": 640, "height": 480} for i in range(1, 9)
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "thing"}],
        "annotations": [
            {"id": 900100000000 + 10 * i + n, "image_id": i, "category_id": 1 + (n > 0),
             "bbox": box, "segmentation": [], "area": box[2] * box[3], "iscrowd": 0}
            for i in range(1, 9)
            for n, box in enumerate(BOXES)
        ],
    }  # fmt: skip
    server.import_coco(made, coco)
    found = server.client.get(f"/api/datasets/{made}/images?sort=file_name&limit=100").json()
    return [image["id"] for image in found["items"]]


@pytest.fixture(autouse=True)
def own_keys(server: Server) -> Iterator[None]:
    """What a test changes in the account's keys and looks is not the next one's."""
    yield
    server.client.patch("/api/me/preferences", json={"keys": None, "view": None})


def test_keys_of_ones_own_hold_at_once_and_in_every_browser(
    new_page: Callable[..., Page], server: Server, image_ids: list[int]
) -> None:
    page = new_page()
    editor = EditorPage(page).open(image_ids[0])
    editor.press("?")
    page.get_by_role("searchbox").fill("keypoints tool")
    expect(page.locator(".help dt")).to_have_text(["Keypoints tool"])
    page.get_by_role("button", name="Change keys").click()
    keys = page.locator(".keys-key kbd").all_inner_texts()
    # Of all commands only dropping a point and deleting have a key in common.
    assert {key for key in keys if keys.count(key) > 1} == {"Backspace"}
    page.get_by_role("button", name="Add a key for Polygon tool").click()
    editor.press("b")
    expect(page.get_by_role("alert")).to_contain_text("Box tool")
    with page.expect_response("**/api/me/preferences"):
        page.get_by_role("button", name="Use it here").click()
    expect(page.get_by_role("button", name="Add a key for Polygon tool")).to_be_focused()
    page.get_by_role("button", name="Take P away from Polygon tool").click()
    editor.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    editor.press("b")
    assert editor.tool == "polygon.ready"
    expect(page.get_by_role("button", name="Polygon (B)")).to_be_visible()

    # Another browser has them, too; the palette finds a command by letters of it in order.
    other = new_page()
    second = EditorPage(other).open(image_ids[0])
    second.press("b")
    assert second.tool == "polygon.ready"
    second.press("Control+k")
    other.get_by_role("combobox").fill("chk")
    second.press("Enter")
    expect(other.get_by_role("dialog")).to_have_accessible_name("Change keys")
    with other.expect_response("**/api/me/preferences"):
        other.get_by_role("button", name="Reset all").click()
    second.press("Escape")
    expect(other.get_by_role("dialog")).to_have_count(0)
    second.press("b")
    assert second.tool == "box.ready"
    assert server.client.get("/api/me/preferences").json()["keys"] == {}
    second.press("Control+k")
    expect(other.get_by_role("dialog").get_by_role("option").first).to_contain_text("Change keys")
    other.get_by_role("dialog").get_by_role("combobox").fill("thing")
    second.press("Enter")
    categories = other.get_by_role("region", name="Categories")
    expect(categories.get_by_role("button", name="thing")).to_have_attribute("aria-pressed", "true")


def test_the_list_filters_selects_ranges_and_restacks_without_reordering(
    page: Page, server: Server, image_ids: list[int]
) -> None:
    image_id = image_ids[1]
    before = stored(server, image_id)
    editor = EditorPage(page).open(image_id)
    objects = page.get_by_role("listbox", name="Objects")
    rows, selected = objects.get_by_role("option"), objects.get_by_role("option", selected=True)
    expect(rows.first).to_contain_text(str(before[1]["coco_id"]))
    editor.press("/")
    page.keyboard.type("thing")
    expect(rows).to_have_count(2)
    editor.press("Control+Enter")
    expect(selected).to_have_count(2)
    editor.press("Shift+I")
    expect(page.locator(".row.dim")).to_have_count(0)
    page.get_by_role("button", name="Filter objects").click()
    expect(page.locator(".row.dim")).to_have_count(1)
    editor.press("Shift+I")
    expect(page.locator(".row.dim")).to_have_count(0)

    # What is locked is selected here and not on the image, and does not move.
    editor.press("v")
    lock = rows.nth(2).locator("[data-action=lock]")
    rows.nth(2).hover()
    lock.click()
    expect(rows.nth(2)).to_contain_text("locked")
    smallest = min(BOXES, key=lambda box: box[2] * box[3])
    editor.click(smallest[0] + 10, smallest[1] + 10)
    expect(selected).to_have_count(0)
    rows.nth(2).click()
    editor.press("ArrowRight")
    expect(page.get_by_text("What is locked does not move")).to_be_visible()
    rows.nth(2).hover()
    lock.click()
    expect(rows.nth(2)).not_to_contain_text("locked")
    editor.saved()
    assert stored(server, image_id) == before

    # A range by Shift, one more or less by Ctrl, groups by the menu; the look is kept.
    rows.nth(0).click()
    rows.nth(2).click(modifiers=["Shift"])
    expect(selected).to_have_count(3)
    rows.nth(1).click(modifiers=["Control"])
    expect(selected).to_have_count(2)
    page.get_by_role("button", name="How objects are drawn and listed").click()
    with page.expect_response("**/api/me/preferences"):
        page.get_by_label("Group by category").check()
    editor.press("Escape")
    expect(objects.locator(".row.group")).to_have_text(["person 1", "thing 2"])
    objects.locator(".row.group").first.click()
    expect(rows).to_have_count(2)

    # A box over the last one is sent back: an attribute of its own, and no other order.
    editor.press("b")
    editor.drag((390, 190), (440, 240))
    editor.press("v", "Control+[")
    editor.saved()
    dataset = server.client.get(f"/api/images/{image_id}").json()["dataset_id"]
    exported = server.client.get(f"/api/datasets/{dataset}/export/instances.json").json()
    coco_id = server.client.get(f"/api/images/{image_id}").json()["coco_id"]
    here = [a for a in exported["annotations"] if a["image_id"] == coco_id]
    assert [a["bbox"] for a in here] == [*BOXES, [390, 190, 50, 50]]
    assert [a.get("attributes") for a in here] == [None, None, None, {"z_order": -1}]
    editor.press("Control+z")
    editor.saved()
    assert stored(server, image_id)[3]["attributes"] == {}


def test_fields_are_edited_for_one_and_for_several_and_versions_come_back(
    page: Page, server: Server, image_ids: list[int]
) -> None:
    image_id = image_ids[2]
    editor = EditorPage(page).open(image_id)
    properties = page.get_by_role("region", name="Properties")
    editor.click(60, 60)
    properties.get_by_label("Category").fill("thi")
    editor.press("Enter")
    properties.get_by_label("Box: width").fill("101.5")
    editor.press("Enter")
    properties.get_by_label("Score").fill("0.75")
    editor.press("Enter")
    properties.get_by_label("Name of a new attribute").fill("worn")
    properties.get_by_label("Value of the new attribute").fill("true")
    editor.press("Enter")
    expect(properties.get_by_label("worn", exact=True)).to_have_value("true")
    # Going on elsewhere keeps what was typed, Escape does not.
    properties.get_by_label("Name of a new attribute").fill("dropped")
    properties.get_by_label("Value of the new attribute").fill("1")
    editor.press("Escape")
    expect(properties.get_by_label("Name of a new attribute")).to_have_value("")
    properties.get_by_label("Name of a new attribute").fill("kept")
    properties.get_by_label("Value of the new attribute").fill("2")
    editor.click(160, 60)
    editor.click(60, 60)
    expect(properties.get_by_label("kept", exact=True)).to_have_value("2")
    properties.get_by_role("button", name="Remove kept").click()
    editor.saved()
    # A name alone makes no attribute: who closes the tab is asked, unless it was dropped.
    properties.get_by_label("Name of a new attribute").fill("half")
    assert page.evaluate(ASKED_BEFORE_LEAVING)
    expect(properties.get_by_label("Name of a new attribute")).to_be_focused()
    editor.press("Escape")
    expect(properties.get_by_label("Name of a new attribute")).to_have_value("")
    assert not page.evaluate(ASKED_BEFORE_LEAVING)
    first = stored(server, image_id)[0]
    assert (first["bbox"], first["score"]) == ([20, 20, 101.5, 80], 0.75)
    assert first["attributes"] == {"worn": True}
    assert first["category_id"] == stored(server, image_id)[1]["category_id"]

    # With several selected what differs says so, and what is typed is given to all.
    editor.press("Escape", "Control+a")
    expect(properties.get_by_label("Score")).to_have_attribute("placeholder", "several")
    expect(properties.get_by_label("worn", exact=True)).to_have_attribute("placeholder", "several")
    properties.get_by_label("worn", exact=True).fill("12")
    editor.press("Enter")
    editor.saved()
    after = stored(server, image_id)
    assert [a["attributes"] for a in after] == [{"worn": 12}] * 3
    assert [a["score"] for a in after] == [0.75, None, None], "only what was touched changed"

    editor.press("Escape")
    editor.click(60, 60)
    editor.press("Shift+w")
    page.get_by_role("button", name="Restore version 1", exact=True).click()
    editor.saved()
    restored = stored(server, image_id)[0]
    assert (restored["bbox"], restored["attributes"]) == ([20, 20, 100, 80], {})
    editor.press("Control+z")
    editor.saved()
    assert stored(server, image_id)[0]["attributes"] == {"worn": 12}


def test_problems_are_gone_through_and_categories_hidden_and_coloured(
    page: Page, server: Server, image_ids: list[int]
) -> None:
    image_id = image_ids[3]
    editor = EditorPage(page).open(image_id)
    problems = page.get_by_role("region", name="Problems")
    expect(problems).to_have_count(0)
    editor.press("2", "b")
    editor.drag((200.5, 20.5), (320, 110))
    editor.press("v")
    expect(problems.get_by_role("button", name="Problems 1")).to_be_visible()
    editor.press("Escape", ".")
    selected = page.get_by_role("listbox", name="Objects").get_by_role("option", selected=True)
    expect(selected).to_have_count(2)
    problems.get_by_role("button", name="Problems 1").click()
    expect(problems.get_by_role("option")).to_contain_text("Nearly the same as another")
    editor.press("Control+z")
    expect(problems).to_have_count(0)

    categories = page.get_by_role("region", name="Categories")
    categories.get_by_role("button", name="thing").first.hover()
    categories.get_by_role("button", name="Hide every thing").click()
    expect(page.locator(".row.object.dim")).to_have_count(2)
    categories.get_by_role("button", name="Show every thing").click()
    expect(page.locator(".row.object.dim")).to_have_count(0)
    with page.expect_response("**/api/categories/*"):
        categories.get_by_label("Colour of thing").fill("#12ab34")
    dataset = server.client.get(f"/api/images/{image_id}").json()["dataset_id"]
    named = server.client.get(f"/api/datasets/{dataset}/categories").json()["items"]
    assert {c["name"]: c["color"] for c in named}["thing"] == "#12ab34"


def test_the_object_list_keeps_eight_rows_and_parts_stay_folded(page: Page, server: Server) -> None:
    made = server.client.post("/api/datasets", json={"name": "crowded"}).json()["id"]
    names = [f"point {n}" for n in range(17)]
    pose = {"keypoints": [v for n in range(17) for v in (30 + n, 40, 2)], "num_keypoints": 17}
    image = {"id": 1, "file_name": "1.jpg", "width": 640, "height": 480}
    boxes = [
        {"id": 2**53 + n, "image_id": 1, "category_id": 1, "bbox": [20, 20, 600 - n, 80],
         "segmentation": [], "area": 80 * (600 - n), "iscrowd": 0, **pose}
        for n in range(1, 301)
    ]  # fmt: skip
    category = {"id": 1, "name": "person", "keypoints": names, "skeleton": []}
    others = [{"id": n, "name": f"thing {n}"} for n in range(2, 30)]
    coco = {"images": [image], "categories": [category, *others], "annotations": boxes}
    server.import_coco(made, coco, task="person_keypoints")
    model = {"image_id": 1, "category_id": 1, "bbox": [20, 20, 100, 80], "score": 0.9}
    server.import_coco(made, [model], task="results")
    found = server.client.get(f"/api/datasets/{made}/images").json()["items"]
    editor = EditorPage(page).open(found[0]["id"])
    objects = page.get_by_role("listbox", name="Objects")
    # The browser's numbers end where such ids begin.
    expect(objects.get_by_role("option").first).to_contain_text(str(2**53 + 1))
    # Of three hundred rows only those about the ones in sight are there; the last is reached.
    objects.get_by_role("option").first.click()
    assert objects.get_by_role("option").count() < 60
    editor.press("End")
    selected = objects.get_by_role("option", selected=True)
    expect(selected).to_have_attribute("aria-posinset", "300")
    expect(selected).to_be_in_viewport()
    assert objects.get_by_role("option").count() < 60
    editor.press("Home")
    expect(selected).to_have_attribute("aria-posinset", "1")
    keypoints = page.get_by_role("region", name="Keypoints")
    expect(keypoints.get_by_role("list")).to_be_visible()
    expect(page.get_by_role("region", name="Predictions")).to_be_visible()
    assert objects.evaluate("list => list.clientHeight") >= 8 * 28
    panel = page.get_by_role("complementary", name="Annotations")
    parts = panel.get_by_role("region")
    expect(parts).to_have_count(6)
    for part in parts.all():
        assert part.evaluate("part => part.scrollHeight - part.clientHeight") <= 1 or (
            part.evaluate("part => getComputedStyle(part).overflowY") == "auto"
        )
    # What is folded leaves its place to the others, also on the next page.
    keypoints.get_by_role("button", name="Keypoints 17 of 17").click()
    expect(keypoints.get_by_role("list")).to_have_count(0)
    page.reload()
    editor.ready()
    objects.get_by_role("option").first.click()
    expect(keypoints.get_by_role("button", expanded=False)).to_be_visible()
    page.get_by_role("region", name="Objects").get_by_role("button", name="Objects 300").click()
    expect(objects).to_have_count(0)
    editor.press("/")
    expect(objects).to_be_visible()
    expect(page.get_by_role("searchbox", name="Category, id")).to_be_focused()
