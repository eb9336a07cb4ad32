"""Brush strokes to masks.

A stroke is the way of a brush: a line through points, and a brush that is a disc of a radius or
an upright square of twice that side. Its mask has exactly the pixels whose centre lies under the
brush somewhere along the line, the rim included: for the disc those whose centre is at most the
radius away from the line, for the square those whose centre is at most the radius away on both
axes from a point of the line.

What one straight piece of the line covers is convex, so it meets each pixel column in one run of
rows. The runs come from formulas, for all pieces and columns at a time, and are then united.

>>> from app.masks import bitmaps
>>> bitmaps.decode(from_strokes([[2.5, 2.5]], [1.0], [5, 5]))[0].tolist()[1:4]
[[0, 0, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]
>>> bitmaps.decode(from_strokes([[2.5, 2.5]], [1.0], [5, 5], square=True))[0].tolist()[1:4]
[[0, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 1, 1, 1, 0]]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from app.masks.batch import (
    MAX_COORDINATE,
    BoolArray,
    FloatArray,
    IntArray,
    Masks,
    Sizes,
    Spans,
    check_sizes,
    from_spans,
    ranges,
    to_offsets,
)
from app.masks.coordinates import Ring, check_flat
from app.masks.errors import (
    StrokeError,
    StrokeNotFiniteError,
    StrokeTooComplexError,
    StrokeTooLargeError,
)
from app.masks.runs import unite_events

MAX_COLUMNS = 1 << 21
"""The most pixel columns under one stroke, counted anew for each of its straight pieces."""

_BLOCK_COLUMNS = 1 << 14
_KINDS = (StrokeError, StrokeNotFiniteError, StrokeTooLargeError)


def from_strokes(
    strokes: Sequence[Ring], radius: Sequence[float], size: Sizes, *, square: bool = False
) -> Masks:
    """Draw a brush stroke for each item.

    Parameters
    ----------
    strokes : for each of N items the points x, y, x, y, ... of its line, one at least
    radius : (N,) of the brush in pixels, more than 0
    size : one (height, width) for all items, or (N, 2) of them
    square : whether the brush is a square

    Returns
    -------
    Masks, N of them

    Raises
    ------
    SizeError, StrokeError

    >>> from app.masks import bitmaps
    >>> bitmaps.decode(from_strokes([[0.5, 0.5, 3.5, 0.5]], [0.5], [2, 5]))[0].tolist()
    [[1, 1, 1, 1, 0], [0, 0, 0, 0, 0]]
    """
    if not isinstance(strokes, list | tuple):
        raise StrokeError("strokes must be a list of lists of numbers")
    if not isinstance(radius, list | tuple | np.ndarray) or len(radius) != len(strokes):
        raise StrokeError("there must be one radius for each stroke", path=("radius",))
    sizes = check_sizes(size, len(strokes))
    masks = [
        _stroke(_points(line, index), _radius(r, index), sizes[index], square, index)
        for index, (line, r) in enumerate(zip(strokes, radius, strict=True))
    ]
    lengths = np.array([len(positions) for positions in masks], np.int64)
    positions = np.concatenate([np.zeros(0, np.int64), *masks])
    return from_spans(sizes, Spans(positions, to_offsets(lengths)))


def _points(line: Ring, index: int) -> FloatArray:
    numbers: Sequence[float] = line.tolist() if isinstance(line, np.ndarray) else line
    flat = check_flat(numbers, index, ("stroke",), _KINDS)
    if len(flat) == 0 or len(flat) % 2:
        detail = "a stroke has at least one point, and a y for each x"
        raise StrokeError(detail, index=index, path=("stroke",))
    return flat.reshape(-1, 2)


def _radius(radius: float, index: int) -> float:
    value = float(check_flat([radius], index, ("radius",), _KINDS)[0])
    if value <= 0:
        raise StrokeError("the radius must be more than 0", index=index, path=("radius",))
    return value


class _Pieces(NamedTuple):
    """Straight pieces of a line, each with a pixel column: from (ax, ay) by (dx, dy)."""

    ax: FloatArray
    ay: FloatArray
    dx: FloatArray
    dy: FloatArray
    x: FloatArray
    radius: float


def _stroke(
    points: FloatArray, radius: float, size: IntArray, square: bool, index: int
) -> IntArray:
    """Start and end positions of the mask of one stroke."""
    height, width = size.tolist()
    a = points if len(points) == 1 else points[:-1]
    b = points if len(points) == 1 else points[1:]
    low = np.minimum(a[:, 0], b[:, 0]) - radius
    high = np.maximum(a[:, 0], b[:, 0]) + radius
    # One column more on either side, so that no rounding loses one; the rows decide.
    first = np.clip(np.floor(low - 0.5), 0, width).astype(np.int64)
    last = np.clip(np.ceil(high - 0.5), -1, width - 1).astype(np.int64)
    columns = np.maximum(last - first + 1, 0)
    if columns.sum() > MAX_COLUMNS:
        raise StrokeTooComplexError(
            f"a stroke covers more than {MAX_COLUMNS} pixel columns", index=index, path=("stroke",)
        )
    total = to_offsets(columns)
    runs = [np.zeros((0, 2), np.int64)]
    cursor = 0
    while cursor < len(columns):
        stop = int(np.searchsorted(total, total[cursor] + _BLOCK_COLUMNS, side="right")) - 1
        part = slice(cursor, max(stop, cursor + 1))
        runs.append(_runs(a[part], b[part], radius, first[part], columns[part], height, square))
        cursor = part.stop
    events = np.concatenate(runs).ravel() << 1
    events[1::2] |= 1
    events.sort(kind="stable")
    return unite_events(events)


def _runs(
    a: FloatArray,
    b: FloatArray,
    radius: float,
    first: IntArray,
    columns: IntArray,
    height: int,
    square: bool,
) -> IntArray:
    """Start and end, (K, 2), of the run of each piece from a to b in each of its columns."""
    column = ranges(first, columns)
    start, way = np.repeat(a, columns, axis=0).T, np.repeat(b - a, columns, axis=0).T
    pieces = _Pieces(start[0], start[1], way[0], way[1], (column + 0.5).astype(np.float64), radius)
    top, bottom = _square_rows(pieces) if square else _disc_rows(pieces, height)
    top = np.clip(top, 0, height)
    bottom = np.clip(bottom, -1, height - 1)
    some = bottom >= top
    base = column[some] * height
    return np.stack([base + top[some], base + bottom[some] + 1], axis=1)


def _disc_rows(pieces: _Pieces, height: int) -> tuple[IntArray, IntArray]:
    """First and last row under the disc, the last before the first where there is none.

    The area under the brush is the union of the discs at both ends and of a rectangle. The
    column's middle line enters and leaves it on a circle or on one of the two long sides. The
    rows that follow from there are exact but for roundings, so the rows beside them are looked
    at as well, with the distance itself.
    """
    ax, ay, dx, dy, x, radius = pieces
    length = np.hypot(dx, dy)
    ux = np.divide(dx, length, out=np.zeros_like(dx), where=length > 0)
    uy = np.divide(dy, length, out=np.zeros_like(dy), where=length > 0)
    upper = np.full(x.shape, np.inf)
    lower = np.full(x.shape, -np.inf)
    for cx, cy in ((ax, ay), (ax + dx, ay + dy)):
        reach = radius**2 - (x - cx) ** 2
        # A hair outside still counts here; the distance decides below.
        near = reach >= -1e-9 * (1 + radius**2)
        half = np.sqrt(np.maximum(reach, 0))
        upper = np.where(near, np.minimum(upper, cy - half), upper)
        lower = np.where(near, np.maximum(lower, cy + half), lower)
    for side in (-radius, radius):
        # The long side runs through (ax - side uy, ay + side ux) in the direction of the piece.
        along = np.divide(x - ax + side * uy, ux, out=np.full(x.shape, -1.0), where=ux != 0)
        on = (along >= 0) & (along <= length)
        y = ay + side * ux + along * uy
        upper = np.where(on, np.minimum(upper, y), upper)
        lower = np.where(on, np.maximum(lower, y), lower)
    limit = float(height) + 2
    top = np.ceil(np.clip(upper - 0.5, -2, limit)).astype(np.int64)
    bottom = np.floor(np.clip(lower - 0.5, -2, limit)).astype(np.int64)
    return _first_under(pieces, top, 1), _first_under(pieces, bottom, -1)


def _first_under(pieces: _Pieces, row: IntArray, step: int) -> IntArray:
    """The first row under the disc from one before ``row`` on, or one that ends every run."""
    out = np.full(row.shape, step * (1 << 40))
    for shift in (step, 0, -step):
        under = _under_disc(pieces, row + shift)
        out = np.where(under, row + shift, out)
    return out


def _under_disc(pieces: _Pieces, row: IntArray) -> BoolArray:
    ax, ay, dx, dy, x, radius = pieces
    px, py = x - ax, row + 0.5 - ay
    square = dx * dx + dy * dy
    share = np.divide(px * dx + py * dy, square, out=np.zeros_like(px), where=square > 0)
    share = np.clip(share, 0, 1)
    distance = (px - share * dx) ** 2 + (py - share * dy) ** 2
    return np.asarray(distance <= radius * radius, bool)


def _square_rows(pieces: _Pieces) -> tuple[IntArray, IntArray]:
    """First and last row under the square, the last before the first where there is none."""
    ax, ay, dx, dy, x, radius = pieces
    # The part of the piece, from share 0 to 1, that is at most the radius to the side.
    left = np.divide(x - radius - ax, dx, out=np.zeros_like(x), where=dx != 0)
    right = np.divide(x + radius - ax, dx, out=np.ones_like(x), where=dx != 0)
    low = np.clip(np.minimum(left, right), 0, None)
    high = np.clip(np.maximum(left, right), None, 1)
    meets = (low <= high) & ((dx != 0) | (np.abs(x - ax) <= radius))
    y0, y1 = ay + low * dy, ay + high * dy
    reach = MAX_COORDINATE * 4
    top = np.clip(np.minimum(y0, y1) - radius - 0.5, -reach, reach)
    bottom = np.clip(np.maximum(y0, y1) + radius - 0.5, -reach, reach)
    none = np.int64(1 << 40)
    return (
        np.where(meets, np.ceil(top).astype(np.int64), none),
        np.where(meets, np.floor(bottom).astype(np.int64), -none),
    )
