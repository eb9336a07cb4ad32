"""Large files, in and out over HTTP: 17 MB of COCO beside Datumaro, 450 MB, and a zip of images.

Datumaro runs in an environment of its own, which uv makes for it and keeps in its cache; where it
cannot, its rows are left out.
"""

import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tests.bench import Row, processor_seconds
from tests.serving import Server, running
from tests.shared_data import SHARED_DATA

__all__ = ["measure"]

MB = 1e6
_AT_ONCE = 1000
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
    draw = np.random.default_rng(1)
    with path.open("w") as file:
        file.write('{"info": {}, "licenses": [], "categories": ')
        json.dump([{"id": n, "name": f"category {n}"} for n in range(1, 81)], file)
        file.write(', "images": [')
        for n in range(1, images + 1):
            image = {"id": n, "file_name": f"{n:012}.jpg", "width": 640, "height": 480}
            file.write((", " if n > 1 else "") + json.dumps(image))
        file.write('], "annotations": [')
        for first in range(1, annotations + 1, _AT_ONCE):
            some = _annotations(draw, first, min(_AT_ONCE, annotations + 1 - first), points, images)
            file.write((", " if first > 1 else "") + ", ".join(map(json.dumps, some)))
        file.write("]}")


def _annotations(
    draw: np.random.Generator, first: int, number: int, points: int, images: int
) -> Iterator[dict[str, Any]]:
    """Polygons that lead to and fro within a square of 120 pixels."""
    centres = draw.uniform((60, 60), (580, 420), (number, 1, 2))
    rings = (centres + draw.uniform(-60, 60, (number, points, 2))).round(2)
    low, high = rings.min(axis=1), rings.max(axis=1)
    boxes = np.concatenate([low, high - low], axis=1).round(2)
    areas = (boxes[:, 2] * boxes[:, 3] / 2).round(4)
    rows = zip(rings.reshape(number, -1).tolist(), boxes.tolist(), areas.tolist(), strict=True)
    for n, (ring, box, area) in enumerate(rows, start=first):
        yield {
            "id": n,
            "image_id": 1 + n % images,
            "category_id": 1 + n % 80,
            "segmentation": [ring],
            "area": area,
            "bbox": box,
            "iscrowd": 0,
        }


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
    return _download(server, f"/api/datasets/{dataset}/export/instances.json", Path(os.devnull))


def _download(server: Server, address: str, path: Path) -> tuple[float, float, int]:
    begun, first, size = time.perf_counter(), 0.0, 0
    with path.open("wb") as file, server.client.stream("GET", address) as answer:
        for chunk in answer.raise_for_status().iter_raw():
            first = first or time.perf_counter() - begun
            size += len(chunk)
            file.write(chunk)
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


def _beside(ours: list[float], theirs: list[float]) -> str:
    """What the peer's median is, and how many times as long."""
    if not theirs:
        return ""
    seconds = statistics.median(theirs)
    return f"Datumaro: {seconds:.1f} s, {seconds / statistics.median(ours):.1f} times as long"


def _small(server: Server, parent: psutil.Process, folder: Path) -> Iterator[Row]:
    path = folder / "small.json"
    write_file(path, 5_000, 36_000)
    imports: list[float] = []
    exports: list[float] = []
    peers: list[tuple[float, float]] = []
    processor: dict[str, list[float]] = {"import": [], "export": []}
    # In turn, so that whatever else the machine does meets both.
    for number in range(3):
        peer = _datumaro(path, folder / f"peer {number}")
        peers += [] if peer is None else [peer]
        begun = processor_seconds(parent)
        dataset, seconds = _import(server, path, f"small {number}")
        imports.append(seconds)
        processor["import"].append(processor_seconds(parent) - begun)
        begun = processor_seconds(parent)
        exports += [_export(server, dataset)[1] for _ in range(3)]
        processor["export"].append((processor_seconds(parent) - begun) / 3)
    size = path.stat().st_size / MB
    told = {what: f"{min(taken):.2f} s of processor; " for what, taken in processor.items()}
    note = told["import"] + _beside(imports, [read for read, _ in peers])
    seconds = statistics.median(imports)
    yield Row(f"import of 36,000 polygons, {size:.0f} MB", seconds, "s", 2.5, note=note)
    note = told["export"] + _beside(exports, [written for _, written in peers])
    yield Row("their export, over HTTP", statistics.median(exports), "s", 0.3, note=note)


