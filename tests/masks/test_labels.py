"""Label images, and the connected parts of masks beside a flood fill of their pixels."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import masks
from app.masks.batch import BoolArray
from tests.masks.strategies import stacks

_EDGES = [(0, 1), (1, 0), (0, -1), (-1, 0)]
_CORNERS = [(1, 1), (1, -1), (-1, 1), (-1, -1)]


def flooded(plane: BoolArray, connectivity: int) -> list[BoolArray]:
    """The parts of a bitmap by their first pixel in column-major order, pixel by pixel."""
    steps = _EDGES + (_CORNERS if connectivity == 8 else [])
    left = {(row, column) for row, column in np.argwhere(plane).tolist()}
    found = []
    for first in sorted(left, key=lambda pixel: (pixel[1], pixel[0])):
        if first not in left:
            continue
        part, waiting = np.zeros_like(plane), [first]
        left.remove(first)
        while waiting:
            row, column = waiting.pop()
            part[row, column] = True
            near = {(row + down, column + right) for down, right in steps} & left
            left -= near
            waiting += near
        found.append(part)
    return found


@given(stacks(), st.sampled_from([4, 8]))
def test_parts_are_those_of_a_flood_fill(stack: BoolArray, connectivity: int) -> None:
    owners, parts = masks.components(masks.encode(stack), connectivity)
    expected = [flooded(plane, connectivity) for plane in np.moveaxis(stack, 2, 0)]
    assert owners.tolist() == [i for i, found in enumerate(expected) for _ in found]
    drawn = [part for found in expected for part in found]
    assert len(parts) == len(drawn)
    for bitmap, part in zip(masks.decode(parts), drawn, strict=True):
        assert (bitmap == part).all()
    # Each is as an encoder would have written it.
    assert masks.from_dicts(masks.to_dicts(parts)) == parts


@given(st.lists(stacks(most=2), max_size=4), st.sampled_from([4, 8]))
def test_masks_of_a_batch_do_not_touch(batches: list[BoolArray], connectivity: int) -> None:
    coded = [masks.encode(stack) for stack in batches]
    owners, parts = masks.components(masks.concatenate(coded), connectivity)
    alone = [masks.components(mask, connectivity)[1] for batch in coded for mask in batch]
    assert parts == masks.concatenate(alone)
    assert owners.tolist() == [i for i, found in enumerate(alone) for _ in range(len(found))]


def test_other_neighbours_are_refused() -> None:
    with pytest.raises(ValueError, match="4 or 8"):
        masks.components(masks.background([2, 2], 1), 6)


def spiral(side: int) -> BoolArray:
    """One part whose runs hang together in one long chain."""
    plane = np.zeros((side, side), bool)
    for ring in range(0, side // 2, 2):
        low, high = ring, side - 1 - ring
        plane[low, low : high + 1] = plane[low : high + 1, high] = True
        plane[high, low : high + 1] = plane[low + 2 : high + 1, low] = True
        plane[low + 2, low : low + 3] = True
    return plane


def test_long_chains_and_noise_are_quick() -> None:
    noise = np.random.default_rng(7).random((1500, 1500)) < 0.5
    comb = np.zeros((1000, 1000), bool)
    comb[:, 0::2] = True
    comb[0, 1::4] = comb[-1, 3::4] = True
    began = time.perf_counter()
    assert len(masks.components(masks.encode(spiral(1200)))[1]) == 1
    assert len(masks.components(masks.encode(comb))[1]) == 1
    owners, parts = masks.components(masks.encode(noise), 8)
    assert time.perf_counter() - began < 10
    assert masks.merge(parts) == masks.encode(noise)
    assert len(owners) > 1000


@given(stacks())
def test_the_last_mask_of_a_pixel_labels_it(stack: BoolArray) -> None:
    labels = np.array([300, 2, 70_000, 5][: stack.shape[2]], np.int32)
    expected = np.zeros(stack.shape[:2], np.int32)
    for place, label in enumerate(labels):
        expected[stack[..., place]] = label
    drawn = masks.decode_labels(masks.encode(stack), labels)
    assert drawn.dtype == np.int32
    assert (drawn == expected).all()


@given(stacks())
def test_decoding_undoes_encoding_of_labels(stack: BoolArray) -> None:
    numbers = stack.sum(axis=2)
    values, found = masks.encode_labels(numbers)
    if len(found):
        assert (masks.decode_labels(found, values) == numbers).all()


def test_what_cannot_be_one_picture_is_refused() -> None:
    pair = masks.background([[2, 2], [2, 2]])
    refusals = [
        (masks.background([[2, 2], [2, 3]]), None, {}, "size_mismatch"),
        (masks.background([2, 2], 0), None, {}, "size_invalid"),
        (pair, [1], {}, "bitmap_invalid"),
        (pair, [1.0, 2.0], {}, "bitmap_invalid"),
        (pair, [1, 2], {"max_pixels": 3}, "decode_too_large"),
    ]
    for batch, values, options, code in refusals:
        with pytest.raises(masks.MaskError) as caught:
            masks.decode_labels(batch, values, **options)
        assert caught.value.code == code
