"""Objects in the editor: selected by many, copied to other images, with what no client shows."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from tests.browser.editor_page import EditorPage
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
    editor.drag((80, 80), (400, 250))
    editor.press("Control+c")
    editor.saved()
    assert exported(server, dataset) == before, "copying changes nothing"

    editor.open(second)
    editor.press("Control+v")
    editor.saved()
    *originals, pose, thing = exported(server, dataset)
    assert originals == before
    ids = {"id": pose["id"], "image_id": 2}
    assert pose == POSE | ids, "also what the editor does not show"
    assert thing["bbox"] == box["bbox"]
    editor.drag((150, 110), (160, 120))
    editor.press("Control+z", "Control+z")
    editor.saved()
    assert exported(server, dataset) == before
