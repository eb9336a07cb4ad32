"""The engine beside pycocotools, on input that was not seen before."""

import os
from typing import Any

import numpy as np
import pytest

from app import masks
from tests.masks.peer import ask_pycocotools

# A long run sets another seed and more rounds; the everyday run is the same every time.
SEED = int(os.environ.get("MASKWRIGHT_FUZZ_SEED", "20"))
ROUNDS = int(os.environ.get("MASKWRIGHT_FUZZ_ROUNDS", "400"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(SEED)


def some_polygon(rng: np.random.Generator, height: int, width: int) -> list[float]:
    """A polygon of a random kind: smooth, on fifths or halves, far outside, flat, doubled."""
    n = int(rng.integers(3, 40))
    kind = rng.integers(0, 7)
    points = rng.uniform(-0.3, 1.3, (n, 2)) * [width, height]
    if kind == 1:
        points = np.round(points * 5) / 5 + rng.choice([0, 0.1, 1e-9, -1e-9])
    elif kind == 2:
        points = np.round(points * 2) / 2
    elif kind == 3:
        points = points * 10 ** rng.uniform(0, 3.5)
    elif kind == 4:
        points[:, rng.integers(0, 2)] = np.round(points[0, 0])
    elif kind == 5:
        angle = np.sort(rng.uniform(0, 2 * np.pi, n))
        radius = rng.uniform(0.3, 0.5, n) * min(height, width)
        points = np.stack([np.cos(angle) * radius, np.sin(angle) * radius], axis=1)
        points += [width / 2, height / 2]
    elif kind == 6:
        points = np.repeat(points, rng.integers(1, 3, n), axis=0)
    numbers: list[float] = points.ravel().tolist()
    return numbers


def test_polygons_and_their_union(rng: np.random.Generator) -> None:
    sizes = [[int(n) for n in np.exp(rng.uniform(0, 6.5, 2))] for _ in range(ROUNDS)]
    items = [[some_polygon(rng, *size) for _ in range(rng.integers(1, 4))] for size in sizes]
    answers = ask_pycocotools(
        [
            {"op": "polygons", "size": size, "polygons": item}
            for size, item in zip(sizes, items, strict=True)
        ]
    )
    drawn = masks.from_polygons(items, sizes)
    ours = zip(
        masks.to_dicts(drawn), masks.area(drawn).tolist(), masks.bbox(drawn).tolist(), strict=True
    )
    assert [list(answer) for answer in ours] == answers


def some_stack(rng: np.random.Generator) -> Any:
    height, width, n = rng.integers(1, 40, 3)
    return rng.random((height, width, int(n) % 6 + 1)) < rng.choice([0.02, 0.3, 0.5, 0.97])


@pytest.mark.parametrize("intersect", [False, True])
def test_merges(rng: np.random.Generator, intersect: bool) -> None:
    groups = [masks.to_dicts(masks.encode(some_stack(rng))) for _ in range(ROUNDS)]
    answers = ask_pycocotools(
        [{"op": "merge", "masks": group, "intersect": intersect} for group in groups]
    )
    merged = masks.merge(
        masks.from_dicts([rle for group in groups for rle in group]),
        [len(group) for group in groups],
        intersect,
    )
    assert masks.to_dicts(merged) == answers


def test_intersections_over_unions(rng: np.random.Generator) -> None:
    batches = [masks.encode(some_stack(rng)) for _ in range(ROUNDS)]
    crowds = [rng.integers(0, 2, len(batch)).tolist() for batch in batches]
    calls = [
        {"op": "iou", "dt": rles, "gt": rles, "iscrowd": crowd}
        for rles, crowd in zip(map(masks.to_dicts, batches), crowds, strict=True)
    ]
    ours = [
        masks.iou(batch, batch, crowd).tolist()
        for batch, crowd in zip(batches, crowds, strict=True)
    ]
    assert ours == ask_pycocotools(calls)


def test_intersections_over_unions_of_boxes(rng: np.random.Generator) -> None:
    calls = []
    for _ in range(ROUNDS):
        dt, gt = (np.round(rng.uniform(-2, 20, (rng.integers(1, 6), 4)), 2) for _ in range(2))
        crowd = rng.integers(0, 2, len(gt)).tolist()
        calls.append({"op": "iou", "dt": dt.tolist(), "gt": gt.tolist(), "iscrowd": crowd})
    ours = [masks.iou_boxes(call["dt"], call["gt"], call["iscrowd"]).tolist() for call in calls]
    assert ours == ask_pycocotools(calls)


def test_outlines_drawn_and_bitmaps_decoded_by_pycocotools(rng: np.random.Generator) -> None:
    """What other programs read from our polygons and strings is the mask that was meant."""
    stacks = [some_stack(rng)[:, :, :1] for _ in range(ROUNDS)]
    coded = masks.concatenate([masks.encode(stack) for stack in stacks])
    outlines = masks.to_polygons(coded)
    calls: list[dict[str, Any]] = []
    for rle, outline in zip(masks.to_dicts(coded), outlines, strict=True):
        calls.append({"op": "decode", "mask": rle})
        if outline.polygons:
            calls.append({"op": "polygons", "size": rle["size"], "polygons": outline.polygons})
    answers = iter(ask_pycocotools(calls))
    for stack, rle, outline in zip(stacks, masks.to_dicts(coded), outlines, strict=True):
        assert next(answers) == stack[:, :, 0].astype(int).tolist()
        if outline.polygons:
            assert next(answers)[0] == rle
