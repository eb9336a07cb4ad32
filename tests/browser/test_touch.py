"""Fingers and a pen on a tablet."""

import itertools
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editor_page import EditorPage, Fingers, Pen, until
from tests.serving import Server, stored

pytestmark = pytest.mark.browser

_numbers = itertools.count(1)
TABLET = {"width": 1024, "height": 768}


@pytest.fixture
def image_id(server: Server) -> int:
    """A record without pixels, of which every tool that needs none can be tried."""
    name = f"tablet {next(_numbers)}"
    dataset = server.client.post("/api/datasets", json={"name": name}).json()["id"]
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


# The rubber end of a pen, which no tool of the browser's can play; only pointer 1 can be captured.
_RUB = """([from, to]) => {
  const stage = document.elementFromPoint(...from);
  const send = (type, [clientX, clientY], button, buttons) =>
    stage.dispatchEvent(new PointerEvent(type, {
      pointerId: 1, pointerType: "pen", bubbles: true, clientX, clientY, button, buttons,
    }));
  send("pointermove", from, -1, 0);
  send("pointerdown", from, 5, 32);
  send("pointermove", to, -1, 32);
  send("pointerup", to, 5, 0);
}"""


def test_fingers_select_many_and_a_pen_rubs_out(
    new_page: Callable[..., Page], server: Server, image_id: int
) -> None:
    boxes = ([100, 100, 60, 60], [300, 100, 60, 60], [500, 300, 60, 60])
    dataset = server.client.get(f"/api/images/{image_id}").json()["dataset_id"]
    (category,) = server.client.get(f"/api/datasets/{dataset}/categories").json()["items"]
    for box in boxes:
        body = {"category_id": category["id"], "bbox": box}
        server.client.post(f"/api/images/{image_id}/annotations", json=body).raise_for_status()
    page = new_page(viewport=TABLET, has_touch=True)
    editor = EditorPage(page).open(image_id)
    touch = Fingers(page)
    selected = page.get_by_role("region", name="Objects").get_by_role("option", selected=True)
    editor.press("v")
    corner = editor.at(0, 0)

    # Held until the frame is there, a finger selects what it then goes round, and adds one more.
    touch("Start", editor.at(60, 60))
    until(page, "editor.tool === 'select.pressing_long'")
    touch("Move", editor.at(200, 120))
    touch("Move", editor.at(400, 200))
    touch("End")
    expect(selected).to_have_count(2)
    touch("Start", editor.at(530, 330))
    until(page, "editor.tool === 'select.pressing_long'")
    touch("End")
    expect(selected).to_have_count(3)
    assert editor.at(0, 0) == corner

    # The other end of the pen takes pixels away with the brush in hand.
    editor.press("Escape", "m")
    editor.drag((60, 400), (300, 400))
    editor.saved()
    before = stored(server, image_id)[-1]
    page.evaluate(_RUB, [editor.at(200, 400), editor.at(320, 400)])
    until(page, f"annotations().at(-1).area < {before['area']}")
    editor.saved()
    after = stored(server, image_id)[-1]
    assert (after["id"], after["version"]) == (before["id"], 2)
    assert editor.tool == "brush.ready"
