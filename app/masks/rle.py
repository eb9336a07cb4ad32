"""Run-length encoding as COCO knows it: counts and their string form, checked and written.

A mask is a grid of pixels that are foreground (1) or background (0). Read column by column, top
to bottom, then left to right, it is a sequence of runs. COCO writes down only the lengths of the
runs, the *counts*, beginning with background:

    0 1 0
    0 1 0      read by columns   0 0 0   1 1 0   0 0 0      counts  3, 2, 4
    0 0 0

A mask whose first pixel is foreground begins with a run of length zero: counts 0, 9 are a full
3 x 3 mask, and 9 an empty one. Together with its ``size``, [height, width], this is an RLE. In
JSON the counts may be the list, called *uncompressed*, or a string, called *compressed*:

1. From the fourth count on, write the difference to the count two places before. Neighbouring
   columns have runs of much the same length, so that these are small: 3, 2, 4, 5 becomes 3, 2,
   4, 3.
2. Cut each number into groups of five bits, the lowest first, in two's complement, until the
   rest is nothing but copies of the sign.
3. Write each group as one character: 48 plus the five bits, plus 32 when another group of the
   same number follows. So 3 is "3", 16 is "`0" (ten in the lowest five bits would read as minus
   sixteen) and -2 is "N".

The strings use the 64 characters from "0" to "o". Nothing in them marks the end, which is where
broken files hide: everything that comes from outside goes through `from_dicts`, and what does not
add up to height times width pixels is refused, never guessed.

>>> from app.masks import bitmaps
>>> masks = bitmaps.encode([[0, 1, 0], [0, 1, 0], [0, 0, 0]])
>>> masks.counts.tolist()
[3, 2, 4]
>>> to_dicts(masks)
[{'size': [3, 3], 'counts': '324'}]
>>> bitmaps.decode(from_dicts(to_dicts(masks)))[0].tolist()
[[0, 1, 0], [0, 1, 0], [0, 0, 0]]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TypedDict, cast

import numpy as np

from app.masks.batch import (
    BoolArray,
    IntArray,
    Masks,
    check_each_size,
    from_spans,
    to_offsets,
)
from app.masks.coordinates import are_numbers
from app.masks.errors import (
    MaskError,
    RleEmptyError,
    RleError,
    RleNegativeError,
    RleOverrunError,
    RleShortError,
    RleTooManyRunsError,
)
from app.masks.runs import bases, odd_positions, off_line
from app.masks.strings import MAX_CHARACTERS, decode_strings, encode_strings

_COUNTS = ("counts",)


class Rle(TypedDict):
    """One mask as JSON: ``{"size": [height, width], "counts": "..."}``."""

    size: list[int]
    counts: str


# Reading and writing the JSON form ---------------------------------------------------------------


def from_dicts(items: Iterable[object]) -> Masks:
    """Check RLE objects that came from outside and make a batch of them.

    Parameters
    ----------
    items : objects ``{"size": [h, w], "counts": ...}`` with counts as str, bytes, a list or tuple
        of whole numbers, or an integer array; other members are ignored

    Returns
    -------
    Masks, canonical: runs of length zero are merged away

    Raises
    ------
    SizeError, RleError : naming the ``index`` of a faulty item. Nothing is allocated that is
        larger than the input.

    >>> from_dicts([{"size": [4, 4], "counts": "32;"}]).counts.tolist()
    [3, 2, 11]
    >>> from_dicts([{"size": [4, 4], "counts": [2, 2, 0, 2, 10]}]).counts.tolist()
    [2, 4, 10]
    >>> from_dicts([{"size": [4, 4], "counts": "32:"}])
    Traceback (most recent call last):
    app.masks.errors.RleShortError: the runs add up to 15 pixels, the image has 16
    """
    items = list(items)
    sizes, given = _split(items)
    checked = check_each_size(sizes)
    most_runs = checked[:, 0] * checked[:, 1] + 2  # One empty run may lead and one may trail.
    if set(map(type, given)) <= {str, bytes}:
        texts = cast("list[str | bytes]", given)
        flat, offsets = _read_strings(texts, most_runs, np.arange(len(given)))
    else:
        flat, offsets = _read_any(given, most_runs)
    _limit(offsets[1:] - offsets[:-1], most_runs, np.arange(len(given)))
    return from_counts(checked, flat, offsets)


def _split(items: list[object]) -> tuple[list[object], list[object]]:
    """The sizes and the counts of RLE objects."""
    try:
        if set(map(type, items)) <= {dict}:
            return [item["size"] for item in items], [item["counts"] for item in items]  # type: ignore[index]
    except KeyError:
        pass
    members = [_members(item, index) for index, item in enumerate(items)]
    return [size for size, _ in members], [counts for _, counts in members]


def _read_strings(
    strings: Sequence[str | bytes], most_runs: IntArray, index: IntArray
) -> tuple[IntArray, IntArray]:
    _limit(list(map(len, strings)), MAX_CHARACTERS * most_runs, index)
    return decode_strings(strings, index)


def _read_any(given: list[object], most_runs: IntArray) -> tuple[IntArray, IntArray]:
    """Counts of which some are strings and some are lists."""
    arrays = [
        None if isinstance(counts, str | bytes) else _integers(counts, index)
        for index, counts in enumerate(given)
    ]
    which = np.flatnonzero([array is None for array in arrays])
    strings = [counts for counts in given if isinstance(counts, str | bytes)]
    flat, offsets = _read_strings(strings, most_runs[which], which)
    pieces = iter(np.split(flat, offsets[1:-1]))
    whole = [next(pieces) if array is None else array for array in arrays]
    return np.concatenate(whole), to_offsets(np.array([len(array) for array in whole], np.int64))


def to_dicts(masks: Masks) -> list[Rle]:
    """The batch as JSON objects with string counts, as pycocotools writes them.

    Returns
    -------
    N objects ``{"size": [height, width], "counts": str}``

    >>> to_dicts(from_dicts([{"size": [4, 4], "counts": [0, 16]}]))
    [{'size': [4, 4], 'counts': '0`0'}]
    """
    strings = encode_strings(masks.counts, masks.offsets)
    return [
        {"size": size, "counts": counts}
        for size, counts in zip(masks.sizes.tolist(), strings, strict=True)
    ]


def to_lists(masks: Masks) -> list[list[int]]:
    """The counts of each mask as a list: the uncompressed form.

    Returns
    -------
    N lists of int, run lengths in pixels

    >>> to_lists(from_dicts([{"size": [4, 4], "counts": "0`0"}]))
    [[0, 16]]
    """
    counts = masks.counts.tolist()
    ends = masks.offsets.tolist()
    return [counts[a:b] for a, b in pairwise(ends)]


def _members(item: object, index: int) -> tuple[object, object]:
    # The concrete type first: asking for the abstract one takes ten times as long.
    if not isinstance(item, dict) and not isinstance(item, Mapping):
        raise RleError("an RLE is an object with size and counts", index=index)
    try:
        return item["size"], item["counts"]
    except KeyError as error:
        name = error.args[0]
        raise RleError(f"the RLE has no {name}", index=index, path=(name,)) from None


def _limit(lengths: list[int] | IntArray, most: IntArray, index: IntArray) -> None:
    given = np.asarray(lengths, np.int64)
    if (given == 0).any():
        place = int(index[(given == 0).argmax()])
        raise RleEmptyError("the RLE has no counts", index=place, path=_COUNTS)
    if (given > most).any():
        detail = "the RLE has more runs than the image has pixels"
        raise RleTooManyRunsError(detail, index=int(index[(given > most).argmax()]), path=_COUNTS)


def _integers(counts: object, index: int) -> IntArray:
    """List counts as an array. Whole floats pass, as some writers store every number so."""
    problem = RleError(
        "counts must be a string or a list of whole numbers", index=index, path=_COUNTS
    )
    if isinstance(counts, np.ndarray):
        array = counts
    elif isinstance(counts, list | tuple) and are_numbers(counts):
        # As floats first: an integer of any length fits, and what exceeds an image is refused
        # long before a float gets inexact.
        try:
            array = np.array(counts, np.float64)
        except OverflowError:
            raise RleOverrunError(
                "a run is longer than the image", index=index, path=_COUNTS
            ) from None
    else:
        raise problem
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise problem
    if array.dtype.kind == "f":
        # A short float would not hold the limit below.
        array = array.astype(np.float64, copy=False)
        if not np.isfinite(array).all() or (array != np.trunc(array)).any():
            raise problem
    return np.clip(array, -1, 2**33).astype(np.int64)


# Counts ------------------------------------------------------------------------------------------


def from_counts(sizes: IntArray, counts: IntArray, offsets: IntArray) -> Masks:
    """Check raw counts against the sizes and merge away the runs of length zero.

    Parameters
    ----------
    sizes : (N, 2) int64, checked already
    counts, offsets : flat int64 run lengths, whatever they are, and (N + 1,) offsets
    """
    lengths = offsets[1:] - offsets[:-1]
    _refuse(lengths == 0, RleEmptyError, "the RLE has no counts")
    if len(sizes) == 0:
        return Masks(sizes, counts, offsets)
    pixels = sizes[:, 0] * sizes[:, 1]
    if counts.min() < 0:
        index = int(np.searchsorted(offsets, (counts < 0).argmax(), side="right")) - 1
        raise RleNegativeError("a run has a negative length", index=index, path=_COUNTS)
    # Sums of larger numbers than these might not fit into 64 bits.
    if counts.max() > pixels.max():
        over = counts > np.repeat(pixels, lengths)
        index = int(np.searchsorted(offsets, over.argmax(), side="right")) - 1
        raise RleOverrunError("a run is longer than the image", index=index, path=_COUNTS)
    total = np.add.reduceat(counts, offsets[:-1])
    for wrong, kind in ((total > pixels, RleOverrunError), (total < pixels, RleShortError)):
        if wrong.any():
            index = int(wrong.argmax())
            detail = f"the runs add up to {total[index]} pixels, the image has {pixels[index]}"
            raise kind(detail, index=index, path=_COUNTS)
    return _canonical(Masks(sizes, counts, offsets))


def _refuse(wrong: BoolArray, kind: type[MaskError], detail: str) -> None:
    if wrong.any():
        raise kind(detail, index=int(wrong.argmax()), path=_COUNTS)


def _canonical(masks: Masks) -> Masks:
    """Merge away runs of length zero, save the leading one of a mask that starts inside."""
    # An empty first run is right, unless it stands in front of others in an image of no pixels.
    leading = np.count_nonzero(masks.counts[masks.offsets[:-1]] == 0)
    if np.count_nonzero(masks.counts == 0) == leading:
        return masks
    # Every end of a run but the last toggles between background and foreground. On one line
    # with all other masks, toggles at the same place cancel in pairs.
    pixels = masks.pixels
    start = bases(pixels)
    ends = to_offsets(masks.counts)
    places = ends[1:] - np.repeat(ends[masks.offsets[:-1]] - start, masks.runs)
    toggles = np.delete(places, masks.offsets[1:] - 1)
    toggles = odd_positions(toggles)
    end = start + pixels
    toggles = toggles[toggles < end[np.searchsorted(start, toggles, side="right") - 1]]
    # An odd number of toggles leaves the last run to be foreground, as it must be.
    return from_spans(masks.sizes, off_line(toggles, start))
