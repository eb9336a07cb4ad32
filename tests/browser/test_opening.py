"""How an image opens: what is asked for first, and when its shapes are drawn."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import sign_in
from tests.browser.editor_page import EditorPage
from tests.serving import Server

# Notes each request to the worker that draws shapes, and whether the page was empty then.
_NOTE_DRAWING = """
window.drawings = [];
const { postMessage } = Worker.prototype;
Worker.prototype.postMessage = function (message, ...rest) {
  if (message?.frame && message.packed) {
    const empty = document.querySelector("[data-place]") !== null;
    window.drawings.push({ empty, shapes: message.updates.length, size: message.frame.size });
  }
  return postMessage.call(this, message, ...rest);
};
"""


@pytest.fixture
def image_id(server: Server, dataset: dict[str, Any]) -> int:
    coco = {
        "images": [{"id": 1, "file_name": "1.png", "width": 600, "height": 400}],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 100, 80], "area": 8000,
             "iscrowd": 0}
        ],
    }  # fmt: skip
    server.import_coco(dataset["id"], coco)
    [image] = server.client.get(f"/api/datasets/{dataset['id']}/images").json()["items"]
    return int(image["id"])


@pytest.mark.parametrize("role", ["owner", "viewer"])
def test_shapes_are_drawn_before_the_bars_are_built_and_where_they_will_be_seen(
    new_page: Callable[..., Page],
    server: Server,
    dataset: dict[str, Any],
    image_id: int,
    role: str,
) -> None:
    page = new_page(signed_in=role == "owner")
    if role == "viewer":
        visitor = {"email": "opening@example.org", "password": "only looking at things"}
        server.client.post("/api/users", json={**visitor, "name": "Vera"}).raise_for_status()
        member = {"email": visitor["email"], "role": "viewer"}
        path = f"/api/datasets/{dataset['id']}/members"
        server.client.put(path, json=member).raise_for_status()
        sign_in(page, visitor["email"], visitor["password"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script(_NOTE_DRAWING)
    editor = EditorPage(page).open(image_id)
    drawings: list[dict[str, Any]] = page.evaluate("window.drawings")
    size = page.evaluate(
        "(({ clientWidth: width, clientHeight: height }) => ({ width, height }))"
        "(document.querySelector('.stage'))"
    )
    assert drawings == [{"empty": True, "shapes": 1, "size": size}]
    assert len(editor.annotations) == 1
    # They come with the page: each request takes one of few connections.
    assert not [url for url in asked if re.search("/categories|/preferences", url)]
