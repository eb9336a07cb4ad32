"""Large pictures, in tiles: those that the server makes come as they are looked at."""

import io
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Request, expect

from app.services.pictures.tiles import TILE_PIXELS
from tests.browser.editor_page import EditorPage, until
from tests.serving import Server

WIDTH, HEIGHT = 6000, 4000
CELL = 100


def _colour(x: float, y: float) -> tuple[int, int, int]:
    return int(x // CELL) * 4, int(y // CELL) * 6, 128


def _squares(width: int = WIDTH, height: int = HEIGHT, file_format: str = "JPEG") -> bytes:
    """Squares whose colours tell where they are."""
    rows, columns = np.mgrid[0 : height // CELL, 0 : width // CELL]
    small = np.stack([columns * 4, rows * 6, np.full_like(rows, 128)], axis=-1).astype(np.uint8)
    out = io.BytesIO()
    whole = Image.fromarray(small).resize((width, height), Image.Resampling.NEAREST)
    whole.save(out, file_format, quality=95, subsampling=0)
    return out.getvalue()


def _pixel(editor: EditorPage, x: float, y: float) -> Any:
    """The colour at a place of the image, once all tiles are there."""
    page = editor.page
    expect(page.locator(".stage-picture[data-complete=true]")).to_have_count(1)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    left, top = editor.at(x, y)
    shot = page.screenshot(clip={"x": left, "y": top, "width": 1, "height": 1})
    return Image.open(io.BytesIO(shot)).convert("RGB").getpixel((0, 0))


def _is_shown(editor: EditorPage, *places: tuple[float, float], inverted: bool = False) -> None:
    """The hand may be ahead of the page, so these places are looked at until they are right."""
    for x, y in places:
        wanted = tuple(255 - part if inverted else part for part in _colour(x, y))
        deadline = time.monotonic() + 10
        while (found := _pixel(editor, x, y)) != pytest.approx(wanted, abs=6):
            assert time.monotonic() < deadline, f"{found} at {x}, {y}, not {wanted}"


def _zoom_in(editor: EditorPage, place: tuple[float, float]) -> None:
    editor.page.mouse.move(*editor.at(*place))
    for _ in range(30):
        editor.page.mouse.wheel(0, -100)


def test_a_picture_that_the_browser_cuts(page: Page, server: Server) -> None:
    made = server.client.post("/api/datasets", json={"name": "pictures in between"}).json()["id"]
    files = {"files": ("squares.jpg", _squares(3000, 2000), "image/jpeg")}
    images = server.client.post(f"/api/datasets/{made}/images", files=files).json()["images"]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(server.address)))
    editor = EditorPage(page).open(images[0]["id"])
    _is_shown(editor, (50, 50), (1550, 1050), (2950, 1950))
    path = f"/api/images/{images[0]['id']}"
    ahead = [f"{path}/visit?sort=file_name", f"{path}/picture"]
    assert [asked.count(each) for each in ahead] == [1, 1], "what is fetched ahead is used"
    with_the_page = ("/api/me/preferences", f"/api/datasets/{made}/categories")
    assert not [each for each in asked if each.startswith(with_the_page)], "the page brings them"
    # Where four tiles of the finest level meet, and each pixel is a square between lines.
    _zoom_in(editor, (2 * TILE_PIXELS, TILE_PIXELS))
    _is_shown(editor, (2046.5, 1022.5), (2050.5, 1026.5), (2050.5, 1022.5))


def test_a_large_picture_in_tiles(page: Page, server: Server) -> None:
    made = server.client.post("/api/datasets", json={"name": "large pictures"}).json()["id"]
    server.client.post(f"/api/datasets/{made}/categories", json={"name": "roof"})
    files = {"files": ("squares.png", _squares(file_format="PNG"), "image/png")}
    images = server.client.post(f"/api/datasets/{made}/images", files=files).json()["images"]
    path = f"/api/images/{images[0]['id']}"
    asked: list[str] = []

    def note(request: Request) -> None:
        if path in request.url:
            asked.append(request.url.partition(path)[2].partition("?")[0])

    page.on("request", note)
    editor = EditorPage(page).open(images[0]["id"])
    _is_shown(editor, (50, 50), (3050, 2050), (5950, 3950), (5050, 150))
    assert "/picture" not in asked, "the whole picture is not decoded"
    assert not [url for url in asked if url.startswith("/tiles/0/")], "nothing fine is needed yet"

    # In full size, around a corner where four tiles meet.
    middle = 2 * TILE_PIXELS + 0.5, TILE_PIXELS + 0.5
    _zoom_in(editor, middle)
    _is_shown(editor, middle, (middle[0] - 3, middle[1] - 3), (middle[0] + 3, middle[1] - 3))
    fine = {url for url in asked if url.startswith("/tiles/0/")}
    assert {"/tiles/0/1/0", "/tiles/0/2/0", "/tiles/0/1/1", "/tiles/0/2/1"} <= fine
    assert len(fine) <= 12, "only what is in sight"
    # Over to the next tile, by the middle button.
    editor.press("0")
    here = editor.at(*middle)
    page.mouse.move(*here)
    page.mouse.down(button="middle")
    page.mouse.move(here[0] - 400, here[1] - 200, steps=4)
    page.mouse.up(button="middle")
    _is_shown(editor, (2450, 1250), (2750, 1450))

    editor.press("p")
    ring = [(2400.0, 1200.0), (2700.0, 1210.0), (2650.0, 1420.0)]
    for place in ring:
        editor.click(*place)
    editor.press("Enter")
    until(page, "annotations().length === 1")
    editor.press("Escape", "Escape", "m")
    editor.drag((2100, 1100), (2300, 1150))
    until(page, "annotations().length === 2")
    editor.saved()
    outline, mask = server.client.get(f"{path}/annotations?sort=id").json()["items"]
    drawn = [number for place in ring for number in place]
    assert outline["segmentation"][0] == pytest.approx(drawn, abs=0.01)
    assert mask["segmentation"]["size"] == [HEIGHT, WIDTH]
    shown = next(one for one in editor.annotations if "size" in one["segmentation"])
    assert shown["segmentation"] == mask["segmentation"]
    assert 2100 >= mask["bbox"][0] >= 2000
    assert mask["area"] > 200

    # Back to all of it. The wand takes the very pixels of one colour, which lie in four tiles: it
    # looks at the file, which has lost nothing, and not at the tiles, which have.
    editor.press("f", "Escape", "w")
    threshold = page.get_by_label("Threshold, in numbers")
    threshold.fill("0")
    threshold.press("Enter")
    editor.click(2 * TILE_PIXELS + 20, TILE_PIXELS + 20)
    until(page, "annotations().length === 3")
    editor.saved()
    square = server.client.get(f"{path}/annotations?sort=id").json()["items"][2]
    assert square["bbox"] == [2000, 1000, CELL, CELL]
    assert square["area"] == CELL**2

    # Otherwise shown.
    editor.press("f", "Escape", "o")
    page.get_by_role("group", name="View settings").get_by_label("Invert").check()
    editor.press("Escape")
    _is_shown(editor, (5050, 3050), inverted=True)
    editor.press("Alt+O")
    _is_shown(editor, (5050, 3050))
