"""Two people at once on one image."""

import itertools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.editor_page import EditorPage, until
from tests.serving import PASSWORD, Server

_numbers = itertools.count(1)
SQUARE = [100, 100, 200, 100, 200, 200, 100, 200]
OTHER = [300, 100, 400, 100, 400, 200, 300, 200]


@dataclass(frozen=True)
class Scene:
    """An image without pixels (640 x 480) with two squares, in a dataset that both may edit, and
    one more image."""

    dataset_id: int
    image_id: int
    annotation_ids: tuple[int, int]


@pytest.fixture
def scene(server: Server) -> Scene:
    dataset = server.client.post(
        "/api/datasets", json={"name": f"together {next(_numbers)}"}
    ).json()["id"]
    squares = [
        {"id": number, "image_id": 1, "category_id": number, "iscrowd": 0, "area": 10000.0,
         "bbox": [ring[0], 100, 100, 100], "segmentation": [ring]}
        for number, ring in enumerate((SQUARE, OTHER), start=1)
    ]  # fmt: skip
    coco = {
        "images": [
            {"id": 1, "file_name": "a.jpg", "width": 640, "height": 480},
            {"id": 2, "file_name": "b.jpg", "width": 640, "height": 480},
        ],
        "categories": [{"id": 1, "name": "cup"}, {"id": 2, "name": "spoon"}],
        "annotations": squares,
    }
    server.import_coco(dataset, coco)
    image = server.client.get(f"/api/datasets/{dataset}/images?sort=file_name").json()["items"][0][
        "id"
    ]
    found = server.client.get(f"/api/images/{image}/annotations").json()["items"]
    person = {"email": "ada@example.org", "password": PASSWORD, "name": "Ada Lovelace"}
    server.client.post("/api/users", json=person)
    member = {"email": person["email"], "role": "annotator"}
    server.client.put(f"/api/datasets/{dataset}/members", json=member).raise_for_status()
    return Scene(dataset, image, (found[0]["id"], found[1]["id"]))


def corner(editor: EditorPage, place: int) -> list[int]:
    """The first corner of the annotation at this place."""
    ring = editor.annotations[place]["segmentation"][0]
    return [round(number) for number in ring[:2]]


def move_corner(editor: EditorPage, start: tuple[float, float], end: tuple[float, float]) -> None:
    editor.press("v")
    editor.click((start[0] + 150) / 2, (start[1] + 150) / 2)
    editor.drag(start, end)


def leave_what_she_went_on_with(me: EditorPage, ada: EditorPage) -> None:
    """What I drew and she changed is not mine to take back any more."""
    me.press("b")
    me.drag((500, 100), (560, 160))
    until(ada.page, "annotations().length === 4")
    ada.press("v")
    ada.click(530, 130)
    ada.press("2")
    until(me.page, "annotations()[3].version === 2")
    me.press("Control+z")
    told = me.page.get_by_text("Not undone: somebody else has changed “spoon” since.")
    expect(told).to_be_visible()
    me.saved()
    assert len(me.annotations) == 4
    me.press("v")


