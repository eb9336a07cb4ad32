"""Every tool of the editor at work, in either theme: seen, dropped, finished and taken back."""

import io
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.editor_page import PATIENCE_MS, EditorPage, until
from tests.serving import Server, stored

pytestmark = pytest.mark.browser

WIDTH, HEIGHT = 640, 480
SQUARE = [60, 60, 160, 60, 160, 160, 60, 160]
# The rows 300 to 399 of the columns 60 to 159, compressed by nobody.
BLOCK = [HEIGHT * 60 + 300] + [100, 380] * 99 + [100, HEIGHT * (WIDTH - 160) + 80]
Point = tuple[float, float]


@dataclass(frozen=True)
class Gesture:
    """What the hand does with a tool: a drag through all points, or a click on each of them."""

    points: tuple[Point, ...]
    clicks: bool = False
    #: Where to select something first; nothing is selected otherwise.
    on: Point | None = None
    #: What finishes it after the last point.
    key: str | None = None


# In the order in which one makes what the next one works on.
GESTURES = {
    "Select": Gesture(((110, 110), (120, 115), (135, 120)), on=(110, 110)),
    "Box": Gesture(((430, 30), (500, 90), (560, 140))),
    "Polygon": Gesture(((430, 180), (560, 180), (560, 280)), clicks=True, key="Enter"),
    "Redraw": Gesture(((470, 180), (500, 165), (530, 180)), clicks=True, on=(540, 200)),
    "Slice": Gesture(((530, 150), (530, 220), (530, 300)), on=(540, 200)),
    "Scissors": Gesture(((220, 100), (399, 101), (398, 299), (221, 298)), clicks=True, key="Enter"),
    "Brush": Gesture(((200, 400), (300, 420), (380, 410))),
    "Eraser": Gesture(((70, 310), (110, 350), (150, 390)), on=(80, 380)),
    "Magic wand": Gesture(((300, 200),)),
    "Superpixels": Gesture(((250, 150), (300, 200), (350, 250))),
    "Keypoints": Gesture(((20, 420), (40, 440), (20, 460)), clicks=True),
}


