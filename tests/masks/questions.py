"""Random calls for the engine and pycocotools, all of them valid, many of them unpleasant.

`SUBJECTS` has one maker of calls for each operation of the Mask API. A call is plain JSON, with
the counts of masks as lists, so that `tests.masks.shrink` can make it smaller.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from app.masks.batch import FloatArray
from tests.masks.peer import Call

Rng = np.random.Generator

FARTHEST = 1e7
"""The engine's limit; pycocotools takes seconds for a polygon that reaches so far."""


# Sizes and coordinates ---------------------------------------------------------------------------


def some_size(rng: Rng, most: int = 600) -> list[int]:
    """Height and width: mostly small, some long and thin, now and then nothing at all."""
    side = int(np.exp(rng.uniform(0, np.log(most))))
    match int(rng.integers(0, 12)):
        case 0:
            size = [side, 1]
        case 1:
            size = [1, side]
        case 2:
            size = [int(rng.integers(1, 4)), side]
        case 3:
            size = [side, int(rng.integers(1, 4))]
        case 4:
            size = [0, side] if rng.random() < 0.5 else [side, 0]
        case 5:
            size = [0, 0] if rng.random() < 0.2 else [1, 1]
        case _:
            size = [side, int(np.exp(rng.uniform(0, np.log(most))))]
    return size


def some_canvas(rng: Rng, most: int = 600) -> list[int]:
    """The same to draw on: in an image of no columns pycocotools draws outside of it."""
    height, width = some_size(rng, most)
    return [height, max(width, 1)]


def _scattered(rng: Rng, n: int, box: FloatArray) -> FloatArray:
    points: FloatArray = rng.uniform(-0.3, 1.3, (n, 2)) * box
    return points


def _on_steps(rng: Rng, n: int, box: FloatArray) -> FloatArray:
    """On tenths, fifths, quarters or halves, exactly or a hair beside, where roundings decide."""
    step = rng.choice([0.1, 0.2, 0.25, 0.5, 1.0])
    hair = rng.choice([0, 0, 0.1, -0.1, 1e-9, -1e-9, 1e-15])
    points: FloatArray = np.round(_scattered(rng, n, box) / step) * step + hair
    return points


def _in_one_spot(rng: Rng, n: int, box: FloatArray) -> FloatArray:
    """All within a few pixels, so that edges cross and points meet again and again."""
    corner = np.floor(rng.uniform(-0.1, 1, 2) * box)
    points: FloatArray = corner + rng.integers(-3, 4, (n, 2)) / rng.choice([1.0, 2.0, 5.0])
    return points


def _on_a_line(rng: Rng, n: int, box: FloatArray) -> FloatArray:
    a, way = _scattered(rng, 2, box)
    if rng.random() < 0.5:
        way[rng.integers(0, 2)] = 0
    points: FloatArray = a + rng.uniform(-1, 1, (n, 1)) * way
    return points


def _upright(rng: Rng, n: int, box: FloatArray) -> FloatArray:
    """Edges that go only sideways, up or down, as around pixels."""
    steps = np.round(_scattered(rng, n, box) * 2) / 2
    steps[1::2, 0] = steps[0::2, 0][: len(steps[1::2])]
    steps[2::2, 1] = steps[1::2, 1][: len(steps[2::2])]
    return steps


def _round(rng: Rng, n: int, box: FloatArray) -> FloatArray:
    angle = np.sort(rng.uniform(0, 2 * np.pi, n))
    radius = rng.uniform(0.3, 0.7, n)[:, None] * box
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius + box / 2


def _star(rng: Rng, n: int, box: FloatArray) -> FloatArray:
    """Wound several times around the middle."""
    angle = np.arange(n) * 2 * np.pi * rng.integers(1, 4) / rng.choice([5, 7, 8])
    return (np.stack([np.cos(angle), np.sin(angle)], axis=1) * 0.55 + 0.5) * box


def _there_and_back(rng: Rng, n: int, box: FloatArray) -> FloatArray:
    way = _on_steps(rng, n, box)
    return np.concatenate([way, way[::-1]])


def _doubled(rng: Rng, n: int, box: FloatArray) -> FloatArray:
    return np.repeat(_on_steps(rng, n, box), rng.integers(1, 4, n), axis=0)


def _twice_around(rng: Rng, n: int, box: FloatArray) -> FloatArray:
    return np.tile(_on_steps(rng, n, box), (2, 1))


def _far(rng: Rng, n: int, box: FloatArray) -> FloatArray:
    return np.clip(_scattered(rng, n, box) * 10 ** rng.uniform(0, 2.5), -1e5, 1e5)