def test_two_people_at_once(
    new_page: Callable[..., Page], server: Server, scene: Scene, expected_errors: list[str]
) -> None:
    """One sees what the other does as it happens, keeps an undo of his own, and is asked when both
    change the same shape."""
    expected_errors.append("412")
    mine, theirs = new_page(), new_page(signed_in=False)
    sign_in(theirs, "ada@example.org")
    me, ada = EditorPage(mine).open(scene.image_id), EditorPage(theirs).open(scene.image_id)

    # Who is there.
    people = mine.get_by_role("list", name="Also on this image")
    expect(people.get_by_role("listitem", name="Ada Lovelace")).to_be_visible()

    # Something of mine that can be undone, then something of hers.
    move_corner(me, (100, 100), (60, 60))
    until(theirs, "Math.round(annotations()[0].segmentation[0][0]) === 60")
    ada.press("b")
    ada.drag((450, 300), (500, 350))
    until(mine, "annotations().length === 3")
    me.press("Control+z")
    me.saved()
    assert len(me.annotations) == 3, "hers is not mine to undo"
    assert corner(me, 0) == [100, 100]
    until(theirs, "Math.round(annotations()[0].segmentation[0][0]) === 100")

    leave_what_she_went_on_with(me, ada)
    # The same corner at the same time: she saves while I still hold the button.
    me.click(150, 150)
    mine.mouse.move(*me.at(100, 100))
    mine.mouse.down()
    mine.mouse.move(*me.at(80, 80))
    move_corner(ada, (200, 200), (260, 250))
    ada.saved()
    assert corner(me, 0) == [80, 80], "what I hold stays in my hand"
    mine.mouse.up()
    dialog = mine.get_by_role("dialog", name="Changed by somebody else, too")
    expect(dialog).to_be_visible()
    moved = dialog.get_by_role("row", name="Points moved")
    expect(moved).to_contain_text("1, by up to")
    expect(moved).to_contain_text("(changed)")
    dialog.get_by_role("button", name="Keep mine").click()
    me.saved()
    until(theirs, "Math.round(annotations()[0].segmentation[0][0]) === 80")

    # Different things of the same annotation: both stay.
    ada.press("v")
    ada.click(150, 150)
    mine.mouse.move(*me.at(80, 80))
    mine.mouse.down()
    mine.mouse.move(*me.at(70, 70))
    ada.press("2")
    ada.saved()
    mine.mouse.up()
    expect(mine.get_by_text("what both of you changed is kept")).to_be_visible()
    me.saved()
    expect(dialog).to_have_count(0)
    first = server.client.get(f"/api/annotations/{scene.annotation_ids[0]}").json()
    assert [round(number) for number in first["segmentation"][0][:2]] == [70, 70]
    assert first["category_id"] == me.annotations[1]["category_id"]

    # She deletes what I look at.
    me.press("v")
    me.click(350, 150)
    ada.press("v")
    ada.click(350, 150)
    ada.press("Delete")
    until(mine, "annotations().length === 3")
    expect(mine.get_by_text("Ada Lovelace deleted “spoon”.")).to_be_visible()

    # The status, a category and the end of her visit.
    theirs.get_by_role("button", name="Mark done").click()
    expect(mine.get_by_role("button", name="Status: Done")).to_be_visible()
    categories = server.client.get(f"/api/datasets/{scene.dataset_id}/categories").json()["items"]
    path = f"/api/categories/{categories[0]['id']}"
    server.client.patch(path, json={"name": "mug"}).raise_for_status()
    expect(mine.get_by_role("region", name="Categories").get_by_text("mug")).to_be_visible()
    theirs.close()
    expect(people.get_by_role("listitem")).to_have_count(0)


def test_a_viewer_only_looks_as_soon_as_she_is_one(
    new_page: Callable[..., Page], server: Server, scene: Scene
) -> None:
    page = new_page(signed_in=False)
    sign_in(page, "ada@example.org")
    EditorPage(page).open(scene.image_id)
    expect(page.get_by_role("button", name="Polygon (P)")).to_be_visible()
    member = {"email": "ada@example.org", "role": "viewer"}
    path = f"/api/datasets/{scene.dataset_id}/members"
    server.client.put(path, json=member).raise_for_status()
    expect(page.get_by_text("You can no longer edit here")).to_be_visible()
    expect(page.get_by_text("You may only look at this dataset now")).to_be_visible()
    expect(page.get_by_role("button", name="Polygon (P)")).to_have_count(0)


