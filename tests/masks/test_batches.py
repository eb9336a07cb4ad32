"""A batch is a list of masks, and every function gives what it gives for them one at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import masks
from app.masks import Masks
from tests.masks.strategies import KINDS, polygons, ragged

EVERY_KIND = masks.concatenate(masks.encode(bitmap) for bitmap in KINDS.values())

# Each gives a list, or a batch, with a member for each mask.
ONE_FOR_EACH: dict[str, Callable[[Masks], Any]] = {
    "area": lambda batch: masks.area(batch).tolist(),
    "bbox": lambda batch: masks.bbox(batch).tolist(),
    "to_dicts": masks.to_dicts,
    "to_lists": masks.to_lists,
    "decode": lambda batch: [bitmap.tolist() for bitmap in masks.decode(batch)],
    "to_polygons": masks.to_polygons,
    "to_polygons apart": lambda batch: masks.to_polygons(batch, "apart"),
    "to_polygons simplified": lambda batch: masks.to_polygons(batch, tolerance=1.5),
    "iou_pairs": lambda batch: masks.iou_pairs(batch, batch).tolist(),
    "from_dicts": lambda batch: list(masks.from_dicts(masks.to_dicts(batch))),
    "from_dicts with lists": lambda batch: list(masks.from_dicts(as_lists(batch))),
    "from_segmentations": lambda batch: list(
        masks.from_segmentations(masks.to_dicts(batch), batch.sizes)
    ),
    "merge of each alone": lambda batch: list(masks.merge(batch, [1] * len(batch))),
    "intersection of each alone": lambda batch: list(
        masks.merge(batch, [1] * len(batch), intersect=True)
    ),
    "difference from itself": lambda batch: list(masks.difference(batch, batch)),
    "difference from nothing": lambda batch: list(
        masks.difference(batch, masks.background(batch.sizes, len(batch)))
    ),
    "background": lambda batch: list(masks.background(batch.sizes, len(batch))),
    "from_boxes": lambda batch: list(masks.from_boxes(masks.bbox(batch), batch.sizes)),
    "from_strokes": lambda batch: list(
        masks.from_strokes([[0, 0, 5.5, 3]] * len(batch), [1.5] * len(batch), batch.sizes)
    ),
    "a second look": list,
}


def as_lists(batch: Masks) -> list[object]:
    return [
        {"size": size, "counts": counts}
        for size, counts in zip(batch.sizes.tolist(), masks.to_lists(batch), strict=True)
    ]


@pytest.mark.parametrize("name", ONE_FOR_EACH)
def test_all_at_once_is_one_at_a_time(name: str) -> None:
    ask = ONE_FOR_EACH[name]
    assert ask(EVERY_KIND) == [one for mask in EVERY_KIND for one in ask(mask)]


@settings(max_examples=200)
@given(st.sampled_from(list(ONE_FOR_EACH)), ragged())
def test_all_at_once_is_one_at_a_time_by_chance(name: str, batch: Masks) -> None:
    ask = ONE_FOR_EACH[name]
    assert ask(batch) == [one for mask in batch for one in ask(mask)]


@given(ragged(), st.data())
def test_groups_of_a_batch(batch: Masks, data: st.DataObject) -> None:
    """Each mask several times, beside what is left of it without its first column."""
    if len(batch) == 0:
        return
    groups = data.draw(st.lists(st.integers(1, 3), min_size=len(batch), max_size=len(batch)))
    repeated = batch[np.repeat(np.arange(len(batch)), groups)]
    for intersect in (False, True):
        assert masks.merge(repeated, groups, intersect) == batch


@given(st.lists(st.lists(polygons(), min_size=1, max_size=2), max_size=4), ragged(), st.data())
def test_polygons_and_rles_in_any_order(
    drawn: list[list[list[float]]], coded: Masks, data: st.DataObject
) -> None:
    size = [9, 11]
    items: list[tuple[object, list[int], Masks]] = [
        (rings, size, masks.from_polygons([rings], size)) for rings in drawn
    ]
    items += [(masks.to_dicts(one)[0], one.sizes[0].tolist(), one) for one in coded]
    items = data.draw(st.permutations(items))
    together = masks.from_segmentations(
        [segmentation for segmentation, _, _ in items], [size for _, size, _ in items]
    )
    assert together == masks.concatenate(mask for _, _, mask in items)


# A batch as a list -------------------------------------------------------------------------------


@given(ragged(), st.data())
def test_choosing_is_choosing_from_a_list(batch: Masks, data: st.DataObject) -> None:
    singles = list(batch)
    assert len(singles) == len(batch)
    cut = data.draw(st.slices(len(batch)))
    assert list(batch[cut]) == singles[cut]
    if not singles:
        return
    place = data.draw(st.integers(-len(batch), len(batch) - 1))
    assert batch[place] == singles[place]
    assert batch[np.int32(place)] == singles[place]
    chosen = data.draw(st.lists(st.integers(-len(batch), len(batch) - 1), max_size=8))
    for index in (chosen, np.array(chosen, np.int64)):
        assert list(batch[index]) == [singles[place] for place in chosen]


@given(ragged())
def test_a_place_that_is_not_there(batch: Masks) -> None:
    for place in (len(batch), -len(batch) - 1):
        with pytest.raises(IndexError):
            batch[place]
        with pytest.raises(IndexError):
            batch[[place]]


@given(ragged(), ragged(), ragged())
def test_concatenating_is_adding_lists(a: Masks, b: Masks, c: Masks) -> None:
    nothing = masks.concatenate([])
    assert len(nothing) == 0
    both = masks.concatenate([a, b])
    assert list(both) == [*a, *b]
    assert masks.concatenate([both, c]) == masks.concatenate([a, masks.concatenate([b, c])])
    assert masks.concatenate([a, nothing]) == a == masks.concatenate([nothing, a])
    assert masks.concatenate(a) == a
    assert both[: len(a)] == a
    assert both[len(a) :] == b
    assert both[::-1][::-1] == both


@given(ragged(), ragged())
def test_equal_are_batches_of_equal_masks(a: Masks, b: Masks) -> None:
    alike = [one.tolist() for one in masks.decode(a)] == [one.tolist() for one in masks.decode(b)]
    assert (a == b) == (alike and a.sizes.tolist() == b.sizes.tolist())
    assert a != "another kind of thing"
    with pytest.raises(TypeError):
        hash(a)


@given(ragged())
def test_what_a_batch_says_of_itself(batch: Masks) -> None:
    assert batch.pixels.tolist() == [height * width for height, width in batch.sizes.tolist()]
    assert batch.runs.tolist() == list(map(len, masks.to_lists(batch)))
    assert batch.sizes.dtype == batch.counts.dtype == batch.offsets.dtype == np.int64
    assert batch.sizes.shape == (len(batch), 2)


@settings(max_examples=20)
@given(ragged())
def test_no_function_changes_its_input(batch: Masks) -> None:
    for array in (batch.sizes, batch.counts, batch.offsets):
        array.flags.writeable = False
    for ask in ONE_FOR_EACH.values():
        ask(batch)
    masks.iou(batch[:1], batch[:1])
    masks.concatenate([batch, batch])
