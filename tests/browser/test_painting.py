"""Painting in a real browser: what is stored is what the mask engine computes, bit for bit."""

import io
import itertools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app import masks
from tests.browser.editor_page import EditorPage, until
from tests.serving import Server, stored

pytestmark = pytest.mark.browser

SIZE = [480, 640]
# A bar of 3 x 60 pixels with its top left corner at (450, 50), as an uncompressed crowd.
BAR = [480 * 450 + 50, 60, 420, 60, 420, 60, 480 * 640 - 480 * 450 - 50 - 3 * 60 - 2 * 420]
POLYGON = [[100, 300, 200.5, 310.25, 190, 420, 95, 400.125]]
_numbers = itertools.count(1)


@pytest.fixture
def image_id(server: Server) -> int:
    """A record without pixels, with an uncompressed crowd and a polygon."""
    name = f"painting {next(_numbers)}"
    dataset = server.client.post("/api/datasets", json={"name": name}).json()["id"]
    shapes = [
        {"iscrowd": 1, "segmentation": {"size": SIZE, "counts": BAR}},
        {"iscrowd": 0, "segmentation": POLYGON},
    ]
    common = {"image_id": 1, "category_id": 1, "area": 1.0, "bbox": [1, 1, 1, 1]}
    coco = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480}],
        "categories": [{"id": 1, "name": "thing"}, {"id": 2, "name": "other"}],
        "annotations": [common | shape | {"id": i} for i, shape in enumerate(shapes, 1)],
    }
    server.import_coco(dataset, coco)
    found = server.client.get(f"/api/datasets/{dataset}/images").json()["items"]
    return int(found[0]["id"])


def pixels(annotation: dict[str, Any]) -> masks.Masks:
    return masks.from_segmentations([annotation["segmentation"]], SIZE)


def counts(drawn: masks.Masks) -> Any:
    return masks.to_dicts(drawn)[0]["counts"]


def paint(editor: EditorPage, points: list[tuple[float, float]]) -> None:
    editor.page.mouse.move(*editor.at(*points[0]))
    editor.page.mouse.down()
    for point in points[1:]:
        editor.page.mouse.move(*editor.at(*point))
    editor.page.mouse.up()


def stroke(
    points: list[tuple[float, float]], radius: float, *, square: bool = False
) -> masks.Masks:
    line = [number for point in points for number in point]
    return masks.from_strokes([line], [radius], SIZE, square=square)


def test_strokes_are_stored_as_the_mask_engine_draws_them(
    page: Page, server: Server, image_id: int
) -> None:
    editor = EditorPage(page).open(image_id)
    editor.press("m")
    size = page.get_by_label("Size, in px")
    size.fill("9")
    size.press("Enter")
    loop = [(60.5, 60.5), (240.5, 90.5), (120.5, 200.5), (-20.5, 150.5)]
    paint(editor, loop)
    editor.saved()
    painted = stored(server, image_id)[2]
    drawn = stroke(loop, 4.5)
    assert painted["segmentation"] == {"size": SIZE, "counts": counts(drawn)}
    assert (painted["area"], painted["iscrowd"]) == (masks.area(drawn)[0], 0)

    # Alt erases from it with the same brush, in steps that are undone one by one.
    page.keyboard.down("Alt")
    paint(editor, [(150.5, 40.5), (150.5, 220.5)])
    page.keyboard.up("Alt")
    editor.saved()
    erased = masks.difference(drawn, stroke([(150.5, 40.5), (150.5, 220.5)], 4.5))
    assert counts(pixels(stored(server, image_id)[2])) == counts(erased)
    paint(editor, loop[:1])
    page.mouse.move(*editor.at(300, 200))
    page.mouse.down()
    page.mouse.move(*editor.at(350, 250))
    editor.press("Escape")
    page.mouse.up()
    editor.press("Control+z")
    editor.saved()
    assert counts(pixels(stored(server, image_id)[2])) == counts(drawn)
    assert editor.tool == "brush.ready"

    # The crowd grows and stays an uncompressed one, under a square eraser, too.
    before = masks.from_segmentations([{"size": SIZE, "counts": BAR}], SIZE)
    editor.press("v")
    editor.click(451.5, 80)
    editor.press("m")
    paint(editor, [(452.5, 100.5), (500.5, 130.5)])
    editor.press("e")
    page.get_by_role("radio", name="Square").click()
    paint(editor, [(450.5, 60.5)])
    editor.saved()
    grown = masks.merge(masks.concatenate([before, stroke([(452.5, 100.5), (500.5, 130.5)], 4.5)]))
    left = masks.difference(grown, stroke([(450.5, 60.5)], 4.5, square=True))
    crowd = stored(server, image_id)[0]
    assert crowd["iscrowd"] == 1
    assert isinstance(crowd["segmentation"]["counts"], list)
    assert counts(pixels(crowd)) == counts(left)

    # Settings are there again on the next visit; the polygon is as it was imported.
    page.reload()
    editor.ready()
    editor.press("m")
    expect(page.get_by_label("Size, in px")).to_have_value("9")
    expect(page.get_by_role("radio", name="Square")).to_be_checked()
    assert json.dumps(stored(server, image_id)[1]["segmentation"]) == json.dumps(POLYGON)
    assert len(editor.annotations) == 3


