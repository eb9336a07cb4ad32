"""Each claim about the editor's speed, as a row with its target."""

import math
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.bench import Row, percentile
from tests.bench.editor.frames import Frames, recording
from tests.bench.editor.scenes import LARGE, Scene, build, huge
from tests.bench.editor.stage import opened
from tests.serving import Server, running

__all__ = ["PEERS", "measure"]

PEERS = (
    "CVAT: more than 300 to 1,000 shapes on an image are unusable (its issues 39, 3875, 7790)",
    "COCO Annotator: brush and eraser lag and crash on busy images (its issues 150, 210, 351)",
    "COCO Annotator: an image of 1,944 x 27,136 pixels does not open (its issue 485)",
)
ORDINARY = (4000, 3000)


def _frames(what: str, frames: Frames, main: float, worst: float | None) -> Iterator[Row]:
    note = f"median {percentile(frames.main_ms, 0.5):.1f}, {len(frames.main_ms)} frames"
    yield Row(f"{what}: main thread, p95", percentile(frames.main_ms, 0.95), "ms", main, note=note)
    late = sum(interval > 33.5 for interval in frames.interval_ms)
    note = f"{late} of {len(frames.interval_ms)} above 33 ms"
    yield Row(f"{what}: slowest frame", max(frames.interval_ms), "ms", worst, note=note)


def _crowded(server: Server) -> Iterator[Row]:
    for scene, count, main, worst in zip(
        build(server, "crowded", counts=(2000, 10_000)),
        ("2,000 polygons", "10,000 polygons"),
        (4.0, 8.0),
        (33.5, None),
        strict=True,
    ):
        with opened(server) as stage:
            stage.open(scene)
            yield from _frames(f"{count}, pan", stage.watch(stage.pan), main, worst)
            yield from _frames(f"{count}, zoom", stage.watch(stage.zoom), main, worst)
            yield Row(f"{count}, memory of the tab", stage.megabytes(), "MB", 400.0)


def _vertices(server: Server) -> Iterator[Row]:
    for name, spiky in (("an outline", False), ("a star of spikes", True)):
        yield from _vertex(server, f"a vertex of 5,000 dragged, {name}", spiky=spiky)


def _vertex(server: Server, name: str, *, spiky: bool) -> Iterator[Row]:
    (scene,) = build(server, name, size=ORDINARY, counts=(1,), points=5000, spiky=spiky)
    annotation = server.client.get(f"/api/images/{scene.image_id}/annotations").json()["items"][0]
    ring = annotation["segmentation"][0]
    x, y, width, height = annotation["bbox"]
    middle = (x + width / 2, y + height / 2)
    corner = (ring[0], ring[1])
    with opened(server) as stage:
        stage.open(scene)
        stage.editor.press("v")
        stage.editor.click(*middle)
        away = (corner[0] - width / 5, corner[1] + height / 10)
        frames = stage.watch(lambda: stage.drag(corner, away))
        yield from _frames(name, frames, 8.0, None)


def _opening(server: Server) -> Iterator[Row]:
    first, second, third, *_ = build(server, "opening", size=ORDINARY, counts=(2000, 2000, 2000))
    fresh, warm = [], []
    for _ in range(3):
        with opened(server) as stage:
            fresh.append(stage.open(first))
            for scene in (second, third):
                stage.page.goto("/")
                stage.page.wait_for_load_state("networkidle")
                warm.append(stage.open(scene))
    size = f"{ORDINARY[0] * ORDINARY[1] / 1e6:.0f} megapixels"
    name = "open an image with 2,000 polygons"
    yield _median(f"{name}, from another page", warm, 700.0, size)
    yield _median(f"{name}, in a browser just started", fresh, 700.0, size)
    with opened(server) as stage:
        stage.open(first)
        times = [stage.switch(key) for key in "ddaadd"]
        yield _median("go to the next image, made ready", times, 150.0)


def _median(name: str, times: list[float], most: float, *notes: str) -> Row:
    note = ", ".join([f"{min(times):.0f} to {max(times):.0f}", *notes])
    return Row(name, percentile(times, 0.5), "ms", most, note=note)


def _huge(server: Server) -> Iterator[Row]:
    dataset = server.client.post("/api/datasets", json={"name": "huge"}).json()["id"]
    with tempfile.TemporaryDirectory() as folder, huge(Path(folder)).open("rb") as file:
        path = f"/api/datasets/{dataset}/images"
        answer = server.client.post(path, files={"files": ("huge.jpg", file)}, timeout=300)
    image = answer.raise_for_status().json()["images"][0]
    scene = Scene(image["id"], image["width"], image["height"])
    with _most_memory(server.pid) as peak:
        started = time.monotonic()
        server.client.get(f"/api/images/{scene.image_id}/tiles", timeout=300).raise_for_status()
        seconds = time.monotonic() - started
    size = "20,000 x 20,000"
    yield Row(f"{size}, tiles made by the server", seconds, "s")
    yield Row(f"{size}, memory that the making takes", peak[0], "MB")
    with opened(server) as stage:
        yield Row(f"{size}, opened", stage.open(scene), "ms")
        yield from _frames(f"{size}, pan", stage.watch(stage.pan), 4.0, 33.5)
        yield from _frames(f"{size}, zoom", stage.watch(stage.zoom), 4.0, 33.5)
        yield Row(f"{size}, memory of the tab", stage.megabytes(), "MB", 400.0)


@contextmanager
def _most_memory(pid: int) -> Iterator[list[float]]:
    """The largest resident size of the process that makes tiles for this server, in megabytes."""
    peak, over = [0.0], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            for child in psutil.Process(pid).children(recursive=True):
                with suppress(psutil.Error):
                    if "app.services.pictures.decoder" in child.cmdline():
                        peak[0] = max(peak[0], child.memory_info().rss / 1e6)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def _painting(server: Server) -> Iterator[Row]:
    (scene,) = build(server, "painting", counts=(200,))
    name = "brush of 200 px on 50 megapixels"
    with opened(server) as stage:
        stage.open(scene)
        stage.take_brush(200)
        stage.paint()
        stage.page.mouse.up()
        with recording(stage.page) as frames:
            stage.paint()
        yield from _frames(name, frames, 1000 / 60, 33.5)
        with recording(stage.page) as frames:
            stage.page.mouse.up()
            stage.editor.saved()
        yield Row(f"{name}: its end, slowest frame", max(frames.interval_ms), "ms", 100.0)


PARTS = {
    "crowded": _crowded,
    "huge": _huge,
    "vertices": _vertices,
    "opening": _opening,
    "painting": _painting,
}


def measure(names: Iterable[str] = PARTS) -> Iterator[Row]:
    """The rows of the named parts, each on a server of its own."""
    for name in names:
        with running() as server:
            yield from PARTS[name](server)


def noise() -> str:
    """What else the machine is doing, without which no figure means anything."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    busy = "quiet" if load < 0.5 * cores else "busy" if load < 1.5 * cores else "very busy"
    megapixels = math.prod(LARGE) / 1e6
    return f"{cores} cores, load {load:.1f} ({busy}), no GPU, {megapixels:.0f}-megapixel JPEG"
