"""Bitmaps to masks and back.

A bitmap has the shape (height, width), a stack of them (height, width, n); what is not zero is
foreground. A mask reads it by columns, so bitmaps come out in Fortran order: column by column in
memory.

>>> import numpy as np
>>> from app.masks import rle
>>> masks = encode(np.array([[0, 1], [1, 1]]))
>>> rle.to_lists(masks)
[[1, 3]]
>>> decode(masks)[0].tolist()
[[0, 1], [1, 1]]
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from app.masks.batch import (
    ByteArray,
    IntArray,
    Masks,
    Spans,
    check_same_sizes,
    check_size,
    from_spans,
    to_offsets,
)
from app.masks.coordinates import is_textless
from app.masks.errors import BitmapError, DecodeTooLargeError

MAX_DECODED_PIXELS = 2**29
"""The most pixels `decode` makes unless told otherwise: enough for 20,000 x 20,000."""


def encode(bitmaps: npt.ArrayLike) -> Masks:
    """Encode one bitmap (h, w), or the n bitmaps of a stack (h, w, n).

    Any array of numbers or booleans will do, in C or Fortran order; what is not zero is
    foreground. (pycocotools demands uint8 in Fortran order and takes a step from 1 to 2 for the
    end of a run; here 1 and 2 are both foreground.)

    Parameters
    ----------
    bitmaps : (height, width) or (height, width, n) of bool, int or float

    Returns
    -------
    Masks, 1 or n of them

    Raises
    ------
    BitmapError, SizeError

    >>> encode(np.array([[0, 7], [0, 7]])).counts.tolist()
    [2, 2]
    >>> len(encode(np.zeros((4, 5, 3), bool)))
    3
    """
    array = _numbers(bitmaps)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise BitmapError("a bitmap has the shape (height, width) or (height, width, n)")
    height, width, n = array.shape
    check_size((height, width))
    sizes = np.empty((n, 2), np.int64)
    sizes[:] = height, width
    ends = [_ends(array[:, :, i]) for i in range(n)]
    offsets = to_offsets(np.array([len(piece) for piece in ends], np.int64))
    counts = ends[0] if n == 1 else np.concatenate([_NOTHING, *ends])
    counts[1:] -= counts[:-1].copy()
    counts[offsets[1:-1]] += height * width
    return Masks(sizes, counts, offsets)


_NOTHING = np.zeros(0, np.int64)


def _numbers(bitmaps: npt.ArrayLike) -> npt.NDArray[np.generic]:
    if not is_textless(bitmaps, 3):
        raise BitmapError("a bitmap is made of numbers, in rows")
    try:
        array = np.asarray(bitmaps)
    except ValueError:
        raise BitmapError("the rows of a bitmap must have the same length") from None
    if array.dtype.kind not in "biuf":
        raise BitmapError("a bitmap is made of numbers")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise BitmapError("a bitmap must not contain NaN")
    return array


def _ends(bitmap: npt.NDArray[np.generic]) -> IntArray:
    """Where the runs of a bitmap end, read by columns; the first one, of background, may be 0."""
    flat = np.ascontiguousarray(bitmap.T).reshape(-1)
    if flat.dtype != np.uint8:
        flat = (flat if flat.dtype == bool else flat != 0).view(np.uint8)
    if len(flat) == 0:
        return np.zeros(1, np.int64)
    changes = _changes(flat)
    # A step from one number to another one ends no run when neither is zero.
    inner = np.minimum(flat[changes], flat[changes - 1])
    if inner.any():
        changes = changes[inner == 0]
    lead = 1 if flat[0] else 0
    ends = np.zeros(len(changes) + lead + 1, np.int64)
    ends[lead:-1] = changes
    ends[-1] = len(flat)
    return ends


def _changes(flat: ByteArray) -> IntArray:
    """The places of all bytes that differ from the byte before them.

    Eight bytes at a time are compared with the eight one place further on, as one number; only
    where these differ single bytes are looked at.
    """
    words = (len(flat) - 1) // 8
    here = flat[: 8 * words].view(np.uint64)
    there = flat[1 : 8 * words + 1].view(np.uint64)
    [differ] = (here != there).nonzero()
    [inner] = (here[differ] ^ there[differ]).view(np.uint8).nonzero()
    [rest] = (flat[8 * words + 1 :] != flat[8 * words : -1]).nonzero()
    places = differ[inner >> 3] * 8 + (inner & 7)
    return np.concatenate([places, rest + 8 * words]) + 1


def encode_labels(labels: npt.ArrayLike) -> tuple[IntArray, Masks]:
    """One mask for each value in an image of whole numbers, in one pass.

    Parameters
    ----------
    labels : (h, w) integers, such as the ids of panoptic segments

    Returns
    -------
    values : (N,) int64, the values that occur, ascending
    masks : N masks, ``masks[i]`` covers the pixels of ``values[i]``

    Raises
    ------
    BitmapError, SizeError

    >>> from app.masks import rle
    >>> values, masks = encode_labels(np.array([[5, 7], [5, 5]]))
    >>> values.tolist(), rle.to_lists(masks)
    ([5, 7], [[0, 2, 1, 1], [2, 1, 1]])
    """
    array = _numbers(labels)
    if array.ndim != 2 or array.dtype.kind not in "biu":
        raise BitmapError("a label image has the shape (height, width) and whole numbers")
    if array.dtype == np.uint64 and array.max(initial=0) > np.iinfo(np.int64).max:
        raise BitmapError("a label is less than 2^63")
    check_size(array.shape)
    flat = array.T.ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=flat[:1]) != 0)
    if len(flat):
        starts = np.concatenate([np.zeros(1, np.int64), starts])
    ends = np.append(starts[1:], len(flat))
    values, which = np.unique(flat[starts].astype(np.int64), return_inverse=True)
    order = np.argsort(which, kind="stable")
    positions = np.stack([starts[order], ends[order][: len(order)]], axis=1).ravel()
    offsets = to_offsets(2 * np.bincount(which, minlength=len(values)))
    sizes = np.tile(np.array([array.shape], np.int64), (len(values), 1))
    return values, from_spans(sizes, Spans(positions, offsets))


def decode(masks: Masks, max_pixels: int = MAX_DECODED_PIXELS) -> list[ByteArray]:
    """The bitmap of each mask: (h, w) uint8 of 0 and 1, in Fortran order.

    Parameters
    ----------
    masks : N masks of any sizes
    max_pixels : the most pixels that all bitmaps together may have

    Returns
    -------
    N arrays of their own, which may be written to

    Raises
    ------
    DecodeTooLargeError : before anything is allocated, if all bitmaps together would have more
        than ``max_pixels`` pixels

    >>> from app.masks import rle
    >>> decode(rle.from_dicts([{"size": [2, 2], "counts": [1, 2, 1]}]))[0].tolist()
    [[0, 1], [1, 0]]
    """
    _check_pixels(masks, max_pixels)
    bitmaps = [np.zeros(size, np.uint8) for size in masks.pixels.tolist()]
    _draw(masks, bitmaps)
    return [
        bitmap.reshape(width, height).T
        for bitmap, (height, width) in zip(bitmaps, masks.sizes.tolist(), strict=True)
    ]


def _draw(masks: Masks, bitmaps: Iterable[ByteArray]) -> None:
    """Set the foreground of each mask in a row of zeros.

    Only what lies between the first and the last foreground pixel is written: memory that is new is
    zero already, and what nobody writes to need not be fetched.
    """
    values = (np.arange(1, masks.runs.max(initial=0) + 1) & 1).astype(np.uint8)
    ends = masks.offsets.tolist()
    for bitmap, (first, last) in zip(bitmaps, pairwise(ends), strict=True):
        # An odd number of runs ends with background.
        counts = masks.counts[first + 1 : last - ((last - first) & 1)]
        if len(counts):
            start = masks.counts[first]
            pixels = values[: len(counts)].repeat(counts)
            bitmap[start : start + len(pixels)] = pixels


def decode_stack(masks: Masks, max_pixels: int = MAX_DECODED_PIXELS) -> ByteArray:
    """The bitmaps of masks of one size as a stack (h, w, n), uint8, in Fortran order.

    Parameters
    ----------
    masks : n masks of one size; none give a stack of shape (0, 0, 0)
    max_pixels : as in `decode`

    Raises
    ------
    SizeMismatchError, DecodeTooLargeError

    >>> decode_stack(encode(np.ones((2, 3, 4)))).shape
    (2, 3, 4)
    """
    if len(masks) == 0:
        return np.zeros((0, 0, 0), np.uint8)
    check_same_sizes(masks.sizes, np.zeros(len(masks), np.int64))
    _check_pixels(masks, max_pixels)
    height, width = masks.sizes[0].tolist()
    stack = np.zeros((len(masks), width * height), np.uint8)
    _draw(masks, stack)
    return stack.reshape(len(masks), width, height).transpose(2, 1, 0)


def _check_pixels(masks: Masks, max_pixels: int) -> None:
    # Sizes are below 2^32 each, and nobody holds 2^31 of them.
    total = int(masks.pixels.sum())
    if total > max_pixels:
        raise DecodeTooLargeError(f"{total} pixels to decode, at most {max_pixels} are allowed")
