"""Objects in the editor: selected by many, copied to other images, with what no client shows."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.editor_page import EditorPage, until
from tests.serving import Server

POSE = {
    "id": 5, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 480.50, "dp_I": [1, 2.50],
    "segmentation": [[100.25, 100, 200, 100, 200, 200]], "bbox": [100, 100, 100, 100],
    "keypoints": [120, 120, 2, 130.5, 125, 1, 0, 0, 0], "num_keypoints": 2,
}  # fmt: skip
PERSON = {
    "id": 1, "name": "person", "keypoints": ["nose", "left_hand", "right_hand"],
    "skeleton": [[1, 2], [1, 3]],
}  # fmt: skip
# A browser at 200 %: half as many CSS pixels, twice as many of the screen for each.
ZOOMED = {"viewport": {"width": 720, "height": 450}, "device_scale_factor": 2}


def imported(server: Server, name: str, *annotations: dict[str, Any]) -> tuple[int, list[int]]:
    """A dataset with two images without pixels (640 x 480), and the ids of both."""
    dataset: int = server.client.post("/api/datasets", json={"name": name}).json()["id"]
    images = [{"id": i, "file_name": f"{i}.jpg", "width": 640, "height": 480} for i in (1, 2)]
    categories = [PERSON, {"id": 2, "name": "thing"}]
    file = {"images": images, "categories": categories, "annotations": list(annotations)}
    server.import_coco(dataset, file)
    path = f"/api/datasets/{dataset}/images?sort=file_name"
    return dataset, [image["id"] for image in server.client.get(path).json()["items"]]


def exported(server: Server, dataset: int, task: str = "instances") -> list[dict[str, Any]]:
    answer = server.client.get(f"/api/datasets/{dataset}/export/{task}.json").raise_for_status()
    found: list[dict[str, Any]] = answer.json()["annotations"]
    return found


def test_what_a_marquee_selects_is_pasted_on_another_image_at_200_percent(
    new_page: Callable[..., Page], server: Server
) -> None:
    box = {"id": 6, "image_id": 1, "category_id": 2, "bbox": [300, 100, 50, 50], "iscrowd": 0}
    dataset, (first, second) = imported(server, "copies", POSE, box | {"segmentation": []})
    before = exported(server, dataset)
    editor = EditorPage(new_page(**ZOOMED)).open(first)
    tab = EditorPage(editor.page.context.new_page()).open(second)
    editor.drag((80, 80), (400, 250))
    editor.press("Control+c")
    editor.saved()
    assert exported(server, dataset) == before, "copying changes nothing"

    # In a tab that was open before; its undo takes it back.
    until(tab.page, "Object.keys(localStorage).some((name) => name.includes('clipboard'))")
    tab.press("Control+v")
    until(tab.page, "annotations().length === 2")
    tab.press("Control+z")
    tab.saved()
    assert exported(server, dataset) == before
    tab.page.close()

    editor.open(second)
    editor.press("Control+v")
    editor.saved()
    # Several are saved at a time, so that either may come first.
    *originals, one, other = exported(server, dataset)
    assert originals == before
    pose, thing = sorted((one, other), key=lambda annotation: annotation["category_id"])
    ids = {"id": pose["id"], "image_id": 2}
    assert pose == POSE | ids, "also what the editor does not show"
    assert thing["bbox"] == box["bbox"]
    editor.drag((150, 110), (160, 120))
    editor.press("Control+z", "Control+z")
    editor.saved()
    assert exported(server, dataset) == before


def test_keypoints_are_added_to_an_outline_and_nothing_else_of_it_changes(
    page: Page, server: Server
) -> None:
    outline = {name: POSE[name] for name in POSE if name not in ("keypoints", "num_keypoints")}
    dataset, (image, _) = imported(server, "poses", outline)
    editor = EditorPage(page).open(image)
    editor.press("v")
    editor.click(190, 120)
    editor.press("k")
    editor.click(120, 110)
    editor.press("Shift+s")
    editor.click(180, 180)
    assert editor.tool == "keypoints.ready", "the last point finishes"
    editor.saved()
    (after,) = exported(server, dataset)
    nose_x, nose_y, *others = after.pop("keypoints")
    assert after == outline | {"num_keypoints": 2}
    assert [round(n) for n in (nose_x, nose_y, *others)] == [120, 110, 2, 0, 0, 0, 180, 180, 2]

    panel = page.get_by_role("region", name="Keypoints")
    panel.get_by_role("button", name="Hidden: nose").click()
    panel.get_by_role("button", name="left_hand", exact=True).click()
    editor.click(150, 120)
    editor.saved()
    editor.drag((150, 120), (152, 130))
    editor.press("Shift+r")
    editor.saved()
    points = exported(server, dataset)[0]["keypoints"]
    assert [round(n) for n in points] == [120, 110, 1, 180, 180, 2, 152, 130, 2]
    expect(panel).to_contain_text("3 of 3")

    # On empty space the next press begins another object; its box is that of its points.
    editor.press("Escape")
    editor.click(400, 300)
    page.keyboard.down("Shift")
    editor.click(420, 320)
    page.keyboard.up("Shift")
    editor.press("Enter")
    editor.saved()
    pose = exported(server, dataset)[1]
    assert [round(n) for n in pose["keypoints"]] == [400, 300, 2, 420, 320, 1, 0, 0, 0]
    assert [round(n) for n in pose["bbox"]] == [400, 300, 20, 20]
    editor.drag((400, 300), (390, 300))
    editor.saved()
    assert [round(n) for n in exported(server, dataset)[1]["bbox"]] == [390, 300, 30, 20]
    editor.press(*["Control+z"] * 7)
    editor.saved()
    assert exported(server, dataset) == [outline]


def test_a_box_beside_an_outline_is_edited_and_a_group_resized(page: Page, server: Server) -> None:
    outline: dict[str, Any] = {
        "id": 3,
        "image_id": 1,
        "category_id": 2,
        "iscrowd": 0,
        "area": 1200.0,
    }
    outline |= {"segmentation": [[100, 100, 160, 100, 160, 140]], "bbox": [90.50, 95, 80, 50]}
    outline |= {"attributes": {"track": 12345678901234567890, "side": 1}}
    plain = outline | {"id": 4, "segmentation": [[300, 100, 360, 100, 360, 140]]}
    plain |= {"bbox": [300.0, 100.0, 60.0, 40.0]}
    dataset, (image, _) = imported(server, "frames", outline, plain)
    before = exported(server, dataset)
    editor = EditorPage(page).open(image)
    editor.press("v")

    # The box of its own by its handle, the one that follows by its number.
    editor.click(150, 110)
    box = page.get_by_role("group", name="Box", exact=True)
    expect(box.get_by_label("Box: x")).to_have_value("90.5")
    editor.drag((170.5, 145), (180.5, 155))
    editor.saved()
    assert [a["bbox"] for a in exported(server, dataset)] == [[90.5, 95, 90, 60], plain["bbox"]]
    editor.click(350, 110)
    # The panel follows the selection a frame later.
    expect(box.get_by_label("Box: x")).to_have_value("300")
    box.get_by_label("Box: width").fill("64.25")
    editor.press("Enter")
    editor.saved()
    framed = exported(server, dataset)[1]
    assert framed == before[1] | {"bbox": [300, 100, 64.25, 40]}, "and nothing else"
    page.get_by_role("button", name="Follow the shape").click()
    editor.saved()
    assert exported(server, dataset)[1]["bbox"] == [300, 100, 60, 40]
    editor.press("Control+z", "Control+z", "Control+z")
    editor.saved()
    assert exported(server, dataset) == before

    # Another attribute changes, the one that JavaScript cannot hold stays to the last digit.
    editor.click(150, 110)
    expect(box.get_by_label("Box: x")).to_have_value("90.5")
    page.get_by_role("region", name="Properties").get_by_label("side", exact=True).fill("2")
    editor.press("Enter")
    editor.saved()
    attributes = exported(server, dataset)[0]["attributes"]
    assert attributes == {"track": 12345678901234567890, "side": 2}
    editor.press("Control+z")
    editor.saved()
    assert exported(server, dataset) == before

    # Both together: the frame around them reaches from (90.5, 95) to (360, 145).
    editor.press("Control+a")
    editor.drag((360, 145), (629.5, 195))
    editor.saved()
    resized = exported(server, dataset)
    assert [a["bbox"] for a in resized] == [[90.5, 95, 160, 100], [509.5, 105, 120, 80]]
    assert resized[1]["segmentation"] == [[509.5, 105, 629.5, 105, 629.5, 185]]
    editor.press("Control+z")
    editor.saved()
    assert exported(server, dataset) == before


def test_what_is_under_the_pointer_is_marked_again_when_the_zoom_rests(
    page: Page, server: Server
) -> None:
    _, (image, _) = imported(server, "hovered", POSE)
    editor = EditorPage(page).open(image)
    page.mouse.move(*editor.at(180, 120))
    hand = page.locator(".stage-outlines")
    expect(hand).to_be_visible()
    hand.evaluate(
        """(canvas) => {
          window.marks = [];
          new MutationObserver(() => window.marks.push(!canvas.hidden))
            .observe(canvas, { attributeFilter: ["hidden"] });
        }"""
    )
    page.mouse.wheel(0, -100)
    until(page, "String(window.marks) === 'false,true'")
    # What is selected has its outline all the time.
    page.mouse.down()
    page.mouse.up()
    until(page, "editor.tool === 'select.idle'")
    page.mouse.wheel(0, -100)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("String(marks)") == "false,true"
