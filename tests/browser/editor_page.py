"""The editor as a person uses it: by pointer and keys, on the coordinates of the image."""

from typing import Any

from playwright.sync_api import Page

__all__ = ["PATIENCE_MS", "EditorPage", "Fingers", "Pen", "until"]

# What comes true costs no more for it, and a machine may be busy with other things.
PATIENCE_MS = 20_000

_READY = """async () => {
  while (!window.maskwright?.editor) await new Promise((resolve) => setTimeout(resolve, 20));
  await window.maskwright.editor.ready;
}"""


class EditorPage:
    """Wraps a page that shows the editor; coordinates are pixels of the image."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, image_id: int) -> "EditorPage":
        self.page.goto(f"/images/{image_id}")
        self.ready()
        return self

    def ready(self) -> None:
        # The page's own policy forbids what wait_for_function does: evaluating text in the page.
        self.page.evaluate(_READY)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the image is in the window, in CSS pixels."""
        point = self.page.evaluate(
            "([x, y]) => window.maskwright.editor.imageToClient(x, y)", [x, y]
        )
        return point["x"], point["y"]

    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(*self.at(x, y))

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*start))
        self.page.mouse.down()
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        self.page.mouse.move(*self.at(*middle))
        self.page.mouse.move(*self.at(*end))
        self.page.mouse.up()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def saved(self) -> None:
        """Wait until nothing is left to save."""
        self.page.evaluate("window.maskwright.editor.saved")

    @property
    def tool(self) -> str:
        return str(self.page.evaluate("window.maskwright.editor.tool"))

    @property
    def annotations(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate("window.maskwright.editor.annotations")
        return found


class Fingers:
    """Touches, which Playwright itself can only tap with."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)

    def __call__(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        self.session.send(
            "Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": touches}
        )


class Pen:
    """A pen, which Playwright itself does not have."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)

    def __call__(self, kind: str, at: tuple[float, float], force: float = 0.5) -> None:
        x, y = at
        button = {} if kind == "Moved" else {"button": "left", "clickCount": 1}
        self.session.send(
            "Input.dispatchMouseEvent",
            {"type": f"mouse{kind}", "x": x, "y": y, "pointerType": "pen", "force": force}
            | {"buttons": 0 if kind == "Released" else 1}
            | button,
        )


def until(page: Page, condition: str) -> None:
    """Wait for a condition about `editor` or its `annotations()`, in the page's own language."""
    page.evaluate(
        """async () => {
          const { editor } = window.maskwright;
          const annotations = () => editor.annotations;
          const holds = () => CONDITION;
          const end = Date.now() + PATIENCE_MS;
          while (!holds()) {
            if (Date.now() > end) throw new Error("It did not happen.");
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }""".replace("CONDITION", condition).replace("PATIENCE_MS", str(PATIENCE_MS))
    )
