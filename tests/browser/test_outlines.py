"""Outlines in the editor, where only a browser and the server together show them."""

import json
import math
from typing import Any

from playwright.sync_api import Page, expect

from app import masks
from tests.browser.editor_page import EditorPage
from tests.serving import Server, stored

SQUARE = [100, 100, 300, 100, 300, 300, 100, 300]


def prepared(server: Server, name: str, *shapes: dict[str, Any]) -> tuple[int, int]:
    """A dataset with one image (640 x 480) and these shapes; its id and the image's."""
    made: int = server.client.post("/api/datasets", json={"name": name}).json()["id"]
    common = {"image_id": 1, "category_id": 1, "iscrowd": 0, "area": 1.0, "bbox": [1, 1, 1, 1]}
    coco = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480}],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [common | {"id": i, "kept": [i]} | one for i, one in enumerate(shapes, 1)],
    }
    server.import_coco(made, coco)
    images = server.client.get(f"/api/datasets/{made}/images").json()
    return made, images["items"][0]["id"]


def numbers(values: list[float]) -> list[int]:
    return [round(value) for value in values]


def test_a_shape_is_added_to_and_a_hole_is_a_hole_for_every_reader(
    page: Page, server: Server
) -> None:
    dataset, image_id = prepared(server, "outlines", {"segmentation": [SQUARE]})
    editor = EditorPage(page).open(image_id)
    editor.press("v")
    editor.click(200, 200)
    editor.press("b", "q")
    expect(page.get_by_role("radio", name="Add")).to_be_checked()
    editor.drag((250, 250), (400, 400))
    page.keyboard.down("Alt")
    editor.drag((150, 150), (200, 200))
    page.keyboard.up("Alt")
    expect(page.get_by_text("exported as an RLE mask")).to_be_visible()
    editor.saved()
    [shape] = stored(server, image_id)
    assert len(shape["segmentation"]) == len(shape["holes"]) == 1
    assert shape["segmentation"][0][:4] == SQUARE[:4], "untouched points keep their numbers"
    exported = json.loads(
        server.client.get(f"/api/datasets/{dataset}/export/instances.json").content
    )
    record = exported["annotations"][0]
    assert record["kept"] == [1]
    pixels = masks.decode(masks.from_dicts([record["segmentation"]]))[0]
    assert pixels[260, 260]
    assert pixels[390, 390]
    assert not pixels[175, 175], "the hole"
    editor.press("Control+z", "Control+z")
    editor.saved()
    assert stored(server, image_id)[0]["segmentation"] == [SQUARE]


def test_points_are_selected_moved_and_erased_together(page: Page, server: Server) -> None:
    _, image_id = prepared(server, "points", {"segmentation": [SQUARE]})
    editor = EditorPage(page).open(image_id)
    editor.press("v")
    editor.click(200, 200)
    page.keyboard.down("Alt")
    editor.drag((280, 80), (320, 320))
    page.keyboard.up("Alt")
    editor.drag((300, 100), (350, 120))
    editor.saved()
    assert stored(server, image_id)[0]["segmentation"] == [[100, 100, 350, 120, 350, 320, 100, 300]]
    editor.press("Escape", "v")
    page.keyboard.down("Shift")
    editor.drag((350, 120), (352, 122))
    page.keyboard.up("Shift")
    editor.saved()
    assert stored(server, image_id)[0]["segmentation"] == [[100, 100, 350, 320, 100, 300]]


def test_a_shape_is_sliced_and_joined_again(page: Page, server: Server) -> None:
    _, image_id = prepared(server, "slices", {"segmentation": [SQUARE]})
    editor = EditorPage(page).open(image_id)
    before = stored(server, image_id)[0]
    editor.press("v")
    editor.click(200, 200)
    editor.press("x")
    editor.drag((150, 50), (150, 350))
    editor.saved()
    larger, smaller = stored(server, image_id)
    assert (larger["id"], larger["area"], smaller["area"]) == (before["id"], 30000, 10000)
    editor.press("j")
    editor.saved()
    [joined] = stored(server, image_id)
    assert (joined["id"], joined["area"]) == (before["id"], 40000)
    editor.press("Control+z", "Control+z")
    editor.saved()
    assert stored(server, image_id)[0]["segmentation"] == [SQUARE]


