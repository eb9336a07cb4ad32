"""One annotation saved at a time, over HTTP, by one client."""

import io
import time
from collections.abc import Iterator

import psutil
from PIL import Image

from tests.bench import Row, percentile, processor_seconds
from tests.serving import Server, running

__all__ = ["measure"]

REQUESTS = 200
CIRCLE_POINTS = 50


def _image(server: Server) -> tuple[str, int]:
    dataset = server.client.post("/api/datasets", json={"name": "saving"}).json()["id"]
    base = f"/api/datasets/{dataset}"
    category = server.client.post(f"{base}/categories", json={"name": "thing"}).json()["id"]
    picture = io.BytesIO()
    Image.new("RGB", (640, 480), "gray").save(picture, "JPEG")
    files = {"files": ("a.jpg", picture.getvalue(), "image/jpeg")}
    made = server.client.post(f"{base}/images", files=files).raise_for_status().json()
    return f"/api/images/{made['images'][0]['id']}/annotations", category


def _polygon(number: int) -> list[float]:
    """A many-sided shape that is never twice the same."""
    points = []
    for step in range(CIRCLE_POINTS):
        points += [100.25 + 7 * (step % 25) + number % 50, 50.5 + 6 * abs(step - 25) + number / 100]
    return points


def measure() -> Iterator[Row]:
    creations, changes = [], []
    with running() as server:
        path, category = _image(server)
        parent = psutil.Process(server.pid)
        begun = processor_seconds(parent)
        for number in range(REQUESTS):
            body = {"category_id": category, "segmentation": [_polygon(number)]}
            asked = time.perf_counter()
            made = server.client.post(path, json=body).raise_for_status().json()
            creations.append(1000 * (time.perf_counter() - asked))
            change = {"segmentation": [_polygon(number + 1)]}
            asked = time.perf_counter()
            server.client.patch(
                f"/api/annotations/{made['id']}",
                json=change,
                headers={"If-Match": f'"{made["version"]}"'},
            ).raise_for_status()
            changes.append(1000 * (time.perf_counter() - asked))
        each = (processor_seconds(parent) - begun) / (2 * REQUESTS)
    yield Row("one annotation created, p95", percentile(creations, 0.95), "ms", 20.0)
    yield Row("one annotation changed, p95", percentile(changes, 0.95), "ms", 20.0)
    yield Row("processor for one of either", 1000 * each, "ms")