def _picture() -> bytes:
    """A red square on grey noise, with a stripe of white for what is seen on white only."""
    noise = np.random.default_rng(3).integers(0, 12, (HEIGHT, WIDTH, 3))
    drawn = np.full((HEIGHT, WIDTH, 3), 90) + noise
    drawn[100:300, 220:400] = [200, 40, 40] + noise[100:300, 220:400]
    drawn[440:, 400:] = 255
    out = io.BytesIO()
    Image.fromarray(drawn.astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def image_id(server: Server, request: pytest.FixtureRequest) -> int:
    """The picture with a square polygon and an uncompressed mask."""
    made = server.client.post("/api/datasets", json={"name": request.node.name}).json()["id"]
    path = f"/api/datasets/{made}"
    files = {"files": ("a.png", _picture())}
    server.client.post(f"{path}/images", files=files).raise_for_status()
    common = {"image_id": 1, "category_id": 1, "iscrowd": 0, "area": 1.0, "bbox": [1, 1, 1, 1]}
    mask = {"size": [HEIGHT, WIDTH], "counts": BLOCK}
    coco = {
        "images": [{"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}],
        "categories": [
            {
                "id": 1,
                "name": "<i>bird</i>",
                "keypoints": ["beak", "wing", "tail"],
                "skeleton": [[1, 2]],
            }
        ],
        "annotations": [
            common | {"id": 1, "segmentation": [SQUARE]},
            common | {"id": 2, "segmentation": mask},
        ],
    }
    server.import_coco(made, coco)
    return int(server.client.get(f"{path}/images").json()["items"][0]["id"])


def _look(editor: EditorPage, gesture: Gesture) -> np.ndarray[Any, np.dtype[np.int16]]:
    """What is seen of the image around the gesture."""
    corners = [editor.at(x, y) for x, y in gesture.points]
    left, right = min(x for x, _ in corners) - 100, max(x for x, _ in corners) + 100
    top, bottom = min(y for _, y in corners) - 100, max(y for _, y in corners) + 100
    clip: Any = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    shot = Image.open(io.BytesIO(editor.page.screenshot(clip=clip))).convert("RGB")
    return np.asarray(shot, np.int16)


def _is_seen(
    editor: EditorPage, gesture: Gesture, before: np.ndarray[Any, np.dtype[np.int16]]
) -> None:
    """Wait until plainly more than a few pixels differ."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while (np.abs(_look(editor, gesture) - before).max(axis=2) > 48).sum() <= 60:
        assert time.monotonic() < deadline, "nothing is seen of it"


def _begin(editor: EditorPage, gesture: Gesture) -> None:
    """All of the gesture but its end."""
    mouse = editor.page.mouse
    mouse.move(*editor.at(*gesture.points[0]))
    if gesture.clicks:
        for point in gesture.points[:-1]:
            editor.click(*point)
    else:
        mouse.down()
    for point in gesture.points[1:]:
        mouse.move(*editor.at(*point))


def _end(editor: EditorPage, gesture: Gesture) -> None:
    if gesture.clicks:
        editor.click(*gesture.points[-1])
    else:
        editor.page.mouse.up()
    if gesture.key:
        editor.press(gesture.key)


# What is drawn, without what the server says of it.
_SHAPES = """JSON.stringify(
  annotations().map((a) => [a.segmentation, a.holes, a.keypoints, a.category_id])
)"""


def _shapes(editor: EditorPage) -> str:
    """As text, to be compared here and in the page."""
    annotations = "window.maskwright.editor.annotations"
    return str(editor.page.evaluate(_SHAPES.replace("annotations()", annotations)))


def _take(editor: EditorPage, tool: Locator, gesture: Gesture) -> None:
    editor.press("v", "Escape", "Escape")
    if gesture.on:
        editor.click(*gesture.on)
    tool.click()
    expect(tool).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_tool(
    new_page: Callable[..., Page], server: Server, image_id: int, scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    editor = EditorPage(page).open(image_id)
    expect(page.locator(".stage-picture")).to_be_visible()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", ground)[0]) < 128) == (scheme == "dark")
    rail = page.get_by_role("toolbar", name="Tools")
    tools = rail.locator("button[aria-pressed]")
    names = [str(tool.get_attribute("aria-label")).partition(" (")[0] for tool in tools.all()]
    assert sorted(names) == sorted(GESTURES), "each tool has a gesture here"
    # A name is text, whatever stands in it.
    expect(page.get_by_role("region", name="Categories")).to_contain_text("<i>bird</i>")
    imported = _shapes(editor)
    first = stored(server, image_id)

    for name, gesture in GESTURES.items():
        tool = rail.get_by_role("button", name=re.compile(rf"^{name} \("))
        _take(editor, tool, gesture)
        page.mouse.move(*editor.at(*gesture.points[0]))
        before, shapes = _look(editor, gesture), _shapes(editor)
        _begin(editor, gesture)
        _is_seen(editor, gesture, before)
        editor.press("Escape")
        page.mouse.up()
        until(page, "editor.tool.endsWith('.ready') || editor.tool === 'select.idle'")
        assert _shapes(editor) == shapes, f"Escape leaves all as it was: {name}"
        _take(editor, tool, gesture)
        _begin(editor, gesture)
        _end(editor, gesture)
        until(page, f"{_SHAPES} !== {json.dumps(shapes)}")
        editor.saved()

    # The server has what is seen here, and all of it comes back.
    made = {one["id"]: one["segmentation"] for one in stored(server, image_id)}
    assert made == {one["id"]: one["segmentation"] for one in editor.annotations}
    editor.press("v", "Escape", *["Control+z"] * len(GESTURES))
    editor.saved()
    assert _shapes(editor) == imported
    changing = ("version", "updated_at", "updated_by")
    after = [{k: v for k, v in a.items() if k not in changing} for a in stored(server, image_id)]
    assert after == [{k: v for k, v in a.items() if k not in changing} for a in first]
