"""The panels around the image: keys of one's own, lists, properties, problems."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editor_page import EditorPage
from tests.serving import Server

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


@pytest.fixture
def stored(server: Server) -> Callable[[int], list[dict[str, Any]]]:
    def read(image_id: int) -> list[dict[str, Any]]:
        items = server.client.get(f"/api/images/{image_id}/annotations").json()["items"]
        return list(items)

    return read


def test_keys_of_ones_own_hold_at_once_and_in_every_browser(
    new_page: Callable[..., Page], server: Server, image_ids: list[int]
) -> None:
    page = new_page()
    editor = EditorPage(page).open(image_ids[0])
    editor.press("?")
    page.get_by_role("searchbox").fill("polygon")
    expect(page.locator(".help dt")).to_have_text(["Polygon tool"])
    page.get_by_role("button", name="Change keys").click()
    page.get_by_role("button", name="Add a key for Polygon tool").click()
    editor.press("b")
    expect(page.get_by_role("alert")).to_contain_text("Box tool")
    with page.expect_response("**/api/me/preferences"):
        page.get_by_role("button", name="Use it here").click()
    expect(page.get_by_role("button", name="Add a key for Polygon tool")).to_be_focused()
    page.get_by_role("button", name="Take P away from Polygon tool").click()
    editor.press("Escape", "b")
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
    second.press("Escape", "b")
    assert second.tool == "box.ready"
    assert server.client.get("/api/me/preferences").json()["keys"] == {}
    second.press("Control+k")
    expect(other.get_by_role("dialog").get_by_role("option").first).to_contain_text("Change keys")
    other.get_by_role("dialog").get_by_role("combobox").fill("thing")
    second.press("Enter")
    categories = other.get_by_role("region", name="Categories")
    expect(categories.get_by_role("button", name="thing")).to_have_attribute("aria-pressed", "true")
