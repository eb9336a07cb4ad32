"""Take the README's pictures anew: the editor with photographs of tests/data, in either theme.

    .venv/bin/python tools/readme_pictures.py

Run it after `make test` has set everything up. The photographs' licences allow the pictures to be
passed on; README.md names them, and tests/data/coco/ATTRIBUTION.json all of them.
"""

import io
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.editor_page import EditorPage  # noqa: E402
from tests.serving import Server, running  # noqa: E402

DATA = ROOT / "tests/data/coco"
IMAGES = ROOT / "docs/images"


def _fill(server: Server) -> dict[str, int]:
    """A dataset with the photographs and what COCO says of them; returns the images' ids."""
    client = server.client
    client.patch("/api/me", json={"name": "Ada Kowalska"}).raise_for_status()
    dataset = client.post("/api/datasets", json={"name": "Street and home"}).json()["id"]
    path = f"/api/datasets/{dataset}"
    for file in sorted((DATA / "images").glob("*.jpg")):
        files = {"files": (file.name, file.read_bytes())}
        client.post(f"{path}/images", files=files).raise_for_status()
    for name in ("instances.json", "person_keypoints.json"):
        files = {"file": (name, (DATA / name).read_bytes())}
        server.finish(client.post(f"{path}/imports", files=files).raise_for_status().json()["id"])
    items = client.get(f"{path}/images", params={"limit": 100}).json()["items"]
    for image in items:
        client.patch(f"/api/images/{image['id']}", json={"status": "in_progress"})
    return {image["file_name"]: image["id"] for image in items}


def _home(editor: EditorPage) -> None:
    """A man selected, with the points of his outline and of his pose; names beside the rest."""
    editor.press("Shift+T", "v")
    editor.click(449, 360)


def _desk(editor: EditorPage) -> None:
    """A laptop selected by its points."""
    editor.press("v")
    editor.click(40, 160)


def _take(
    browser: Browser, server: Server, image_id: int, theme: str, pose: Callable[[EditorPage], None]
) -> None:
    context = browser.new_context(
        base_url=server.address,
        viewport={"width": 1440, "height": 900},
        device_scale_factor=2,
        color_scheme="dark" if theme == "dark" else "light",
    )
    jar = server.client.cookies.jar
    context.add_cookies(
        [{"name": c.name, "value": c.value or "", "url": server.address} for c in jar]
    )
    page: Page = context.new_page()
    editor = EditorPage(page).open(image_id)
    pose(editor)
    # What is read out of the picture, such as problems, comes a moment after it.
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.save(IMAGES / f"editor-{theme}.webp", quality=84, method=6)
    context.close()


def main() -> None:
    path = os.environ.get("MASKWRIGHT_TEST_CHROMIUM") or shutil.which("chromium")
    with running() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        ids = _fill(server)
        _take(browser, server, ids["000000357888.jpg"], "dark", _home)
        _take(browser, server, ids["000000555009.jpg"], "light", _desk)
        browser.close()


if __name__ == "__main__":
    main()
