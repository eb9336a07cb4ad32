"""How the picture is shown: tones, guides and minimap, which change nothing that is stored."""

import io
from typing import Any

from PIL import Image
from playwright.sync_api import Page, Request, expect

from tests.browser.editor_page import EditorPage
from tests.serving import Server


def _pixel(editor: EditorPage, x: float, y: float) -> tuple[int, ...]:
    page = editor.page
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    left, top = editor.at(x, y)
    shot = page.screenshot(clip={"x": left, "y": top, "width": 1, "height": 1})
    pixel: Any = Image.open(io.BytesIO(shot)).convert("RGB").getpixel((0, 0))
    return tuple(int(value) for value in pixel)


def test_the_picture_is_shown_otherwise_and_stays_what_it_is(page: Page, server: Server) -> None:
    made = server.client.post("/api/datasets", json={"name": "view settings"}).json()["id"]
    data = io.BytesIO()
    Image.new("RGB", (400, 300), (200, 100, 50)).save(data, "PNG")
    files = {"files": ("a.png", data.getvalue())}
    answer = server.client.post(f"/api/datasets/{made}/images", files=files).json()
    written: list[str] = []

    def note(request: Request) -> None:
        if request.method != "GET":
            written.append(request.url)

    page.on("request", note)
    editor = EditorPage(page).open(answer["images"][0]["id"])
    assert _pixel(editor, 200, 150) == (200, 100, 50)
    editor.press("o")
    menu = page.get_by_role("group", name="View settings")
    menu.get_by_label("Channel").select_option("green")
    menu.get_by_label("Invert").check()
    editor.press("Escape")
    expect(menu).to_have_count(0)
    assert _pixel(editor, 200, 150) == (155, 155, 155)
    page.reload()
    editor.ready()
    assert _pixel(editor, 200, 150) == (155, 155, 155), "kept in this browser"
    editor.press("Alt+O")
    assert _pixel(editor, 200, 150) == (200, 100, 50)

    editor.press("r", "Shift+N")
    page.mouse.move(*editor.at(120, 80))
    crosshair = page.locator(".stage-crosshair:visible")
    expect(crosshair).to_have_count(2)
    for _ in range(12):
        page.mouse.wheel(0, -200)
    expect(page.locator(".stage-grid")).to_be_visible()
    minimap = page.get_by_role("application", name="Minimap")
    box = minimap.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    stage = page.get_by_role("application", name="Image").bounding_box()
    assert stage is not None
    x, y = editor.at(200, 150)
    # One pixel of the minimap is more than two of the image.
    assert abs(x - stage["x"] - stage["width"] / 2) < 4 * 64
    assert abs(y - stage["y"] - stage["height"] / 2) < 4 * 64
    editor.press("r", "Shift+N")
    expect(minimap).to_have_count(0)
    expect(crosshair).to_have_count(0)
    assert written == []
