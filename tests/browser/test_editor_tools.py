"""The editor's tools and rules, where only a browser shows them: pointers, keys, pixels, roles."""

import io
import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import sign_in
from tests.browser.editor_page import EditorPage, Fingers
from tests.serving import Server, stored

_numbers = itertools.count(1)
# A bar of 3 x 60 pixels with its top left corner at (450, 50), as an uncompressed mask.
BAR = [480 * 450 + 50, 60, 420, 60, 420, 60, 480 * 640 - 480 * 450 - 50 - 3 * 60 - 2 * 420]
SHAPES: list[dict[str, Any]] = [
    {"id": 1, "category_id": 2, "segmentation": [[100, 100, 200, 100, 200, 200, 100, 200]]},
    {"id": 2, "category_id": 2, "bbox": [20, 300, 100, 80], "segmentation": []},
    {"id": 3, "category_id": 2, "segmentation": {"size": [480, 640], "counts": BAR}, "iscrowd": 1},
    {"id": 4, "category_id": 1, "keypoints": [300, 300, 2, 340, 300, 1, 0, 0, 0],
     "num_keypoints": 2, "bbox": [300, 300, 40, 60], "segmentation": []},
]  # fmt: skip


@pytest.fixture(scope="module")
def dataset(server: Server) -> int:
    """Two categories, and images without pixels (640 x 480) with one shape of each kind."""
    made: int = server.client.post("/api/datasets", json={"name": "tools"}).json()["id"]
    coco = {
        "images": [
            {"id": i, "file_name": f"{i:02}.jpg", "width": 640, "height": 480}
            for i in range(1, 13)
        ],
        "categories": [
            {"id": 1, "name": "person", "keypoints": ["nose", "hand", "foot"],
             "skeleton": [[1, 2]]},
            {"id": 2, "name": "thing"},
        ],
        "annotations": [
            {"iscrowd": 0, "area": 1.0, "bbox": [1, 1, 1, 1]}
            | shape
            | {"id": 100 * i + shape["id"], "image_id": i}
            for i in range(1, 13)
            for shape in SHAPES
        ],
    }  # fmt: skip
    server.import_coco(made, coco)
    return made


@pytest.fixture
def image_id(server: Server, dataset: int) -> int:
    """An image that no other test has touched."""
    found = server.client.get(f"/api/datasets/{dataset}/images?sort=file_name&limit=100").json()
    fresh: int = found["items"][next(_numbers) - 1]["id"]
    return fresh


def numbers(values: list[float]) -> list[int]:
    return [round(value) for value in values]


def test_each_kind_of_shape_is_changed_and_brought_back(
    page: Page, server: Server, image_id: int
) -> None:
    before = stored(server, image_id)
    editor = EditorPage(page).open(image_id)
    editor.press("v")
    editor.click(340, 350)
    editor.drag((300, 300), (280, 290))
    editor.saved()
    assert numbers(stored(server, image_id)[3]["keypoints"])[:3] == [280, 290, 2]

    editor.click(70, 340)
    editor.drag((120, 380), (140, 400))
    editor.click(451.5, 80)
    page.get_by_role("switch", name="Crowd").click()
    editor.press("1")
    editor.saved()
    box, mask = stored(server, image_id)[1:3]
    assert numbers(box["bbox"]) == [20, 300, 120, 100]
    assert (mask["iscrowd"], mask["category_id"]) == (0, before[3]["category_id"])
    assert mask["segmentation"] == before[2]["segmentation"], "not one run was touched"

    editor.press("Delete")
    editor.saved()
    assert len(stored(server, image_id)) == 3
    editor.press(*["Control+z"] * 5)
    editor.saved()
    after = stored(server, image_id)
    # By restoring versions: also ids, areas and boxes are what they were.
    changing = ("version", "updated_at", "updated_by")
    assert [{k: v for k, v in a.items() if k not in changing} for a in after] == [
        {k: v for k, v in a.items() if k not in changing} for a in before
    ]