def test_outlines_snap_follow_borders_and_are_redrawn(page: Page, server: Server) -> None:
    _, image_id = prepared(server, "borders", {"segmentation": [SQUARE]})
    editor = EditorPage(page).open(image_id)
    editor.press("p")
    page.get_by_role("button", name="Snap").click()
    editor.click(302, 99)
    editor.click(400, 100)
    editor.click(400, 300)
    editor.press("t")
    editor.click(301, 299)
    editor.click(299, 101)
    editor.press("Enter")
    editor.saved()
    assert stored(server, image_id)[1]["segmentation"] == [[300, 100, 400, 100, 400, 300, 300, 300]]
    editor.press("Control+z", "v")
    editor.click(200, 200)
    editor.press("Shift+p")
    for x, y in ((300, 100), (350, 200), (300, 300)):
        editor.click(x, y)
    editor.saved()
    assert numbers(stored(server, image_id)[0]["segmentation"][0]) == [
        100, 100, 300, 100, 350, 200, 300, 300, 100, 300
    ]  # fmt: skip


_WATCH = """() => {
  const { prototype } = CanvasRenderingContext2D;
  const { clearRect } = prototype;
  prototype.clearRect = function (...area) {
    this.canvas.cleared = area;
    return clearRect.apply(this, area);
  };
}"""
_WIDTH = """async (wide) => {
  const canvas = document.querySelector(".stage-outlines");
  while (canvas.width !== wide) await new Promise((done) => requestAnimationFrame(done));
}"""
# How many pixels of the outlines are seen to differ from how it was at the call before,
# once it is so wide and, unless it was made anew, once no more than a part of it was painted.
_DIFFERING = """async ([wide, anew]) => {
  const canvas = document.querySelector(".stage-outlines");
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  while (canvas.width !== wide || (!anew && !(canvas.cleared?.[2] < wide / 2))) await frame();
  await frame();
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const before = canvas.before;
  canvas.before = data;
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const onWhite = (of, c) => 255 + ((of[i + c] - 255) * of[i + 3]) / 255;
    const seen = (c) => Math.abs(onWhite(data, c) - onWhite(before ?? data, c)) > 48;
    if (seen(0) || seen(1) || seen(2)) count += 1;
  }
  return count;
}"""


def test_while_a_point_is_moved_the_changed_part_is_painted_as_all_of_it_would_be(
    page: Page, server: Server
) -> None:
    angles = [2 * math.pi * i / 1200 for i in range(1200)]
    reach = [200 * (0.75 + 0.25 * ((i * 7919) % 1200) / 1200) for i in range(1200)]
    star = [
        round(centre + r * side(a), 2)
        for a, r in zip(angles, reach, strict=True)
        for centre, side in ((320, math.cos), (240, math.sin))
    ]
    _, image_id = prepared(server, "star", {"segmentation": [star, SQUARE]})
    editor = EditorPage(page).open(image_id)
    editor.press("v")
    editor.click(320, 240)
    page.evaluate(_WATCH)
    wide = page.evaluate("document.querySelector('.stage-outlines').width")
    page.mouse.move(*editor.at(star[0], star[1]))
    page.mouse.down()
    for place in ((500, 60), (250, 400), (330, 250)):
        page.mouse.move(*editor.at(*place), steps=8)
        page.evaluate(_DIFFERING, [wide, False])
        # With another size of the window all is painted anew, also once that is back.
        page.set_viewport_size({"width": 1442, "height": 900})
        page.evaluate(_WIDTH, wide + 2)
        page.set_viewport_size({"width": 1440, "height": 900})
        # At the edge of the part, edges may be rounded another way by a shade.
        assert page.evaluate(_DIFFERING, [wide, True]) < 20, place
    page.mouse.up()
    editor.saved()
