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
