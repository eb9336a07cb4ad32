"""Captions and labels in the editor: listed, kept, taken away and brought back, never drawn."""

import itertools
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editor_page import EditorPage, until
from tests.serving import Server

_numbers = itertools.count(1)
IMAGES = [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480}]
CATEGORIES = [{"id": 1, "name": "kettle"}]
BOX = {"id": 5, "image_id": 1, "category_id": 1, "bbox": [100, 100, 200, 200]}
CAPTION = {"id": 5, "image_id": 1, "caption": "A kettle on a stove."}
LABEL = {"id": 5, "image_id": 1, "category_id": 1}


@pytest.fixture
def dataset(server: Server) -> int:
    """A box, a caption and a label on one image, from a file each."""
    name = f"tasks {next(_numbers)}"
    made: int = server.client.post("/api/datasets", json={"name": name}).json()["id"]
    for record in (BOX, CAPTION, LABEL):
        file: dict[str, Any] = {"images": IMAGES, "annotations": [record]}
        if record is not CAPTION:
            file["categories"] = CATEGORIES
        server.import_coco(made, file)
    return made


def exported(server: Server, dataset: int, task: str) -> list[Any]:
    answer = server.client.get(f"/api/datasets/{dataset}/export/{task}.json").raise_for_status()
    found: list[Any] = answer.json()["annotations"]
    return found


def test_captions_and_labels_stand_beside_the_objects(
    page: Page, server: Server, dataset: int
) -> None:
    image = server.client.get(f"/api/datasets/{dataset}/images").json()["items"][0]["id"]
    editor = EditorPage(page).open(image)
    assert [one["task"] for one in editor.annotations] == ["instances", "captions", "labels"]
    # The box is found where it is; nothing else lies on the image.
    editor.press("v")
    editor.click(1, 1)
    editor.press("Delete")
    editor.saved()
    assert [len(exported(server, dataset, t)) for t in ("instances", "captions", "labels")] == [
        1,
        1,
        1,
    ]
    editor.click(200, 200)
    editor.press("Delete")
    editor.saved()
    assert exported(server, dataset, "instances") == []
    editor.press("Control+z")
    editor.saved()
    # Everything goes, and comes back as it was.
    editor.press("Control+a", "Delete")
    editor.saved()
    editor.press("Control+z")
    editor.saved()
    assert exported(server, dataset, "instances") == [BOX]
    assert exported(server, dataset, "captions") == [CAPTION]
    assert exported(server, dataset, "labels") == [LABEL]


def test_the_dialogs_offer_the_tasks(page: Page, server: Server, dataset: int) -> None:
    page.goto(f"/datasets/{dataset}")
    page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export annotations")
    tasks = dialog.get_by_label("Task or format")
    present = tasks.locator("optgroup").first.locator("option")
    expect(present).to_have_text(["Instances", "Captions", "Labels"])
    tasks.select_option("captions")
    link = dialog.get_by_role("link", name="Download")
    expect(link).to_have_attribute("href", f"/api/datasets/{dataset}/export/captions.json")
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename.startswith("captions_tasks_")
    dialog.get_by_role("button", name="Close").last.click()
    page.get_by_role("button", name="Import").click()
    chosen = page.get_by_role("dialog", name="Import annotations").get_by_label("Task")
    expect(chosen).to_have_value("auto")
    assert "stuff" in [one.get_attribute("value") for one in chosen.locator("option").all()]


def test_captions_and_labels_are_written_in_the_editor(
    page: Page, server: Server, dataset: int
) -> None:
    image = server.client.get(f"/api/datasets/{dataset}/images").json()["items"][0]["id"]
    editor = EditorPage(page).open(image)
    editor.press("c")
    page.keyboard.type("A <b>kettle</b>, and d.")
    editor.press("Enter")
    page.keyboard.type("Another one.")
    editor.press("Enter", "Escape", "g")
    editor.saved()
    texts = [one["caption"] for one in exported(server, dataset, "captions")]
    assert texts == [CAPTION["caption"], "A <b>kettle</b>, and d.", "Another one."]

    card = page.get_by_role("region", name="Captions and labels")
    card.get_by_role("textbox", name="Caption 1").fill("A kettle on two stoves.")
    card.get_by_role("button", name="Delete caption 3").click()
    labels = card.get_by_label("Search labels")
    chosen = card.get_by_role("button", pressed=True)
    expect(chosen).to_have_count(1)
    present = card.get_by_role("list", name="Labels of the image").get_by_role("listitem")
    expect(present).to_have_count(1)
    present.get_by_role("button").click()
    expect(present).to_have_count(0)
    expect(chosen).to_have_count(0)
    labels.fill("ket")
    labels.press("Escape")
    expect(labels).to_have_value("")
    editor.saved()
    first, second = exported(server, dataset, "captions")
    assert first == CAPTION | {"caption": "A kettle on two stoves."}
    assert second["caption"] == "A <b>kettle</b>, and d."
    assert exported(server, dataset, "labels") == []
    labels.press("Escape")
    expect(card).to_have_count(0)
    editor.press(*["Control+z"] * 5)
    editor.saved()
    assert exported(server, dataset, "captions") == [CAPTION]
    assert exported(server, dataset, "labels") == [LABEL]
    assert exported(server, dataset, "instances") == [BOX]
    # One undo too many is not the browser's, which would put the focus into a field.
    editor.press("Control+z", "Control+Shift+z")
    editor.saved()
    assert len(exported(server, dataset, "captions")) == 2


def test_what_is_being_typed_outlives_a_closed_tab_and_a_reload(
    page: Page, server: Server, dataset: int
) -> None:
    image = server.client.get(f"/api/datasets/{dataset}/images").json()["items"][0]["id"]
    context = page.context
    context.on("dialog", lambda dialog: dialog.accept())
    editor = EditorPage(page).open(image)
    editor.press("c")
    page.keyboard.type("Half a cap")
    with page.expect_event("close"):
        page.close(run_before_unload=True)

    page = context.new_page()
    editor = EditorPage(page).open(image)
    until(page, "annotations().some(({ caption }) => caption === 'Half a cap')")
    editor.press("c")
    page.get_by_role("textbox", name="Caption 1").press("End")
    page.keyboard.type(" Steam.")
    page.reload()
    editor.ready()
    until(page, "annotations().some(({ caption }) => caption?.endsWith(' Steam.'))")
    editor.saved()
    texts = [one["caption"] for one in exported(server, dataset, "captions")]
    assert texts == [f"{CAPTION['caption']} Steam.", "Half a cap"]