def test_only_the_main_button_draws_and_a_drag_may_leave_the_window(
    page: Page, server: Server, image_id: int
) -> None:
    editor = EditorPage(page).open(image_id)
    editor.press("b")
    page.mouse.click(*editor.at(300, 100), button="right")
    assert editor.tool == "box.ready"
    page.mouse.move(*editor.at(300, 100))
    page.mouse.down()
    page.mouse.move(*editor.at(250, 50))
    page.mouse.move(-50, -80)
    page.mouse.up()
    editor.saved()
    assert numbers(stored(server, image_id)[-1]["bbox"]) == [0, 0, 300, 100]


def test_panning_and_zooming_in_the_middle_of_a_polygon(
    page: Page, server: Server, image_id: int
) -> None:
    editor = EditorPage(page).open(image_id)
    editor.press("p")
    editor.click(300, 50)
    editor.click(400, 50)
    corner = editor.at(0, 0)
    x, y = editor.at(350, 200)
    page.mouse.move(x, y)
    page.mouse.down(button="middle")
    page.mouse.move(x + 30, y + 20)
    page.mouse.up(button="middle")
    page.keyboard.down("Space")
    page.mouse.down()
    page.mouse.move(x + 50, y + 30)
    page.mouse.up()
    page.keyboard.up("Space")
    assert numbers([*editor.at(0, 0)]) == numbers([corner[0] + 50, corner[1] + 30])
    for modifier in ([], ["Control"]):
        for key in modifier:
            page.keyboard.down(key)
        under = editor.at(350, 200)
        page.mouse.move(*under)
        page.mouse.wheel(0, -120)
        for key in modifier:
            page.keyboard.up(key)
        now = editor.at(350, 200)
        assert abs(now[0] - under[0]) < 2
        assert abs(now[1] - under[1]) < 2
    assert editor.tool == "polygon.drawing"
    editor.press("f")
    editor.click(400, 120)
    editor.press("Enter")
    editor.saved()
    ring = stored(server, image_id)[-1]["segmentation"][0]
    assert numbers(ring) == [300, 50, 400, 50, 400, 120]


def test_keys_mean_the_stage_but_not_while_typing(
    page: Page, server: Server, image_id: int
) -> None:
    editor = EditorPage(page).open(image_id)
    page.get_by_role("button", name="Box (B)").click()
    page.keyboard.down("Space")
    stage = page.get_by_role("application")
    expect(stage).to_have_css("cursor", "grab")
    page.keyboard.up("Space")

    page.get_by_role("button", name="Search categories").click()
    page.keyboard.type("vp1")
    assert editor.tool == "box.ready"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Search categories").click()
    page.keyboard.type("thi")
    page.keyboard.press("Enter")
    categories = page.get_by_role("region", name="Categories")
    expect(categories.get_by_role("button", pressed=True)).to_contain_text("thing")

    editor.press("v")
    editor.click(150, 150)
    editor.press("ArrowRight", "ArrowRight", "Shift+ArrowDown")
    editor.saved()
    square = stored(server, image_id)[0]
    assert square["segmentation"] == [[102, 110, 202, 110, 202, 210, 102, 210]]
    # One step or, where the keys come slowly, up to three. That quick ones are one is held by the
    # front end's own tests of commands, whose clock does not depend on the machine.
    editor.press(*["Control+z"] * 3)
    editor.saved()
    assert stored(server, image_id)[0]["segmentation"] == SHAPES[0]["segmentation"]


def test_the_lists_are_walked_by_keyboard(page: Page, image_id: int) -> None:
    editor = EditorPage(page).open(image_id)
    objects = page.get_by_role("listbox", name="Objects")
    objects.focus()
    editor.press("ArrowDown", "Shift+ArrowDown")
    selected = objects.get_by_role("option", selected=True)
    expect(selected).to_have_count(2)
    active = objects.get_attribute("aria-activedescendant")
    expect(page.locator(f"#{active}")).to_have_attribute("aria-posinset", "2")
    editor.press("End")
    expect(selected).to_have_count(1)
    editor.press("Escape")
    categories = page.get_by_role("region", name="Categories")
    categories.get_by_role("button", pressed=True).focus()
    editor.press("ArrowDown", "Enter")
    expect(categories.get_by_role("button", pressed=True)).to_contain_text("thing")


