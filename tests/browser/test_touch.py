"""Fingers and a pen on a tablet."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editor_page import EditorPage, Fingers, Pen, until
from tests.serving import Server, stored

pytestmark = pytest.mark.browser

TABLET = {"width": 1024, "height": 768}


@pytest.fixture
def image_id(server: Server) -> int:
    """A record without pixels, of which every tool that needs none can be tried."""
    dataset = server.client.post("/api/datasets", json={"name": "tablet"}).json()["id"]
    coco = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480}],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [],
    }
    server.import_coco(dataset, coco)
    found = server.client.get(f"/api/datasets/{dataset}/images").json()["items"]
    return int(found[0]["id"])


def lies_at(page: Page, x: float, y: float) -> None:
    """Wait until the image's corner is at this place of the window."""
    corner = "editor.imageToClient(0, 0)"
    until(page, f"Math.hypot({corner}.x - {x}, {corner}.y - {y}) < 0.5")


def test_a_pen_draws_and_fingers_move_the_image(
    new_page: Callable[..., Page], server: Server, image_id: int
) -> None:
    page = new_page(viewport=TABLET, has_touch=True)
    editor = EditorPage(page).open(image_id)
    touch, pen = Fingers(page), Pen(page)
    page.get_by_role("button", name="Box (B)").tap()

    # A finger alone draws as long as there is no pen, and the second one takes that back.
    touch("Start", editor.at(100, 100))
    touch("Move", editor.at(150, 150))
    until(page, "editor.tool === 'box.dragging'")
    touch("Start", editor.at(150, 150), editor.at(400, 150))
    until(page, "editor.tool === 'box.ready'")
    touch("End")
    touch("Start", editor.at(100, 100))
    touch("Move", editor.at(150, 150))
    touch("Move", editor.at(200, 180))
    touch("End")
    editor.saved()
    (box,) = stored(server, image_id)
    assert all(abs(a - b) < 2 for a, b in zip(box["bbox"], [100, 100, 100, 80], strict=True))

    # The pen draws, whatever the hand that holds it does, and however hard it is pressed.
    corner = editor.at(0, 0)
    palm = editor.at(500, 400)
    pen("Pressed", editor.at(300, 100), force=0.1)
    pen("Moved", editor.at(350, 150), force=0.9)
    touch("Start", palm)
    touch("Move", (palm[0] + 60, palm[1] + 30))
    pen("Moved", editor.at(400, 180), force=0.2)
    pen("Released", editor.at(400, 180))
    touch("End")
    editor.saved()
    _, drawn = stored(server, image_id)
    assert all(abs(a - b) < 2 for a, b in zip(drawn["bbox"], [300, 100, 100, 80], strict=True))
    assert editor.at(0, 0) == corner
    expect(page.get_by_text("The pen draws and fingers move the image.")).to_be_visible()

    # From now on a finger moves the image: once the pen has been away for half a second.
    page.wait_for_timeout(600)
    touch("Start", palm)
    touch("Move", (palm[0] + 40, palm[1]))
    touch("Move", (palm[0] + 60, palm[1] + 30))
    touch("End")
    lies_at(page, corner[0] + 60, corner[1] + 30)
    page.touchscreen.tap(*editor.at(450, 300))

    # It is kept for the next visit, in which no pen was seen yet.
    editor.open(image_id)
    at = editor.at(300, 300)
    corner = editor.at(0, 0)
    touch("Start", at)
    touch("Move", (at[0] - 50, at[1] - 20))
    touch("End")
    lies_at(page, corner[0] - 50, corner[1] - 20)
    assert editor.tool == "box.ready"
    editor.saved()
    assert len(stored(server, image_id)) == 2