def test_a_polygon_becomes_a_mask_only_when_asked(
    page: Page, server: Server, image_id: int
) -> None:
    editor = EditorPage(page).open(image_id)
    before = stored(server, image_id)[1]
    editor.press("v")
    editor.click(150, 350)
    editor.press("m")
    editor.click(150, 350)
    expect(page.get_by_text("made of polygons")).to_be_visible()
    editor.press("Enter")
    editor.saved()
    drawn = masks.from_polygons([POLYGON], SIZE)
    after = stored(server, image_id)[1]
    assert after["segmentation"] == {"size": SIZE, "counts": counts(drawn)}
    editor.press("Control+z")
    editor.saved()
    changing = ("version", "updated_at", "updated_by")
    assert {k: v for k, v in stored(server, image_id)[1].items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }


def _picture() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Noise on grey, and a red square whose colour drifts from left to right."""
    noise = np.random.default_rng(3).integers(0, 12, (*SIZE, 3))
    drawn = np.full((*SIZE, 3), 90) + noise
    drawn[100:300, 200:400] = [180, 40, 40] + noise[100:300, 200:400]
    drawn[100:300, 200:400, 0] += np.arange(200) // 4
    return drawn.astype(np.uint8)


def test_what_follows_the_colours_of_the_picture(page: Page, server: Server) -> None:
    picture = _picture()
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG")
    dataset = server.client.post("/api/datasets", json={"name": "colours"}).json()["id"]
    path = f"/api/datasets/{dataset}"
    server.client.post(f"{path}/categories", json={"name": "thing"}).raise_for_status()
    answer = server.client.post(f"{path}/images", files={"files": ("a.png", data.getvalue())})
    image_id = answer.raise_for_status().json()["images"][0]["id"]

    # The wand takes the very pixels whose colour is near enough, of the file at full resolution.
    editor = EditorPage(page).open(image_id)
    editor.press("w")
    page.get_by_role("button", name="Contiguous").click()
    threshold = page.get_by_label("Threshold, in numbers")
    threshold.fill("30")
    threshold.press("Enter")
    editor.click(300.5, 200.5)
    objects = page.get_by_role("listbox", name="Objects").get_by_role("option")
    expect(objects).to_have_count(1)
    editor.saved()
    near = np.abs(picture.astype(int) - picture[200, 300].astype(int)).max(axis=2) <= 30
    taken = stored(server, image_id)[0]["segmentation"]
    assert taken == {"size": SIZE, "counts": counts(masks.encode(near.astype(np.uint8)))}

    # Superpixels of the square join to a mask that has nothing of the ground around it. The hand
    # need not wait until they are computed.
    editor.press("Escape", "u")
    editor.drag((250, 150), (350, 250))
    expect(objects).to_have_count(2)

    # Scissors find the corners of the square that nobody clicked.
    editor.press("Escape", "s")
    for point in ((200, 100), (399, 101), (398, 299), (201, 298)):
        editor.click(*point)
    editor.press("Enter")
    # What is still being computed is waited for, too.
    editor.saved()
    expect(objects).to_have_count(3)
    joined, cut = (pixels(annotation) for annotation in stored(server, image_id)[1:])
    square = masks.from_boxes([[200, 100, 200, 200]], SIZE)
    assert masks.area(masks.difference(joined, square))[0] == 0
    assert masks.area(joined)[0] > 1000
    assert masks.iou_pairs(cut, square)[0] > 0.95
    assert editor.tool == "scissors.ready"


# What the worker that draws all shapes answers waits until it is let through, and each frame in
# which a place of the stage has nothing on it is counted.
_HOLD_BACK = """
const held = [];
const watched = { holding: false, at: null, bare: 0, frames: 0 };
window.Worker = class extends Worker {
  constructor(address, options) {
    super(address, options);
    this.draws = String(address).includes("raster");
  }
  set onmessage(listener) {
    super.onmessage = (event) => {
      const pass = () => listener.call(this, event);
      if (this.draws && watched.holding) held.push(pass);
      else pass();
    };
  }
};
watched.letThrough = () => {
  for (const pass of held.splice(0)) pass();
};
const probe = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const alpha = (canvas, { x, y }) => {
  if (canvas.hidden || canvas.width === 0) return 0;
  const { left, top, width, height } = canvas.getBoundingClientRect();
  probe.clearRect(0, 0, 1, 1);
  const [u, v] = [((x - left) / width) * canvas.width, ((y - top) / height) * canvas.height];
  probe.drawImage(canvas, Math.floor(u), Math.floor(v), 1, 1, 0, 0, 1, 1);
  return probe.getImageData(0, 0, 1, 1).data[3];
};
const look = () => {
  if (!watched.at) return;
  const at = window.maskwright.editor.imageToClient(...watched.at);
  const canvases = [...document.querySelectorAll(".stage > canvas")];
  watched.frames += 1;
  if (canvases.every((canvas) => alpha(canvas, at) === 0)) watched.bare += 1;
};
// After each frame, as it was shown: a window that has another size by then is shown in the next.
const follow = () => {
  const [width, height] = [innerWidth, innerHeight];
  setTimeout(() => width === innerWidth && height === innerHeight && look());
  requestAnimationFrame(follow);
};
requestAnimationFrame(follow);
window.watched = watched;
"""


def _watch(page: Page, place: tuple[float, float] | None) -> None:
    """From the next frame on, when what was done before is on the screen."""
    page.evaluate(
        """async (at) => {
          for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
          Object.assign(window.watched, { at, bare: 0 });
        }""",
        place,
    )


def _bare_frames(page: Page) -> int:
    """In how many frames the place had nothing on it, after some more of them."""
    return int(
        page.evaluate(
            """async () => {
              const { watched } = window;
              const enough = watched.frames + 5;
              while (watched.frames < enough) await new Promise(requestAnimationFrame);
              return watched.bare;
            }"""
        )
    )


def _hold_back(page: Page, holding: bool) -> None:
    page.evaluate("(holding) => { window.watched.holding = holding; }", holding)
    page.evaluate("() => window.watched.letThrough()")


_AFTERWARDS: dict[str, list[Callable[[EditorPage], None]]] = {
    "another tool and a click": [lambda its: its.press("w"), lambda its: its.click(30.5, 30.5)],
    "another object": [lambda its: its.press("v"), lambda its: its.click(150, 350)],
    "the next stroke": [lambda its: paint(its, [(300.5, 400.5), (350.5, 450.5)])],
    "the next mask": [
        lambda its: its.press("Escape"),
        lambda its: paint(its, [(300.5, 400.5), (350.5, 450.5)]),
    ],
    "zoom": [lambda its: its.page.mouse.wheel(0, -100)],
    "a polygon and back": [lambda its: its.press("Shift+M", "Shift+M")],
    "another size": [lambda its: its.page.set_viewport_size({"width": 1200, "height": 800})],
}


def test_what_is_painted_stays_on_the_screen_however_long_its_outline_takes(
    page: Page, server: Server, image_id: int
) -> None:
    page.add_init_script(_HOLD_BACK)
    editor = EditorPage(page).open(image_id)
    for name, deeds in _AFTERWARDS.items():
        editor.press("m", "Escape", "0")
        _hold_back(page, True)
        paint(editor, [(250.5, 60.5), (350.5, 260.5)])
        _watch(page, (300, 160))
        for do in deeds:
            do(editor)
        assert _bare_frames(page) == 0, f"with {name}"
        # Twice: the outline comes, and the bitmap without or with it.
        for _ in range(2):
            _hold_back(page, True)
            assert _bare_frames(page) == 0, f"as the outline comes, after {name}"
        _watch(page, None)
        _hold_back(page, False)
        editor.press("Escape", "v", "Escape", *["Control+z"] * 4)
        until(page, "annotations().length === 2")
    editor.saved()


# Counts how often all that is shown as pixels is drawn anew, and tells where it lies on the image.
_WATCH_PIXELS = """() => {
  const canvas = document.querySelector(".stage-pixels");
  const { prototype } = CanvasRenderingContext2D;
  const { clearRect } = prototype;
  window.drawnAnew = 0;
  prototype.clearRect = function (...area) {
    if (this.canvas === canvas && area[2] === canvas.width) window.drawnAnew += 1;
    return clearRect.apply(this, area);
  };
  window.placeOfPixels = () => {
    const { left, top } = canvas.getBoundingClientRect();
    const at = window.maskwright.editor.imageToClient(0, 0);
    return `${Math.round(left - at.x)} ${Math.round(top - at.y)}`;
  };
}"""


def test_a_mask_of_very_many_runs_moves_with_the_image_without_being_drawn_anew(
    page: Page, server: Server, image_id: int
) -> None:
    runs = [0, *[1, 1] * 24_000, SIZE[0] * SIZE[1] - 48_000]
    category = stored(server, image_id)[0]["category_id"]
    mask = {"category_id": category, "segmentation": {"size": SIZE, "counts": runs}}
    path = f"/api/images/{image_id}/annotations"
    server.client.post(path, json=mask).raise_for_status()
    editor = EditorPage(page).open(image_id)
    editor.press("v", "0")
    editor.click(50.5, 100.5)
    expect(page.locator(".stage-pixels")).to_be_visible()
    until(page, "editor.tool === 'select.idle'")

    # As long as there is enough of it beyond the edges of the stage it is moved as it is.
    page.evaluate(_WATCH_PIXELS)
    before = page.evaluate("() => window.placeOfPixels()")
    page.mouse.down(button="middle")
    x, y = editor.at(50.5, 100.5)
    for right, down in ((3, 2), (60, 40), (90, 20)):
        page.mouse.move(x + right, y + down)
        until(page, f"Math.abs(editor.imageToClient(50.5, 100.5).x - {x + right}) < 1")
        until(page, f"window.placeOfPixels() === '{before}'")
    page.mouse.up(button="middle")
    assert page.evaluate("() => window.drawnAnew") == 0

    # Another zoom is drawn, at the latest when the camera rests.
    page.mouse.wheel(0, -300)
    until(page, "window.drawnAnew > 0")
    assert stored(server, image_id)[-1]["segmentation"] == mask["segmentation"]
