"""Set operations on runs: one sweep over the sorted starts and ends of all masks at a time.

The masks of a group lie on top of each other, and the groups beside each other on one line. Going
along the line, the number of masks that have started and not ended says where the union and the
intersection of a group begin and end.
"""

from __future__ import annotations

import numpy as np

from app.masks.batch import (
    BoolArray,
    IntArray,
    Masks,
    Spans,
    concatenate,
    from_spans,
    to_line,
    to_offsets,
)


def odd_positions(positions: IntArray) -> IntArray:
    """Those of the sorted positions that occur an odd number of times, once each.

    A position that toggles twice leaves the mask as it was, so pairs cancel out.
    """
    first = first_of_pairs(np.flatnonzero(positions[1:] == positions[:-1]))
    if len(first) == 0:
        return positions
    return without(positions, np.concatenate([first, first + 1]))


def without(positions: IntArray, places: IntArray) -> IntArray:
    """The positions less those at the given places."""
    keep = np.ones(len(positions), bool)
    keep[places] = False
    return positions[keep]


def first_of_pairs(twice: IntArray) -> IntArray:
    """Which of the places that equal the next one leave a sorted array, each with the next one.

    Of n equal numbers in a row, n - 1 equal the next one. Every second one of these, the first
    included, is the first of a pair.
    """
    if (twice[1:] - twice[:-1] > 1).all():
        return twice
    number = np.arange(len(twice))
    begins = np.maximum.accumulate(np.where(np.diff(twice, prepend=-2) > 1, number, 0))
    return np.asarray(twice[(number - begins) & 1 == 0], np.int64)


def bases(pixels: IntArray) -> IntArray:
    """Where each mask begins when all are laid out on one line, end positions included."""
    return to_offsets(pixels + 1)[:-1]


def union(masks: Masks, sizes: IntArray, group_sizes: IntArray) -> Masks:
    """The union of each group of masks; that of an empty group is empty.

    Parameters
    ----------
    masks : those of one group beside each other
    sizes : (G, 2) of the masks of each group
    group_sizes : (G,) how many masks each group has
    """
    events, start = _events(masks, sizes, group_sizes, first=0)
    return from_spans(sizes, off_line(unite_events(events), start))


def unite_events(events: IntArray) -> IntArray:
    """Starts and ends of the union of runs: twice the place, and one more for an end, sorted."""
    # Where as many runs have ended as have started, all are over.
    ended = (events & 1).cumsum(dtype=events.dtype)
    ended <<= 1
    [last] = (ended == np.arange(1, len(events) + 1, dtype=events.dtype)).nonzero()
    first = np.zeros(len(last), np.int64)
    first[1:] = last[:-1] + 1
    positions = np.empty(2 * len(last), np.int64)
    positions[0::2] = events[first]
    positions[1::2] = events[last]
    positions >>= 1
    return positions


def intersection(masks: Masks, sizes: IntArray, group_sizes: IntArray) -> Masks:
    """The intersection of each group of masks, none of the groups empty.

    The parameters are those of `union`.
    """
    events, start = _events(masks, sizes, group_sizes, first=1)
    depth = (((events & 1) << 1) - 1).cumsum()
    ends = np.append(events.searchsorted((start << 1).astype(events.dtype)), len(events))
    # Where every mask is on, nothing but an end can come next.
    [first] = (depth == group_sizes.repeat(ends[1:] - ends[:-1])).nonzero()
    positions = np.empty(2 * len(first), np.int64)
    positions[0::2] = events[first]
    positions[1::2] = events[first + 1]
    positions >>= 1
    return from_spans(sizes, off_line(positions, start))


def _events(
    masks: Masks, sizes: IntArray, group_sizes: IntArray, first: int
) -> tuple[IntArray, IntArray]:
    """All starts and ends in order, and where on the line each group starts.

    An event is twice its place, plus one for an end where ``first`` is 0 and for a start where it
    is 1: it decides which of the two comes first where both are at the same place.
    """
    line = to_offsets(sizes[:, 0] * sizes[:, 1] + 1)
    # Half as wide is twice as fast.
    kind = np.int32 if line[-1] < 1 << 30 else np.int64
    events = to_line(masks, line[:-1].repeat(group_sizes), kind)
    events <<= 1
    events[1 - first :: 2] |= 1
    # The masks are sorted already, each by itself, which a merge sort makes use of.
    events.sort(kind="stable")
    return events, line[:-1]


def off_line(positions: IntArray, start: IntArray) -> Spans:
    """Sorted positions on the line of all masks, told from where each mask starts."""
    offsets = np.append(positions.searchsorted(start), len(positions))
    return Spans(positions - start.repeat(offsets[1:] - offsets[:-1]), offsets)


def complement(masks: Masks) -> Masks:
    """Masks of all pixels that are background.

    >>> from app.masks import bitmaps, rle
    >>> rle.to_lists(complement(bitmaps.encode([[1, 0], [1, 0]])))
    [[2, 2]]
    """
    first = masks.offsets[:-1]
    some = masks.pixels > 0
    opened = some & (masks.counts[first] == 0)
    closed = some & ~opened
    # Half of the work is undone here: a run of no pixels goes where it is first, and comes else.
    counts = np.insert(masks.counts, first[closed], 0)
    moved = first + np.cumsum(closed) - closed
    counts = np.delete(counts, moved[opened])
    return Masks(masks.sizes, counts, to_offsets(masks.runs + closed - opened))


def difference(a: Masks, b: Masks) -> Masks:
    """What is in ``a[i]`` but not in ``b[i]``, for each i; both have the same size."""
    n = len(a)
    order = np.arange(2 * n).reshape(2, n).T.ravel()  # a[0], b[0], a[1], b[1], ...
    paired = concatenate([a, complement(b)])[order]
    return intersection(paired, a.sizes, np.full(n, 2, np.int64))


def unite(masks: Masks, sizes: IntArray, group_sizes: IntArray, hole: IntArray) -> Masks:
    """The union of each group less its holes; ``hole`` has 1 for the masks that are holes.

    Groups of a single mask pass untouched.
    """
    many = group_sizes != 1
    if hole.any():
        group = np.repeat(np.arange(len(sizes)), group_sizes)
        many[group[hole == 1]] = True
    if not many.any():
        return masks
    member = np.repeat(many, group_sizes)
    part, groups, is_hole = masks[np.flatnonzero(member)], group_sizes[many], hole[member] == 1
    united = _union_of(part, sizes[many], groups, ~is_hole)
    if is_hole.any():
        united = difference(united, _union_of(part, sizes[many], groups, is_hole))
    place = to_offsets(group_sizes)[:-1]
    place[many] = len(masks) + np.arange(len(groups))
    return concatenate([masks, united])[place]


def _union_of(masks: Masks, sizes: IntArray, group_sizes: IntArray, chosen: BoolArray) -> Masks:
    """The union of the chosen masks of each group."""
    group = np.repeat(np.arange(len(group_sizes)), group_sizes)[chosen]
    groups = np.bincount(group, minlength=len(group_sizes))
    return union(masks[np.flatnonzero(chosen)], sizes, groups)
