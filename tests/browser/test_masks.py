"""Pictures that say what pixels are of, put in and taken out in the browser."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.editor_page import EditorPage
from tests.build.panoptic import ids_png, panoptic_zip, segment
from tests.build.panoptic import panoptic as panoptic_file
from tests.serving import Server

pytestmark = pytest.mark.browser

_numbers = itertools.count(1)


@pytest.fixture
def dataset(server: Server) -> int:
    name = f"Masks {next(_numbers)}"
    answer = server.client.post("/api/datasets", json={"name": name})
    return int(answer.raise_for_status().json()["id"])


def _images(server: Server, dataset: int) -> list[int]:
    answer = server.client.get(f"/api/datasets/{dataset}/images").raise_for_status()
    return [image["id"] for image in answer.json()["items"]]


def test_mask_images_become_annotations(
    page: Page, server: Server, dataset: int, tmp_path: Path, expected_errors: list[str]
) -> None:
    expected_errors.append("422")
    labels = np.zeros((48, 64), np.uint8)
    labels[8:20, 8:20], labels[30:40, 40:60] = 1, 1
    for name in ("a", "b"):
        Image.new("RGB", (64, 48), "teal").save(tmp_path / f"{name}.jpg")
        Image.fromarray(labels).save(tmp_path / f"{name}_mask.png")
    pictures = [
        ("files", (f"{name}.jpg", (tmp_path / f"{name}.jpg").read_bytes())) for name in "ab"
    ]
    server.client.post(f"/api/datasets/{dataset}/images", files=pictures).raise_for_status()
    page.goto(f"/datasets/{dataset}")
    page.get_by_role("button", name="Mask images").click()
    dialog = page.get_by_role("dialog", name="Mask images to annotations")
    submit = dialog.get_by_role("button", name="Make annotations")
    expect(submit).to_be_disabled()
    masks = [tmp_path / f"{name}_mask.png" for name in "ab"]
    dialog.locator("[data-file]").set_input_files(masks)
    expect(dialog).to_contain_text("2 files")
    dialog.get_by_label("What the values mean").fill('{"red": 1}')
    submit.click()
    # What cannot be read is said at the field, and everything that was filled in is still there.
    expect(dialog).to_contain_text("is no value from 0 to 65535")
    dialog.get_by_label("What the values mean").fill('{"1": "lamp"}')
    dialog.get_by_label("What their names have").fill("_mask")
    dialog.get_by_label("One annotation for").select_option("4")
    dialog.get_by_label("Kept as").select_option("polygons")
    submit.click()
    expect(dialog.locator("[data-report]")).to_contain_text("4")
    dialog.get_by_role("button", name="Done").click()
    expect(page.locator("#totals")).to_contain_text("2 images · 4 annotations · 1 category")
    editor = EditorPage(page).open(_images(server, dataset)[0])
    assert [one["bbox"] for one in editor.annotations] == [[8, 8, 12, 12], [40, 30, 20, 10]]


def test_panoptic_segments_are_edited(
    page: Page, server: Server, dataset: int, tmp_path: Path
) -> None:
    ids = np.zeros((480, 640), int)
    ids[100:200, 100:200], ids[300:400, 300:500] = 7, 9
    boxes = {7: [100, 100, 100, 100], 9: [300, 300, 200, 100]}
    segments = [segment(key, bbox=box, area=box[2] * box[3]) for key, box in boxes.items()]
    images = [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480}]
    path = tmp_path / "panoptic.zip"
    path.write_bytes(panoptic_zip(panoptic_file(*segments, images=images), {"a.png": ids_png(ids)}))
    page.goto(f"/datasets/{dataset}")
    page.get_by_role("button", name="Import annotations").first.click()
    dialog = page.get_by_role("dialog", name="Import annotations")
    dialog.locator("[data-file]").set_input_files(path)
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(dialog.locator("[data-report]")).to_contain_text("panoptic")
    dialog.get_by_role("button", name="Done").click()
    editor = EditorPage(page).open(_images(server, dataset)[0])
    assert [one["task"] for one in editor.annotations] == ["panoptic", "panoptic"]
    editor.press("v")
    editor.click(150, 150)
    editor.press("Delete")
    editor.saved()
    out = server.client.get(f"/api/datasets/{dataset}/export/panoptic.json").raise_for_status()
    [frame] = json.loads(out.text)["annotations"]
    assert frame["segments_info"] == segments[1:]
