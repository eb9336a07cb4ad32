"""Measures and set operations, all on runs and never on pixels.

>>> from app.masks import rle
>>> a, b = [[1, 1, 0]], [[0, 1, 1]]
>>> masks = rle.encode(np.stack([a, b], axis=2))
>>> area(masks).tolist()
[2, 2]
>>> rle.decode(merge(masks))[0].tolist()
[[1, 1, 1]]
>>> iou(masks, masks).round(3).tolist()
[[1.0, 0.333], [0.333, 1.0]]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.masks.batch import (
    BoolArray,
    FloatArray,
    IntArray,
    Masks,
    Spans,
    check_same_sizes,
    concatenate,
    from_spans,
    ranges,
    take,
    to_offsets,
    to_spans,
)
from app.masks.coordinates import check_boxes, is_textless
from app.masks.errors import IscrowdError, MergeError, SizeMismatchError
from app.masks.runs import bases, combine, combine_where

_CHUNK = 1 << 18  # Positions looked up at a time; keeps the working arrays in the cache.


def area(masks: Masks) -> IntArray:
    """How many foreground pixels each mask has: (N,) int64.

    >>> from app.masks import rle
    >>> area(rle.from_dicts([{"size": [3, 3], "counts": [3, 2, 4]}])).tolist()
    [2]
    """
    starts, ends, offsets = _pairs(to_spans(masks))
    return np.diff(to_offsets(ends - starts)[offsets])


def _pairs(spans: Spans) -> tuple[IntArray, IntArray, IntArray]:
    return spans.positions[0::2], spans.positions[1::2], spans.offsets >> 1


def bbox(masks: Masks) -> FloatArray:
    """The smallest box around the foreground of each mask: (N, 4) float64 of x, y, w, h.

    A mask without foreground has the box 0, 0, 0, 0.

    >>> from app.masks import rle
    >>> bbox(rle.from_dicts([{"size": [3, 3], "counts": [3, 2, 4]}])).tolist()
    [[1.0, 0.0, 1.0, 2.0]]
    """
    starts, ends, offsets = _pairs(to_spans(masks))
    boxes = np.zeros((len(masks), 4))
    some = np.flatnonzero(np.diff(offsets))
    if len(some) == 0:
        return boxes
    height = np.repeat(masks.sizes[:, 0], np.diff(offsets))
    left, top = np.divmod(starts, height)
    right, bottom = np.divmod(ends - 1, height)
    # A run that goes on into the next column touches the lower and the upper edge of the image.
    turns = left < right
    top[turns] = 0
    bottom[turns] = height[turns] - 1
    first, last = offsets[:-1][some], offsets[1:][some] - 1
    y0 = np.minimum.reduceat(top, first)
    y1 = np.maximum.reduceat(bottom, first)
    x0, x1 = left[first], right[last]
    boxes[some] = np.stack([x0, y0, x1 - x0 + 1, y1 - y0 + 1], axis=1)
    return boxes


def merge(
    masks: Masks, group_sizes: Sequence[int] | IntArray | None = None, intersect: bool = False
) -> Masks:
    """Union, or intersection, of all masks of a batch, or of each group of them.

    Parameters
    ----------
    masks : those of one group have the same size and stand beside each other
    group_sizes : (G,) how many masks each group has, at least one; all in one group by default
    intersect : whether a pixel must be in every mask of the group, not just in one

    Returns
    -------
    Masks, one for each group

    Raises
    ------
    MergeError, SizeMismatchError

    >>> from app.masks import rle
    >>> masks = rle.from_dicts([{"size": [1, 4], "counts": [0, 2, 2]},
    ...                         {"size": [1, 4], "counts": [1, 2, 1]}])
    >>> rle.to_lists(merge(masks)), rle.to_lists(merge(masks, intersect=True))
    ([[0, 3, 1]], [[1, 1, 2]])
    """
    groups = _groups(masks, group_sizes)
    first = to_offsets(groups)[:-1]
    check_same_sizes(masks.sizes, np.repeat(np.arange(len(groups)), groups))
    sizes = masks.sizes[first]
    pixels = sizes[:, 0] * sizes[:, 1]
    spans = to_spans(masks)
    if intersect:
        return from_spans(sizes, combine(spans, groups, pixels, needed=groups))
    return from_spans(sizes, combine_where(spans, groups, pixels))


def _groups(masks: Masks, group_sizes: Sequence[int] | IntArray | None) -> IntArray:
    groups = np.array([len(masks)] if group_sizes is None else group_sizes, np.int64).reshape(-1)
    if (groups < 1).any():
        raise MergeError("there must be at least one mask to merge")
    if groups.sum() != len(masks):
        raise MergeError(f"groups of {groups.sum()} masks for a batch of {len(masks)}")
    return groups


def difference(a: Masks, b: Masks) -> Masks:
    """What is in ``a[i]`` but not in ``b[i]``, for each i.

    >>> from app.masks import rle
    >>> a = rle.from_dicts([{"size": [1, 4], "counts": [0, 3, 1]}])
    >>> b = rle.from_dicts([{"size": [1, 4], "counts": [1, 1, 2]}])
    >>> rle.to_lists(difference(a, b))
    [[0, 1, 1, 1, 1]]
    """
    _check_paired(a, b)
    n = len(a)
    both = concatenate([a, b])
    spans = to_spans(both)
    order = np.arange(2 * n).reshape(2, n).T.ravel()  # a[0], b[0], a[1], b[1], ...
    spans = Spans(*take(*spans, order))
    twos = np.full(n, 2, np.int64)
    return from_spans(a.sizes, combine(spans, twos, a.pixels, cut=np.arange(2 * n) & 1))


def _check_paired(a: Masks, b: Masks) -> None:
    if len(a) != len(b):
        raise MergeError(f"{len(a)} masks cannot be paired with {len(b)}")
    wrong = (a.sizes != b.sizes).any(axis=1)
    if wrong.any():
        index = int(wrong.argmax())
        detail = f"a mask of size {b.sizes[index].tolist()} beside one of {a.sizes[index].tolist()}"
        raise SizeMismatchError(detail, index=index, path=("size",))


def iou(dt: Masks, gt: Masks, iscrowd: Sequence[int] | npt.ArrayLike | None = None) -> FloatArray:
    """Intersection over union of every detection with every ground truth: (m, n) float64.

    Parameters
    ----------
    dt, gt : m and n masks, all of one size
    iscrowd : n flags; against a crowd, the area of the detection stands for the union

    Raises
    ------
    SizeMismatchError, IscrowdError

    >>> from app.masks import rle
    >>> dt = rle.from_dicts([{"size": [1, 4], "counts": [0, 1, 3]}])
    >>> gt = rle.from_dicts([{"size": [1, 4], "counts": [0, 4]}])
    >>> iou(dt, gt).tolist(), iou(dt, gt, [1]).tolist()
    ([[0.25]], [[1.0]])
    """
    m, n = len(dt), len(gt)
    crowd = check_iscrowd(iscrowd, n)
    check_same_sizes(np.concatenate([dt.sizes, gt.sizes]), np.zeros(m + n, np.int64))
    out = np.zeros((m, n))
    row, column = np.nonzero(_boxes_meet(bbox(dt), bbox(gt)))
    common = _intersections(to_spans(dt), to_spans(gt), row, column, _line(dt), _line(gt))
    area_dt, area_gt = area(dt)[row], area(gt)[column]
    union = np.where(crowd[column], area_dt, area_dt + area_gt - common)
    out[row, column] = common / np.maximum(union, 1)
    return out


def iou_pairs(a: Masks, b: Masks) -> FloatArray:
    """Intersection over union of ``a[i]`` with ``b[i]``: (N,) float64; two empty masks give 0.

    >>> from app.masks import rle
    >>> a = rle.from_dicts([{"size": [1, 4], "counts": [0, 1, 3]}])
    >>> iou_pairs(a, a).tolist()
    [1.0]
    """
    _check_paired(a, b)
    index = np.arange(len(a))
    common = _intersections(to_spans(a), to_spans(b), index, index, _line(a), _line(b))
    out: FloatArray = common / np.maximum(area(a) + area(b) - common, 1)
    return out


def check_iscrowd(iscrowd: Sequence[int] | npt.ArrayLike | None, n: int) -> BoolArray:
    """(n,) bool from flags 0 and 1, or all False."""
    if iscrowd is None:
        return np.zeros(n, bool)
    if not is_textless(iscrowd, 1):
        raise IscrowdError("iscrowd must be a list of 0 and 1")
    try:
        flags: npt.NDArray[np.generic] = np.asarray(iscrowd)
    except ValueError:
        raise IscrowdError("iscrowd must be a list of 0 and 1") from None
    if flags.shape != (n,):
        raise IscrowdError(f"iscrowd must have one flag for each of {n} ground truths")
    if n and (flags.dtype.kind not in "biuf" or not np.isin(flags, (0, 1)).all()):
        raise IscrowdError("iscrowd must be a list of 0 and 1")
    return flags.astype(bool)


def _line(masks: Masks) -> IntArray:
    return bases(masks.pixels)


def _boxes_meet(a: FloatArray, b: FloatArray) -> BoolArray:
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum((a[:, :2] + a[:, 2:])[:, None], (b[:, :2] + b[:, 2:])[None])
    return np.asarray((low < high).all(axis=2), bool)


def _intersections(
    a: Spans, b: Spans, row: IntArray, column: IntArray, line_a: IntArray, line_b: IntArray
) -> IntArray:
    """Pixels that ``a[row[k]]`` and ``b[column[k]]`` have in common, for each k.

    How many foreground pixels b has before a position is a sum that one binary search finds. The
    intersection is what this sum gains over each span of a. Only spans of a that meet the extent
    of b count.
    """
    starts, ends, pieces = _pairs(a)
    first, last = _extent(b)
    lengths = np.diff(pieces)
    place = np.repeat(line_a, lengths)
    low = np.searchsorted(ends + place, line_a[row] + first[column], side="right")
    high = np.searchsorted(starts + place, line_a[row] + last[column], side="left")
    count = np.maximum(high - low, 0)
    b_starts, b_ends, b_pieces = _pairs(b)
    shift = np.repeat(line_b, np.diff(b_pieces))
    edges = np.stack([b_starts + shift, b_ends + shift], axis=1).ravel()
    before = to_offsets(b_ends - b_starts)
    out = np.zeros(len(row), np.int64)
    total = to_offsets(count)
    cursor = 0
    while cursor < len(row):
        stop = int(np.searchsorted(total, total[cursor] + _CHUNK, side="right")) - 1
        part = slice(cursor, max(stop, cursor + 1))
        span = ranges(low[part], count[part])
        home = np.repeat(line_b[column[part]], count[part])
        gain = _filled(edges, before, ends[span] + home)
        gain -= _filled(edges, before, starts[span] + home)
        out[part] = np.diff(to_offsets(gain)[total[part.start : part.stop + 1] - total[cursor]])
        cursor = part.stop
    return out


def _extent(spans: Spans) -> tuple[IntArray, IntArray]:
    """The first start and the last end of each mask; an empty one begins and ends at 0."""
    some = np.diff(spans.offsets) > 0
    first = np.zeros(len(some), np.int64)
    last = np.zeros(len(some), np.int64)
    first[some] = spans.positions[spans.offsets[:-1][some]]
    last[some] = spans.positions[spans.offsets[1:][some] - 1]
    return first, last


def _filled(edges: IntArray, before: IntArray, places: IntArray) -> IntArray:
    """How many foreground pixels lie before each place, counted from the first mask on."""
    k = np.searchsorted(edges, places, side="right")
    filled: IntArray = before[k >> 1]
    inside = np.flatnonzero(k & 1)
    filled[inside] += places[inside] - edges[k[inside] - 1]
    return filled


def iou_boxes(
    dt: npt.ArrayLike, gt: npt.ArrayLike, iscrowd: Sequence[int] | npt.ArrayLike | None = None
) -> FloatArray:
    """Intersection over union of every box in dt with every box in gt: (m, n) float64.

    Parameters
    ----------
    dt, gt : (m, 4) and (n, 4) numbers x, y, w, h; boxes of no or negative extent meet nothing
    iscrowd : n flags; against a crowd, the area of the detection stands for the union

    Raises
    ------
    BboxError, IscrowdError

    >>> iou_boxes([[0, 0, 2, 2]], [[1, 0, 2, 2]]).round(3).tolist()
    [[0.333]]
    """
    a, b = check_boxes(dt, "dt"), check_boxes(gt, "gt")
    crowd = check_iscrowd(iscrowd, len(b))
    # The order of additions is that of pycocotools, so that the last bit agrees as well.
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum((a[:, 2:] + a[:, :2])[:, None], (b[:, 2:] + b[:, :2])[None])
    width, height = np.moveaxis(high - low, 2, 0)
    common = np.where((width > 0) & (height > 0), width * height, 0.0)
    area_a = (a[:, 2] * a[:, 3])[:, None]
    area_b = (b[:, 2] * b[:, 3])[None]
    union = np.where(crowd, area_a, area_a + area_b - common)
    out = np.zeros(common.shape)
    np.divide(common, union, out=out, where=(common > 0) & (union > 0))
    return out
