"""From image to image without a page load: what changes, what stays, what goes on in between."""

import io
import itertools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.editor_page import PATIENCE_MS, EditorPage
from tests.serving import Server, stored

_numbers = itertools.count(1)
COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class Series:
    """Three images of one colour each (600 x 400), each with a square that lies elsewhere."""

    dataset_id: int
    images: tuple[int, int, int]


@pytest.fixture
def series(server: Server) -> Series:
    made = server.client.post("/api/datasets", json={"name": f"series {next(_numbers)}"})
    dataset = int(made.json()["id"])
    files = []
    for number, colour in enumerate(COLOURS):
        data = io.BytesIO()
        Image.new("RGB", (600, 400), colour).save(data, "PNG")
        files.append(("files", (f"{number}.png", data.getvalue())))
    server.client.post(f"/api/datasets/{dataset}/images", files=files).raise_for_status()
    coco = {
        "images": [
            {"id": i, "file_name": f"{i}.png", "width": 600, "height": 400} for i in range(3)
        ],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [
            {"id": i + 1, "image_id": i, "category_id": 1, "iscrowd": 0, "area": 10000.0,
             "bbox": [100 * i, 100, 100, 100],
             "segmentation": [[100 * i, 100, 100 * i + 100, 100, 100 * i + 100, 200]]}
            for i in range(3)
        ],
    }  # fmt: skip
    server.import_coco(dataset, coco)
    path = f"/api/datasets/{dataset}/images?sort=file_name"
    first, second, third = (i["id"] for i in server.client.get(path).json()["items"])
    return Series(dataset, (first, second, third))


def colour(editor: EditorPage) -> tuple[int, ...]:
    """What is to be seen below all annotations."""
    page = editor.page
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    x, y = editor.at(300, 350)
    shot = page.screenshot(clip={"x": x, "y": y, "width": 1, "height": 1})
    pixel = Image.open(io.BytesIO(shot)).convert("RGB").getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return tuple(int(value) for value in pixel)


def arrive(editor: EditorPage, image_id: int) -> None:
    editor.page.wait_for_url(re.compile(rf"/images/{image_id}\b"))
    editor.ready()


def open_first(editor: EditorPage, series: Series) -> None:
    """Opens the first image and waits until the second one is ready to come."""
    first, second, _ = series.images
    last = f"/api/images/{second}/picture"
    with editor.page.expect_event("requestfinished", lambda asked: asked.url.endswith(last)):
        editor.page.goto(f"/images/{first}?sort=file_name")
        editor.ready()


def test_the_next_image_comes_without_a_page_load(page: Page, series: Series) -> None:
    first, second, third = series.images
    loads: list[str] = []
    page.on("load", lambda loaded: loads.append(loaded.url))
    editor = EditorPage(page)
    page.goto(f"/images/{first}?sort=file_name&q=png")
    editor.ready()
    assert colour(editor) == (255, 0, 0)
    editor.press("b", "d")
    arrive(editor, second)
    assert page.url.endswith(f"/images/{second}?q=png&sort=file_name"), "the filters stay"
    expect(page).to_have_title(re.compile(r"^1\.png · series"))
    expect(page.get_by_role("heading", level=1)).to_have_text("1.png")
    expect(page.get_by_text("2 / 3")).to_be_visible()
    assert [a["segmentation"][0][0] for a in editor.annotations] == [100]
    assert colour(editor) == (0, 128, 0)
    assert editor.tool == "box.ready", "the tool stays in hand"

    page.get_by_role("button", name="Next image").click()
    arrive(editor, third)
    assert colour(editor) == (0, 0, 255)
    page.go_back()
    arrive(editor, second)
    assert colour(editor) == (0, 128, 0)
    page.go_back()
    arrive(editor, first)
    assert [a["segmentation"][0][0] for a in editor.annotations] == [0]
    page.go_forward()
    arrive(editor, second)
    assert len(loads) == 1


