"""The main job, from beginning to end, as a person does it in the browser."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.editor_page import EditorPage

COCO = Path(__file__).parent.parent / "data" / "coco"
INSTANCES = COCO / "instances.json"


def make_dataset(page: Page, name: str) -> None:
    page.goto("/")
    page.locator("[data-opens=new-dataset]").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Make dataset").click()
    page.wait_for_url("**/datasets/*")


def upload(page: Page, files: list[Path]) -> None:
    page.get_by_role("button", name="Upload images").first.click()
    page.locator("#upload input[type=file]").first.set_input_files(files)
    expect(page.locator("#totals")).to_contain_text(f"{len(files)} images", timeout=30_000)


def import_coco(page: Page, path: Path) -> None:
    page.get_by_role("button", name="Import annotations").first.click()
    dialog = page.get_by_role("dialog", name="Import annotations")
    dialog.locator("input[type=file]").set_input_files(path)
    dialog.get_by_role("button", name="Import", exact=True).click()
    dialog.get_by_role("button", name="Done").click(timeout=30_000)


def export(page: Page, folder: Path) -> dict[str, Any]:
    page.get_by_role("button", name="Export", exact=True).click()
    dialog = page.get_by_role("dialog", name="Export annotations")
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    path = folder / "export.json"
    download.value.save_as(path)
    found: dict[str, Any] = json.loads(path.read_text(), parse_float=str, parse_int=str)
    return found


def by_id(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {record["id"]: record for record in records}


def draw(editor: EditorPage) -> None:
    """A box by dragging, a polygon by clicking; then a vertex moved, undone and redone."""
    editor.press("b", "1")
    editor.drag((20, 30), (120, 90))
    editor.press("p")
    for point in ((200, 100), (300, 100), (300, 200)):
        editor.click(*point)
    editor.press("Enter", "v")
    editor.drag((300, 200), (260, 240))
    editor.press("Control+z")
    editor.saved()
    assert nearly(drawn(editor)[-1]["segmentation"][0], [200, 100, 300, 100, 300, 200])
    editor.press("Control+Shift+z")
    editor.saved()


def drawn(editor: EditorPage) -> list[dict[str, Any]]:
    """What was drawn by hand: it has the newest ids."""
    return sorted(editor.annotations, key=lambda a: int(a["id"]))[-2:]


def nearly(found: list[float], wanted: list[float]) -> bool:
    """Within a pixel: a click lands on a pixel of the screen, not on a point of the image."""
    return len(found) == len(wanted) and all(
        abs(a - b) <= 1 for a, b in zip(found, wanted, strict=True)
    )


def test_from_an_empty_server_to_an_exported_file(
    new_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = new_page(signed_in=False)
    sign_in(page)
    make_dataset(page, "The main job")
    dataset_page = page.url
    upload(page, sorted((COCO / "images").glob("*.jpg")))
    import_coco(page, INSTANCES)
    original = json.loads(INSTANCES.read_text(), parse_float=str, parse_int=str)
    page.goto(dataset_page)
    assert export(page, tmp_path) == original

    page.goto(dataset_page)
    page.locator("a[href^='/images/']").first.click()
    editor = EditorPage(page)
    editor.ready()
    before = len(editor.annotations)
    draw(editor)
    page.reload()
    editor.ready()
    assert len(editor.annotations) == before + 2
    box, polygon = drawn(editor)
    assert nearly(box["bbox"], [20, 30, 100, 60])
    assert nearly(polygon["segmentation"][0], [200, 100, 300, 100, 260, 240])

    page.goto(dataset_page)
    after = export(page, tmp_path)
    annotations = by_id(after["annotations"])
    assert {k: annotations[k] for k in by_id(original["annotations"])} == by_id(
        original["annotations"]
    )
    assert {k: after[k] for k in ("info", "licenses", "categories")} == {
        k: original[k] for k in ("info", "licenses", "categories")
    }
    new = [annotations[k] for k in annotations.keys() - by_id(original["annotations"]).keys()]
    assert {record["id"] for record in new} == {str(box["coco_id"]), str(polygon["coco_id"])}
    exported = next(record for record in new if record["id"] == str(polygon["coco_id"]))
    points = [float(number) for number in exported["segmentation"][0]]
    assert points == polygon["segmentation"][0]