def _large(server: Server, parent: psutil.Process, folder: Path) -> Iterator[Row]:
    path = folder / "large.json"
    annotations = 700_000
    write_file(path, 120_000, annotations, points=30)
    begun = processor_seconds(parent)
    with _watched(parent) as memory:
        dataset, seconds = _import(server, path, "large")
    note = (
        f"{path.stat().st_size / MB:.0f} MB, {processor_seconds(parent) - begun:.0f} s of processor"
    )
    path.unlink()
    rate = annotations / seconds
    yield Row("import of 700,000, annotations/s", rate, "", 15_000, at_least=True, note=note)
    yield Row("its largest process", memory.largest / MB, "MB", 500)
    # At once, before PostgreSQL has had time to look at what came.
    begun = processor_seconds(parent)
    with _more_memory(parent) as more:
        first, seconds, size = _export(server, dataset)
    rate = size / MB / seconds
    note = f"{size / MB:.0f} MB, {processor_seconds(parent) - begun:.1f} s of processor"
    yield Row("their export, over HTTP", rate, "MB/s", 80, at_least=True, note=note)
    yield Row("its first byte", first, "s", 1)
    yield Row("its memory, more than at rest", more[0] / MB, "MB", 150)


@contextmanager
def _more_memory(parent: psutil.Process) -> Iterator[list[float]]:
    """By how many bytes that process grew which grew the most; told when it is over."""
    rest = _Memory()
    rest.look(parent)
    told: list[float] = []
    with _watched(parent) as memory:
        yield told
    told.append(max(memory.most[pid] - rest.most.get(pid, 0) for pid in memory.most))


def _zip(server: Server, parent: psutil.Process, folder: Path) -> Iterator[Row]:
    """A zip of images, and the same files copied one after the other into one."""
    photos = sorted((SHARED_DATA / "coco" / "images").glob("*.jpg"))
    if not photos:
        return
    path = folder / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1_000):
            photo = photos[number % len(photos)].read_bytes()
            # A comment of its own makes a file of each.
            comment = struct.pack(">2sH6s", b"\xff\xfe", 8, f"{number:06}".encode())
            archive.writestr(f"{number:06}.jpg", photo[:2] + comment + photo[2:])
    dataset = server.client.post("/api/datasets", json={"name": "photos"}).json()["id"]
    with path.open("rb") as file:
        files = {"files": ("photos.zip", file, "application/zip")}
        server.client.post(f"/api/datasets/{dataset}/images", files=files).raise_for_status()
    blobs = [blob for blob in (server.data_dir / "blobs").rglob("*") if blob.is_file()]
    zips: list[float] = []
    copies: list[float] = []
    size = 0
    with _more_memory(parent) as more:
        for _ in range(5):
            begun = time.perf_counter()
            with (folder / "copy").open("wb") as copy:
                for blob in blobs:
                    copy.write(blob.read_bytes())
            copies.append(time.perf_counter() - begun)
            address = f"/api/datasets/{dataset}/export.zip?images=true"
            _, seconds, size = _download(server, address, folder / "zip")
            zips.append(seconds)
    rate, plain = (size / MB / statistics.median(taken) for taken in (zips, copies))
    note = f"copying the same files: {plain:.0f} MB/s"
    yield Row("zip of 1,000 photographs, HTTP to disk", rate, "MB/s", 100, at_least=True, note=note)
    yield Row("its memory, more than at rest", more[0] / MB, "MB", 150)


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name, running() as server:
        folder, parent = Path(name), psutil.Process(server.pid)
        yield from _small(server, parent, folder)
        yield from _zip(server, parent, folder)
        yield from _large(server, parent, folder)
