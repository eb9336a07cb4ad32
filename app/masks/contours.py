"""Masks to polygons, exactly: outlines that follow the edges of pixels.

Between a foreground and a background pixel runs a *crack*, one pixel long. The cracks of a mask
join to closed rings with their corners on whole coordinates. Polygons of these rings, drawn by
`app.masks.raster`, give back the very same mask.

The rings are found from the runs, without a bitmap. A mask and the same mask moved by one column
differ exactly where there are vertical cracks, so one sweep finds all straight vertical pieces:
with foreground to the right they lead up, with foreground to the left down. Along each row of
corners, the horizontal pieces lie between the first and the second corner, the third and the
fourth, and so on. Following piece after piece gives the rings, with the foreground always to the
right: outer rings go clockwise as seen on the screen, holes counter-clockwise.

Pixels that touch only at a corner belong to different polygons, and a ring that meets itself at
a corner is split there, so every ring is simple.

A COCO polygon has no holes, and its parts are united. So holes are by default joined to the ring
around them by *seams*: out along a vertical line, around the hole and back along the same line,
which leaves no trace when the polygon is drawn. A frame of one pixel around one pixel:

>>> from app.masks import bitmaps
>>> frame = bitmaps.encode([[1, 1, 1], [1, 0, 1], [1, 1, 1]])
>>> to_polygons(frame)[0].polygons
[[0, 3, 0, 0, 1, 0, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 0, 3, 0, 3, 3]]
>>> to_polygons(frame, holes="apart")[0]
Outline(polygons=[[0, 3, 0, 0, 3, 0, 3, 3]], holes=[[1, 1, 1, 2, 2, 2, 2, 1]], iou=1.0)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from app.masks.batch import (
    MAX_COORDINATE,
    BoolArray,
    IntArray,
    Masks,
    Spans,
    to_offsets,
    to_spans,
)
from app.masks.coordinates import Rings
from app.masks.errors import ImageTooLargeError, OutlineError
from app.masks.ops import iou_pairs
from app.masks.raster import fill
from app.masks.runs import bases
from app.masks.seams import Drawn, TracedRings, Tree, draw
from app.masks.simplify import check_tolerance


@dataclass(frozen=True, slots=True)
class Outline:
    """The outlines of one mask.

    Attributes
    ----------
    polygons : flat lists x, y, x, y, ..., whose union, less the holes, is the mask
    holes : rings to cut out, of which there are none where holes are joined by seams
    iou : how well the outlines, drawn again, agree with the mask; 1.0 without a tolerance
    """

    polygons: list[list[int]]
    holes: list[list[int]]
    iou: float


def to_polygons(
    masks: Masks, holes: Literal["seams", "apart"] = "seams", tolerance: float = 0.0
) -> list[Outline]:
    """Trace the outlines of each mask.

    Parameters
    ----------
    masks : N masks, no side longer than 1e7
    holes : ``"seams"`` joins every hole to the polygon around it, so that `polygons` alone say
        everything; ``"apart"`` returns them as rings of their own. What lies inside of a hole is
        then part of the hole's ring, joined to it by a seam.
    tolerance : how far, in pixels, corners that are left out may lie from the outline; 0 is exact

    Returns
    -------
    one Outline for each mask, with whole coordinates

    Raises
    ------
    OutlineError, ImageTooLargeError, and with a tolerance, for which the outlines are drawn again,
    PolygonTooComplexError

    >>> from app.masks import bitmaps
    >>> to_polygons(bitmaps.encode([[0, 1], [1, 1]]))[0].polygons
    [[0, 2, 0, 1, 1, 1, 1, 0, 2, 0, 2, 2]]
    """
    tolerance = check_tolerance(tolerance)
    if holes not in ("seams", "apart"):
        raise OutlineError('holes must be "seams" or "apart"', path=("holes",))
    wide = (masks.sizes > MAX_COORDINATE).any(axis=1)
    if wide.any():
        detail = f"no side of a mask to trace may be longer than {MAX_COORDINATE:.0f}"
        raise ImageTooLargeError(detail, index=int(wide.argmax()), path=("size",))
    spans = to_spans(masks)
    rings = _trace(_vertical_cracks(masks.sizes, spans), masks.sizes)
    tree = _attach(rings, masks.sizes, spans, apart=holes == "apart")
    drawn = draw(rings, tree, tolerance, len(masks))
    if tolerance == 0:
        return [Outline(polygons, cuts, 1.0) for polygons, cuts in drawn]
    scores = iou_pairs(masks, _redraw(drawn, masks.sizes)).tolist()
    return [
        Outline(polygons, cuts, score if polygons else 1.0)
        for (polygons, cuts), score in zip(drawn, scores, strict=True)
    ]


def _redraw(drawn: Drawn, sizes: IntArray) -> Masks:
    flat = [(ring, kind) for item in drawn for kind in (0, 1) for ring in item[kind]]
    points = np.array([number for ring, _ in flat for number in ring], np.float64)
    return fill(
        Rings(
            points.reshape(-1, 2),
            to_offsets(np.array([len(ring) // 2 for ring, _ in flat], np.int64)),
            np.array([len(polygons) + len(cuts) for polygons, cuts in drawn], np.int64),
            np.array([kind for _, kind in flat], np.int64),
        ),
        sizes,
    )


# Finding the rings -------------------------------------------------------------------------------


class _Cracks(NamedTuple):
    """Straight vertical pieces of outline: on the line x from row top to row bottom."""

    mask: IntArray
    x: IntArray
    top: IntArray
    bottom: IntArray
    up: BoolArray


def _vertical_cracks(sizes: IntArray, spans: Spans) -> _Cracks:
    """Where the masks differ from themselves moved by one column to the right."""
    height, width = sizes.T
    start = bases(height * (width + 1))
    lengths = np.diff(spans.offsets)
    place = (spans.positions + np.repeat(start, lengths)) << 1
    events = np.concatenate([place, place + np.repeat(height << 1, lengths) + 1])
    events.sort()
    # The parity of the toggles so far says whether a place is inside of the mask, or of the moved
    # one; inside of only one of them there is a crack.
    moved = np.cumsum(events & 1)
    inside = (np.arange(1, len(events) + 1) - moved) & 1
    place = events >> 1
    last = np.flatnonzero(np.diff(place, append=-1))
    place, up, differs = place[last], inside[last] == 1, (inside[last] ^ moved[last]) & 1 == 1
    crack = np.flatnonzero(differs)
    first, length, up = place[crack], np.diff(place, append=0)[crack], up[crack]
    mask = np.searchsorted(start, first, side="right") - 1
    x, top = np.divmod(first - start[mask], np.maximum(height[mask], 1))
    # A crack is never longer than a column, so it goes over the end of a column at most once.
    bottom = top + length
    over = np.flatnonzero(bottom > height[mask])
    rest = bottom[over] - height[mask[over]]
    bottom[over] = height[mask[over]]
    zeros = np.zeros(len(over), np.int64)
    return _Cracks(
        np.concatenate([mask, mask[over]]),
        np.concatenate([x, x[over] + 1]),
        np.concatenate([top, zeros]),
        np.concatenate([bottom, rest]),
        np.concatenate([up, up[over]]),
    )


def _row_keys(
    sizes: IntArray, mask: IntArray, x: IntArray, y: IntArray, up: BoolArray | bool
) -> IntArray:
    """Numbers that sort corners by mask, row and column.

    Where two corners share a point, two pixels touch only there. The crack that leads down comes
    first and so goes with the piece to the left: this keeps the two pixels apart.
    """
    start = bases((sizes[:, 0] + 1) * (sizes[:, 1] + 1))
    keys: IntArray = ((start[mask] + y * (sizes[mask, 1] + 1) + x) << 1) + up
    return keys


def _trace(cracks: _Cracks, sizes: IntArray) -> TracedRings:
    mask, line, top, bottom, up = cracks
    n = len(line)
    x = np.repeat(line, 2)
    y = np.stack([top, bottom], axis=1).ravel()
    keys = _row_keys(sizes, np.repeat(mask, 2), x, y, np.repeat(up, 2))
    order = np.argsort(keys)
    # Corner 2i is the upper one of crack i, and 2i + 1 the lower one. A horizontal piece leads
    # from the corner where one crack ends to the corner where another one starts.
    one, other = order[0::2], order[1::2]
    one_ends = (one & 1 == 1) != up[one >> 1]
    leaves = np.where(one_ends, one, other)
    reaches = np.where(one_ends, other, one)
    following = np.empty(n, np.int64)
    following[leaves >> 1] = reaches >> 1
    sequence, lengths = _cycles(following)
    corners = np.stack([2 * sequence + up[sequence], 2 * sequence + ~up[sequence]], axis=1).ravel()
    sorted_points = keys[order] >> 1
    shared = np.flatnonzero(np.diff(sorted_points) == 0)
    if len(shared):
        twin = np.full(2 * n, -1)
        twin[order[shared]] = order[shared + 1]
        twin[order[shared + 1]] = order[shared]
        corners, lengths = _split(corners, 2 * lengths, twin)
    else:
        lengths = 2 * lengths
    offsets = to_offsets(lengths)
    ring_mask = mask[corners[offsets[:-1]] >> 1]
    return TracedRings(corners, offsets, ring_mask, x, y, keys[order], leaves)


def _cycles(following: IntArray) -> tuple[IntArray, IntArray]:
    """The cycles of a permutation one after the other, and their lengths."""
    step = following.tolist()
    sequence: list[int] = []
    lengths: list[int] = []
    for first, then in enumerate(step):
        # Where a cycle has been, no step is left.
        if then < 0:
            continue
        begin = len(sequence)
        here = first
        while then >= 0:
            sequence.append(here)
            step[here] = -1
            here, then = then, step[then]
        lengths.append(len(sequence) - begin)
    return np.array(sequence, np.int64), np.array(lengths, np.int64)


def _split(corners: IntArray, lengths: IntArray, twin: IntArray) -> tuple[IntArray, IntArray]:
    """Split rings where they meet themselves.

    ``twin`` gives for each corner the other corner at the same point, or -1. A corner stands for
    the piece that leaves it: when a ring comes to a point for the second time, the loop that it
    went since then is a ring of its own, and what goes on from here leaves from the later corner.
    """
    ring = np.empty(len(twin), np.int64)
    ring[corners] = np.repeat(np.arange(len(lengths)), lengths)
    meets = (twin >= 0) & (ring == ring[twin])
    if not meets.any():
        return corners, lengths
    touched = np.zeros(len(lengths), bool)
    touched[ring[meets]] = True
    split = np.repeat(touched, lengths)
    again, added = _loops(corners[split], lengths[touched], np.where(meets, twin, -1))
    return (
        np.concatenate([corners[~split], again]),
        np.concatenate([lengths[~touched], added]),
    )


def _loops(corners: IntArray, lengths: IntArray, twin: IntArray) -> tuple[IntArray, IntArray]:
    """The loops of rings that meet themselves, one after the other, and their lengths."""
    going, twins = corners.tolist(), twin.tolist()
    meeting = np.flatnonzero(twin[corners] >= 0)
    offsets = to_offsets(lengths)
    places = np.split(meeting, np.searchsorted(meeting, offsets[1:-1]))
    # Where on the path a corner stands, if it is there still.
    stands = [0] * len(twins)
    loops: list[int] = []
    found: list[int] = []
    for (start, end), meets in zip(pairwise(offsets.tolist()), places, strict=True):
        path: list[int] = []
        for place in meets.tolist():
            path += going[start:place]
            start = place
            other = twins[going[place]]
            earlier = stands[other]
            if earlier < len(path) and path[earlier] == other:
                loops += path[earlier:]
                found.append(len(path) - earlier)
                del path[earlier:]
            stands[going[place]] = len(path)
        path += going[start:end]
        loops += path
        found.append(len(path))
    return np.array(loops, np.int64), np.array(found, np.int64)


# Which ring lies in which ------------------------------------------------------------------------


def _attach(rings: TracedRings, sizes: IntArray, spans: Spans, *, apart: bool) -> Tree:
    """Look straight up from the upper left corner of each ring to the next ring above it."""
    n = len(rings.mask)
    hole = _signed_areas(rings) < 0
    head = _heads(rings)
    x, y = rings.x[rings.corners[head]], rings.y[rings.corners[head]]
    height = sizes[rings.mask, 0]
    parent = np.full(n, -1)
    at = np.full(n, -1)
    # The pixel above the corner is of the other kind than the one below it. Its run begins at
    # the toggle before the corner's own one, or in a column before.
    looks = np.flatnonzero(hole | (apart & (y > 0)))
    line = np.repeat(bases(sizes[:, 0] * sizes[:, 1]), np.diff(spans.offsets))
    own = bases(sizes[:, 0] * sizes[:, 1])[rings.mask] + x * height
    toggle = np.searchsorted(spans.positions + line, (own + y)[looks])
    before = (spans.positions + line)[toggle - 1] - own[looks] if len(looks) else looks
    # Background that reaches the upper edge of the image has no ring above it.
    found = hole[looks] | ((before > 0) & (toggle > 0))
    looks, above = looks[found], np.maximum(before[found], 0)
    keys = _row_keys(sizes, rings.mask[looks], x[looks], above, True)
    corner = rings.leaves[(np.searchsorted(rings.rows, keys, side="right") - 1) >> 1]
    place = np.empty(len(rings.x), np.int64)
    place[rings.corners] = np.arange(len(rings.corners))
    at[looks] = place[corner]
    parent[looks] = np.searchsorted(rings.offsets, at[looks], side="right") - 1
    seam_y = np.zeros(n, np.int64)
    seam_y[looks] = above
    role = _roles_apart(hole, parent, y) if apart else np.where(hole, 2, 0)
    return Tree(role, head, parent, at, x, seam_y)


def _signed_areas(rings: TracedRings) -> IntArray:
    """Twice the area of each ring, negative for holes."""
    x, y = rings.x[rings.corners], rings.y[rings.corners]
    following = np.arange(1, len(x) + 1)
    following[rings.offsets[1:] - 1] = rings.offsets[:-1]
    cross = x * y[following] - x[following] * y
    return np.diff(to_offsets(cross)[rings.offsets])


def _heads(rings: TracedRings) -> IntArray:
    """The place of the highest corner of each ring, the leftmost of several."""
    x, y = rings.x[rings.corners], rings.y[rings.corners]
    if len(x) == 0:
        return np.zeros(0, np.int64)
    key = (y << 32) | x
    least = np.minimum.reduceat(key, rings.offsets[:-1])
    hits = np.flatnonzero(key == np.repeat(least, np.diff(rings.offsets)))
    return np.asarray(hits[np.searchsorted(hits, rings.offsets[:-1])], np.int64)


def _roles_apart(hole: BoolArray, parent: IntArray, top: IntArray) -> IntArray:
    """Rings outside of everything are polygons, the holes in them holes, all others joined.

    Depth 0 is a ring outside of everything, 1 a hole in it, 2 an island in the hole, and so on.
    The ring seen above is the one around, when it is of the other kind, and else a neighbour
    inside of the same ring.
    """
    depth = [0] * len(hole)
    is_hole, above = hole.tolist(), parent.tolist()
    # The ring above reaches higher, so it has its depth already.
    for ring in np.argsort(top, kind="stable").tolist():
        other = above[ring]
        if other >= 0:
            depth[ring] = depth[other] + (is_hole[other] != is_hole[ring])
    return np.minimum(np.array(depth, np.int64), 2)
