"""Fewer points for an outline, none of which strays farther than a tolerance.

The method is Douglas and Peucker's: between two points that stay, the point farthest from the
straight line stays too when it is farther than the tolerance, and cuts the outline in two. All
pieces of all rings are cut at the same time, level by level. Where an outline is so ragged that
the cuts stay lopsided, pieces are halved instead, which keeps a few points too many but bounds the
levels, and with them the time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from app.masks.batch import BoolArray, FloatArray, IntArray, ranges, to_offsets
from app.masks.coordinates import Ring, check_rings
from app.masks.errors import OutlineError

_PATIENCE = 48  # Levels of cutting at the farthest point before pieces are halved.


def simplify(rings: Sequence[Ring], tolerance: float) -> list[list[float]]:
    """Drop points from each ring; those that are left keep their place and order.

    Parameters
    ----------
    rings : flat lists x, y, x, y, ... of at least three points each
    tolerance : how far, in pixels, a dropped point may lie from the new outline

    Returns
    -------
    flat lists of at least three points; a ring that would collapse is returned unchanged

    Raises
    ------
    PolygonError, OutlineError

    >>> simplify([[0, 0, 5, 0.1, 10, 0, 10, 10, 0, 10]], 0.5)
    [[0.0, 0.0, 10.0, 0.0, 10.0, 10.0, 0.0, 10.0]]
    """
    tolerance = check_tolerance(tolerance)
    if len(rings) == 0:
        return []
    checked = check_rings([list(rings)], None)
    keep = kept_points(checked.points, checked.offsets, tolerance)
    left = to_offsets(keep.astype(np.int64))[checked.offsets].tolist()
    flat = checked.points[keep].ravel().tolist()
    return [flat[2 * a : 2 * b] for a, b in pairwise(left)]


def check_tolerance(tolerance: object) -> float:
    """The tolerance as a float of at least zero."""
    if not isinstance(tolerance, int | float | np.number) or isinstance(tolerance, bool):
        raise OutlineError("the tolerance must be a number", path=("tolerance",))
    try:
        value = float(tolerance)
    except OverflowError:
        value = math.inf
    if not (math.isfinite(value) and value >= 0):
        raise OutlineError("the tolerance must be a number of at least 0", path=("tolerance",))
    return value


def kept_points(
    points: FloatArray, offsets: IntArray, tolerance: float, pinned: BoolArray | None = None
) -> BoolArray:
    """Which points of closed rings stay: (P,) bool.

    Parameters
    ----------
    points, offsets : (P, 2) float64 and (R + 1,) int64, ring r has
        ``points[offsets[r]:offsets[r + 1]]``, at least one point
    tolerance : in the unit of the points
    pinned : (P,) points that stay whatever happens
    """
    keep = np.zeros(len(points), bool) if pinned is None else pinned.copy()
    if tolerance == 0 or len(points) == 0:
        return np.ones(len(points), bool)
    first = _anchor(points, offsets, keep)
    # Lay each ring out from its first anchor around to the same anchor again.
    lengths = np.diff(offsets)
    ring = np.repeat(np.arange(len(lengths)), lengths + 1)
    around = ranges(np.zeros(len(lengths), np.int64), lengths + 1)
    origin = offsets[:-1][ring]
    line = origin + (first[ring] - origin + around) % lengths[ring]
    fixed = keep[line]
    fixed |= (around == 0) | (around == lengths[ring])
    stays = _cut(points[line], np.flatnonzero(fixed), ring, tolerance)
    stays |= fixed
    keep[line[stays]] = True
    # A ring must not collapse: fewer than three points would make the part vanish.
    left = np.diff(to_offsets(keep.astype(np.int64))[offsets])
    keep |= np.repeat(left < 3, lengths)
    return keep


def _anchor(points: FloatArray, offsets: IntArray, keep: BoolArray) -> IntArray:
    """The point each ring is laid out from; makes sure that every ring keeps at least two."""
    lengths = np.diff(offsets)
    start = offsets[:-1]
    ring = np.repeat(np.arange(len(lengths)), lengths)
    pins = np.flatnonzero(keep)
    first = start.copy()
    first[ring[pins[::-1]]] = pins[::-1]
    keep[first] = True
    few = np.diff(to_offsets(keep.astype(np.int64))[offsets]) < 2
    distance = ((points - points[first[ring]]) ** 2).sum(axis=1)
    far = _farthest(distance, start, lengths)
    keep[far[few]] = True
    return first


def _farthest(distance: FloatArray, start: IntArray, lengths: IntArray) -> IntArray:
    """The place of the largest number of each piece; the middle one where several are."""
    most = np.maximum.reduceat(distance, start)
    hits = np.flatnonzero(distance == np.repeat(most, lengths))
    low = np.searchsorted(hits, start)
    high = np.searchsorted(hits, start + lengths)
    return np.asarray(hits[(low + high) // 2], np.int64)


def _cut(line: FloatArray, fixed: IntArray, ring: IntArray, tolerance: float) -> BoolArray:
    """Which points of the laid out rings must stay besides the fixed ones."""
    stays = np.zeros(len(line), bool)
    same = ring[fixed[:-1]] == ring[fixed[1:]]
    a, b = fixed[:-1][same], fixed[1:][same]
    level = 0
    while True:
        inner = b - a > 1
        a, b = a[inner], b[inner]
        if len(a) == 0:
            return stays
        lengths = b - a - 1
        start = to_offsets(lengths)[:-1]
        place = ranges(a + 1, lengths)
        distance = _to_line(
            line[place], np.repeat(line[a], lengths, 0), np.repeat(line[b], lengths, 0)
        )
        strays = np.maximum.reduceat(distance, start) > tolerance**2
        middle = place[_farthest(distance, start, lengths)] if level < _PATIENCE else (a + b) // 2
        a, b, middle = a[strays], b[strays], middle[strays]
        stays[middle] = True
        a, b = np.concatenate([a, middle]), np.concatenate([middle, b])
        level += 1


def _to_line(points: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """Squared distance of each point from the straight piece between a and b."""
    along = b - a
    length = (along**2).sum(axis=1)
    share = ((points - a) * along).sum(axis=1) / np.where(length > 0, length, 1)
    nearest = a + np.clip(share, 0, 1)[:, None] * along
    return np.asarray(((points - nearest) ** 2).sum(axis=1), np.float64)
