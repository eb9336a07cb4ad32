"""Predictions in the browser: seen apart from the annotations, accepted, rejected, taken back."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.editor_page import EditorPage
from tests.serving import PASSWORD, Server

_numbers = itertools.count(1)
FILE = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480}],
    "annotations": [{"id": 5, "image_id": 1, "category_id": 1, "bbox": [20, 20, 100, 80]}],
    "categories": [{"id": 1, "name": "kettle"}, {"id": 2, "name": "cup"}],
}
RESULTS = [
    {"image_id": 1, "category_id": 1, "bbox": [200, 100, 150.25, 90], "score": 0.91, "track": 7},
    {"image_id": 1, "category_id": 2, "bbox": [400, 300, 60, 50], "score": 0.62},
    {
        "image_id": 1,
        "category_id": 2,
        "segmentation": {"size": [480, 640], "counts": [48_000, 24_000, 235_200]},
        "score": 0.45,
    },
    {"image_id": 1, "category_id": 2, "bbox": [10, 300, 60, 50], "score": 0.11},
]


@pytest.fixture
def dataset(server: Server) -> int:
    """A box that a person drew, and four things that a model found."""
    name = f"predictions {next(_numbers)}"
    made: int = server.client.post("/api/datasets", json={"name": name}).json()["id"]
    server.import_coco(made, FILE)
    server.import_coco(made, RESULTS, name="model A")
    return made


def get(server: Server, path: str) -> Any:
    return server.client.get(path).raise_for_status().json()


def rows_of(page: Page) -> Locator:
    return page.get_by_role("region", name="Predictions").get_by_role("option")


def states(server: Server, dataset: int) -> list[int]:
    """How many are open, accepted and rejected."""
    (one,) = get(server, f"/api/datasets/{dataset}/predictions")["items"]
    return [one["open"], one["accepted"], one["rejected"]]


# Measured at once, since the panel slides when it becomes a sheet.
_MEASURE = """part => {
  const inner = part.getBoundingClientRect();
  const reject = [...part.querySelectorAll(".decide button")].at(-1).getBoundingClientRect();
  const height = (what) => part.querySelector(what).getBoundingClientRect().height;
  return {
    beside: inner.right - reject.right,
    below: inner.bottom - reject.bottom,
    rows: height("[role=listbox]") / height("[role=option]"),
  };
}"""


def look_at_the_panel(page: Page) -> None:
    """With one selected, its buttons are within the panel and above the next part."""
    panel = page.locator("section.predictions")
    before = page.viewport_size
    assert before
    for width, height, rows in ((390, 844, 4), (1024, 768, 2), (1440, 900, 4)):
        page.set_viewport_size({"width": width, "height": height})
        left = panel.evaluate(_MEASURE)
        assert left["beside"] >= 0, (width, left)
        assert left["below"] >= 0, (width, left)
        assert left["rows"] >= rows, (width, left)
    page.set_viewport_size(before)


def test_deciding_in_the_editor(page: Page, server: Server, dataset: int) -> None:
    image = get(server, f"/api/datasets/{dataset}/images")["items"][0]["id"]
    editor = EditorPage(page).open(image)
    panel = page.get_by_role("region", name="Predictions")
    rows = panel.get_by_role("option")
    expect(panel.get_by_role("heading")).to_have_text("Predictions 3 of 4")
    expect(rows).to_have_count(3)
    assert len(editor.annotations) == 1

    panel.get_by_role("slider").fill("0.1")
    expect(rows).to_have_count(4)
    # An object that is selected, or Escape, unselects it.
    rows.first.click()
    expect(rows.first).to_have_attribute("aria-selected", "true")
    objects = page.get_by_role("region", name="Objects").get_by_role("option")
    objects.first.click()
    expect(rows.first).to_have_attribute("aria-selected", "false")
    rows.first.click()
    expect(objects.first).to_have_attribute("aria-selected", "false")
    editor.press("Escape")
    expect(rows.first).to_have_attribute("aria-selected", "false")
    rows.first.click()
    look_at_the_panel(page)
    editor.press("y")
    expect(rows).to_have_count(3)
    expect(rows.first).to_have_attribute("aria-selected", "true")
    editor.press("n")
    expect(rows).to_have_count(2)
    panel.get_by_role("button", name="Accept cup").first.click()
    expect(rows).to_have_count(1)
    expect(objects).to_have_count(3)
    editor.saved()
    assert states(server, dataset) == [1, 2, 1]

    # Undone and done again like edits; a reload shows the same, and undo is for this visit only.
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    expect(undo).to_have_accessible_name("Undo Accept prediction")
    undo.click()
    expect(rows).to_have_count(2)
    editor.press("Control+z")
    expect(rows).to_have_count(3)
    expect(redo).to_have_accessible_name("Redo Reject prediction")
    redo.click()
    editor.press("Control+y")
    expect(rows).to_have_count(1)
    editor.saved()
    assert states(server, dataset) == [1, 2, 1]
    editor.press("Control+z", "Control+z")
    expect(rows).to_have_count(3)
    editor.saved()
    assert states(server, dataset) == [3, 1, 0]
    EditorPage(page).open(image)
    expect(panel.get_by_role("heading")).to_have_text("Predictions 2 of 3")
    exported = get(server, f"/api/datasets/{dataset}/export/instances.json")["annotations"]
    assert [one.get("score") for one in exported] == [None, 0.91]
    assert (exported[1]["bbox"], exported[1]["track"]) == ([200, 100, 150.25, 90], 7)


def test_deciding_on_the_image(page: Page, server: Server, dataset: int) -> None:
    """Picked where it is drawn, accepted and reshaped at once; all the others with one button."""
    image = get(server, f"/api/datasets/{dataset}/images")["items"][0]["id"]
    editor = EditorPage(page).open(image)
    panel = page.get_by_role("region", name="Predictions")
    kettle = panel.get_by_role("option", name="kettle")
    expect(kettle).to_be_visible()
    editor.press("v")
    editor.click(270, 140)
    expect(kettle).to_have_attribute("aria-selected", "true")
    editor.press("Shift+Y")
    expect(panel.get_by_role("option")).to_have_count(2)
    editor.saved()
    editor.drag((350.25, 190), (380.25, 220))
    editor.saved()
    made = editor.annotations[-1]
    assert [round(number) for number in made["bbox"]] == [200, 100, 180, 120]
    assert (made["version"], made["score"]) == (2, 0.91)

    # Dragged where it is drawn, it is accepted as it is then; one undo opens it as it was found.
    editor.press("Escape")
    editor.click(430, 325)
    expect(panel.get_by_role("option", selected=True)).to_contain_text("0.62")
    editor.drag((460, 350), (480, 370))
    expect(panel.get_by_role("option")).to_have_count(1)
    editor.saved()
    dragged = editor.annotations[-1]
    assert [round(number) for number in dragged["bbox"]] == [400, 300, 80, 70]
    assert (dragged["version"], dragged["score"]) == (1, 0.62)
    editor.press("Control+z")
    expect(panel.get_by_role("option")).to_have_count(2)
    editor.saved()
    assert states(server, dataset) == [3, 1, 0]

    # A mask, by whole pixels as far as the edge: the server has it as it was sent.
    editor.press("Escape")
    editor.click(120, 240)
    expect(panel.get_by_role("option", selected=True)).to_contain_text("0.45")
    editor.drag((120, 240), (140, 250))
    expect(panel.get_by_role("option")).to_have_count(1)
    editor.saved()
    mask = editor.annotations[-1]
    assert (mask["version"], mask["score"], mask["area"]) == (1, 0.45, 24_000)
    editor.press("Control+z")
    expect(panel.get_by_role("option")).to_have_count(2)

    panel.get_by_role("button", name="Accept all 2").click()
    expect(panel.get_by_role("option")).to_have_count(0)
    editor.saved()
    assert len(editor.annotations) == 4
    editor.press("Control+z")
    expect(panel.get_by_role("option")).to_have_count(2)
    editor.saved()
    assert states(server, dataset) == [3, 1, 0]


def test_deciding_without_a_connection(
    new_page: Callable[..., Page], server: Server, dataset: int, expected_errors: list[str]
) -> None:
    """Decisions wait over a closed tab; what was dragged stays when others accepted it first."""
    expected_errors += ["net::ERR_INTERNET_DISCONNECTED", "net::ERR_FAILED"]
    person = {"email": "ada@example.org", "password": PASSWORD, "name": "Ada Lovelace"}
    server.client.post("/api/users", json=person)
    member = {"email": person["email"], "role": "annotator"}
    server.client.put(f"/api/datasets/{dataset}/members", json=member).raise_for_status()
    image = get(server, f"/api/datasets/{dataset}/images")["items"][0]["id"]

    page = new_page()
    editor = EditorPage(page).open(image)
    rows = rows_of(page)
    expect(rows).to_have_count(3)
    page.context.set_offline(True)
    editor.press("v")
    editor.click(270, 140)
    editor.drag((350.25, 190), (380.25, 220))
    rows.first.click()
    editor.press("n")
    expect(rows).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="Offline, 2 waiting")).to_be_visible()
    assert states(server, dataset) == [4, 0, 0]
    again = page.context.new_page()
    page.close(run_before_unload=False)

    theirs = new_page(signed_in=False)
    sign_in(theirs, person["email"])
    ada = EditorPage(theirs).open(image)
    theirs.get_by_role("option", name="kettle 0.91").click()
    ada.press("y")
    ada.saved()

    again.context.set_offline(False)
    reopened = EditorPage(again).open(image)
    expect(again.get_by_text("Somebody else accepted this prediction first.")).to_be_visible()
    reopened.saved()
    assert states(server, dataset) == [2, 1, 1]
    _, made = get(server, f"/api/images/{image}/annotations")["items"]
    assert [round(number) for number in made["bbox"]] == [200, 100, 180, 120]
    assert made["version"] == 2
    assert made["created_by"] != made["updated_by"]
    expect(rows_of(again)).to_have_count(1)


def test_deciding_by_score(page: Page, server: Server, dataset: int) -> None:
    page.goto(f"/datasets/{dataset}/predictions")
    form = page.get_by_role("form", name="Decide by score")
    form.get_by_label("Score", exact=True).fill("0.6")
    form.get_by_role("button", name="Accept from here on").click()
    page.get_by_role("dialog").get_by_role("button", name="Accept them").click()
    expect(page.get_by_text("2 predictions accepted.")).to_be_visible()
    assert states(server, dataset) == [2, 2, 0]
    form.get_by_label("Score", exact=True).fill("0.2")
    form.get_by_role("button", name="Reject below").click()
    page.get_by_role("dialog").get_by_role("button", name="Reject them").click()
    expect(page.get_by_text("1 prediction rejected.")).to_be_visible()
    assert states(server, dataset) == [1, 2, 1]


def test_hiding_them(page: Page, server: Server, dataset: int) -> None:
    image = get(server, f"/api/datasets/{dataset}/images")["items"][0]["id"]
    EditorPage(page).open(image)
    panel = page.get_by_role("region", name="Predictions")
    panel.get_by_role("button", name="Hide predictions").click()
    expect(panel.get_by_role("option")).to_have_count(0)
    panel.get_by_role("button", name="Show predictions").click()
    expect(panel.get_by_role("option")).to_have_count(3)


def test_the_sets_of_a_dataset(page: Page, server: Server, dataset: int) -> None:
    page.goto(f"/datasets/{dataset}")
    page.get_by_role("link", name="Predictions").click()
    row = page.get_by_role("row", name="model A")
    expect(row.get_by_role("cell")).to_contain_text(["model A", "4", "4", "0", "0"])
    with page.expect_download() as download:
        row.get_by_role("link", name="Download the results of model A").click()
    assert download.value.suggested_filename == "model_A.json"
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"/datasets/{dataset}/settings")
    expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=1)
    page.goto(f"/datasets/{dataset}/predictions")
    expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1280, "height": 800})
    row.get_by_role("button", name="Delete model A").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="No predictions yet")).to_be_visible()
    assert get(server, f"/api/datasets/{dataset}/predictions")["items"] == []