def _steep(rng: Rng, n: int, box: FloatArray) -> FloatArray:
    """Close to a vertical line, where one column is crossed again and again."""
    points = _scattered(rng, n, box)
    points[:, 0] = np.floor(points[0, 0]) + rng.choice([0, 0.3, 0.4, 0.5, 0.6, 1], n)
    return points


def _tiny(rng: Rng, n: int, box: FloatArray) -> FloatArray:
    points: FloatArray = rng.uniform(-1, 1, (n, 2)) * rng.choice([1e-300, 1e-12, 0.1, -0.0])
    return points


_RINGS: tuple[Callable[[Rng, int, FloatArray], FloatArray], ...] = (
    _scattered, _on_steps, _on_steps, _in_one_spot, _on_a_line, _upright, _round, _round, _star,
    _there_and_back, _doubled, _twice_around, _far, _steep, _tiny,
)  # fmt: skip


def some_ring(rng: Rng, size: list[int]) -> list[float]:
    """A flat polygon of three points or more."""
    box = np.array([size[1], size[0]], np.float64)
    kind = _RINGS[rng.integers(0, len(_RINGS))]
    points = kind(rng, int(3 + rng.exponential(8)), box)
    if rng.random() < 0.1:
        points = np.concatenate([points, points[:1]])  # Closed by hand, as many writers do.
    numbers: list[float] = points.ravel().tolist()
    return numbers


# Masks -------------------------------------------------------------------------------------------


def counts_of(flat: Any) -> list[int]:
    """Canonical counts of pixels in column-major order, by the definition."""
    pixels = np.asarray(flat, np.int8)
    ends = np.flatnonzero(np.diff(pixels, prepend=np.int8(0)))
    counts: list[int] = np.diff(np.concatenate([[0], ends, [len(pixels)]])).tolist()
    return counts


def some_masks(rng: Rng, size: list[int], n: int) -> list[Call]:
    """n masks of one size: noise, stripes, boxes, nothing and everything."""
    height, width = size
    pixels = height * width
    out = []
    for _ in range(n):
        flat = np.zeros(pixels, bool)
        match int(rng.integers(0, 7)):
            case 0:
                pass
            case 1:
                flat[:] = True
            case 2 if pixels:
                a, b = np.sort(rng.integers(0, pixels + 1, 2))
                flat[a:b] = True
            case 3 if pixels:
                (y0, y1), (x0, x1) = (np.sort(rng.integers(0, side + 1, 2)) for side in size)
                flat.reshape(width, height)[x0:x1, y0:y1] = True
            case 4:
                flat = np.arange(pixels) // rng.integers(1, max(height, 2)) % 2 == 1
            case _:
                flat = rng.random(pixels) < rng.choice([0.02, 0.3, 0.5, 0.97])
        out.append({"size": size, "counts": counts_of(flat)})
    return out


def some_runs(rng: Rng) -> Call:
    """A mask of a large image, few runs long.

    No run reaches 2^24 pixels: pycocotools writes a run into six bytes, the end of the string
    included, and more than four such runs break its memory.
    """
    height, width = (int(np.exp(rng.uniform(5, 8.3))) for _ in range(2))
    pixels = height * width
    ends = np.unique(rng.integers(1, max(pixels, 2), rng.integers(0, 30)))
    counts = np.diff(np.concatenate([[0], ends, [pixels]])).tolist()
    return {"size": [height, width], "counts": [0, *counts] if rng.random() < 0.5 else counts}


# Calls -------------------------------------------------------------------------------------------


def polygons(rng: Rng) -> Call:
    size = some_canvas(rng)
    parts = 1 if rng.random() < 0.5 else int(rng.integers(2, 13))
    return {
        "op": "polygons",
        "size": size,
        "polygons": [some_ring(rng, size) for _ in range(parts)],
    }


def far_polygons(rng: Rng) -> Call:
    """Coordinates up to the limit, of which pycocotools walks every fifth of a pixel."""
    size = some_canvas(rng, 30)
    reach = 10 ** rng.uniform(4, 7)
    ring = np.clip(rng.normal(0, reach, (3, 2)), -FARTHEST, FARTHEST)
    ring[rng.integers(0, 3)] = rng.uniform(0, 30, 2)
    return {"op": "polygons", "size": size, "polygons": [np.round(ring, 1).ravel().tolist()]}


def wide_polygons(rng: Rng) -> Call:
    """Images of hundreds of millions of pixels, but fewer than pycocotools can write down."""
    size = [int(n) for n in rng.integers(10_000, 23_000, 2)]
    return {"op": "polygons", "size": size, "polygons": [some_ring(rng, size)]}


