"""Outlines: what the polygons of a mask look like, and how they are simplified."""

import time
from typing import Literal

import numpy as np
import pytest

from app import masks
from app.masks import Masks
from app.masks.batch import BoolArray


def coded(*rows: str) -> Masks:
    return masks.encode([[pixel == "#" for pixel in row] for row in rows])


def corners(ring: list[int]) -> list[tuple[int, int]]:
    return list(zip(ring[::2], ring[1::2], strict=True))


def test_one_pixel() -> None:
    outline = masks.to_polygons(coded("...", "..#"))[0]
    assert outline.polygons == [[2, 2, 2, 1, 3, 1, 3, 2]]


def test_nothing() -> None:
    for size in ([3, 4], [0, 4], [3, 0], [0, 0]):
        outline = masks.to_polygons(masks.background(size))[0]
        assert (outline.polygons, outline.holes, outline.iou) == ([], [], 1.0)
        assert masks.to_polygons(masks.background(size), tolerance=1)[0] == outline
    assert masks.to_polygons(masks.from_dicts([])) == []


def test_pixels_that_touch_at_a_corner_are_polygons_of_their_own() -> None:
    for rows in (("#.", ".#"), (".#", "#.")):
        outline = masks.to_polygons(coded(*rows))[0]
        assert sorted(map(len, outline.polygons)) == [8, 8]


def test_a_ring_that_meets_itself_is_split_into_polygon_and_hole() -> None:
    closed_at_a_corner = coded("####", "#..#", "#.#.", "###.")
    outline = masks.to_polygons(closed_at_a_corner, "apart")[0]
    assert (len(outline.polygons), len(outline.holes)) == (1, 1)
    for ring in outline.polygons + outline.holes:
        assert len(set(corners(ring))) == len(corners(ring))


NESTED = coded(
    "#########",
    "#.......#",
    "#.#####.#",
    "#.#...#.#",
    "#.#.#.#.#",
    "#.#...#.#",
    "#.#####.#",
    "#.......#",
    "#########",
)


def test_nested_shapes() -> None:
    seams = masks.to_polygons(NESTED)[0]
    assert (len(seams.polygons), seams.holes) == (3, [])
    apart = masks.to_polygons(NESTED, "apart")[0]
    assert (len(apart.polygons), len(apart.holes)) == (1, 1)
    assert masks.from_polygons([seams.polygons], [9, 9]) == NESTED
    assert masks.from_polygons([apart.polygons], [9, 9], [apart.holes]) == NESTED


def test_seams_are_vertical_and_inside_of_the_mask() -> None:
    [ring] = masks.to_polygons(coded("#####", "#.#.#", "#####", "#.###", "#####"))[0].polygons
    points = corners(ring)
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
        assert (x0 == x1) != (y0 == y1)


@pytest.mark.parametrize("holes", ["seams", "apart"])
def test_no_piece_of_outline_is_gone_along_twice(holes: Literal["seams", "apart"]) -> None:
    """Seams are vertical, so every horizontal step belongs to the outline and comes once."""
    rng = np.random.default_rng(7)
    for _ in range(200):
        thick = np.kron(rng.random((8, 6)) < 0.5, np.ones((2, 3)))
        framed = np.pad(np.pad(thick, 1), 1, constant_values=1)
        outline = masks.to_polygons(masks.encode(framed), holes)[0]
        steps: list[tuple[int, int]] = []
        for ring in outline.polygons + outline.holes:
            points = corners(ring)
            for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
                assert (x0 == x1) != (y0 == y1)
                steps.extend((x, y0) for x in range(min(x0, x1), max(x0, x1)))
        assert len(set(steps)) == len(steps)


