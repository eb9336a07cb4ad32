"""Polygons and boxes to masks, bit for bit as pycocotools draws them, but by columns.

pycocotools scales a polygon by five, walks along every edge in steps of one fifth of a pixel and
looks at each step whether it enters a new pixel column. Only these *crossings* matter for the
result: where an edge crosses the middle of column c, scaled between u = 5c + 2 and 5c + 3, the
mask changes between background and foreground at one pixel of that column. So it is enough to
compute the crossings, from the same roundings. The work then grows with the columns that an edge
spans, not with its length, and all edges of a hundred polygons are done at a time.

A triangle with the points (1, 1), (3, 1) and (1, 3) crosses the column 1 at the pixels 1 and 2,
and the column 2 at 1 and 1, which cancels:

>>> from app.masks import rle
>>> rle.decode(from_polygons([[[1, 1, 3, 1, 1, 3]]], [4, 4]))[0].tolist()
[[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]

Pixels are filled by the even-odd rule within one polygon. The polygons of one item are united;
its holes are then cut out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.masks.batch import (
    FloatArray,
    IntArray,
    Masks,
    Sizes,
    Spans,
    check_sizes,
    from_spans,
    to_offsets,
)
from app.masks.coordinates import Ring, Rings, check_boxes, check_rings
from app.masks.errors import PolygonTooComplexError
from app.masks.runs import bases, combine_where, odd_positions

MAX_CROSSINGS = 1 << 24
"""The most column crossings of one polygon: a thousand edges over 16,000 columns each."""

_BLOCK_POINTS = 1 << 12
_BLOCK_CROSSINGS = 1 << 16


def from_polygons(
    polygons: Sequence[Sequence[Ring]],
    size: Sizes,
    holes: Sequence[Sequence[Ring] | None] | None = None,
    *,
    max_crossings: int | None = None,
) -> Masks:
    """Draw the polygons of each item: their union, with the holes cut out.

    Parameters
    ----------
    polygons : for each of N items a list of at least one polygon, each a flat list x, y, x, y,
        ... of at least three points
    size : one (height, width) for all items, or (N, 2) of them
    holes : for each item a list of rings or None
    max_crossings : the most column crossings of all polygons together, for callers that must
        bound the time; each single polygon is bounded anyway, by `MAX_CROSSINGS`

    Returns
    -------
    Masks, N of them. Identical to frPoly and merge of pycocotools where there are no holes.

    Raises
    ------
    SizeError, PolygonError : before anything larger than the input is allocated

    >>> from app.masks import rle
    >>> square, inner = [0, 0, 4, 0, 4, 4, 0, 4], [1, 1, 3, 1, 3, 3, 1, 3]
    >>> masks = from_polygons([[square]], [4, 4], holes=[[inner]])
    >>> rle.decode(masks)[0].tolist()
    [[1, 1, 1, 1], [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]]
    """
    rings = check_rings(polygons, holes)
    return fill(rings, check_sizes(size, len(polygons)), max_crossings)


def from_boxes(boxes: npt.ArrayLike, size: Sizes, *, max_crossings: int | None = None) -> Masks:
    """Draw a box x, y, w, h for each item, as the polygon of its four corners.

    Parameters
    ----------
    boxes : (N, 4) numbers; a negative width or height draws the mirrored box
    size : one (height, width) for all items, or (N, 2) of them
    max_crossings : as in `from_polygons`

    Raises
    ------
    SizeError, BboxError
    PolygonTooComplexError : where a box, or all of them, span too many columns

    >>> from app.masks import rle
    >>> rle.decode(from_boxes([[1, 0, 2, 1]], [2, 4]))[0].tolist()
    [[0, 1, 1, 0], [0, 0, 0, 0]]
    """
    checked = check_boxes(boxes)
    n = len(checked)
    x, y, w, h = checked.T
    corners = np.stack([x, y, x, y + h, x + w, y + h, x + w, y], axis=1)
    ones = np.ones(n, np.int64)
    rings = Rings(corners.reshape(-1, 2), np.arange(n + 1) * 4, ones, ones - 1)
    return fill(rings, check_sizes(size, n), max_crossings)


def fill(rings: Rings, sizes: IntArray, max_crossings: int | None = None) -> Masks:
    """The masks of rings that are checked already; an item without rings is empty."""
    per_ring = np.repeat(sizes, rings.per_item, axis=0)
    item = np.repeat(np.arange(len(sizes)), rings.per_item)
    budget = _Budget(max_crossings, item)
    parts = list(_blocks(rings, per_ring, 0, len(item), budget))
    lengths = np.concatenate([np.zeros(0, np.int64), *(np.diff(p.offsets) for p in parts)])
    positions = np.concatenate([np.zeros(0, np.int64), *(p.positions for p in parts)])
    spans = Spans(positions, to_offsets(lengths))
    pixels = sizes[:, 0] * sizes[:, 1]
    cut = rings.hole if rings.hole.any() else None
    return from_spans(sizes, combine_where(spans, rings.per_item, pixels, cut))


class _Budget:
    """Counts crossings, and refuses a polygon or a call that has too many."""

    def __init__(self, total: int | None, item: IntArray) -> None:
        self.total = total
        self.item = item
        self.spent = 0

    def check(self, crossings: IntArray, first: int) -> None:
        """Refuse a ring that alone has too many; ``first`` is the number of the first ring."""
        wrong = crossings > MAX_CROSSINGS
        if wrong.any():
            index = int(self.item[first + int(wrong.argmax())])
            raise PolygonTooComplexError(
                f"a polygon crosses more than {MAX_CROSSINGS} pixel columns", index=index
            )

    def spend(self, crossings: int) -> None:
        self.spent += crossings
        if self.total is not None and self.spent > self.total:
            raise PolygonTooComplexError(
                f"the polygons together cross more than {self.total} pixel columns"
            )


def _blocks(
    rings: Rings, sizes: IntArray, first: int, last: int, budget: _Budget
) -> Iterator[Spans]:
    """The spans of the rings from first to last, as many at a time as fit into the cache."""
    while first < last:
        limit = rings.offsets[first] + _BLOCK_POINTS
        stop = int(np.searchsorted(rings.offsets[: last + 1], limit, side="right")) - 1
        stop = max(stop, first + 1)
        offsets = rings.offsets[first : stop + 1]
        points = rings.points[offsets[0] : offsets[-1]]
        edges = _edges(points, offsets - offsets[0], sizes[first:stop])
        per_ring = np.bincount(edges.ring, edges.columns, stop - first)
        budget.check(per_ring, first)
        if per_ring.sum() > _BLOCK_CROSSINGS and stop > first + 1:
            middle = (first + stop) // 2
            yield from _blocks(rings, sizes, first, middle, budget)
            yield from _blocks(rings, sizes, middle, stop, budget)
        else:
            budget.spend(int(per_ring.sum()))
            yield _spans(edges, sizes[first:stop])
        first = stop


class _Edges(NamedTuple):
    """The edges of some rings that cross at least one column, in fifths of a pixel.

    ``x0, y0`` is the end from which pycocotools walks, along the longer axis towards larger
    numbers; ``slope`` is what the other axis gains per step. The first ``flat`` edges go
    sideways, the others up or down.
    """

    flat: int
    ring: IntArray
    x0: IntArray
    y0: IntArray
    slope: FloatArray
    first: IntArray
    columns: IntArray

    def part(self, start: int, stop: int) -> _Edges:
        flat, ring, x0, y0, slope, first, columns = self
        some = slice(start, stop)
        return _Edges(
            min(max(flat - start, 0), stop - start),
            ring[some],
            x0[some],
            y0[some],
            slope[some],
            first[some],
            columns[some],
        )


def _edges(points: FloatArray, offsets: IntArray, sizes: IntArray) -> _Edges:
    x, y = np.ascontiguousarray((points * 5.0 + 0.5).T).astype(np.int64)
    ring = np.repeat(np.arange(len(sizes)), np.diff(offsets))
    following = np.arange(1, len(x) + 1)
    following[offsets[1:] - 1] = offsets[:-1]
    dx, dy = x[following] - x, y[following] - y
    # Column c is crossed when one end is at 5c + 2 or before and the other one behind it.
    first = np.maximum((x + np.minimum(dx, 0) + 2) // 5, 0)
    last = np.minimum((x + np.maximum(dx, 0) - 3) // 5, sizes[ring, 1] - 1)
    crossing = last >= first
    flat = np.abs(dx) >= np.abs(dy)
    sideways, upright = np.flatnonzero(crossing & flat), np.flatnonzero(crossing & ~flat)
    chosen = np.concatenate([sideways, upright])
    # A quotient does not change when both of its numbers change their sign, so the slope needs
    # no care for the direction.
    slope = np.concatenate([dy[sideways] / dx[sideways], dx[upright] / dy[upright]])
    backwards = np.concatenate([dx[sideways] < 0, dy[upright] < 0])
    begin = np.where(backwards, following[chosen], chosen)
    return _Edges(
        len(sideways),
        ring[chosen],
        x[begin],
        y[begin],
        slope,
        first[chosen],
        (last - first)[chosen] + 1,
    )


def _spans(edges: _Edges, sizes: IntArray) -> Spans:
    """Where the fill of each ring starts and ends."""
    start = bases(sizes[:, 0] * sizes[:, 1])
    # One polygon may cross millions of columns; its edges are then done in several pieces.
    total = to_offsets(edges.columns)
    pieces = [np.zeros(0, np.int64)]
    cursor = 0
    while cursor < len(edges.ring):
        stop = int(np.searchsorted(total, total[cursor] + _BLOCK_CROSSINGS, side="right")) - 1
        stop = max(stop, cursor + 1)
        pieces.append(_crossings(edges.part(cursor, stop), sizes[:, 0], start))
        cursor = stop
    places = pieces[1] if len(pieces) == 2 else np.concatenate(pieces)
    places.sort()
    places = odd_positions(places)
    # A closed ring crosses a column an even number of times, so the places are starts and ends
    # in turn.
    offsets = np.append(np.searchsorted(places, start), len(places))
    return Spans(places - np.repeat(start, np.diff(offsets)), offsets)


def _crossings(edges: _Edges, height: IntArray, start: IntArray) -> IntArray:
    """Where the edges toggle the fill, on the line of all masks."""
    offsets = to_offsets(edges.columns)
    column = np.repeat(edges.first - offsets[:-1], edges.columns)
    column += np.arange(len(column))
    tall = np.repeat(height[edges.ring], edges.columns)
    row = np.empty(len(column), np.int64)
    split = offsets[edges.flat]
    flat, steep = edges.part(0, edges.flat), edges.part(edges.flat, len(edges.ring))
    row[:split] = _flat_rows(flat, column[:split])
    row[split:] = _steep_rows(steep, column[split:])
    # Fifths to pixels: the middle of a pixel, 5r + 2, still belongs to row r.
    row += 2
    row //= 5
    np.minimum(np.maximum(row, 0, out=row), tall, out=row)
    row += np.multiply(column, tall, out=column)
    row += np.repeat(start[edges.ring], edges.columns)
    return row


def _flat_rows(edges: _Edges, column: IntArray) -> IntArray:
    """Where edges that go sideways cross the columns, in fifths of a pixel.

    Of the two steps beside the crossing pycocotools takes the higher place, which is the step
    after it where the edge rises.
    """
    step = column * 5
    step -= np.repeat(edges.x0 - 2 - (edges.slope < 0), edges.columns)
    rows = np.repeat(edges.slope, edges.columns) * step
    rows = np.repeat(edges.y0.astype(np.float64), edges.columns) + rows
    rows += 0.5
    return rows.astype(np.int64)


def _steep_rows(edges: _Edges, column: IntArray) -> IntArray:
    """Where edges that go up or down cross the columns, in fifths of a pixel.

    This is the last step before the rounded x passes from one side of the crossing to the other.
    A division guesses it, to within a step or two; the roundings of pycocotools decide.
    """
    slope = np.repeat(edges.slope, edges.columns)
    x0 = np.repeat(edges.x0, edges.columns)
    beyond = column * 5 + 3
    leftwards = slope < 0

    def before(step: IntArray, which: IntArray | slice) -> npt.NDArray[np.bool_]:
        x = x0[which] + slope[which] * step + 0.5
        passed: npt.NDArray[np.bool_] = (x < beyond[which]) != leftwards[which]
        return passed

    step: IntArray = np.floor((beyond - 0.5 - x0) / slope).astype(np.int64)
    which: IntArray | slice = slice(None)
    while True:
        guess = step[which]
        move = before(guess + 1, which).astype(np.int64) - ~before(guess, which)
        wrong = np.flatnonzero(move)
        if len(wrong) == 0:
            return np.repeat(edges.y0, edges.columns) + step
        which = wrong if isinstance(which, slice) else which[wrong]
        step[which] += move[wrong]