def test_a_viewer_looks_and_changes_nothing(
    new_page: Callable[..., Page], server: Server, dataset: int, image_id: int
) -> None:
    viewer = {"email": "viewer@example.org", "password": "only looking at things"}
    server.client.post("/api/users", json={**viewer, "name": "Vera"}).raise_for_status()
    server.client.put(
        f"/api/datasets/{dataset}/members", json={"email": viewer["email"], "role": "viewer"}
    ).raise_for_status()
    page = new_page(signed_in=False)
    sign_in(page, viewer["email"], viewer["password"])
    written: list[str] = []

    def note(request: Request) -> None:
        if request.method != "GET":
            written.append(f"{request.method} {request.url}")

    page.on("request", note)
    before = stored(server, image_id)
    editor = EditorPage(page).open(image_id)
    expect(page.get_by_text("Read only")).to_be_visible()
    expect(page.get_by_role("button", name="Mark done")).to_have_count(0)
    editor.press("b", "p")
    assert editor.tool == "select.idle"
    editor.click(150, 150)
    expect(page.get_by_role("combobox", name="Category")).to_be_disabled()
    editor.drag((150, 150), (250, 250))
    editor.press("1", "ArrowRight", "Delete", "Control+z", "Control+Enter")
    editor.saved()
    assert written == []
    assert stored(server, image_id) == before


def test_a_turned_photograph_stands_upright_and_boxes_land_on_it(
    page: Page, server: Server, dataset: int
) -> None:
    turned = Image.new("RGB", (300, 200), "blue")
    turned.paste("red", (0, 0, 150, 200))
    exif = Image.Exif()
    exif[0x0112] = 6  # The camera's right side is up: its left half is shown on top.
    data = io.BytesIO()
    turned.save(data, "JPEG", exif=exif, quality=95)
    answer = server.client.post(
        f"/api/datasets/{dataset}/images", files={"files": ("turned.jpg", data.getvalue())}
    )
    image = answer.json()["images"][0]
    assert (image["width"], image["height"]) == (200, 300)

    editor = EditorPage(page).open(image["id"])
    editor.press("b")
    editor.drag((20, 160), (180, 290))
    editor.saved()
    editor.press("Control+z", "Escape")
    editor.saved()
    page.mouse.move(0, 0)
    shown = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    above, below = (
        np.asarray(shown)[round(y), round(x)] for x, y in (editor.at(100, 75), editor.at(100, 225))
    )
    assert above[0] > 200 > 50 > above[2], "red above"
    assert below[2] > 200 > 50 > below[0], "blue below"
    editor.press("Control+Shift+z")
    editor.saved()
    assert numbers(stored(server, image["id"])[0]["bbox"]) == [20, 160, 160, 130]


def take(page: Page, tool: str) -> None:
    """Tap a tool, which may have no room in the bar."""
    button = page.get_by_role("button", name=re.compile(rf"^{tool} \("))
    if not button.is_visible():
        page.get_by_role("button", name="More tools").tap()
        button = page.get_by_role("menuitem", name=re.compile(rf"^{tool}\b"))
    button.tap()


