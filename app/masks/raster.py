"""Polygons and boxes to masks, bit for bit as pycocotools draws them, but by columns.

pycocotools scales a polygon by five, walks along every edge in steps of one fifth of a pixel and
looks at each step whether it enters a new pixel column. Only these *crossings* matter for the
result: where an edge crosses the middle of column c, scaled between u = 5c + 2 and 5c + 3, the
mask changes between background and foreground at one pixel of that column. So it is enough to
compute the crossings, and the work grows with the columns that an edge spans, not with its length.

The crossings of one edge lie on a straight line: read as a real number, the row grows by the same
amount from column to column. So does the place of the crossing when the columns of all masks are
laid out on one line. For each edge, the place in its first column and the growth, and for each
crossing, one multiplication and one addition are all it takes. Rounded down this is what
pycocotools computes, save where the real number is so close to a whole one that the roundings on
the way decide. These few crossings are computed once more in the very steps of pycocotools.

The crossings are made in the order in which they stand along the ring, in which long stretches
rise or fall. A merge sort, which finds such stretches, takes a tenth of the time of a quicksort.

A triangle with the points (1, 1), (3, 1) and (1, 3) crosses the column 1 at the pixels 1 and 2,
and the column 2 at 1 and 1, which cancels:

>>> from app.masks import bitmaps
>>> bitmaps.decode(from_polygons([[[1, 1, 3, 1, 1, 3]]], [4, 4]))[0].tolist()
[[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]

Pixels are filled by the even-odd rule within one polygon. The polygons of one item are united;
its holes are then cut out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.masks.batch import (
    FloatArray,
    IntArray,
    IntKind,
    Masks,
    Sizes,
    check_sizes,
    concatenate,
    cuts,
    to_offsets,
)
from app.masks.coordinates import Ring, Rings, check_boxes, check_rings
from app.masks.errors import PolygonTooComplexError
from app.masks.runs import bases, first_of_pairs, unite, without

MAX_CROSSINGS = 1 << 24
"""The most column crossings of one polygon: a thousand edges over 16,000 columns each."""

# The work is done in pieces: so large that the hundred calls of NumPy for each piece do not count,
# so small that the arrays stay in the cache.
_BLOCK_POINTS = 1 << 14
_BLOCK_CROSSINGS = 1 << 18
_COUNTING = np.arange(_BLOCK_CROSSINGS, dtype=np.float64)


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

    >>> from app.masks import bitmaps
    >>> square, inner = [0, 0, 4, 0, 4, 4, 0, 4], [1, 1, 3, 1, 3, 3, 1, 3]
    >>> masks = from_polygons([[square]], [4, 4], holes=[[inner]])
    >>> bitmaps.decode(masks)[0].tolist()
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

    >>> from app.masks import bitmaps
    >>> bitmaps.decode(from_boxes([[1, 0, 2, 1]], [2, 4]))[0].tolist()
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
    item = np.arange(len(sizes)).repeat(rings.per_item)
    budget = _Budget(max_crossings, item)
    drawn = concatenate(_draw(rings, sizes[item], budget))
    return unite(drawn, sizes, rings.per_item, rings.hole)


class _Budget:
    """Counts crossings, and refuses a polygon or a call that has too many."""

    def __init__(self, total: int | None, item: IntArray) -> None:
        self.total = total
        self.item = item
        self.spent = 0

    def spend(self, crossings: IntArray, first: int) -> None:
        """Take the crossings of some rings; ``first`` is the number of the first one."""
        most = int(crossings.argmax())
        if crossings[most] > MAX_CROSSINGS:
            index = int(self.item[first + most])
            raise PolygonTooComplexError(
                f"a polygon crosses more than {MAX_CROSSINGS} pixel columns", index=index
            )
        self.spent += int(crossings.sum())
        if self.total is not None and self.spent > self.total:
            raise PolygonTooComplexError(
                f"the polygons together cross more than {self.total} pixel columns"
            )


def _draw(rings: Rings, sizes: IntArray, budget: _Budget) -> Iterator[Masks]:
    """The masks of all rings, in batches of as many as fit into the cache."""
    for first, stop in pairwise(cuts(rings.offsets, _BLOCK_POINTS)):
        offsets = rings.offsets[first : stop + 1]
        points = rings.points[offsets[0] : offsets[-1]]
        offsets = offsets - offsets[0]
        some = sizes[first:stop]
        edges = _edges(points, offsets, some)
        crossings = to_offsets(edges.columns)[offsets]
        budget.spend(crossings[1:] - crossings[:-1], first)
        for a, b in pairwise(cuts(crossings, _BLOCK_CROSSINGS)):
            part = edges.part(int(offsets[a]), int(offsets[b]))
            yield _masks(part, offsets[a + 1 : b + 1] - offsets[a:b], some[a:b])


# Edges -------------------------------------------------------------------------------------------


class _Edges(NamedTuple):
    """The edges of some rings, in the order of their points, in fifths of a pixel.

    An edge leads from (``x``, ``y``) by (``dx``, ``dy``), all of them whole numbers. It crosses so
    many ``columns``, ``column`` first, and from there on to the right, or to the left where ``dx``
    is negative. Read as a real number, in pixels, the first crossing is at the ``row``, and with
    every column to the right the row grows by the ``slope``. ``inside`` says whether all of the
    rings lie inside of their images.
    """

    x: FloatArray
    y: FloatArray
    dx: FloatArray
    dy: FloatArray
    slope: FloatArray
    row: FloatArray
    column: IntArray
    columns: IntArray
    inside: bool

    def part(self, start: int, stop: int) -> _Edges:
        """The edges from ``start`` to ``stop``."""
        if stop - start == len(self.x):
            return self
        x, y, dx, dy, slope, row = (member[start:stop] for member in self[:6])
        column, columns = self.column[start:stop], self.columns[start:stop]
        return _Edges(x, y, dx, dy, slope, row, column, columns, self.inside)


def _edges(points: FloatArray, offsets: IntArray, sizes: IntArray) -> _Edges:
    # All of this fits into 32 bits; the conversion drops the fraction.
    scaled = np.ascontiguousarray((points * 5.0 + 0.5).astype(np.int32).T)
    inside = _are_inside(scaled, offsets, sizes)
    # Column c is crossed when one end is at 5c + 2 or before and the other one behind it. So the
    # columns between two points are those between these numbers.
    passed = (scaled[0] + 2) // 5
    if not inside:
        width = sizes[:, 1].repeat(offsets[1:] - offsets[:-1])
        passed = np.minimum(np.maximum(passed, 0), width)
    crossed = _to_next(passed, offsets)
    column = passed - (crossed < 0)
    x, y = scaled.astype(np.float64)
    dx, dy = _to_next(scaled, offsets).astype(np.float64)
    # An edge straight up or down crosses nothing and needs no slope.
    slope = dy * (dx != 0) / (dx + (dx == 0))
    # An edge that goes sideways takes one step from 5c + 2 to 5c + 3, of which pycocotools takes
    # the end with the smaller y, rounded. On an edge that goes up or down it takes the last step
    # before x is rounded to 5c + 3. With both, a place of 5r + 3 or more is below the row r.
    row = np.abs(slope)
    row *= -0.5
    row += 0.5
    np.maximum(row, 0.0, out=row)
    row += slope * (5 * column - scaled[0] + 2.5)
    row += y
    row += 2
    row /= 5
    return _Edges(x, y, dx, dy, slope, row, column, np.abs(crossed), inside)


def _to_next(numbers: IntArray, offsets: IntArray) -> IntArray:
    """The difference from each number to the next one around its ring, in the last axis."""
    difference = np.empty_like(numbers)
    np.subtract(numbers[..., 1:], numbers[..., :-1], out=difference[..., :-1])
    last = offsets[1:] - 1
    difference[..., last] = numbers[..., offsets[:-1]] - numbers[..., last]
    return difference


def _are_inside(scaled: IntArray, offsets: IntArray, sizes: IntArray) -> bool:
    """Whether no point (2 rows, x and y) of any ring lies outside of its image."""
    if scaled.min() < 0:
        return False
    high = np.maximum.reduceat(scaled, offsets[:-1], axis=1)
    return bool((high <= 5 * sizes.T[::-1]).all())


# Masks -------------------------------------------------------------------------------------------


def _masks(edges: _Edges, points: IntArray, sizes: IntArray) -> Masks:
    """The masks of rings with so many ``points`` each, by the even-odd rule."""
    pixels = sizes[:, 0] * sizes[:, 1]
    start = bases(pixels)
    end = start + pixels
    # The spare place of an edge may lie a largest coordinate's fifths beyond the line.
    kind: IntKind = np.int32 if end[-1] < 1 << 30 else np.int64
    tall = sizes[:, 0].astype(np.float64).repeat(points)
    line = start.astype(np.float64).repeat(points)
    # Each ring has one place more, behind those of its last edge, for the end of its mask.
    last = points.cumsum() - 1
    room = edges.columns.astype(np.int64)
    room[last] += 1
    total = to_offsets(room)
    # One polygon may cross millions of columns; its edges are then done in several pieces.
    pieces = [
        _places(edges.part(a, b), room[a:b], tall[a:b], line[a:b], int(end[-1]), kind)
        for a, b in pairwise(cuts(total, _BLOCK_CROSSINGS))
    ]
    places = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    places[total[last + 1] - 1] = end
    places.sort(kind="stable")
    places = _without_pairs(places, end)
    counts = np.empty(len(places), np.int64)
    counts[0] = places[0]
    np.subtract(places[1:], places[:-1], out=counts[1:])
    # The end of a mask and the start of the next one are two places on the line.
    offsets = np.zeros(len(end) + 1, np.int64)
    offsets[1:] = places.searchsorted(end) + 1
    counts[offsets[1:-1]] -= 1
    return Masks(sizes, counts, offsets)


def _without_pairs(toggles: IntArray, end: IntArray) -> IntArray:
    """The sorted toggles less those that undo each other, and the end of each mask once."""
    [twice] = (toggles[1:] == toggles[:-1]).nonzero()
    if len(twice) == 0:
        return toggles
    # Whatever toggles at the end of an image has nothing left to change.
    places = toggles[twice]
    at_end = end[end.searchsorted(places)] == places
    first = first_of_pairs(twice[~at_end])
    return without(toggles, np.concatenate([twice[at_end], first, first + 1]))


def _places(
    edges: _Edges,
    room: IntArray,
    tall: FloatArray,
    line: FloatArray,
    end: int,
    kind: IntKind,
) -> IntArray:
    """Where edges toggle the fill, on the line of all masks, in the order of the edges.

    Each edge has ``room`` for so many places, of which those of its columns come first and count.
    ``tall`` is the height of each edge's image, ``line`` the place where its mask starts, and
    ``end`` the last place of all.
    """
    offsets = to_offsets(room)
    n = int(offsets[-1])
    number = _COUNTING[:n] if n <= len(_COUNTING) else np.arange(n, dtype=np.float64)
    growth = tall + edges.slope
    growth *= np.copysign(1.0, edges.dx)
    begin = line + edges.column * tall + edges.row
    place = growth.repeat(room)
    place *= number
    place += (begin - offsets[:-1] * growth).repeat(room)
    if not edges.inside:
        _clip(place, edges, room, tall, line, number)
    doubt = _doubt(edges, float(tall.max()), end, n)
    # More doubt than the quarter that `_clip` leaves could move a place into the next image.
    if doubt < 0.25:
        place -= doubt
        found: IntArray = place.astype(kind)
        place += 2 * doubt
        [unsure] = (found != place.astype(kind)).nonzero()
    else:
        found = np.empty(n, kind)
        unsure = np.arange(n)
    if len(unsure):
        edge = offsets.searchsorted(unsure, side="right") - 1
        counts = unsure - offsets[edge] < edges.columns[edge]
        edge, unsure = edge[counts], unsure[counts]
        found[unsure] = _exact(edges, tall, line, edge, unsure - offsets[edge])
    return found


def _clip(
    place: FloatArray,
    edges: _Edges,
    room: IntArray,
    tall: FloatArray,
    line: FloatArray,
    number: FloatArray,
) -> None:
    """Move the places above and below the image to its upper and lower edge."""
    onwards = np.copysign(tall, edges.dx)
    top = onwards.repeat(room)
    top *= number
    first = line + edges.column * tall
    top += (first - to_offsets(room)[:-1] * onwards).repeat(room)
    # A quarter of a pixel inside of the row, so that no rounding makes another row of it.
    top += 0.25
    np.maximum(place, top, out=place)
    np.minimum(place, top + tall.repeat(room), out=place)


def _doubt(edges: _Edges, tall: float, end: int, n: int) -> float:
    """How far, at the most, a place may be from what pycocotools computes before it rounds.

    Each of the dozen operations, here and there, is exact to 2^-53 of the largest number in it, and
    these are the numbers: a place on the line is at most ``end``; what an edge adds to its first
    place grows to at most n (tall + steepest), and so does what is taken off for the places of the
    edges before it; x, y and the rows of an edge are at most ``reach``, or the few columns that its
    last step may go beyond. On a steep edge pycocotools rounds x, and an error in x is an error in
    y times the slope. 2^-47 leaves room for all of them together.
    """
    reach = max(_largest(edges.x), _largest(edges.y))
    steepest = _largest(edges.slope)
    return ((reach + n) * (steepest + 1) + n * tall + end) * 2.0**-47


def _largest(numbers: FloatArray) -> float:
    return max(float(numbers.max()), -float(numbers.min()))


def _exact(
    edges: _Edges, tall: FloatArray, line: FloatArray, edge: IntArray, number: IntArray
) -> FloatArray:
    """The place of the given crossing of each given edge, in the steps of pycocotools."""
    x, y, dx, dy = (member[edge] for member in edges[:4])
    column = edges.column[edge].astype(np.float64) + np.copysign(number, dx)
    # pycocotools walks along the longer axis, towards larger numbers.
    steep = np.abs(dy) > np.abs(dx)
    turn = np.where(steep, dy, dx) < 0
    x += turn * dx
    y += turn * dy
    # Of the two steps beside the crossing of an edge that goes sideways, the one with the smaller
    # y. What is rounded up or down above the image does not matter.
    slope = dy / dx
    row = np.floor(y + slope * (5 * column + 2 - x + (slope < 0)) + 0.5)
    [upright] = steep.nonzero()
    if len(upright):
        slope = dx[upright] / dy[upright]
        row[upright] = _steep_rows(x[upright], y[upright], slope, column[upright])
    # Fifths to pixels: the middle of a pixel, 5r + 2, still belongs to row r.
    row = np.floor((row + 2) / 5)
    height = tall[edge]
    return line[edge] + column * height + np.minimum(np.maximum(row, 0.0), height)


def _steep_rows(x: FloatArray, y: FloatArray, slope: FloatArray, column: FloatArray) -> FloatArray:
    """Where edges that go down from (x, y) cross the columns, in fifths of a pixel.

    This is the last step before the rounded x passes from one side of the crossing to the other.
    A division guesses it, to within a step or two; the roundings of pycocotools decide.
    """
    beyond = column * 5 + 3
    leftwards = slope < 0
    step = np.floor((beyond - 0.5 - x) / slope)

    def before(step: FloatArray) -> npt.NDArray[np.bool_]:
        return np.asarray((x + slope * step + 0.5 < beyond) != leftwards, bool)

    while True:
        move = before(step + 1).astype(np.float64) - ~before(step)
        if not move.any():
            return y + step
        step += move