def test_every_press_counts_though_nothing_has_arrived_yet(page: Page, series: Series) -> None:
    first, _, third = series.images
    editor = EditorPage(page)
    open_first(editor, series)
    page.evaluate(
        "for (const key of 'dd') document.body.dispatchEvent("
        "new KeyboardEvent('keydown', { key, bubbles: true }))"
    )
    arrive(editor, third)
    assert [a["segmentation"][0][0] for a in editor.annotations] == [200]
    # One way, and one way back.
    page.go_back()
    arrive(editor, first)
    page.get_by_role("button", name="Next image").evaluate(
        "(button) => { button.click(); button.click(); }"
    )
    arrive(editor, third)
    assert colour(editor) == (0, 0, 255)


def test_an_image_that_was_left_is_let_go_of(page: Page, series: Series) -> None:
    """Whoever goes through hundreds of images has the memory of a few."""
    first, second, third = series.images
    editor = EditorPage(page)
    page.goto(f"/images/{first}?sort=file_name")
    editor.ready()
    page.evaluate(
        "window.left = [...document.querySelectorAll("
        "'.stage-plate, .stage-picture, .stage-shapes')].map((each) => new WeakRef(each))"
    )
    for image_id in (second, third):
        editor.press("d")
        arrive(editor, image_id)
    devtools = page.context.new_cdp_session(page)
    kept, end = 3, time.monotonic() + PATIENCE_MS / 1000
    while kept and time.monotonic() < end:
        devtools.send("HeapProfiler.collectGarbage")
        kept = page.evaluate("window.left.filter((each) => each.deref()).length")
    assert kept == 0


def leave_unsaved(editor: EditorPage, series: Series) -> None:
    """Without a connection moves the first image's square, and selects the second one's."""
    open_first(editor, series)
    editor.page.context.set_offline(True)
    editor.press("v")
    editor.click(80, 120)
    editor.press("ArrowRight", "d")
    arrive(editor, series.images[1])
    editor.click(180, 120)


def test_what_is_not_saved_goes_on_being_saved(
    page: Page, server: Server, series: Series, expected_errors: list[str]
) -> None:
    expected_errors.append("net::ERR_INTERNET_DISCONNECTED")
    first, second, _ = series.images
    editor = EditorPage(page)
    leave_unsaved(editor, series)
    expect(page.get_by_text("Unsaved changes of another image wait")).to_be_visible()
    editor.press("a")
    arrive(editor, first)
    assert editor.annotations[0]["segmentation"][0][0] == 1, "the same session, with its undo"
    editor.press("Control+z", "ArrowRight", "ArrowRight", "d")
    arrive(editor, second)
    page.context.set_offline(False)
    editor.saved()
    assert stored(server, first)[0]["segmentation"][0][0] == 2
    expect(page.get_by_text("Unsaved changes of another image wait")).to_have_count(0)
    assert stored(server, second)[0]["version"] == 1, "nothing is sent that nobody edited"


def test_an_image_that_is_gone_keeps_no_other_from_being_saved(
    new_page: Callable[..., Page], server: Server, series: Series, expected_errors: list[str]
) -> None:
    """What waits for an image that was deleted is told, and goes when a person says so."""
    expected_errors += ["net::ERR_INTERNET_DISCONNECTED", "404"]
    first, second, third = series.images
    page = new_page()
    editor = EditorPage(page)
    leave_unsaved(editor, series)
    editor.press("ArrowRight")
    expect(page.get_by_role("status").filter(has_text="Offline, 1 waiting")).to_be_visible()
    again = page.context.new_page()
    page.close(run_before_unload=False)
    server.client.delete(f"/api/images/{first}").raise_for_status()
    again.context.set_offline(False)

    editor = EditorPage(again).open(third)
    expect(again.get_by_text("Unsaved changes of 2 other images wait")).to_be_visible()
    again.get_by_role("link", name="Open and save").click()
    expect(again.get_by_text(f"cannot be opened any more (number {first})")).to_be_visible()
    again.get_by_role("link", name="Open and save").click()
    arrive(editor, second)
    editor.saved()
    assert stored(server, second)[0]["segmentation"][0][0] == 101
    again.get_by_role("button", name="Delete them").click()
    notices = again.get_by_text("wait in this browser")
    expect(notices).to_have_count(0)
    again.reload()
    editor.ready()
    expect(notices).to_have_count(0)


