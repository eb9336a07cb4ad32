"""Brush strokes, compared with a look at every pixel."""

from itertools import pairwise

import numpy as np
import pytest

from app import masks
from app.masks.batch import BoolArray, FloatArray
from tests.masks.golden import stroke_cases

GRID = 40


def under_disc(points: FloatArray, radius: float) -> BoolArray:
    y, x = np.mgrid[:GRID, :GRID] + 0.5
    out = np.zeros((GRID, GRID), bool)
    for a, b in pairwise(points):
        (dx, dy), square = b - a, ((b - a) ** 2).sum()
        share = ((x - a[0]) * dx + (y - a[1]) * dy) / (square or 1)
        share = np.clip(share, 0, 1)
        out |= (x - a[0] - share * dx) ** 2 + (y - a[1] - share * dy) ** 2 <= radius**2
    return out


def under_square(points: FloatArray, radius: float) -> BoolArray:
    """The brush at many places of the line; enough of them for steps far below a pixel's size."""
    y, x = np.mgrid[:GRID, :GRID] + 0.5
    out = np.zeros((GRID, GRID), bool)
    for a, b in pairwise(points):
        for share in np.linspace(0, 1, 1025):
            cx, cy = a + share * (b - a)
            out |= (np.abs(x - cx) <= radius) & (np.abs(y - cy) <= radius)
    return out


def some_lines() -> list[tuple[FloatArray, float]]:
    rng = np.random.default_rng(5)
    lines = []
    for _ in range(150):
        points = np.round(rng.uniform(-8, GRID + 8, (rng.integers(2, 5), 2)) * 4) / 4
        if rng.random() < 0.3:
            points[:, rng.integers(0, 2)] = points[0, 0]
        lines.append((points, float(np.ceil(rng.exponential(4) * 4) / 4)))
    return lines


def test_the_round_brush() -> None:
    lines = some_lines()
    drawn = masks.from_strokes(
        [points.ravel().tolist() for points, _ in lines], [r for _, r in lines], [GRID, GRID]
    )
    for bitmap, (points, radius) in zip(masks.decode(drawn), lines, strict=True):
        assert (bitmap == under_disc(points, radius)).all()


def test_the_rim_of_the_round_brush_is_decided_by_the_distance() -> None:
    """Radii whose squares are whole numbers but for a rounding, up or down."""
    line = np.array([[20.5, 20.5], [20.5, 20.5]])
    slanted = np.array([[15.5, 20.5], [19.5, 23.5]])
    for square in range(1, 150):
        radius = float(np.sqrt(square))
        for points in (line, slanted):
            drawn = masks.from_strokes([points.ravel().tolist()], [radius], [GRID, GRID])
            assert (masks.decode(drawn)[0] == under_disc(points, radius)).all()


def test_the_square_brush() -> None:
    lines = [(points[:2], radius) for points, radius in some_lines()[:40]]
    for points, radius in lines:
        # Steps of the comparison are exact for a way that is a multiple of 1024ths.
        drawn = masks.from_strokes([points.ravel().tolist()], [radius], [GRID, GRID], square=True)
        missing = under_square(points, radius) & (masks.decode(drawn)[0] == 0)
        extra = (masks.decode(drawn)[0] == 1) & ~under_square(points, radius + 0.05)
        assert not missing.any()
        assert not extra.any()


@pytest.mark.parametrize("square", [False, True])
def test_a_dot(square: bool) -> None:
    once = masks.from_strokes([[20.0, 20.0]], [3], [GRID, GRID], square=square)
    twice = masks.from_strokes([[20.0, 20.0] * 2], [3], [GRID, GRID], square=square)
    assert once == twice
    assert masks.area(once).tolist() == [36 if square else 32]


def test_a_dot_in_the_middle_of_a_pixel_covers_it_however_small() -> None:
    drawn = masks.from_strokes([[2.5, 1.5], [2.4, 1.5]], [0.01, 0.01], [4, 4])
    assert masks.area(drawn).tolist() == [1, 0]


def test_strokes_outside_of_the_image_and_over_all_of_it() -> None:
    drawn = masks.from_strokes([[-50, -50], [1e7, 5], [20, 20]], [9, 1e7, 1e6], [GRID, GRID])
    assert masks.area(drawn).tolist()[0] == 0
    assert masks.area(drawn).tolist()[2] == GRID * GRID
    assert len(masks.from_strokes([[1, 1]], [5], [0, 7])) == 1


def test_a_long_line_over_a_large_image() -> None:
    rng = np.random.default_rng(6)
    line = np.clip(rng.normal(0, 60, (3000, 2)).cumsum(axis=0) + 10_000, 0, 20_000)
    drawn = masks.from_strokes([line.ravel().tolist()], [25], [20_000, 20_000])
    assert masks.area(drawn)[0] > 1_000_000


def test_strokes_are_those_of_the_browser() -> None:
    for case in stroke_cases():
        drawn = masks.from_strokes(
            [case["stroke"]], [case["radius"]], case["size"], square=case["square"]
        )
        assert masks.to_dicts(drawn)[0]["counts"] == case["counts"], case
