"""Set operations on sorted positions: the two sweeps under everything else."""

from __future__ import annotations

import numpy as np

from app.masks.batch import IntArray, Spans, to_offsets


def odd_positions(positions: IntArray) -> IntArray:
    """Those of the sorted positions that occur an odd number of times, once each.

    A position that toggles twice leaves the mask as it was, so pairs cancel out.
    """
    twice = np.flatnonzero(positions[1:] == positions[:-1])
    if len(twice) == 0:
        return positions
    # Of n equal positions in a row, n - 1 equal their successor. Every second one of these, the
    # first included, leaves together with its successor.
    number = np.arange(len(twice))
    first = np.maximum.accumulate(np.where(np.diff(twice, prepend=-2) > 1, number, 0))
    leaving = twice[(number - first) & 1 == 0]
    keep = np.ones(len(positions), bool)
    keep[leaving] = False
    keep[leaving + 1] = False
    return positions[keep]


def bases(pixels: IntArray) -> IntArray:
    """Where each mask begins when all are laid out on one line, end positions included."""
    return to_offsets(pixels + 1)[:-1]


def combine(
    spans: Spans,
    group_sizes: IntArray,
    pixels: IntArray,
    needed: IntArray | None = None,
    cut: IntArray | None = None,
) -> Spans:
    """Combine each group of masks into one, in a single sweep over all positions.

    Parameters
    ----------
    spans : the N masks, those of one group beside each other
    group_sizes : (G,) how many masks each group has
    pixels : (G,) how many pixels the masks of each group have
    needed : (G,) how many masks of the group must cover a pixel; one by default, which makes
        the union, while the size of the group makes the intersection
    cut : (N,) 1 for masks that remove every pixel they cover, 0 for the others
    """
    lengths = np.diff(spans.offsets)
    group = np.repeat(np.arange(len(group_sizes)), group_sizes)
    start = bases(pixels)
    # Each event is one number: the place, then two bits for whether it cuts and whether it ends.
    # Sorting numbers is several times faster than sorting an index.
    events = (spans.positions + np.repeat(start[group], lengths)) << 2
    events |= np.arange(len(events)) & 1
    if cut is not None:
        events |= np.repeat(cut << 1, lengths)
    events.sort()
    step = 1 - ((events & 1) << 1)
    if cut is not None:
        step = np.where(events & 2, -step * (len(lengths) + 1), step)
    depth = np.cumsum(step)
    place = events >> 2
    last = np.flatnonzero(np.diff(place, append=-1))
    place, depth = place[last], depth[last]
    limit = 1 if needed is None else needed[np.searchsorted(start, place, side="right") - 1]
    # Every mask ends what it starts, so the state is back to outside wherever a group ends.
    changed = np.flatnonzero(np.diff(depth >= limit, prepend=False))
    place = place[changed]
    offsets = np.append(np.searchsorted(place, start), len(place))
    return Spans(place - np.repeat(start, np.diff(offsets)), offsets)


def combine_where(
    spans: Spans, group_sizes: IntArray, pixels: IntArray, cut: IntArray | None = None
) -> Spans:
    """`combine` into unions, but groups of a single mask that cuts nothing pass untouched."""
    first = to_offsets(group_sizes)[:-1]
    many = group_sizes != 1
    if cut is not None:
        many |= np.append(cut, 0)[first] == 1
    if not many.any():
        return spans
    member = np.repeat(many, group_sizes)
    lengths = np.diff(spans.offsets)
    inside = np.repeat(member, lengths)
    combined = combine(
        Spans(spans.positions[inside], to_offsets(lengths[member])),
        group_sizes[many],
        pixels[many],
        cut=None if cut is None else cut[member],
    )
    out = np.empty(len(group_sizes), np.int64)
    out[many] = np.diff(combined.offsets)
    out[~many] = lengths[~member]
    changed = np.repeat(many, out)
    positions = np.empty(len(changed), np.int64)
    positions[changed] = combined.positions
    positions[~changed] = spans.positions[~inside]
    return Spans(positions, to_offsets(out))
