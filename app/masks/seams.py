"""Joining rings by seams, and writing them down as flat lists.

A ring that lies within another hangs on it: from a point of the outer ring a seam leads to the
inner one, around it and back to the same point. Rings hang on rings that hang on others, to any
depth, as in a target's circles or in noise. The place of each point in the finished list follows
from how much hangs before it, so that all rings of all masks are written in one go.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from app.masks.batch import BoolArray, FloatArray, IntArray, to_offsets
from app.masks.simplify import kept_points

Drawn = list[tuple[list[list[int]], list[list[int]]]]
"""The polygons and the holes of each mask."""


class TracedRings(NamedTuple):
    """Closed rings of corners, and the rows of corners that say what lies above what.

    ``corners`` lists the corners ring by ring (``offsets``, ``mask`` for each ring), ``x`` and
    ``y`` give the place of a corner. ``rows`` are the sorted keys of all corners and ``leaves``
    says, for each pair of neighbours in them, from which corner the horizontal piece between them
    starts.
    """

    corners: IntArray
    offsets: IntArray
    mask: IntArray
    x: IntArray
    y: IntArray
    rows: IntArray
    leaves: IntArray


class Tree(NamedTuple):
    """Where rings are joined to others, and what becomes of each ring.

    ``role`` is 0 for a polygon, 1 for a hole of its own, 2 for a ring that a seam joins to
    another. ``head`` is the place in `TracedRings.corners` of each ring's upper left corner, where
    its seam starts. A ring of role 2 hangs on the ring ``parent``, from the piece that leaves the
    corner at the place ``at``, at the point (``x``, ``y``).
    """

    role: IntArray
    head: IntArray
    parent: IntArray
    at: IntArray
    x: IntArray
    y: IntArray


def draw(rings: TracedRings, tree: Tree, tolerance: float, n: int) -> Drawn:
    """The polygons and the holes of each of n masks, less the points that a tolerance spares."""
    splicer = _Splicer(rings, tree, tolerance)
    whole = np.flatnonzero((tree.role != 2) & ~splicer.has_seams)
    seamed = np.flatnonzero((tree.role != 2) & splicer.has_seams)
    out: Drawn = [([], []) for _ in range(n)]
    written = dict(zip(seamed.tolist(), splicer.spliced(seamed), strict=True))
    flat = np.stack([splicer.x, splicer.y], axis=1).ravel().tolist()
    first, last = (2 * splicer.offsets[:-1]).tolist(), (2 * splicer.offsets[1:]).tolist()
    mask, role = rings.mask.tolist(), tree.role.tolist()
    for ring in np.sort(np.concatenate([whole, seamed])).tolist():
        own = written.get(ring)
        out[mask[ring]][role[ring]].append(flat[first[ring] : last[ring]] if own is None else own)
    return out


class _Splicer:
    """The points of all rings, the places on which others hang among them.

    ``x`` and ``y`` list the points ring by ring (``offsets``). ``hangs`` gives the ring that hangs
    on a point, or -1, and ``head`` the point from which each ring is walked when it hangs.
    """

    def __init__(self, rings: TracedRings, tree: Tree, tolerance: float) -> None:
        self._parent = tree.parent
        joined = np.flatnonzero(tree.role == 2)
        x, y = rings.x[rings.corners], rings.y[rings.corners]
        # Who hangs on whom lies below: from the lowest head up, rings come before their parents.
        self._upwards = joined[np.argsort(-y[tree.head[joined]], kind="stable")]
        # Along the piece of outline that they hang on, seams come in its direction.
        following = np.arange(1, len(x) + 1)
        following[rings.offsets[1:] - 1] = rings.offsets[:-1]
        at = tree.at[joined]
        way = np.where(x[following[at]] > x[at], tree.x[joined], -tree.x[joined])
        joined = joined[np.lexsort((way, at))]
        at = tree.at[joined] + 1
        self.x = np.insert(x, at, tree.x[joined])
        self.y = np.insert(y, at, tree.y[joined])
        hangs = np.insert(np.full(len(x), -1), at, joined)
        pinned = np.zeros(len(x), bool)
        pinned[tree.head[joined]] = True
        pinned = np.insert(pinned, at, True)
        moved = tree.head + np.searchsorted(np.sort(at), tree.head, side="right")
        lengths = np.diff(rings.offsets) + np.bincount(
            tree.parent[joined], minlength=len(rings.mask)
        )
        self.offsets = to_offsets(lengths)
        self._drop(pinned, tolerance, hangs, moved)

    def _drop(self, pinned: BoolArray, tolerance: float, hangs: IntArray, head: IntArray) -> None:
        if tolerance > 0:
            points: FloatArray = np.stack([self.x, self.y], axis=1).astype(np.float64)
            keep = kept_points(points, self.offsets, tolerance, pinned)
            new = to_offsets(keep.astype(np.int64))
            self.x, self.y, hangs = self.x[keep], self.y[keep], hangs[keep]
            self.offsets, head = new[self.offsets], new[head]
        self.hangs, self.head = hangs, head
        self._ring = np.repeat(np.arange(len(head)), np.diff(self.offsets))
        self.has_seams = np.zeros(len(head), bool)
        self.has_seams[self._ring[hangs >= 0]] = True

    def spliced(self, chosen: IntArray) -> list[list[int]]:
        """Each chosen ring, none of which hangs itself, with all that hangs on it."""
        if len(chosen) == 0:
            return []
        length, rank = self._measured()
        out = to_offsets(length[chosen])
        start = self._started(chosen, out[:-1], length, rank)
        x, y = np.empty(out[-1], np.int64), np.empty(out[-1], np.int64)
        points = np.flatnonzero(start[self._ring] >= 0)
        place = start[self._ring[points]] + rank[points]
        x[place], y[place] = self.x[points], self.y[points]
        # After what hangs on a point comes the point again, and after a ring that hangs, its head.
        seams = self.hangs[points] >= 0
        place, points = place[seams], points[seams]
        hanging = self.hangs[points]
        place += 1 + length[hanging]
        x[place], y[place] = self.x[points], self.y[points]
        place, points = start[hanging] + length[hanging] - 1, self.head[hanging]
        x[place], y[place] = self.x[points], self.y[points]
        return _written(x, y, out)

    def _measured(self) -> tuple[IntArray, IntArray]:
        """How many points each ring has with all that hangs on it, and the ranks of points.

        A point's rank is its place after the start of its ring, which is the head where it hangs.
        """
        hung = np.flatnonzero(self.hangs >= 0)
        hanging = self.hangs[hung]
        length = np.diff(self.offsets) + np.bincount(self._ring[hung], minlength=len(self.head))
        length[hanging] += 1
        lengths, parents = length.tolist(), self._parent.tolist()
        for ring in self._upwards.tolist():
            lengths[parents[ring]] += lengths[ring]
        length = np.array(lengths, np.int64)
        taken = np.ones(len(self.x), np.int64)
        taken[hung] += 1 + length[hanging]
        before = to_offsets(taken)
        begin = self.offsets[:-1].copy()
        begin[hanging] = self.head[hanging]
        rank = before[:-1] - before[begin][self._ring]
        # What comes before the head comes after the ring's last point.
        around = before[self.offsets[1:]] - before[self.offsets[:-1]]
        rank += np.where(rank < 0, around[self._ring], 0)
        return length, rank

    def _started(
        self, chosen: IntArray, places: IntArray, length: IntArray, rank: IntArray
    ) -> IntArray:
        """Where each ring starts in the finished lists; -1 for one that is in none of them."""
        hung = np.flatnonzero(self.hangs >= 0)
        after = np.zeros(len(length), np.int64)
        after[self.hangs[hung]] = rank[hung] + 1
        start = np.full(len(length), -1)
        start[chosen] = places
        starts, afters, parents = start.tolist(), after.tolist(), self._parent.tolist()
        for ring in reversed(self._upwards.tolist()):
            starts[ring] = starts[parents[ring]] + afters[ring]
        return np.array(starts, np.int64)


def _written(x: IntArray, y: IntArray, offsets: IntArray) -> list[list[int]]:
    """The rings as flat lists, less points that repeat the one before them."""
    keep = np.ones(len(x), bool)
    keep[1:] = (x[1:] != x[:-1]) | (y[1:] != y[:-1])
    first, last = offsets[:-1], offsets[1:] - 1
    keep[first] = True
    kept = np.flatnonzero(keep)
    ends = kept[np.searchsorted(kept, last, side="right") - 1]
    keep[ends[(x[ends] == x[first]) & (y[ends] == y[first])]] = False
    flat = np.stack([x[keep], y[keep]], axis=1).ravel().tolist()
    left = (2 * to_offsets(keep.astype(np.int64))[offsets]).tolist()
    return [flat[a:b] for a, b in pairwise(left)]
