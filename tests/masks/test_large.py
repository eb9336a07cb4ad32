"""Images of hundreds of millions of pixels: the work grows with the runs, not with the pixels."""

import time

import numpy as np
import pytest

from app import masks

SIDE = 20_000


def test_a_polygon_of_a_thousand_points() -> None:
    angle = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    ring = (SIDE / 2 + 9000 * np.stack([np.cos(angle), np.sin(angle)], axis=1)).ravel().tolist()
    began = time.perf_counter()
    drawn = masks.from_polygons([[ring]], [SIDE, SIDE])
    assert time.perf_counter() - began < 1
    assert masks.area(drawn)[0] == pytest.approx(np.pi * 9000**2, rel=1e-4)
    assert masks.bbox(drawn).tolist() == [[1000, 1000, 18000, 18000]]
    assert masks.from_dicts(masks.to_dicts(drawn)) == drawn
    [outline] = masks.to_polygons(drawn)
    assert masks.from_polygons([outline.polygons], [SIDE, SIDE]) == drawn


def test_the_largest_image() -> None:
    full = {"size": [65535, 65535], "counts": [0, 65535**2]}
    drawn = masks.from_dicts([full])
    assert masks.area(drawn).tolist() == [65535**2]
    assert masks.bbox(drawn).tolist() == [[0, 0, 65535, 65535]]
    assert masks.iou(drawn, drawn).tolist() == [[1.0]]
    assert masks.to_polygons(drawn)[0].polygons == [[0, 65535, 0, 0, 65535, 0, 65535, 65535]]


def test_empty_and_full_strings() -> None:
    empty = masks.background([SIDE, SIDE])
    full = masks.from_boxes([[0, 0, SIDE, SIDE]], [SIDE, SIDE])
    assert masks.to_dicts(empty)[0]["counts"] == "PPQ_m;"
    assert masks.to_dicts(full)[0]["counts"] == "0PPQ_m;"


def test_decoding_four_hundred_million_pixels_is_allowed_but_no_more() -> None:
    assert SIDE * SIDE <= masks.bitmaps.MAX_DECODED_PIXELS < 65535**2


def test_a_polygon_of_huge_coordinates_costs_only_its_columns() -> None:
    began = time.perf_counter()
    drawn = masks.from_polygons([[[-1e7, -1e7, 1e7, -1e7, 1e7, 1e7, -1e7, 1e7]]], [10, 10])
    assert time.perf_counter() - began < 0.5
    assert masks.area(drawn).tolist() == [100]


def test_many_crossings_are_computed_in_pieces() -> None:
    zigzag = [n for i in range(300) for n in (-5, i, 4005, i + 0.5)] + [4005, 4000, -5, 4000]
    drawn = masks.from_polygons([[zigzag], [zigzag[:400]]], [4000, 4000])
    assert masks.from_polygons([[zigzag]], [4000, 4000]) == drawn[0]
    assert masks.from_polygons([[zigzag[:400]]], [4000, 4000]) == drawn[1]


@pytest.mark.parametrize("side", [3000, 6000, 20_000, 60_000])
def test_ties_far_from_the_first_column(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an edge goes exactly through the border of two pixels, a place is computed by the book,
    however large the numbers are that lead to it."""
    draw = np.random.default_rng(side)
    rings = [_tied(draw, side) for _ in range(150)]
    fast = [masks.from_polygons([[ring]], [side, side]) for ring in rings]
    assert masks.concatenate(fast) == masks.from_polygons([[ring] for ring in rings], [side, side])
    # So much doubt that nothing is taken for granted.
    monkeypatch.setattr(masks.raster, "_doubt", lambda *_: 1.0)
    assert [masks.from_polygons([[ring]], [side, side]) for ring in rings] == fast


def _tied(draw: np.random.Generator, side: int) -> list[float]:
    """A steep quadrilateral near the right border, on fifths of a pixel."""
    x = side - draw.integers(2, 30)
    y = draw.integers(0, 5 * (side - 20)) / 5
    wide, high, tall = draw.integers(1, 4), draw.integers(1, 6), draw.integers(1, 10)
    slope = high * wide
    flat = [x, y, x + wide, y + slope, x + wide, y + slope + tall / 5, x, y + tall / 5]
    return [float(number) for number in flat]


def test_one_outlying_ring_does_not_slow_the_others() -> None:
    ring = [100.0, 100.0, 180.0, 120.0, 170.0, 190.0, 110.0, 160.0]
    far = [-1.0, 0.0, 5.0, 0.0, 5.0, 9e6, -1.0, 9e6]
    alone = masks.from_polygons([[ring]] * 50, [6000, 6000])
    assert masks.from_polygons([[ring]] * 50 + [[far]], [6000, 6000])[:50] == alone
