"""From image to image by keys: to what waits, to a number, done and next."""

import itertools
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editor_page import EditorPage
from tests.serving import Server, stored

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Series:
    """Four images without pixels; the first has two annotations, the third one."""

    dataset_id: int
    images: tuple[int, ...]


@pytest.fixture
def series(server: Server) -> Series:
    made = server.client.post("/api/datasets", json={"name": f"navigation {next(_numbers)}"})
    dataset = int(made.json()["id"])
    coco = {
        "images": [
            {"id": i, "file_name": f"{i}.png", "width": 600, "height": 400} for i in range(1, 5)
        ],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [
            {"id": i, "image_id": image, "category_id": 1, "bbox": [10 * i, 20, 100, 80],
             "area": 8000, "iscrowd": 0}
            for i, image in ((1, 1), (2, 1), (3, 3))
        ],
    }  # fmt: skip
    server.import_coco(dataset, coco)
    path = f"/api/datasets/{dataset}/images?sort=file_name"
    return Series(dataset, tuple(i["id"] for i in server.client.get(path).json()["items"]))


def test_working_through_a_list_by_keys(page: Page, server: Server, series: Series) -> None:
    first, second, third, fourth = series.images
    page.goto(f"/images/{first}?sort=file_name")
    editor = EditorPage(page)
    editor.ready()

    def arrived(image_id: int) -> None:
        page.wait_for_url(f"**/images/{image_id}?*")
        editor.ready()

    editor.press("Shift+D")
    arrived(second)
    editor.press("Control+b")
    expect(page.get_by_text("2 objects pasted.")).to_be_visible()
    editor.saved()
    copies = stored(server, second)
    # Several are saved at a time, so their ids come in any order.
    boxes = [sorted(one["bbox"] for one in stored(server, image)) for image in (first, second)]
    assert boxes[0] == boxes[1]
    assert {one["version"] for one in copies} == {1}
    editor.press("Control+z")
    editor.saved()
    assert stored(server, second) == []
    editor.press("Control+Shift+z")
    editor.saved()
    assert len(stored(server, second)) == 2

    editor.press("Shift+Enter")
    arrived(third)
    assert server.client.get(f"/api/images/{second}").json()["status"] == "done"
    editor.press("Shift+D")
    arrived(fourth)
    editor.press("Control+Shift+Enter")
    expect(page.get_by_role("button", name="Status: Nothing here")).to_be_visible()
    editor.press("Alt+Enter")
    expect(page.get_by_role("button", name="Status: In progress")).to_be_visible()
    editor.press("Control+Shift+Enter")
    expect(page.get_by_role("button", name="Status: Nothing here")).to_be_visible()

    editor.press("Control+g")
    dialog = page.get_by_role("dialog", name="Go to an image")
    dialog.get_by_label("Number in the list, of 4").fill("1")
    editor.press("Enter")
    arrived(first)
    editor.press("Shift+D")
    expect(page.get_by_text("No image after this one waits")).to_be_visible()
    page.get_by_role("button", name="1 / 4: go to another image").click()
    expect(dialog).to_be_visible()
    editor.press("Escape")

    # What is done leaves the list of what is new, and the key for the previous image leads to it.
    page.goto(f"/images/{first}?sort=file_name&status=new")
    editor.ready()
    editor.press("Shift+Enter")
    arrived(third)
    editor.press("a")
    arrived(first)
    expect(page.get_by_role("button", name="Status: Done")).to_be_visible()
    expect(page.get_by_role("button", name="– / 1: go to another image")).to_be_visible()
    editor.press("d")
    arrived(third)
