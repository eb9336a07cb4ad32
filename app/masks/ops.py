"""Measures and set operations, all on runs and never on pixels.

>>> from app.masks import bitmaps
>>> a, b = [[1, 1, 0]], [[0, 1, 1]]
>>> masks = bitmaps.encode(np.stack([a, b], axis=2))
>>> area(masks).tolist()
[2, 2]
>>> bitmaps.decode(merge(masks))[0].tolist()
[[1, 1, 1]]
>>> iou(masks, masks).round(3).tolist()
[[1.0, 0.333], [0.333, 1.0]]
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from app.masks import runs
from app.masks.batch import (
    RUNS_AT_A_TIME,
    BoolArray,
    FloatArray,
    IntArray,
    IntKind,
    Masks,
    check_same_sizes,
    concatenate,
    cuts,
    to_offsets,
    to_spans,
)
from app.masks.coordinates import check_boxes, is_textless
from app.masks.errors import IscrowdError, MergeError, SizeMismatchError
from app.masks.overlaps import common_pixels, common_pixels_of_pairs


def area(masks: Masks) -> IntArray:
    """How many foreground pixels each mask has: (N,) int64. Nothing can be wrong with a batch.

    >>> from app.masks import rle
    >>> area(rle.from_dicts([{"size": [3, 3], "counts": [3, 2, 4]}])).tolist()
    [2]
    """
    if len(masks) == 0:
        return np.zeros(0, np.int64)
    # Background less foreground, and together they are all pixels. The signs alternate throughout
    # the flat array, so they are the other way round for a mask that begins at an odd place.
    signed = masks.counts.copy()
    np.negative(signed[1::2], out=signed[1::2])
    first = masks.offsets[:-1]
    excess = np.add.reduceat(signed, first)
    np.negative(excess, out=excess, where=(first & 1) == 1)
    return (masks.pixels - excess) >> 1


def bbox(masks: Masks) -> FloatArray:
    """The smallest box around the foreground of each mask: (N, 4) float64 of x, y, w, h.

    A mask without foreground has the box 0, 0, 0, 0.

    >>> from app.masks import rle
    >>> bbox(rle.from_dicts([{"size": [3, 3], "counts": [3, 2, 4]}])).tolist()
    [[1.0, 0.0, 1.0, 2.0]]
    """
    boxes = np.zeros((len(masks), 4))
    for a, b in pairwise(cuts(masks.offsets, RUNS_AT_A_TIME)):
        _measure(masks.part(a, b), boxes[a:b])
    return boxes


def _measure(masks: Masks, boxes: FloatArray) -> None:
    """Write the boxes of masks with foreground to where zeros stand."""
    # Half as wide is twice as fast.
    kind: IntKind = np.int32 if masks.pixels.max() < 2**31 else np.int64
    positions, offsets = to_spans(masks, kind)
    offsets = offsets >> 1
    [some] = (offsets[1:] > offsets[:-1]).nonzero()
    if len(some) == 0:
        return
    # Quotients of numbers below 2^32 come out right as floats, and a few times faster.
    starts = positions[0::2].astype(np.float64)
    tall = masks.sizes[:, 0].astype(np.float64).repeat(offsets[1:] - offsets[:-1])
    column = np.floor(starts / tall)
    top = starts - column * tall
    bottom = top + positions[1::2]
    bottom -= starts
    # A run that goes on into the next column touches the lower and the upper edge of the image.
    [turns] = (bottom > tall).nonzero()
    top[turns] = 0
    bottom[turns] = tall[turns]
    first, last = offsets[:-1][some], offsets[1:][some] - 1
    y0 = np.minimum.reduceat(top, first)
    y1 = np.maximum.reduceat(bottom, first)
    x0 = column[first]
    x1 = np.floor((positions[1::2][last] - 1) / tall[last]) + 1
    boxes[some] = np.stack([x0, y0, x1 - x0, y1 - y0], axis=1)


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
    first = to_offsets(groups)
    check_same_sizes(masks.sizes, np.repeat(np.arange(len(groups)), groups))
    combine = runs.intersection if intersect else runs.union

    def combined(a: int, b: int) -> Masks:
        some = masks.part(int(first[a]), int(first[b]))
        return combine(some, masks.sizes[first[a:b]], groups[a:b])

    places = cuts(masks.offsets[first], RUNS_AT_A_TIME)
    return concatenate(combined(a, b) for a, b in pairwise(places))


def _groups(masks: Masks, group_sizes: Sequence[int] | IntArray | None) -> IntArray:
    given = [len(masks)] if group_sizes is None else group_sizes
    if not isinstance(given, np.ndarray):
        whole = isinstance(given, list | tuple) and all(type(size) is int for size in given)
        given = np.array(given if whole and max(given, default=0) <= len(masks) else [""])
    if given.ndim != 1 or (given.dtype.kind not in "iu" and len(given)):
        raise MergeError("groups are whole numbers of masks, as many as the batch has")
    groups = given.astype(np.int64)
    if (groups < 1).any():
        raise MergeError("there must be at least one mask to merge")
    if groups.sum() != len(masks):
        raise MergeError(f"groups of {groups.sum()} masks for a batch of {len(masks)}")
    return groups


def difference(a: Masks, b: Masks) -> Masks:
    """What is in ``a[i]`` but not in ``b[i]``, for each i.

    Parameters
    ----------
    a, b : N masks each, those of a pair of the same size

    Returns
    -------
    Masks, N of them

    Raises
    ------
    MergeError, SizeMismatchError

    >>> from app.masks import rle
    >>> a = rle.from_dicts([{"size": [1, 4], "counts": [0, 3, 1]}])
    >>> b = rle.from_dicts([{"size": [1, 4], "counts": [1, 1, 2]}])
    >>> rle.to_lists(difference(a, b))
    [[0, 1, 1, 1, 1]]
    """
    _check_paired(a, b)
    return runs.difference(a, b)


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
    common = common_pixels(dt, gt)
    area_gt = area(gt)
    area_dt = (area_gt if dt is gt else area(dt))[:, None]
    union = area_dt + area_gt - common
    if crowd.any():
        union = np.where(crowd, area_dt, union)
    out: FloatArray = common / np.maximum(union, 1)
    return out


def iou_pairs(a: Masks, b: Masks) -> FloatArray:
    """Intersection over union of ``a[i]`` with ``b[i]``: (N,) float64; two empty masks give 0.

    Parameters
    ----------
    a, b : N masks each, those of a pair of the same size

    Raises
    ------
    MergeError, SizeMismatchError

    >>> from app.masks import rle
    >>> a = rle.from_dicts([{"size": [1, 4], "counts": [0, 1, 3]}])
    >>> iou_pairs(a, a).tolist()
    [1.0]
    """
    _check_paired(a, b)
    common = common_pixels_of_pairs(a, b)
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
