"""Crowded images: regular polygons of many vertices, spread over a large photograph of noise."""

import io
import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from PIL import Image

from tests.serving import Server

__all__ = ["HUGE", "LARGE", "Scene", "build", "huge", "jpeg"]

LARGE = (8660, 5774)
"""Width and height of 50 megapixels."""

HUGE = (20_000, 20_000)


@dataclass(frozen=True)
class Scene:
    """An image with polygons, stored on the server."""

    image_id: int
    width: int
    height: int


def jpeg(width: int, height: int, seed: int = 1) -> bytes:
    """A photograph of nothing: smooth noise, which compresses about as photographs do."""
    small = np.random.default_rng(seed).integers(0, 256, (height // 16, width // 16, 3), np.uint8)
    data = io.BytesIO()
    picture = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    picture.save(data, "JPEG", quality=85)
    return data.getvalue()


def huge(folder: Path) -> Path:
    """The same of 400 megapixels, which are never in memory as a whole."""
    small = np.random.default_rng(1).integers(0, 256, (HUGE[1] // 16, HUGE[0] // 16, 3), np.uint8)
    path = folder / "huge.jpg"
    pyvips.Image.new_from_array(small).resize(16, kernel="cubic").jpegsave(str(path), Q=85)
    return path


def _polygon(
    x: float, y: float, radius: float, points: int, draw: random.Random, *, spiky: bool
) -> list[float]:
    """A star of spikes, which is the dearest to draw, or waves with a little noise, as outlines."""
    ring = []
    for step in range(points):
        angle = 2 * math.pi * step / points
        if spiky:
            reach = radius * draw.uniform(0.75, 1.0)
        else:
            waves = 0.09 * math.sin(7 * angle) + 0.04 * math.sin(31 * angle)
            reach = radius * (0.86 + waves + draw.uniform(-0.005, 0.005))
        ring += [round(x + reach * math.cos(angle), 2), round(y + reach * math.sin(angle), 2)]
    return ring


def _annotations(
    size: tuple[int, int], count: int, points: int, image: int, *, spiky: bool
) -> list[Any]:
    """Polygons of very different sizes, so many that they overlap, as on a crowded image."""
    width, height = size
    draw = random.Random(count)  # noqa: S311 - the same shapes on every run
    usual = math.sqrt(width * height / count)
    found = []
    for number in range(count):
        radius = usual * draw.choice([0.3, 0.5, 0.5, 0.8, 1.2])
        x, y = draw.uniform(radius, width - radius), draw.uniform(radius, height - radius)
        ring = _polygon(x, y, radius, points, draw, spiky=spiky)
        found.append(
            {
                "id": image * 100_000 + number,
                "image_id": image,
                "category_id": 1 + number % 20,
                "iscrowd": 0,
                "area": 1.0,
                "bbox": [x - radius, y - radius, 2 * radius, 2 * radius],
                "segmentation": [ring],
            }
        )
    return found


def build(
    server: Server,
    name: str,
    *,
    size: tuple[int, int] = LARGE,
    counts: tuple[int, ...] = (2000,),
    points: int = 50,
    spiky: bool = True,
) -> list[Scene]:
    """A dataset with one image for each of `counts`, with so many polygons on it."""
    dataset = server.client.post("/api/datasets", json={"name": name}).json()["id"]
    width, height = size
    for number in range(len(counts)):
        files = {"files": (f"{number}.jpg", jpeg(width, height, number), "image/jpeg")}
        server.client.post(f"/api/datasets/{dataset}/images", files=files).raise_for_status()
    images = [
        {"id": n, "file_name": f"{n}.jpg", "width": width, "height": height}
        for n in range(len(counts))
    ]
    coco = {
        "images": images,
        "categories": [{"id": n, "name": f"category {n}"} for n in range(1, 21)],
        "annotations": [
            one
            for n, count in enumerate(counts)
            for one in _annotations(size, count, points, n, spiky=spiky)
        ],
    }
    server.import_coco(dataset, coco)
    path = f"/api/datasets/{dataset}/images?sort=file_name"
    return [Scene(i["id"], width, height) for i in server.client.get(path).json()["items"]]
