"""Drawing operations: the right pixels, the same kind, and vertices kept where they can be."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app import masks
from app.errors import Invalid, TooLarge
from app.services.annotations import drawing, shapes
from app.services.annotations.shapes import EMPTY, NOTHING, Json, Shape

SIZE = (40, 50)
SQUARE = [10.0, 10.0, 30.0, 10.0, 30.0, 30.0, 10.0, 30.0]
INNER = [15, 15, 20, 15, 20, 20, 15, 20]
FAR = [35, 5, 45, 5, 45, 15]
ACROSS = [25, 25, 40, 25, 40, 35, 25, 35]


def polygons(*rings: Sequence[float], holes: tuple[Sequence[float], ...] = ()) -> Shape:
    return shapes.draw(Json.of(list(rings)), Json.of(list(holes)), SIZE)


def mask(*rings: Sequence[float]) -> Shape:
    rle: dict[str, Any] = {**masks.to_dicts(polygons(*rings).pixels)[0]}
    return shapes.draw(Json.of(rle), EMPTY, SIZE)


def with_shape(**members: Any) -> Shape:
    return drawing.read_shape({n: Json.of(v) for n, v in members.items()}, SIZE)


STROKE = with_shape(stroke=[20, 20, 45, 35], radius=3)
NONE = shapes.draw(NOTHING, EMPTY, SIZE)
BASES = {
    "mask": mask(SQUARE),
    "polygons": polygons(SQUARE),
    "holes": polygons(SQUARE, holes=(INNER,)),
}
DRAWN = {
    "inner": with_shape(polygons=[INNER]),
    "far": with_shape(polygons=[FAR]),
    "across": with_shape(polygons=[ACROSS]),
    "pierced": with_shape(polygons=[ACROSS], holes=[[28, 28, 32, 28, 32, 32, 28, 32]]),
    "box": with_shape(bbox=[12, 12, 30, 10]),
    "rle": with_shape(**masks.to_dicts(polygons(ACROSS).pixels)[0]),
    "stroke": STROKE,
    "square stroke": with_shape(stroke=[20, 20], radius=2.5, square=True),
}


@pytest.mark.parametrize("op", ["add", "subtract", "intersect"])
@pytest.mark.parametrize("drawn", DRAWN)
@pytest.mark.parametrize("base", BASES)
def test_the_pixels_are_exact_and_the_kind_stays(base: str, drawn: str, op: drawing.Op) -> None:
    first, second = (
        masks.decode(shape.pixels)[0].astype(bool) for shape in (BASES[base], DRAWN[drawn])
    )
    expected = {"add": first | second, "subtract": first & ~second, "intersect": first & second}[op]
    if not expected.any():
        with pytest.raises(Invalid) as caught:
            drawing.plan(BASES[base], op, DRAWN[drawn], None, SIZE)
        assert caught.value.code == "empty_result"
        return
    result = drawing.plan(BASES[base], op, DRAWN[drawn], None, SIZE)
    again = shapes.draw(result.segmentation, result.holes, SIZE)
    assert (masks.decode(again.pixels)[0] == expected).all()
    assert result.is_polygons == BASES[base].is_polygons


@pytest.mark.parametrize(
    ("op", "base", "drawn", "segmentation", "holes"),
    [
        ("add", polygons(SQUARE), "far", [SQUARE, FAR], []),
        ("add", polygons(SQUARE), "across", [SQUARE, ACROSS], []),
        ("add", polygons(SQUARE, holes=(INNER,)), "far", [SQUARE, FAR], [INNER]),
        ("add", polygons(SQUARE), "inner", [SQUARE], []),
        ("subtract", polygons(SQUARE), "inner", [SQUARE], [INNER]),
        ("subtract", polygons(SQUARE), "far", [SQUARE], []),
        ("replace", polygons(SQUARE), "far", [FAR], []),
        ("replace", mask(SQUARE), "far", [FAR], []),
        ("add", NONE, "far", [FAR], []),
    ],
)
def test_vertices_stay_as_they_were_drawn(
    op: drawing.Op, base: Shape, drawn: str, segmentation: object, holes: object
) -> None:
    result = drawing.plan(base, op, DRAWN[drawn], None, SIZE)
    assert (result.segmentation.value, result.holes.value) == (segmentation, holes)


def test_the_text_of_kept_vertices_stays() -> None:
    base = shapes.draw(Json([SQUARE], "[[10.00,10,30,1e1,30,30,10,30]]"), EMPTY, SIZE)
    added = drawing.read_shape({"polygons": Json([FAR], "[[35.0,5,45,5,45,15.50]]")}, SIZE)
    result = drawing.plan(base, "add", added, None, SIZE)
    assert result.segmentation.text == "[[10.00,10,30,1e1,30,30,10,30],[35.0,5,45,5,45,15.50]]"


def test_a_stroke_beside_a_polygon_leaves_the_polygon_alone() -> None:
    beside = with_shape(stroke=[40, 5], radius=3)
    result = drawing.plan(polygons(SQUARE), "add", beside, None, SIZE)
    assert result.segmentation.value[0] == SQUARE
    assert len(result.segmentation.value) == 2
    dot = with_shape(stroke=[20, 20], radius=3)
    pierced = drawing.plan(polygons(SQUARE), "subtract", dot, None, SIZE)
    assert (pierced.segmentation.value, len(pierced.holes.value)) == ([SQUARE], 1)


@pytest.mark.parametrize("base", [NONE, *BASES.values()])
def test_replacing_by_a_stroke(base: Shape) -> None:
    result = drawing.plan(base, "replace", STROKE, None, SIZE)
    assert result.pixels == STROKE.pixels
    assert result.is_polygons == base.is_polygons


def test_to_mask_and_back() -> None:
    base = BASES["holes"]
    coded = drawing.plan(base, "to_mask", None, None, SIZE)
    assert (coded.is_polygons, coded.holes.value) == (False, [])
    traced = drawing.plan(coded, "to_polygons", None, None, SIZE)
    assert (traced.is_polygons, len(traced.holes.value)) == (True, 1)
    assert base.pixels == coded.pixels == traced.pixels
    assert drawing.plan(coded, "to_mask", None, None, SIZE) is coded
    assert drawing.plan(base, "to_polygons", None, None, SIZE) is base


def test_simplifying_keeps_the_kind_and_drops_points() -> None:
    wavy = [10, 10, 20, 10.4, 30, 10, 30.3, 20, 30, 30, 10, 30]
    smooth = drawing.plan(polygons(wavy), "simplify", None, None, SIZE)
    assert smooth.segmentation.value == [SQUARE]
    assert drawing.plan(smooth, "simplify", None, 0.5, SIZE).segmentation.text == (
        smooth.segmentation.text
    )
    disc = mask(SQUARE, [20, 5, 35, 20, 20, 35, 5, 20])
    simple = drawing.plan(disc, "simplify", None, 3.0, SIZE)
    assert not simple.is_polygons
    assert 0.7 < masks.iou(disc.pixels, simple.pixels)[0, 0] < 1


@pytest.mark.parametrize(
    ("base", "op", "drawn", "code"),
    [
        (NONE, "subtract", "far", "segmentation_missing"),
        (NONE, "intersect", "far", "segmentation_missing"),
        (NONE, "to_mask", None, "segmentation_missing"),
        (NONE, "simplify", None, "segmentation_missing"),
        (polygons(INNER), "subtract", "box", "empty_result"),
        (polygons(INNER), "intersect", "far", "empty_result"),
        (mask(INNER), "intersect", "far", "empty_result"),
    ],
)
def test_nothing_is_no_result(base: Shape, op: drawing.Op, drawn: str | None, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        drawing.plan(base, op, None if drawn is None else DRAWN[drawn], None, SIZE)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("members", "code", "loc"),
    [
        ({}, "shape_invalid", []),
        ({"radius": 5}, "shape_invalid", []),
        ({"polygons": [FAR], "bbox": [1, 2, 3, 4]}, "shape_invalid", []),
        ({"polygons": [[1, 2, 3, 4]]}, "polygon_too_few_points", ["polygons", 0]),
        ({"polygons": None}, "polygon_invalid", ["polygons"]),
        ({"polygons": [FAR], "holes": 5}, "polygon_invalid", ["holes"]),
        ({"size": [50, 40], "counts": [2000]}, "size_mismatch", ["size"]),
        ({"size": [40, 50], "counts": "~"}, "rle_charset", ["counts"]),
        ({"bbox": [1, 2, 3]}, "bbox_invalid", ["bbox"]),
        ({"bbox": [1, 2, 0, 4]}, "bbox_empty", ["bbox"]),
        ({"stroke": [1, 2, 3], "radius": 5}, "stroke_invalid", ["stroke"]),
        ({"stroke": [1, 2], "radius": 0}, "stroke_invalid", ["radius"]),
        ({"stroke": [1, 2], "radius": "5"}, "stroke_invalid", ["radius"]),
        ({"stroke": [1, 2], "radius": 5, "square": 1}, "shape_invalid", ["square"]),
    ],
)
def test_shapes_that_cannot_be_drawn(members: dict[str, Any], code: str, loc: list[Any]) -> None:
    with pytest.raises(Invalid) as caught:
        with_shape(**members)
    error = caught.value.members["errors"][0]
    assert (error["code"], error["loc"]) == (code, ["body", "shape", *loc])


def test_a_mask_too_ragged_to_be_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "MAX_TRACED_RUNS", 4)
    with pytest.raises(TooLarge):
        drawing.plan(BASES["mask"], "to_polygons", None, None, SIZE)


rings = st.lists(st.integers(-5, 55), min_size=6, max_size=10).filter(
    lambda ring: len(ring) % 2 == 0
)


@given(rings, rings, rings)
def test_adding_and_subtracting_the_same_undoes_what_was_outside(
    first: list[float], hole: list[float], second: list[float]
) -> None:
    base = polygons(first, holes=(hole,))
    again = with_shape(polygons=[second])
    assume(base.area or again.area)
    added = drawing.plan(base, "add", again, None, SIZE)
    expected = masks.difference(base.pixels, again.pixels)
    if masks.area(expected)[0]:
        result = drawing.plan(added, "subtract", again, None, SIZE)
        assert result.pixels == expected
        assert json.loads(result.segmentation.text) == result.segmentation.value