def test_a_sign_in_that_ended(
    new_page: Callable[..., Page], server: Server, scene: Scene, expected_errors: list[str]
) -> None:
    """Told at once; signing in again in place saves what was drawn meanwhile."""
    expected_errors += ["401", "ERR_INCOMPLETE_CHUNKED"]
    page = new_page(signed_in=False)
    sign_in(page, "ada@example.org")
    editor = EditorPage(page).open(scene.image_id)
    people = server.client.get("/api/users").json()["items"]
    ada = next(person["id"] for person in people if person["email"] == "ada@example.org")
    # A new password ends her sessions.
    body = {"password": PASSWORD}
    server.client.patch(f"/api/users/{ada}", json=body).raise_for_status()
    notice = page.get_by_role("alert").filter(has_text="You are signed out")
    expect(notice).to_be_visible()
    move_corner(editor, (100, 100), (60, 60))
    expect(page.get_by_role("status").filter(has_text="Signed out, 1 waiting")).to_be_visible()

    # The notice leads to it, and so does what says that something waits.
    notice.get_by_role("button", name="Sign in again").click()
    dialog = page.get_by_role("dialog", name="Sign in again")
    expect(dialog).to_be_visible()
    editor.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Signed out, 1 waiting").click()
    password = dialog.get_by_label("Password")
    password.fill("not the password")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_role("alert")).to_contain_text("not right")
    password.fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_be_hidden()
    editor.saved()
    expect(notice).to_be_hidden()
    saved = server.client.get(f"/api/annotations/{scene.annotation_ids[0]}").json()
    assert [round(number) for number in saved["segmentation"][0][:2]] == [60, 60]
    # Live again.
    server.client.patch(f"/api/images/{scene.image_id}", json={"status": "done"})
    expect(page.get_by_role("button", name="Status: Done")).to_be_visible()


def test_access_that_is_taken_away(
    new_page: Callable[..., Page], server: Server, scene: Scene, expected_errors: list[str]
) -> None:
    expected_errors.append("404")
    page = new_page(signed_in=False)
    sign_in(page, "ada@example.org")
    EditorPage(page).open(scene.image_id)
    state = f"/api/images/{scene.image_id}/events?seconds=0"
    while "Ada" not in server.client.get(state).text:
        time.sleep(0.05)
    members = f"/api/datasets/{scene.dataset_id}/members"
    ada = next(
        member["user_id"]
        for member in server.client.get(members).json()["items"]
        if member["email"] == "ada@example.org"
    )
    page.keyboard.press("c")
    page.keyboard.type("Half a cap")
    server.client.delete(f"{members}/{ada}").raise_for_status()
    lost = page.get_by_role("button", name="No access")
    expect(lost).to_be_visible()
    expect(page.get_by_text("You have no access to this dataset any more")).to_be_visible()
    polygon = page.get_by_role("button", name="Polygon (P)")
    expect(polygon).to_have_count(0)
    # The next image, which was made ready before, is not hers to see any more.
    address = page.url
    with page.expect_response(re.compile(r"/api/images/\d+/visit")):
        page.keyboard.press("d")
    # Said anew, without the change that waits: the way there has ended.
    told = "You have no access to this dataset any more, or it was deleted."
    expect(page.get_by_text(told, exact=True)).to_be_visible()
    expect(page).to_have_url(address)
    expect(lost).to_be_visible()
    # Hers again, she goes on where she was.
    member = {"email": "ada@example.org", "role": "annotator"}
    server.client.put(members, json=member).raise_for_status()
    lost.click()
    expect(polygon).to_be_visible()
    expect(lost).to_have_count(0)
    # What she was typing counts as typed.
    until(page, "annotations().some(({ caption }) => caption === 'Half a cap')")
    EditorPage(page).saved()


def test_an_image_that_is_deleted_while_it_is_open(
    page: Page, server: Server, scene: Scene, expected_errors: list[str]
) -> None:
    """What was not saved waits until the person throws it away."""
    expected_errors += ["404", "ERR_FAILED"]
    editor = EditorPage(page).open(scene.image_id)
    page.route("**/api/images/*/annotations", lambda route: route.abort())
    editor.press("b")
    editor.drag((450, 300), (500, 350))
    expect(page.get_by_role("status").filter(has_text="Offline, 1 waiting")).to_be_visible()
    server.client.delete(f"/api/images/{scene.image_id}").raise_for_status()
    expect(page.get_by_role("button", name="Image deleted")).to_be_visible()
    told = "This image was deleted. 1 change could not be saved and stays in this browser."
    expect(page.get_by_text(told)).to_be_visible()
    expect(page.get_by_role("button", name="Polygon (P)")).to_have_count(0)
    expect(page.get_by_role("button", name="Mark done")).to_have_count(0)
    waiting = page.get_by_text("can be saved nowhere")
    expect(waiting).to_be_visible()
    page.get_by_role("button", name="Delete them").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(waiting).to_have_count(0)
