"""The editor in a real Chromium, and the gestures of a hand on it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
from playwright.sync_api import Page, sync_playwright

from tests.bench.editor.frames import Frames, recording
from tests.bench.editor.scenes import Scene
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.browser.editor_page import EditorPage
from tests.serving import Server

__all__ = ["Stage", "opened"]

# Everything that is to be seen of an image is on the page.
_SHOWN = """async () => {
  await window.maskwright.editor.ready;
  const shown = () =>
    document.querySelector(".stage-picture")?.dataset.complete === "true" &&
    document.querySelector(".stage-shapes")?.dataset.drawn;
  while (!shown()) await new Promise((done) => requestAnimationFrame(done));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now();
}"""
# Nothing was fetched for a while.
_QUIET = """async () => {
  let count = -1;
  let since = performance.now();
  while (performance.now() - since < 1500) {
    const { length } = performance.getEntriesByType("resource");
    if (length !== count) since = performance.now();
    count = length;
    await new Promise((done) => setTimeout(done, 50));
  }
}"""
_NOTE_KEY = """() => addEventListener(
  "keydown", (event) => (window.benchKey = event.timeStamp), { capture: true }
)"""


@dataclass(frozen=True)
class Stage:
    """A page in a browser of its own."""

    page: Page
    editor: EditorPage
    pid: int

    def open(self, scene: Scene) -> float:
        """Opens an image; milliseconds from the address until everything is shown."""
        self.editor.open(scene.image_id)
        return float(self.page.evaluate(_SHOWN))

    def switch(self, key: str) -> float:
        """Milliseconds from the press of the key until everything of the other image is shown.

        The key waits until both neighbours are made ready.
        """
        self.page.evaluate(_QUIET)
        before = self.page.url
        self.page.evaluate(_NOTE_KEY)
        self.page.keyboard.press(key)
        self.page.wait_for_url(lambda url: url != before)
        return float(self.page.evaluate(_SHOWN)) - float(self.page.evaluate("window.benchKey"))

    def watch(self, gesture: Callable[[], None]) -> Frames:
        # The first time a page does something, code is compiled that is there afterwards.
        gesture()
        with recording(self.page) as frames:
            gesture()
        return frames

    def pan(self) -> None:
        mouse = self.page.mouse
        mouse.move(720, 450)
        mouse.down(button="middle")
        mouse.move(920, 550, steps=50)
        mouse.move(520, 350, steps=50)
        mouse.move(720, 450, steps=50)
        mouse.up(button="middle")

    def zoom(self) -> None:
        self.page.mouse.move(720, 450)
        for delta in [-60] * 40 + [60] * 40:
            self.page.mouse.wheel(0, delta)

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 80) -> None:
        """By the main button, from one point of the image to another and back."""
        mouse = self.page.mouse
        here, there = self.editor.at(*start), self.editor.at(*end)
        mouse.move(*here)
        mouse.down()
        mouse.move(*there, steps=steps)
        mouse.move(*here, steps=steps)
        mouse.up()

    def take_brush(self, size: int) -> None:
        """At 100 %, with a brush of so many pixels."""
        self.editor.press("0", "m")
        field = self.page.get_by_label("Size, in px")
        field.fill(str(size))
        field.press("Enter")

    def paint(self) -> None:
        """A long stroke over the stage that does not end yet."""
        mouse = self.page.mouse
        mouse.move(450, 250)
        mouse.down()
        for x, y in ((1000, 300), (450, 450), (1000, 600)):
            mouse.move(x, y, steps=50)

    def megabytes(self) -> float:
        """Memory of the page's own process; what it shares with others counts by its part."""
        processes = psutil.Process(self.pid).children(recursive=True)
        renderers = [p for p in processes if "--type=renderer" in " ".join(p.cmdline())]
        return max(float(p.memory_full_info().pss) for p in renderers) / 1e6


@contextmanager
def opened(server: Server) -> Iterator[Stage]:
    """A fresh Chromium, signed in, without a graphics processor."""
    path = os.environ.get("MASKWRIGHT_TEST_CHROMIUM") or shutil.which("chromium")
    own = psutil.Process()
    with sync_playwright() as playwright:
        before = {p.pid for p in own.children(recursive=True)}
        flags = [*CHROMIUM_FLAGS, "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        started = [p for p in own.children(recursive=True) if p.pid not in before]
        context = browser.new_context(
            base_url=server.address, viewport={"width": 1440, "height": 900}
        )
        jar = server.client.cookies.jar
        context.add_cookies(
            [{"name": c.name, "value": c.value or "", "url": server.address} for c in jar]
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        yield Stage(page, EditorPage(page), started[0].pid)
        browser.close()
