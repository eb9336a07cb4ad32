"""The pages as a person uses them: pointer, keys, files, and what shows afterwards."""

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import picture, sign_in, upload
from tests.serving import Server

pytestmark = pytest.mark.browser


def test_uploading_shows_what_came_and_what_was_refused(
    page: Page, dataset: dict[str, Any], tmp_path: Path
) -> None:
    good = [picture(tmp_path / f"{name}.jpg") for name in "abc"]
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    page.goto(f"/datasets/{dataset['id']}")
    page.evaluate("window.samePage = true")
    expect(page.get_by_text("No images yet")).to_be_visible()
    page.get_by_role("button", name="Upload images").first.click()
    page.locator("#upload [data-files]").first.set_input_files([*good, bad])
    uploads = page.get_by_role("region", name="Uploads")
    expect(uploads).to_contain_text("Upload finished")
    expect(uploads).to_contain_text("3 images taken in · 1 refused")
    # The first images come with their filters, and the reasons stay until they were read.
    expect(page.locator("#images .card-title")).to_have_text(["a.jpg", "b.jpg", "c.jpg"])
    expect(page.get_by_text("No images yet")).to_be_hidden()
    expect(uploads.locator(".is-refused")).to_contain_text("bad.png")
    uploads.get_by_role("button", name="Close").click()
    page.get_by_label("File name contains").fill("b")
    expect(page.locator("#images .card-title")).to_have_text(["b.jpg"])
    page.get_by_role("button", name="Clear").click()
    # A later upload joins the grid.
    page.get_by_role("button", name="Upload images").click()
    more = picture(tmp_path / "d.jpg", "maroon")
    page.locator("#upload [data-files]").first.set_input_files(more)
    expect(page.locator("#images .card-title")).to_have_count(4)
    expect(page.locator("#totals")).to_contain_text("4 images")
    assert page.evaluate("window.samePage")