def test_what_others_did_since_it_was_made_ready_is_there(
    page: Page, server: Server, series: Series, expected_errors: list[str]
) -> None:
    expected_errors.append("412")
    first, second, third = series.images
    editor = EditorPage(page)
    open_first(editor, series)
    theirs = stored(server, second)[0]
    server.client.patch(
        f"/api/annotations/{theirs['id']}",
        json={"segmentation": [[7, 7, 90, 7, 90, 90]]},
        headers={"If-Match": '"1"'},
    ).raise_for_status()
    with page.expect_response(re.compile(rf"/images/{second}/annotations")):
        editor.press("d")
        arrive(editor, second)
    expect(page.get_by_role("option")).to_have_count(1)
    assert editor.annotations[0]["segmentation"][0][:2] == [7, 7]
    server.client.delete(f"/api/images/{third}").raise_for_status()

    # Both change it; who leaves instead of deciding has the keys on the image that comes.
    editor.press("v")
    editor.click(70, 30)
    page.mouse.move(*editor.at(90, 90))
    page.mouse.down()
    page.mouse.move(*editor.at(120, 120))
    path = f"/api/annotations/{theirs['id']}"
    again = {"segmentation": [[9, 9, 90, 9, 90, 90]]}
    server.client.patch(path, json=again, headers={"If-Match": '"2"'}).raise_for_status()
    page.mouse.up()
    dialog = page.get_by_role("dialog", name="Changed in another window, too")
    expect(dialog).to_be_visible()
    page.go_back()
    arrive(editor, first)
    expect(dialog).to_have_count(0)
    editor.press("p")
    assert editor.tool == "polygon.ready"


def test_an_image_that_is_gone_leaves_one_where_one_is(
    page: Page, server: Server, series: Series, expected_errors: list[str]
) -> None:
    expected_errors.append("404")
    first, second, third = series.images
    editor = EditorPage(page)
    page.route(re.compile(rf"/api/images/{second}\b"), lambda route: route.abort())
    expected_errors.append("net::ERR_FAILED")
    visit = f"/api/images/{second}/visit"
    with page.expect_event("requestfailed", lambda asked: visit in asked.url):
        page.goto(f"/images/{first}?sort=file_name")
        editor.ready()
    page.unroute(re.compile(rf"/api/images/{second}\b"))
    server.client.delete(f"/api/images/{second}").raise_for_status()
    editor.press("d")
    expect(page.get_by_text("That image is not there any more, or not for you.")).to_be_visible()
    assert f"/images/{first}" in page.url
    # The way to the next image has been found anew.
    expect(page.get_by_text("1 / 2")).to_be_visible()
    editor.press("d")
    arrive(editor, third)
    server.client.delete(f"/api/images/{first}").raise_for_status()
    page.go_back()
    expect(page.get_by_role("button", name="Image deleted")).to_be_visible()


def test_zoom_and_position_stay_when_asked_and_a_shape_in_hand_stops_the_way_back(
    page: Page, server: Server, series: Series
) -> None:
    first, second, third = series.images
    editor = EditorPage(page)
    page.goto(f"/images/{first}?sort=file_name")
    editor.ready()
    fitted = editor.at(300, 200)
    page.mouse.move(*editor.at(150, 120))
    page.mouse.wheel(0, -400)
    editor.press("Control+k")
    page.keyboard.type("keep zoom")
    editor.press("Enter")
    zoomed = editor.at(300, 200)
    editor.press("d")
    arrive(editor, second)
    assert editor.at(300, 200) == pytest.approx(zoomed, abs=0.5)
    editor.press("Control+k")
    page.keyboard.type("keep zoom")
    editor.press("Enter")
    editor.press("p")
    editor.click(150, 120)
    page.go_back()
    expect(page.get_by_text("Finish the shape in hand or drop it")).to_be_visible()
    assert f"/images/{second}" in page.url
    assert editor.tool == "polygon.drawing"
    editor.press("Escape", "d")
    arrive(editor, third)
    assert editor.at(300, 200) == pytest.approx(fitted, abs=0.5)

    # What was begun in a field is kept where it was typed.
    editor.press("c")
    page.keyboard.type("A blue one.")
    page.go_back()
    arrive(editor, second)
    editor.saved()
    assert [one["caption"] for one in stored(server, third)] == [None, "A blue one."]
    assert len(stored(server, second)) == 1
