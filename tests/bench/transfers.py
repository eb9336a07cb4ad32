"""Import and export of the 5,703 annotations of coco-large, over HTTP, in each form there is."""

import statistics
import time
from collections.abc import Iterator

from tests.bench import Row
from tests.serving import Server, running
from tests.shared_data import SHARED_DATA

__all__ = ["measure"]

_MB = 1e6
_FORMS = (
    "ids=reindex",
    "segmentation=mask",
    "segmentation=polygons",
    "crop_covered=true",
    "crop_covered=true&segmentation=polygons",
)


def _export(server: Server, dataset: int, options: str = "") -> tuple[float, int]:
    """Seconds and bytes."""
    begun = time.perf_counter()
    path = f"/api/datasets/{dataset}/export/instances.json?{options}"
    size = len(server.client.get(path).raise_for_status().content)
    return time.perf_counter() - begun, size


def measure() -> Iterator[Row]:
    path = SHARED_DATA / "coco-large" / "instances_union.json"
    if not path.exists():
        return
    text = path.read_bytes()
    imports, exports, size = [], [], 0
    taken: dict[str, list[float]] = {form: [] for form in _FORMS}
    sizes: dict[str, int] = {}
    with running() as server:
        for number in range(5):
            made = server.client.post("/api/datasets", json={"name": f"bench {number}"}).json()
            base = f"/api/datasets/{made['id']}"
            files = {"file": ("instances.json", text, "application/json")}
            job = server.client.post(f"{base}/imports", files=files).raise_for_status().json()
            imports.append(server.finish(job["id"]))
            seconds, size = _export(server, made["id"])
            exports.append(seconds)
            for form in _FORMS:
                seconds, sizes[form] = _export(server, made["id"], form)
                taken[form].append(seconds)
    note = f"{size / _MB:.1f} MB"
    yield Row("import of 5,703 annotations, job", statistics.median(imports), "s", 2.0)
    yield Row("their export, over HTTP", statistics.median(exports), "s", 0.2, note=note)
    for form in _FORMS:
        seconds, size = statistics.median(taken[form]), sizes[form]
        note = f"{size / _MB:.1f} MB, {5_703 / seconds:,.0f} annotations/s"
        yield Row(f"with {form}", size / _MB / seconds, "MB/s", note=note)
