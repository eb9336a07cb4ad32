"""Import and export of the 5,703 annotations of coco-large, over HTTP."""

import statistics
import time
from collections.abc import Iterator

from tests.bench import Row
from tests.serving import running
from tests.shared_data import SHARED_DATA

__all__ = ["measure"]


def measure() -> Iterator[Row]:
    path = SHARED_DATA / "coco-large" / "instances_union.json"
    if not path.exists():
        return
    text = path.read_bytes()
    imports, exports, size = [], [], 0
    with running() as server:
        for number in range(5):
            made = server.client.post("/api/datasets", json={"name": f"bench {number}"}).json()
            base = f"/api/datasets/{made['id']}"
            files = {"file": ("instances.json", text, "application/json")}
            job = server.client.post(f"{base}/imports", files=files).raise_for_status().json()
            imports.append(server.finish(job["id"]))
            begun = time.perf_counter()
            answer = server.client.get(f"{base}/export/instances.json").raise_for_status()
            exports.append(time.perf_counter() - begun)
            size = len(answer.content)
    note = f"{size / 1e6:.1f} MB"
    yield Row("import of 5,703 annotations, job", statistics.median(imports), "s", 2.0)
    yield Row("their export, over HTTP", statistics.median(exports), "s", 0.2, note=note)
