"""Label images and connected parts: many masks of one picture, and one mask in many parts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.masks.batch import (
    IntArray,
    Masks,
    Spans,
    check_same_sizes,
    from_spans,
    ranges,
    to_offsets,
    to_spans,
)
from app.masks.bitmaps import MAX_DECODED_PIXELS
from app.masks.errors import BitmapError, ConnectivityError, DecodeTooLargeError, SizeError

__all__ = ["components", "decode_labels"]

_NEIGHBOURS = (4, 8)


def decode_labels(
    masks: Masks, values: npt.ArrayLike | None = None, max_pixels: int = MAX_DECODED_PIXELS
) -> npt.NDArray[np.generic]:
    """One picture of all masks: the inverse of `encode_labels`.

    Parameters
    ----------
    masks : N masks of one size, at least one
    values : (N,) whole numbers, the label of each mask; 1, 2, ... N when not given
    max_pixels : the most pixels that the picture may have

    Returns
    -------
    labels : (h, w) of the dtype of `values`, in Fortran order: where masks overlap the last of them
        counts, and 0 is where there is none

    Raises
    ------
    SizeMismatchError, SizeError : masks of different sizes, or none at all
    BitmapError : not one whole number for each mask
    DecodeTooLargeError : before anything is allocated

    >>> from app.masks import rle
    >>> masks = rle.from_dicts([
    ...     {"size": [2, 3], "counts": [0, 4, 2]}, {"size": [2, 3], "counts": [3, 2, 1]}])
    >>> decode_labels(masks, [7, 9]).tolist()
    [[7, 7, 9], [7, 9, 0]]
    """
    if len(masks) == 0:
        raise SizeError("a picture of no masks has no size", path=("size",))
    check_same_sizes(masks.sizes, np.zeros(len(masks), np.int64))
    labels = np.arange(1, len(masks) + 1) if values is None else np.asarray(values)
    if labels.shape != (len(masks),) or labels.dtype.kind not in "iu":
        raise BitmapError("one whole number is needed for each mask")
    height, width = masks.sizes[0].tolist()
    if height * width > max_pixels:
        raise DecodeTooLargeError(f"{height * width} pixels to decode, at most {max_pixels}")
    flat = _paint(to_spans(masks), labels, height * width)
    return flat.reshape(width, height).T


def _paint(spans: Spans, labels: npt.NDArray[np.generic], pixels: int) -> npt.NDArray[np.generic]:
    starts, ends = spans.positions[0::2], spans.positions[1::2]
    owners = np.repeat(labels, np.diff(spans.offsets) // 2)
    order = np.argsort(starts, kind="stable")
    first, last = starts[order], ends[order]
    if (last[:-1] <= first[1:]).all():
        # Nothing overlaps, so the picture is one row of runs: gap, mask, gap, mask, ... gap.
        edges = np.concatenate([[0], np.stack([first, last], axis=1).ravel(), [pixels]])
        runs = np.zeros(2 * len(order) + 1, labels.dtype)
        runs[1::2] = owners[order]
        return np.repeat(runs, np.diff(edges))
    flat = np.zeros(pixels, labels.dtype)
    for place, label in enumerate(labels):
        a, b = spans.offsets[place] // 2, spans.offsets[place + 1] // 2
        if a == b:
            continue
        edges = spans.positions[2 * a : 2 * b]
        inside = np.zeros(len(edges) - 1, bool)
        inside[0::2] = True
        flat[edges[0] : edges[-1]][np.repeat(inside, np.diff(edges))] = label
    return flat


def components(masks: Masks, connectivity: int = 4) -> tuple[IntArray, Masks]:
    """The connected parts of each mask, found on its runs without drawing it.

    Parameters
    ----------
    masks : N masks of any sizes
    connectivity : 4 joins pixels that share an edge, 8 also those that share a corner

    Returns
    -------
    owners : (M,) int64, ascending: the mask that each part is of
    parts : M masks of the sizes of their owners, those of one mask by their first pixel in
        column-major order; together the parts of a mask are the mask

    Raises
    ------
    ConnectivityError : a connectivity that is neither 4 nor 8

    >>> from app.masks import bitmaps, rle
    >>> two = bitmaps.encode(np.array([[1, 0, 0], [0, 1, 1]]))
    >>> owners, parts = components(two)
    >>> owners.tolist(), rle.to_lists(parts)
    ([0, 0], [[0, 1, 5], [3, 1, 1, 1]])
    >>> len(components(two, connectivity=8)[1])
    1
    """
    if connectivity not in _NEIGHBOURS:
        raise ConnectivityError("the connectivity must be 4 or 8", path=("connectivity",))
    columns = _Columns(masks)
    root = _join(len(columns.start), *columns.touching(corners=connectivity == 8))
    # A part is known by its first piece, and pieces are in column-major order, mask by mask.
    firsts, part = np.unique(root, return_inverse=True)
    order = np.argsort(part, kind="stable")
    positions = np.stack([columns.start[order], columns.end[order]], axis=1).ravel()
    counts = np.bincount(part, minlength=len(firsts))
    owners = columns.owner[firsts]
    return owners, from_spans(masks.sizes[owners], _closed(positions, to_offsets(2 * counts)))


class _Columns:
    """The runs of masks cut at the ends of the columns, so that each piece stands in one."""

    def __init__(self, masks: Masks) -> None:
        spans = to_spans(masks)
        start, end = spans.positions[0::2], spans.positions[1::2]
        owner = np.repeat(np.arange(len(masks)), np.diff(spans.offsets) // 2)
        height = masks.sizes[owner, 0]
        column = start // np.maximum(height, 1)
        pieces = (end - 1) // np.maximum(height, 1) - column + 1
        which = np.repeat(np.arange(len(start)), pieces)
        column = ranges(column, pieces)
        self.owner, self.height = owner[which], height[which]
        self.top = column * self.height
        self.start = np.maximum(start[which], self.top)
        self.end = np.minimum(end[which], self.top + self.height)
        # All masks on one line, a column of nothing behind each: its last one touches no other.
        self._base = to_offsets(masks.pixels + masks.sizes[:, 0])[:-1][self.owner]

    def touching(self, *, corners: bool) -> tuple[IntArray, IntArray]:
        """Pairs of pieces that are neighbours, the left one first."""
        reach = int(corners)
        low = np.maximum(self.start - reach, self.top) + self.height + self._base
        high = np.minimum(self.end + reach, self.top + self.height) + self.height + self._base
        first = np.searchsorted(self.end + self._base, low, side="right")
        behind = np.searchsorted(self.start + self._base, high, side="left")
        number = np.maximum(behind - first, 0)
        return np.repeat(np.arange(len(first)), number), ranges(first, number)


def _join(n: int, left: IntArray, right: IntArray) -> IntArray:
    """(n,) the lowest of the things that each is joined with, given the pairs that are."""
    root = np.arange(n)
    while True:
        a, b = root[left], root[right]
        apart = a != b
        if not apart.any():
            return root
        left, right, a, b = left[apart], right[apart], a[apart], b[apart]
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        # Follow each chain to its end before the next round.
        while not np.array_equal(root, following := root[root]):
            root = following


def _closed(positions: IntArray, offsets: IntArray) -> Spans:
    """Spans of which none ends where the next one of the same mask starts."""
    meets = positions[1:-1:2] == positions[2::2]
    borders = offsets[1:-1] // 2 - 1
    meets[borders[(borders >= 0) & (borders < len(meets))]] = False
    keep = np.ones(len(positions), bool)
    keep[1:-1:2] = ~meets
    keep[2::2] = ~meets
    before = np.concatenate([[0], np.cumsum(~keep)])
    return Spans(positions[keep], offsets - before[offsets])
