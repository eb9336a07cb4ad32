"""Images of which there is nothing to be seen: told, and annotated all the same."""

import hashlib
import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app.services.files.storage import blob_key
from tests.browser.editor_page import EditorPage
from tests.serving import Server, stored

pytestmark = pytest.mark.browser


def test_broken_pixels_and_a_record_without_a_file(
    page: Page, server: Server, expected_errors: list[str]
) -> None:
    expected_errors.append("422")
    made = server.client.post("/api/datasets", json={"name": "broken"}).json()["id"]
    path = f"/api/datasets/{made}"
    noise = np.random.default_rng(5).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")
    files = {"files": ("a.png", out.getvalue())}
    server.client.post(f"{path}/images", files=files).raise_for_status()
    box = {"category_id": 1, "bbox": [20, 20, 100, 80], "area": 8000, "iscrowd": 0}
    coco = {
        "images": [
            {"id": 1, "file_name": "a.png", "width": 640, "height": 480},
            {"id": 2, "file_name": "b.png", "width": 640, "height": 480},
        ],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [box | {"id": i, "image_id": i} for i in (1, 2)],
    }
    server.import_coco(made, coco)
    found = server.client.get(f"{path}/images?sort=file_name").json()["items"]
    broken, absent = (image["id"] for image in found)
    # The disk has lost it since it was uploaded.
    blob = server.data_dir / blob_key(hashlib.sha256(out.getvalue()).hexdigest())
    blob.write_bytes(out.getvalue()[:100] + bytes(len(out.getvalue()) - 100))

    for image_id, told in (
        (broken, page.get_by_role("alert").filter(has_text="The image cannot be shown.")),
        (absent, page.get_by_role("status").filter(has_text="This record has no file yet.")),
    ):
        before = stored(server, image_id)
        editor = EditorPage(page).open(image_id)
        expect(told).to_be_visible()
        editor.press("b")
        editor.drag((200, 200), (300, 280))
        editor.saved()
        kept, drawn = stored(server, image_id)
        assert [kept] == before
        assert [round(number) for number in drawn["bbox"]] == [200, 200, 100, 80]
        # What follows colours says that there are none, and nothing comes of it.
        editor.press("Escape", "w")
        editor.click(400, 400)
        expect(page.get_by_text(re.compile("no (picture whose )?colours"))).to_be_visible()
        editor.press("Escape")
        editor.saved()
        assert len(stored(server, image_id)) == 2
