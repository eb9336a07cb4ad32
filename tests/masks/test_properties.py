"""Laws that hold for every mask."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app import masks
from app.masks import Masks, strings
from app.masks.batch import BoolArray, to_offsets
from tests.masks.questions import counts_of
from tests.masks.strategies import KINDS, nested, polygons, stacks


@given(stacks())
def test_decoding_undoes_encoding(stack: BoolArray) -> None:
    coded = masks.encode(stack)
    assert (masks.decode_stack(coded) == stack).all()
    assert masks.from_dicts(masks.to_dicts(coded)) == coded
    sizes = coded.sizes.tolist()
    lists = [
        {"size": size, "counts": counts}
        for size, counts in zip(sizes, masks.to_lists(coded), strict=True)
    ]
    assert masks.from_dicts(lists) == coded


@given(st.lists(st.lists(st.integers(0, 2**32 - 1), min_size=1)))
def test_reading_a_string_undoes_writing_it(pieces: list[list[int]]) -> None:
    flat = np.array([count for piece in pieces for count in piece], np.int64)
    offsets = to_offsets(np.array([len(piece) for piece in pieces], np.int64))
    texts = strings.encode_strings(flat, offsets)
    counts, places = strings.decode_strings([text.encode() for text in texts])
    assert counts.tolist() == flat.tolist()
    assert places.tolist() == offsets.tolist()


@given(stacks(), st.data())
def test_runs_of_length_zero_change_nothing(stack: BoolArray, data: st.DataObject) -> None:
    coded = masks.encode(stack)
    items = []
    for size, counts in zip(coded.sizes.tolist(), masks.to_lists(coded), strict=True):
        # Cut one run in two by an empty run of the other kind.
        at = data.draw(st.integers(0, len(counts) - 1))
        cut = data.draw(st.integers(0, counts[at]))
        split = [*counts[:at], cut, 0, counts[at] - cut, *counts[at + 1 :]]
        room = size[0] * size[1] + 2
        items.append({"size": size, "counts": split if len(split) <= room else counts})
    assert masks.from_dicts(items) == coded


@given(stacks())
def test_measures_are_those_of_the_bitmap(stack: BoolArray) -> None:
    coded = masks.encode(stack)
    assert masks.area(coded).tolist() == stack.sum(axis=(0, 1)).tolist()
    for plane, box in zip(np.moveaxis(stack, 2, 0), masks.bbox(coded).tolist(), strict=True):
        rows, columns = np.nonzero(plane)
        expected = [0.0, 0.0, 0.0, 0.0]
        if len(rows):
            x, y = columns.min(), rows.min()
            expected = [x, y, columns.max() - x + 1, rows.max() - y + 1]
        assert box == expected


@given(stacks())
def test_merging_is_any_and_all(stack: BoolArray) -> None:
    coded = masks.encode(stack)
    assert masks.merge(coded) == masks.encode(stack.any(axis=2))
    assert masks.merge(coded, intersect=True) == masks.encode(stack.all(axis=2))


@given(stacks(), stacks())
def test_groups_are_merged_each_for_itself(one: BoolArray, other: BoolArray) -> None:
    both = masks.concatenate([masks.encode(one), masks.encode(other)])
    groups = [one.shape[2], other.shape[2]]
    for intersect in (False, True):
        apart = [masks.merge(masks.encode(s), intersect=intersect) for s in (one, other)]
        assert masks.merge(both, groups, intersect=intersect) == masks.concatenate(apart)


@given(stacks())
def test_difference_is_and_not(stack: BoolArray) -> None:
    a, b = masks.encode(stack), masks.encode(stack[:, :, ::-1])
    assert masks.difference(a, b) == masks.encode(stack & ~stack[:, :, ::-1])


@given(stacks())
def test_laws_of_sets(stack: BoolArray) -> None:
    """What is said of any and all again, without a bitmap."""
    a, b = masks.encode(stack), masks.encode(stack[:, :, ::-1])
    n = len(a)
    turns = masks.concatenate([a, b])[np.arange(2 * n).reshape(2, n).T.ravel()]
    either = masks.merge(turns, [2] * n)
    both = masks.merge(turns, [2] * n, intersect=True)
    assert masks.difference(either, b) == masks.difference(a, b)
    assert masks.difference(a, masks.difference(a, b)) == both
    area = masks.area
    assert (area(either) + area(both) == area(a) + area(b)).all()
    assert (area(masks.difference(a, b)) == area(a) - area(both)).all()
    whole = masks.encode(np.ones_like(stack))
    assert masks.difference(whole, masks.difference(whole, a)) == a
    assert masks.merge(masks.concatenate([a, a])) == masks.merge(a)
    assert masks.merge(a) == masks.merge(b)


@given(stacks(), st.data())
def test_intersection_over_union(stack: BoolArray, data: st.DataObject) -> None:
    n = stack.shape[2]
    crowd = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    coded = masks.encode(stack)
    flat = stack.reshape(-1, n).astype(np.int64)
    common = flat.T @ flat
    area = flat.sum(axis=0)
    union = np.where(crowd, area[:, None], area[:, None] + area - common)
    expected = np.where(common > 0, common / np.maximum(union, 1), 0.0)
    assert masks.iou(coded, coded, crowd).tolist() == expected.tolist()
    assert masks.iou_pairs(coded, coded).tolist() == (area > 0).astype(float).tolist()


@given(stacks(), st.integers(1, 3))
def test_intersection_over_union_goes_both_ways(stack: BoolArray, cut: int) -> None:
    coded = masks.encode(stack)
    dt, gt = coded[:cut], coded[cut:]
    matrix = masks.iou(dt, gt)
    assert matrix.shape == (len(dt), len(gt))
    assert (matrix == masks.iou(gt, dt).T).all()
    assert (matrix == masks.iou(coded, coded)[: len(dt), len(dt) :]).all()
    pairs = masks.iou_pairs(coded, coded[::-1])
    assert pairs.tolist() == np.diagonal(masks.iou(coded, coded[::-1])).tolist()
    # A crowd counts only the detection's own area, so it is never less in common.
    assert (masks.iou(dt, gt, [1] * len(gt)) >= matrix).all()


def assert_drawn_again(coded: Masks, holes: Literal["seams", "apart"]) -> None:
    for mask, outline in zip(coded, masks.to_polygons(coded, holes), strict=True):
        assert outline.iou == 1.0
        assert holes == "apart" or outline.holes == []
        for ring in outline.polygons + outline.holes:
            assert len(ring) >= 8
            assert len(ring) % 2 == 0
        if not outline.polygons:
            assert masks.area(mask).tolist() == [0]
            continue
        drawn = masks.from_polygons([outline.polygons], mask.sizes, [outline.holes])
        assert drawn == mask


both_ways = pytest.mark.parametrize("holes", ["seams", "apart"])


@both_ways
@given(stack=stacks())
def test_drawing_the_outlines_gives_back_the_mask(
    holes: Literal["seams", "apart"], stack: BoolArray
) -> None:
    assert_drawn_again(masks.encode(stack), holes)


@both_ways
@given(bitmap=nested())
def test_drawing_the_outlines_of_nested_shapes_gives_back_the_mask(
    holes: Literal["seams", "apart"], bitmap: BoolArray
) -> None:
    assert_drawn_again(masks.encode(bitmap), holes)


@both_ways
@pytest.mark.parametrize("name", KINDS)
def test_drawing_the_outlines_of_every_kind_gives_back_the_mask(
    holes: Literal["seams", "apart"], name: str
) -> None:
    for turn in range(4):
        assert_drawn_again(masks.encode(np.rot90(KINDS[name], turn)), holes)


@both_ways
@given(bitmap=nested(), tolerance=st.sampled_from([0.4, 0.5, 1.0, 2.5, 100.0]))
def test_a_simplified_outline_tells_how_well_it_agrees(
    holes: Literal["seams", "apart"], bitmap: BoolArray, tolerance: float
) -> None:
    coded = masks.encode(bitmap)
    [outline] = masks.to_polygons(coded, holes, tolerance)
    [exact] = masks.to_polygons(coded, holes)
    assert len(outline.polygons) == len(exact.polygons)
    assert len(outline.holes) == len(exact.holes)
    if outline.polygons:
        drawn = masks.from_polygons([outline.polygons], coded.sizes, [outline.holes])
        assert outline.iou == masks.iou_pairs(drawn, coded)[0]


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_mask_is_what_its_bitmap_is(name: str) -> None:
    bitmap = KINDS[name]
    coded = masks.encode(bitmap)
    assert (masks.decode(coded)[0] == bitmap).all()
    assert masks.area(coded).tolist() == [bitmap.sum()]
    inverse = masks.encode(~bitmap)
    assert masks.difference(masks.merge(masks.concatenate([coded, inverse])), coded) == inverse
    assert masks.area(coded)[0] + masks.area(inverse)[0] == bitmap.size
    assert masks.iou(coded, inverse).tolist() == [[0.0]]
    counts = counts_of(bitmap.ravel(order="F"))
    assert masks.to_lists(coded) == [counts]
    assert masks.from_dicts([{"size": list(bitmap.shape), "counts": counts}]) == coded


@given(st.lists(st.lists(polygons(), min_size=1, max_size=3), min_size=1, max_size=3), st.data())
def test_a_batch_draws_what_its_items_draw(
    items: list[list[list[float]]], data: st.DataObject
) -> None:
    sizes = [
        [data.draw(st.integers(0, 25)), data.draw(st.integers(0, 25))] for _ in range(len(items))
    ]
    holes = [data.draw(st.lists(polygons(), max_size=2)) for _ in items]
    together = masks.from_polygons(items, sizes, holes)
    for i, item in enumerate(items):
        size = sizes[i]
        parts = masks.from_polygons([[ring] for ring in item], size)
        alone = masks.merge(parts)
        for hole in holes[i]:
            alone = masks.difference(alone, masks.from_polygons([[hole]], size))
        assert together[i] == alone


@given(polygons(), st.permutations([0, 1]), st.integers(0, 8))
def test_direction_and_first_point_of_a_polygon_do_not_matter(
    polygon: list[float], order: list[int], turn: int
) -> None:
    points = np.array(polygon).reshape(-1, 2)
    changed = np.roll(points if order[0] == 0 else points[::-1], turn, axis=0)
    one, other = masks.from_polygons([[polygon], [changed.ravel().tolist()]], [20, 20])
    assert one == other


@given(st.data(), st.sampled_from([np.uint8, np.int16, np.uint32, np.int64, bool]))
def test_a_label_image_gives_one_mask_for_each_value(
    data: st.DataObject, kind: npt.DTypeLike
) -> None:
    shape = data.draw(st.tuples(st.integers(0, 8), st.integers(0, 8)))
    few = st.integers(0, 1) if kind is bool else st.sampled_from([0, 1, 2, 7, 100])
    labels = data.draw(arrays.arrays(kind, shape, elements=few.map(np.dtype(kind).type)))
    if np.dtype(kind).kind == "i" and data.draw(st.booleans()):
        labels = -labels
    values, coded = masks.encode_labels(labels)
    assert values.tolist() == sorted(set(labels.ravel().tolist()))
    for value, mask in zip(values.tolist(), coded, strict=True):
        assert mask == masks.encode(labels == value)
    if len(coded):
        assert masks.merge(coded) == masks.encode(np.ones(shape))
        assert masks.area(coded).sum() == labels.size
