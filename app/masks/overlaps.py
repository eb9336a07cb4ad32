"""How many pixels masks have in common, for all pairs of them, without looking at pairs.

What two masks have in common begins where one of them starts inside of the other one, and it ends
where one of them ends inside of the other one. So its size is the sum of the places of all such
ends less the sum of the places of all such starts. One pass over each mask's runs finds the starts
and ends of all other masks inside of them. The work grows with how many there are, which is little
where masks lie apart, and bounded by masks times runs where each covers every other one.

Where a start or an end of a and one of b are at the same place, that of a counts as earlier.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from app.masks.batch import (
    RUNS_AT_A_TIME,
    FloatArray,
    IntArray,
    Masks,
    Spans,
    cuts,
    ranges,
    to_offsets,
    to_spans,
)
from app.masks.runs import bases

__all__ = ["common_pixels", "common_pixels_of_pairs"]


def common_pixels(a: Masks, b: Masks) -> IntArray:
    """Pixels of every mask of a with every mask of b, all of one size: (m, n) int64."""
    if len(a) == 0 or len(b) == 0:
        return np.zeros((len(a), len(b)), np.int64)
    if a is b:
        return _common_within(to_spans(a))
    spans_a, spans_b = to_spans(a), to_spans(b)
    out = _inside_other(spans_a, _sort(spans_b), len(b), "left")
    out += _inside_other(spans_b, _sort(spans_a), len(a), "right").T
    return out


class _Events(NamedTuple):
    """Starts and ends of runs in ascending order: the place, whose mask it is, and the place again,
    negative for a start. ``order`` says where in the spans each one stands."""

    places: IntArray
    masks: IntArray
    weights: FloatArray
    order: IntArray


def _sort(spans: Spans) -> _Events:
    # Each mask is sorted already, and a merge sort makes use of that.
    order = spans.positions.argsort(kind="stable")
    places = spans.positions[order]
    weights = places.astype(np.float64)
    weights *= ((order & 1) << 1) - 1
    lengths = spans.offsets[1:] - spans.offsets[:-1]
    return _Events(places, np.arange(len(lengths)).repeat(lengths)[order], weights, order)


def _common_within(spans: Spans) -> IntArray:
    """Pixels of every mask with every other mask of the same batch: (n, n) int64."""
    events = _sort(spans)
    rank = np.empty(len(events.order), np.int64)
    rank[events.order] = np.arange(len(rank))
    out = _inside(spans, events, len(spans.offsets) - 1, rank[0::2] + 1, rank[1::2])
    out += out.T.copy()
    # Nothing of a mask lies inside of its own runs.
    ends = to_offsets(spans.positions[1::2] - spans.positions[0::2])[spans.offsets >> 1]
    np.fill_diagonal(out, ends[1:] - ends[:-1])
    return out


def _inside_other(
    spans: Spans, events: _Events, n: int, side: Literal["left", "right"]
) -> IntArray:
    """`_inside` for events of other masks; ``side`` tells which comes first at the same place."""
    starts, ends = spans.positions[0::2], spans.positions[1::2]
    places = events.places
    return _inside(
        spans, events, n, places.searchsorted(starts, side), places.searchsorted(ends, side)
    )


def _inside(spans: Spans, events: _Events, n: int, low: IntArray, high: IntArray) -> IntArray:
    """The sum of the weights of all events of each of n masks inside of each mask of spans.

    ``low`` and ``high`` are the first event inside of each run and the first one behind it.
    """
    count = high - low
    m = len(spans.offsets) - 1
    row = np.arange(m).repeat((spans.offsets[1:] - spans.offsets[:-1]) >> 1)
    out = np.zeros((m, n), np.int64)
    for start, stop in pairwise(cuts(to_offsets(count), RUNS_AT_A_TIME)):
        some = slice(start, stop)
        chosen = ranges(low[some], count[some])
        first, last = int(row[start]), int(row[stop - 1])
        cells = ((row[some] - first) * n).repeat(count[some])
        cells += events.masks[chosen]
        # Sums of so few places stay whole numbers; within one run starts and ends take turns.
        sums = np.bincount(cells, events.weights[chosen], (last - first + 1) * n)
        out[first : last + 1] += sums.astype(np.int64).reshape(-1, n)
    return out


def common_pixels_of_pairs(a: Masks, b: Masks) -> IntArray:
    """Pixels of ``a[i]`` with ``b[i]``, which have the same size, for each i: (N,) int64."""
    line = bases(a.pixels)
    spans_a, spans_b = _on(line, to_spans(a)), _on(line, to_spans(b))
    return _sums(spans_a, spans_b, "left") + _sums(spans_b, spans_a, "right")


def _on(line: IntArray, spans: Spans) -> Spans:
    return Spans(spans.positions + np.repeat(line, np.diff(spans.offsets)), spans.offsets)


def _sums(spans: Spans, others: Spans, side: Literal["left", "right"]) -> IntArray:
    """For each mask the sum over the ends, less the starts, of the other that lie inside of it."""
    signed = others.positions.copy()
    np.negative(signed[0::2], out=signed[0::2])
    before = to_offsets(signed)[np.searchsorted(others.positions, spans.positions, side)]
    gained = to_offsets(before[1::2] - before[0::2])
    sums: IntArray = np.diff(gained[spans.offsets >> 1])
    return sums