def test_drawing_with_fingers_on_a_phone(
    new_page: Callable[..., Page], server: Server, image_id: int
) -> None:
    page = new_page(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        device_scale_factor=2,
    )
    editor = EditorPage(page).open(image_id)
    take(page, "Polygon")
    for point in ((300, 300), (500, 300), (500, 440)):
        page.touchscreen.tap(*editor.at(*point))
    page.get_by_role("button", name="Finish").tap()
    take(page, "Box")
    touch = Fingers(page)
    touch("Start", editor.at(300, 40))
    touch("Move", editor.at(350, 60))
    touch("Move", editor.at(400, 90))
    touch("End")
    editor.saved()
    polygon, box = stored(server, image_id)[-2:]
    wanted = [300, 300, 500, 300, 500, 440]
    assert all(abs(a - b) < 2 for a, b in zip(polygon["segmentation"][0], wanted, strict=True))
    assert all(abs(a - b) < 2 for a, b in zip(box["bbox"], [300, 40, 100, 50], strict=True))

    (left, y), (right, _) = editor.at(200, 240), editor.at(400, 240)
    touch("Start", (left, y))
    touch("Start", (left, y), (right, y))
    touch("Move", (left - 50, y), (right + 50, y))
    touch("End")
    wide = editor.at(400, 240)[0] - editor.at(200, 240)[0]
    assert abs(wide - (right - left + 100)) < 2, "two fingers zoom"
    editor.saved()
    assert len(stored(server, image_id)) == 6, "and draw nothing"


def test_the_next_image_comes_while_this_one_is_being_saved(
    page: Page, server: Server, image_id: int
) -> None:
    held: list[Route] = []
    editor = EditorPage(page).open(image_id)
    page.route(f"**/api/images/{image_id}/annotations", lambda route: held.append(route))
    editor.press("b", "2")
    editor.drag((300, 40), (400, 90))
    editor.press("d")
    page.wait_for_url(lambda url: f"/images/{image_id}" not in url)
    editor.ready()
    assert len(stored(server, image_id)) == 4, "the answer is still to come"
    held[0].continue_()
    editor.saved()
    assert editor.tool == "box.ready", "the tool is still in hand"
    chosen = page.get_by_role("region", name="Categories").get_by_role("button", pressed=True)
    expect(chosen).to_contain_text("thing")
    assert len(stored(server, image_id)) == 5


def test_a_creation_whose_answer_is_lost_is_there_once_after_a_reload(
    page: Page, server: Server, image_id: int
) -> None:
    editor = EditorPage(page).open(image_id)

    def swallow(route: Route) -> None:
        route.fetch()

    page.route(f"**/api/images/{image_id}/annotations", swallow)
    page.on("dialog", lambda dialog: dialog.accept())
    editor.press("b")
    with page.expect_request(lambda request: request.method == "POST"):
        editor.drag((300, 40), (400, 90))
    page.unroute(f"**/api/images/{image_id}/annotations")
    page.reload()
    editor.ready()
    editor.saved()
    assert len(stored(server, image_id)) == 5
    assert len(editor.annotations) == 5


def test_a_conflict_waits_until_the_hand_is_free(
    page: Page, server: Server, image_id: int, expected_errors: list[str]
) -> None:
    expected_errors.append("412")
    editor = EditorPage(page).open(image_id)
    square = stored(server, image_id)[0]["id"]
    held: list[Route] = []
    page.route(f"**/api/annotations/{square}", lambda route: held.append(route))
    editor.press("v")
    editor.click(150, 150)
    editor.drag((200, 200), (220, 220))
    editor.press("p")
    for point in ((300, 40), (400, 40), (400, 90)):
        editor.click(*point)
    theirs = {"iscrowd": 1, "segmentation": [[7, 7, 90, 7, 90, 90]]}
    server.client.patch(
        f"/api/annotations/{square}", json=theirs, headers={"If-Match": '"1"'}
    ).raise_for_status()
    held[0].continue_()
    expect(page.get_by_role("status").filter(has_text="1 conflict")).to_be_visible()
    dialog = page.get_by_role("dialog", name="Changed in another window, too")
    expect(dialog).to_have_count(0)
    editor.press("Enter")
    expect(dialog).to_be_visible()
    page.unroute(f"**/api/annotations/{square}")
    dialog.get_by_role("button", name="Keep mine").click()
    editor.saved()
    found = stored(server, image_id)
    assert numbers(found[0]["segmentation"][0][4:6]) == [220, 220]
    assert found[0]["iscrowd"] == 1, "what only they changed is kept"
    assert len(found) == 5