def test_a_batch_of_many_sizes_is_traced_item_by_item() -> None:
    rng = np.random.default_rng(3)
    batch = masks.concatenate(
        [masks.encode(rng.random(rng.integers(0, 9, 2)) < 0.6) for _ in range(50)]
    )
    together = masks.to_polygons(batch, "apart")
    for mask, outline in zip(batch, together, strict=True):
        alone = masks.to_polygons(mask, "apart")[0]
        assert sorted(alone.polygons) == sorted(outline.polygons)
        assert sorted(alone.holes) == sorted(outline.holes)


def disc(radius: float, size: int) -> BoolArray:
    y, x = np.mgrid[:size, :size] + 0.5 - size / 2
    return np.asarray(x**2 + y**2 <= radius**2, bool)


def test_a_tolerance_drops_corners_and_tells_the_agreement() -> None:
    ring = masks.encode(disc(80, 200) & ~disc(40, 200))
    exact = masks.to_polygons(ring)[0]
    rough = masks.to_polygons(ring, tolerance=1.5)[0]
    assert len(rough.polygons[0]) * 5 < len(exact.polygons[0])
    assert 0.97 < rough.iou < 1
    drawn = masks.from_polygons([rough.polygons], [200, 200])
    assert masks.iou(drawn, ring).tolist() == [[rough.iou]]
    apart = masks.to_polygons(ring, "apart", tolerance=1.5)[0]
    assert (len(apart.polygons), len(apart.holes)) == (1, 1)


@pytest.mark.parametrize("tolerance", [0.5, 3, 1000])
def test_no_part_vanishes_however_rough_the_outline(tolerance: float) -> None:
    outline = masks.to_polygons(coded("#..#", "....", "##.#"), tolerance=tolerance)[0]
    assert len(outline.polygons) == 4
    assert all(len(ring) >= 6 for ring in outline.polygons)


def test_dropped_points_are_not_farther_than_the_tolerance() -> None:
    rng = np.random.default_rng(4)
    for _ in range(100):
        points = rng.normal(size=(rng.integers(3, 60), 2)).cumsum(axis=0)
        tolerance = float(rng.uniform(0.1, 4))
        [flat] = masks.simplify([points.ravel().tolist()], tolerance)
        left = np.array(flat).reshape(-1, 2)
        kept = {tuple(point) for point in left.tolist()}
        assert kept <= {tuple(point) for point in points.tolist()}
        a, b = left, np.roll(left, -1, axis=0)
        way = b - a
        share = ((points[:, None] - a) * way).sum(axis=2) / (way**2).sum(axis=1)
        nearest = a + np.clip(share, 0, 1)[:, :, None] * way
        distance = np.hypot(*np.moveaxis(points[:, None] - nearest, 2, 0)).min(axis=1)
        assert distance.max() <= tolerance * (1 + 1e-9)


def test_simplifying_with_tolerance_0_changes_nothing() -> None:
    ring = [0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 2.0, 2.0]
    assert masks.simplify([ring], 0) == [ring]
    assert masks.simplify([], 1) == []


def test_a_ragged_outline_is_simplified_in_good_time() -> None:
    """Teeth that get ever shorter: the farthest point is always the next one."""
    n = 30_000
    ring = [number for i in range(n) for number in (i, (n - i) * (-1) ** i)]
    began = time.perf_counter()
    [left] = masks.simplify([ring], 0.5)
    assert time.perf_counter() - began < 10
    assert len(left) > n


def test_a_comb_is_simplified_in_good_time() -> None:
    """Each tooth is as far from the line as every other: the worst case for cutting."""
    comb = np.zeros((2, 60_001), bool)
    comb[1] = True
    comb[0, ::2] = True
    [outline] = masks.to_polygons(masks.encode(comb), tolerance=0.9)
    assert len(outline.polygons) == 1


def test_many_holes_below_each_other_do_not_recurse() -> None:
    ladder = np.ones((6001, 3), bool)
    ladder[1::2, 1] = False
    mask = masks.encode(ladder)
    [outline] = masks.to_polygons(mask)
    assert len(outline.polygons) == 1
    assert masks.from_polygons([outline.polygons], mask.sizes) == mask
