"""Generated COCO files, in and out over HTTP: 17 MB beside Datumaro, and 330 MB.

Datumaro runs in an environment of its own, which uv makes for it and keeps in its cache; where it
cannot, its rows are left out.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.bench import Row
from tests.serving import Server, running

__all__ = ["measure"]

MB = 1e6
_DATUMARO = """
import sys, time
from datumaro.components.dataset import Dataset
begun = time.perf_counter()
dataset = Dataset.import_from(sys.argv[1], "coco_instances")
dataset.init_cache()
read = time.perf_counter()
dataset.export(sys.argv[2], "coco_instances", save_media=False)
print(read - begun, time.perf_counter() - read)
"""


def write_file(path: Path, images: int, annotations: int, points: int = 20) -> None:
    """A file of so many images and polygons, written piece by piece."""
    draw = random.Random(1)  # noqa: S311 - the same file every time
    with path.open("w") as file:
        file.write('{"info": {}, "licenses": [], "categories": ')
        json.dump([{"id": n, "name": f"category {n}"} for n in range(1, 81)], file)
        file.write(', "images": [')
        for n in range(1, images + 1):
            image = {"id": n, "file_name": f"{n:012}.jpg", "width": 640, "height": 480}
            file.write((", " if n > 1 else "") + json.dumps(image))
        file.write('], "annotations": [')
        for n in range(1, annotations + 1):
            x, y = draw.uniform(60, 580), draw.uniform(60, 420)
            ring = [
                round(centre + draw.uniform(-60, 60), 2) for _ in range(points) for centre in (x, y)
            ]
            box = [min(ring[0::2]), min(ring[1::2]), max(ring[0::2]), max(ring[1::2])]
            box = [box[0], box[1], round(box[2] - box[0], 2), round(box[3] - box[1], 2)]
            annotation = {
                "id": n,
                "image_id": 1 + n % images,
                "category_id": 1 + n % 80,
                "segmentation": [ring],
                "area": round(box[2] * box[3] / 2, 4),
                "bbox": box,
                "iscrowd": 0,
            }
            file.write((", " if n > 1 else "") + json.dumps(annotation))
        file.write("]}")


@dataclass
class _Memory:
    """The most memory of a server's processes while they were watched, in bytes."""

    most: dict[int, int] = field(default_factory=dict)

    def look(self, parent: psutil.Process) -> None:
        for process in parent.children(recursive=True):
            try:
                # What it shares with others, PostgreSQL's buffers above all, is nobody's own.
                told = process.memory_info()
                used = told.rss - told.shared
            except psutil.Error:
                continue
            self.most[process.pid] = max(self.most.get(process.pid, 0), used)

    @property
    def largest(self) -> int:
        return max(self.most.values(), default=0)


@contextmanager
def _watched(parent: psutil.Process) -> Iterator[_Memory]:
    memory, done = _Memory(), threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            memory.look(parent)

    memory.look(parent)
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield memory
    finally:
        done.set()
        thread.join()


def _import(server: Server, path: Path, name: str) -> tuple[int, float]:
    """The new dataset and the seconds that the job ran."""
    made = server.client.post("/api/datasets", json={"name": name}).raise_for_status().json()
    with path.open("rb") as file:
        answer = server.client.post(
            f"/api/datasets/{made['id']}/imports",
            files={"file": ("instances.json", file, "application/json")},
        )
    return made["id"], server.finish(answer.raise_for_status().json()["id"])


def _export(server: Server, dataset: int) -> tuple[float, float, int]:
    """Seconds to the first byte, seconds in all, and bytes."""
    begun, first, size = time.perf_counter(), 0.0, 0
    path = f"/api/datasets/{dataset}/export/instances.json"
    with server.client.stream("GET", path) as answer:
        for chunk in answer.raise_for_status().iter_raw():
            first = first or time.perf_counter() - begun
            size += len(chunk)
    return first, time.perf_counter() - begun, size


def _datumaro(path: Path, folder: Path) -> tuple[float, float] | None:
    """Seconds that Datumaro takes to read the file, and to write it."""
    layout = folder / "datumaro"
    (layout / "annotations").mkdir(parents=True)
    (layout / "images" / "train").mkdir(parents=True)
    (layout / "annotations" / "instances_train.json").write_bytes(path.read_bytes())
    uv = str(Path(sys.executable).parent / "uv")
    command = [uv, "run", "--no-project", "--with", "datumaro>=1.10", "python", "-c", _DATUMARO]
    done = subprocess.run(
        [*command, str(layout), str(folder / "out")],
        env={**os.environ, "UV_SYSTEM_CERTS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return None
    read, written = done.stdout.split()[-2:]
    return float(read), float(written)


def _small(server: Server, folder: Path) -> Iterator[Row]:
    path = folder / "small.json"
    write_file(path, 5_000, 36_000)
    peer = _datumaro(path, folder)
    told = "" if peer is None else f"Datumaro, from file to file: {peer[0]:.1f} s"
    runs = [_import(server, path, f"small {n}") for n in range(3)]
    size = path.stat().st_size / MB
    seconds = sorted(taken for _, taken in runs)[1]
    yield Row(f"import of 36,000 polygons, {size:.0f} MB", seconds, "s", 2.5, note=told)
    exports = sorted(_export(server, runs[0][0])[1] for _ in range(5))
    told = "" if peer is None else f"Datumaro: {peer[1]:.1f} s"
    yield Row("their export, over HTTP", exports[2], "s", 0.3, note=told)


def _large(server: Server, parent: psutil.Process, folder: Path) -> Iterator[Row]:
    path = folder / "large.json"
    annotations = 700_000
    write_file(path, 120_000, annotations)
    note = f"{path.stat().st_size / MB:.0f} MB"
    with _watched(parent) as memory:
        dataset, seconds = _import(server, path, "large")
    rate = annotations / seconds
    yield Row("import of 700,000, annotations/s", rate, "", 15_000, at_least=True, note=note)
    yield Row("its largest process", memory.largest / MB, "MB", 500)
    time.sleep(2)
    rest = _Memory()
    rest.look(parent)
    with _watched(parent) as memory:
        first, seconds, size = _export(server, dataset)
    yield Row("their export, over HTTP", size / MB / seconds, "MB/s", 80, at_least=True)
    yield Row("its first byte", first, "s", 1)
    more = max(memory.most[pid] - rest.most.get(pid, 0) for pid in memory.most)
    yield Row("its memory, more than at rest", more / MB, "MB", 150)


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name, running() as server:
        folder = Path(name)
        yield from _small(server, folder)
        yield from _large(server, psutil.Process(server.pid), folder)