def test_files_dropped_anywhere_are_uploaded(page: Page, dataset: dict[str, Any]) -> None:
    page.goto(f"/datasets/{dataset['id']}")
    page.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(64, 48);
            canvas.getContext("2d").fillRect(0, 0, 30, 30);
            const blob = await canvas.convertToBlob({ type: "image/png" });
            const transfer = new DataTransfer();
            transfer.items.add(new File([blob], "dropped.png", { type: "image/png" }));
            for (const type of ["dragenter", "dragover", "drop"]) {
                const options = { bubbles: true, cancelable: true, dataTransfer: transfer };
                document.body.dispatchEvent(new DragEvent(type, options));
            }
        }"""
    )
    expect(page.locator("#images .card-title")).to_have_text(["dropped.png"])


def test_an_import_shows_its_progress_and_its_report(
    page: Page, dataset: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "instances.json"
    annotation = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
    coco = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 30}],
        "categories": [{"id": 1, "name": "<b>cup</b>"}],
        "annotations": [annotation | {"id": 1}, annotation | {"id": 2, "image_id": 99}],
    }
    file.write_text(json.dumps(coco))
    page.goto(f"/datasets/{dataset['id']}")
    page.get_by_role("button", name="Import annotations").first.click()
    dialog = page.get_by_role("dialog", name="Import annotations")
    expect(dialog.get_by_role("button", name="Import", exact=True)).to_be_disabled()
    dialog.locator("[data-file]").set_input_files(file)
    dialog.get_by_label("Only try").check()
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(dialog).to_contain_text("This was only a try")
    dialog.get_by_role("button", name="Done").click()
    expect(page.get_by_text("No images yet")).to_be_visible()
    page.get_by_role("button", name="Import annotations").first.click()
    dialog.locator("[data-file]").set_input_files(file)
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(dialog).to_contain_text("The annotation's image is not in the file")
    dialog.get_by_role("link", name="Full report").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Import")
    expect(page.locator(".issue.issue-error")).to_contain_text("image_unknown")
    page.goto("/jobs")
    expect(page.locator("tbody tr").first).to_contain_text("instances.json")
    page.goto(f"/datasets/{dataset['id']}/categories")
    expect(page.locator("tbody td.name").first).to_have_text("<b>cup</b>")


def test_the_export_dialog_gives_a_file_and_a_command(
    page: Page, server: Server, dataset: dict[str, Any], tmp_path: Path
) -> None:
    upload(server, dataset, picture(tmp_path / "a.jpg"))
    page.goto(f"/datasets/{dataset['id']}")
    page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export annotations")
    dialog.get_by_label("Ids").select_option("reindex")
    dialog.get_by_label("Images", exact=True).select_option("new")
    command = dialog.get_by_label("From a script").input_value()
    assert f"/api/datasets/{dataset['id']}/export/instances.json?ids=reindex&status=new" in command
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    name = download.value.suggested_filename
    assert name == f"instances_{dataset['name'].replace(' ', '_')}.json"
    assert f"-o '{name}'" in command
    content = json.loads(download.value.path().read_text())
    assert [image["file_name"] for image in content["images"]] == ["a.jpg"]

    dialog.get_by_label("Shapes", exact=True).select_option("polygons")
    dialog.get_by_label("Cut away what is covered").check()
    folder = dialog.get_by_label("All images in one folder")
    expect(folder).to_be_hidden()
    dialog.get_by_label("Task or format").select_option("images")
    folder.check()
    dialog.get_by_text("Only some tasks").click()
    dialog.get_by_label("Image info only").check()
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == f"{dataset['name'].replace(' ', '_')}.zip"
    command = dialog.get_by_label("From a script").input_value()
    options = parse_qs(urlsplit(command.split("'")[-2]).query)
    assert options == {
        "segmentation": ["polygons"],
        "ids": ["reindex"],
        "status": ["new"],
        "crop_covered": ["true"],
        "merge_images": ["true"],
        "tasks": ["image_info"],
        "images": ["true"],
    }
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == ["annotations/image_info_default.json", "images/a.jpg"]

    dialog.get_by_label("Task or format").select_option("Panoptic with its PNGs")
    expect(dialog.get_by_label("Shapes", exact=True)).to_be_hidden()
    dialog.get_by_label("With the images").check()
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    command = dialog.get_by_label("From a script").input_value()
    assert f"-o '{download.value.suggested_filename}'" in command
    options = parse_qs(urlsplit(command.split("'")[-2]).query)
    assert options == {
        "ids": ["reindex"],
        "status": ["new"],
        "images": ["true"],
        "tasks": ["panoptic"],
    }
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == [
            "annotations/panoptic_default.json",
            "annotations/panoptic_default/a.png",
            "images/default/a.jpg",
        ]


def test_what_was_typed_into_a_dialog_is_not_dropped_unasked(
    page: Page, dataset: dict[str, Any]
) -> None:
    page.goto(f"/datasets/{dataset['id']}/categories")
    add = page.get_by_role("button", name="Add a category")
    dialog = page.get_by_role("dialog", name="Add a category")
    add.click()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    add.click()
    name = dialog.get_by_label("Name", exact=True)
    name.fill("cat")
    question = page.get_by_role("dialog", name="Drop what you typed?")
    page.mouse.click(5, 5)
    question.get_by_role("button", name="Keep it").click()
    expect(name).to_have_value("cat")
    with page.expect_event("dialog") as asked:
        page.evaluate("setTimeout(() => location.reload())")
    asked.value.dismiss()
    expect(name).to_have_value("cat")
    # Browsers let few Escapes in a row be refused. Nothing is looked at between them, for that
    # counts as a deed of the person's.
    for _ in range(12):
        page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(name).to_have_value("cat")
    dialog.get_by_role("button", name="Close").click()
    question.get_by_role("button", name="Keep it").click()
    expect(name).to_have_value("cat")
    page.keyboard.press("Escape")
    question.get_by_role("button", name="Drop it").click()
    expect(dialog).to_have_count(0)
    # Whoever presses Cancel has decided.
    add.click()
    name.fill("dog")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(question).to_have_count(0)


def test_a_category_with_a_skeleton_is_made_and_changed(
    page: Page, server: Server, dataset: dict[str, Any]
) -> None:
    page.goto(f"/datasets/{dataset['id']}/categories")
    page.get_by_role("button", name="Add a category").click()
    dialog = page.get_by_role("dialog", name="Add a category")
    dialog.get_by_label("Name", exact=True).fill("cat")
    dialog.get_by_text("Keypoints and skeleton").click()
    dialog.get_by_role("button", name="Add a keypoint").click()
    page.keyboard.type("nose")
    page.keyboard.press("Enter")
    page.keyboard.type("tail")
    page.keyboard.press("Enter")
    page.keyboard.type("paw")
    # By keys in the picture: nose and tail, then tail and paw by the fields.
    points = dialog.locator("[data-skeleton] [role=button]")
    points.nth(0).press("Enter")
    points.nth(1).press("Enter")
    dialog.get_by_label("From").select_option("2")
    dialog.get_by_label("To", exact=True).select_option("3")
    dialog.get_by_role("button", name="Join").click()
    dialog.get_by_role("button", name="Add category").click()
    expect(page.locator("tbody tr")).to_contain_text("cat")
    path = f"/api/datasets/{dataset['id']}/categories"
    [made] = server.client.get(path).json()["items"]
    assert (made["keypoints"], made["skeleton"]) == (["nose", "tail", "paw"], [[1, 2], [2, 3]])
    page.get_by_role("button", name="Edit cat").click()
    dialog = page.get_by_role("dialog", name="Edit cat")
    dialog.get_by_role("button", name="Move up").nth(2).click()
    dialog.get_by_label("Supercategory").fill("animal")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("tbody tr")).to_contain_text("animal")
    [changed] = server.client.get(path).json()["items"]
    assert changed["keypoints"] == ["nose", "paw", "tail"]
    assert changed["skeleton"] == [[1, 3], [3, 2]]
    assert changed["color"] == made["color"]
    page.get_by_role("button", name="Delete cat").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No categories yet")).to_be_visible()


def test_errors_stand_at_their_field(
    page: Page, dataset: dict[str, Any], expected_errors: list[str]
) -> None:
    expected_errors.append("status of 409")
    page.goto("/")
    page.get_by_role("button", name="New dataset").click()
    dialog = page.get_by_role("dialog", name="New dataset")
    dialog.get_by_label("Name").fill(dataset["name"])
    dialog.get_by_role("button", name="Make dataset").click()
    expect(dialog.get_by_role("alert").first).to_contain_text("There is already a dataset")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()


def test_members_and_settings(
    page: Page, server: Server, dataset: dict[str, Any], expected_errors: list[str]
) -> None:
    expected_errors.append("status of 40")
    email = f"member{dataset['id']}@example.org"
    server.client.post("/api/users", json={"email": email, "password": "long enough"})
    page.goto(f"/datasets/{dataset['id']}/members")
    page.get_by_label("Add somebody").fill("nobody@example.org")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("There is no user nobody@example.org.")).to_be_visible()
    page.get_by_label("Add somebody").fill(email)
    page.get_by_role("button", name="Add", exact=True).click()
    role = page.get_by_label(f"Role of {email}")
    expect(role).to_have_value("annotator")
    role.select_option("viewer")
    expect(page.get_by_role("status")).to_contain_text("is viewer now")
    page.reload()
    expect(role).to_have_value("viewer")
    page.get_by_role("button", name=f"Remove {email}").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(role).to_have_count(0)
    # The last owner stays, and the field says again what holds.
    mine = page.locator("tbody select").first
    mine.select_option("viewer")
    expect(page.get_by_role("status")).to_contain_text("at least one owner")
    expect(mine).to_have_value("owner")
    page.goto(f"/datasets/{dataset['id']}/settings")
    delete = page.get_by_role("button", name="Delete this dataset")
    expect(delete).to_be_disabled()
    page.get_by_label("Type the dataset's name").fill(dataset["name"])
    delete.click()
    page.wait_for_url("**/")
    expect(page.get_by_role("status")).to_contain_text("was deleted")
    assert server.client.get(f"/api/datasets/{dataset['id']}").status_code == 404


def test_a_token_is_shown_once(page: Page, server: Server) -> None:
    page.goto("/account")
    page.get_by_role("button", name="New token").click()
    page.get_by_label("What is it for?").fill("a script")
    page.get_by_role("button", name="Make token").click()
    field = page.get_by_label("The token")
    expect(field).to_have_value(re.compile("^mw_"))
    token = field.input_value()
    headers = {"Authorization": f"Bearer {token}"}
    assert server.client.get("/api/me", headers=headers).status_code == 200
    # It was sent: what was typed is not asked about.
    page.keyboard.press("Escape")
    expect(page.locator("tbody tr")).to_contain_text("a script")
    assert token not in page.content()
    page.get_by_role("button", name="Revoke a script").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("You have no tokens.")).to_be_visible()


def test_users_are_added_and_shut_out(page: Page, new_page: Callable[..., Page]) -> None:
    page.goto("/admin/users")
    page.get_by_role("button", name="Add a user").click()
    dialog = page.get_by_role("dialog", name="Add a user")
    dialog.get_by_label("E-mail address").fill("new@example.org")
    dialog.get_by_label("Password").fill("long enough")
    dialog.get_by_role("button", name="Add user").click()
    row = page.locator("tbody tr", has_text="new@example.org")
    expect(row).to_be_visible()
    theirs = new_page(signed_in=False)
    theirs.goto("/jobs")
    theirs.get_by_label("E-mail address").fill("new@example.org")
    theirs.get_by_label("Password").fill("long enough")
    theirs.get_by_role("button", name="Sign in").click()
    theirs.wait_for_url("**/jobs")
    expect(theirs.get_by_role("link", name="Users")).to_have_count(0)
    row.locator("summary").click()
    page.get_by_role("button", name="Disable").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(row).to_contain_text("Disabled")
    theirs.reload()
    theirs.wait_for_url("**/login?next=%2Fjobs")


def test_the_theme_follows_the_system_and_can_be_switched(new_page: Callable[..., Page]) -> None:
    page = new_page(color_scheme="dark")
    page.goto("/")

    def ground() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    dark, light = "rgb(15, 18, 22)", "rgb(246, 247, 249)"
    assert ground() == dark
    page.get_by_role("button", name="Switch between light and dark").click()
    assert ground() == light
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "light"
    assert ground() == light
    page.goto("/account")
    page.get_by_role("radiogroup", name="Theme").get_by_text("System").click()
    assert ground() == dark
    page.reload()
    assert page.locator("html").get_attribute("data-theme") is None


def test_a_page_of_pages_is_reached_by_keys(page: Page, dataset: dict[str, Any]) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="New dataset")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="New dataset")).to_be_focused()
    avatar = page.locator("summary.avatar")
    avatar.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(avatar).to_be_focused()


def test_who_signs_out_leaves_no_copies_of_annotations(
    new_page: Callable[..., Page], server: Server, dataset: dict[str, Any], tmp_path: Path
) -> None:
    upload(server, dataset, picture(tmp_path / "a.jpg"))
    page = new_page(signed_in=False)
    sign_in(page)
    page.evaluate("localStorage.setItem('maskwright-clipboard-1-1', '{}')")
    page.evaluate("localStorage.setItem('maskwright-poses-1', '[]')")
    page.goto(f"/datasets/{dataset['id']}?q=a")
    page.reload()
    assert page.evaluate("sessionStorage.getItem('maskwright-grid')") is not None
    page.evaluate("sessionStorage.setItem('maskwright-seen-1', '1')")
    page.locator("summary.avatar").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    assert page.evaluate("Object.keys(sessionStorage).join()").count("maskwright") == 0
    kept = page.evaluate("Object.keys(localStorage)")
    assert not [name for name in kept if "clipboard" in name or "poses" in name]