def boxes(rng: Rng) -> Call:
    size = some_canvas(rng)
    step = rng.choice([0.1, 0.5, 1.0, 1e-3])
    reach = np.array([size[1], size[0]] * 2, np.float64) + 2
    drawn = np.round(rng.uniform(-0.5, 1.2, (rng.integers(1, 6), 4)) * reach / step) * step
    return {"op": "boxes", "size": size, "boxes": drawn.tolist()}


def bitmaps(rng: Rng) -> Call:
    return {"op": "bitmaps", "masks": some_masks(rng, some_size(rng, 40), int(rng.integers(1, 6)))}


def rles(rng: Rng) -> Call:
    return {"op": "rles", "masks": [some_runs(rng) for _ in range(rng.integers(1, 6))]}


def decode(rng: Rng) -> Call:
    """Runs of length zero among the others, which decode as if they were not there."""
    masks = some_masks(rng, some_size(rng, 40), int(rng.integers(1, 4)))
    for mask in masks:
        counts, room = mask["counts"], mask["size"][0] * mask["size"][1] + 2
        while len(counts) + 2 <= room and rng.random() < 0.7:
            at = int(rng.integers(0, len(counts)))
            cut = int(rng.integers(0, counts[at] + 1))
            counts[at : at + 1] = [cut, 0, counts[at] - cut]
    return {"op": "decode", "masks": masks}


def strings(rng: Rng) -> Call:
    """Any counts: their strings know nothing of an image."""
    most = 2 ** rng.integers(1, 24, rng.integers(1, 40))
    counts = rng.integers(0, most).tolist()
    if len(counts) > 4 and rng.random() < 0.2:
        # Seven characters, where no difference to it follows: pycocotools misreads those below
        # -2^29, as it shifts a number of 32 bits by 35.
        counts[-1] = int(rng.integers(2**29, 2**32))
    return {"op": "strings", "counts": counts}


def merge(rng: Rng) -> Call:
    most = 1 if rng.random() < 0.1 else 7
    masks = some_masks(rng, some_size(rng, 40), int(rng.integers(1, most + 1)))
    return {"op": "merge", "masks": masks, "intersect": bool(rng.random() < 0.5)}


def iou(rng: Rng) -> Call:
    size = some_size(rng, 40)
    dt, gt = (some_masks(rng, size, int(rng.integers(1, 7))) for _ in range(2))
    gt[: len(gt) // 2] = dt[: len(gt) // 2]
    return {
        "op": "iou",
        "dt": dt,
        "gt": [{"mask": mask, "iscrowd": int(rng.integers(0, 2))} for mask in gt],
    }


def iou_boxes(rng: Rng) -> Call:
    """Boxes that overlap, touch, lie apart or have no or a negative extent."""
    step, reach = rng.choice([1e-3, 0.5, 1.0]), rng.choice([5.0, 300.0])
    dt, gt = (
        (np.round(rng.uniform(-0.2, 1, (rng.integers(1, 7), 4)) * reach / step) * step).tolist()
        for _ in range(2)
    )
    return {
        "op": "iou_boxes",
        "dt": dt,
        "gt": [{"box": box, "iscrowd": int(rng.integers(0, 2))} for box in gt],
    }


def outlines(rng: Rng) -> Call:
    """pycocotools draws the polygons that we traced: they are the mask again."""
    return {"op": "outlines", "masks": some_masks(rng, some_size(rng, 40), 1)}


Maker = Callable[[Rng], Call]

SUBJECTS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        polygons, boxes, bitmaps, rles, decode, strings, merge, iou, iou_boxes, outlines,
        wide_polygons, far_polygons,
    )
}  # fmt: skip
SLOW = {"wide_polygons": 50, "far_polygons": 1000}
"""How many times fewer calls of these are made: pycocotools walks along every edge."""


def is_fair(call: Call) -> bool:
    """Whether the input is one that pycocotools can answer; the engine refuses what is invalid.

    It draws outside of an image of no columns, and misreads differences below -2^29 in strings,
    which a polygon can have that fills most of an image of more pixels than that.
    """
    if [] in call.values():
        return False
    if "size" in call and (len(call["size"]) != 2 or not 0 <= np.prod(call["size"]) < 2**29):
        return False
    if "size" in call and call["size"][1] == 0:
        return False
    counts = call.get("counts", ())
    return all(count - counts[i] >= -(2**29) for i, count in enumerate(counts[3:], start=1))


def some_calls(subject: str, seed: tuple[int, ...], n: int) -> list[Call]:
    """n calls of a subject, the same for the same seed."""
    rng = np.random.default_rng([*seed, list(SUBJECTS).index(subject)])
    return [SUBJECTS[subject](rng) for _ in range(max(1, n // SLOW.get(subject, 1)))]
