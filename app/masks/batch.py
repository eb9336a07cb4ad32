"""The ragged batch: N masks of their own sizes in one pair of flat arrays.

Two equivalent forms are in use. `Masks` holds *counts*, the lengths of alternating background
and foreground runs, as COCO writes them (see `app.masks.rle` for the lesson). The algorithms work
on `Spans`: for every mask the positions at which its foreground starts and ends, an even number of
them, strictly increasing. A mask of 3 background, 2 foreground and 4 background pixels has the
counts 3, 2, 4 and the spans 3, 5.

Every `Masks` is canonical: no run but the first has length zero, and a mask of no pixels has the
single count 0. So two masks are equal exactly when their sizes and counts are, and no operation
has to think about empty runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.masks.errors import ImageTooLargeError, SizeError, SizeMismatchError

IntArray = npt.NDArray[np.signedinteger]
IntKind = type[np.int32] | type[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
ByteArray = npt.NDArray[np.uint8]

MAX_PIXELS = 2**32 - 1
"""The most pixels one mask may have: the file format keeps counts in 32 bits."""

RUNS_AT_A_TIME = 1 << 16
"""How many runs to work on at a time: so many that the calls of NumPy do not count, so few that the
arrays stay in the cache and their memory is used again and again."""

MAX_COORDINATE = 1e7
"""The farthest from the origin, in pixels, that a point may lie on either axis."""

Sizes = Sequence[int] | Sequence[Sequence[int]] | IntArray
"""One (height, width) for the whole batch, or one for each item."""


@dataclass(frozen=True, eq=False, slots=True)
class Masks:
    """A batch of N binary masks, run-length encoded in column-major order.

    Attributes
    ----------
    sizes : (N, 2) int64, height and width of each mask in pixels
    counts : flat int64, the run lengths of all masks one after the other
    offsets : (N + 1,) int64, mask i has ``counts[offsets[i]:offsets[i + 1]]``

    The arrays are taken as they are; make batches with the functions of this package, which
    check what comes from outside.

    >>> from app.masks import rle
    >>> masks = rle.from_dicts([{"size": [3, 3], "counts": [3, 2, 4]}])
    >>> len(masks), masks.sizes.tolist(), masks.counts.tolist()
    (1, [[3, 3]], [3, 2, 4])
    """

    sizes: IntArray
    counts: IntArray
    offsets: IntArray

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, chosen: int | np.integer | slice | IntArray | Sequence[int]) -> Masks:
        """The chosen masks as a batch; a single index gives a batch of one."""
        if isinstance(chosen, int | np.integer):
            chosen = [range(len(self))[chosen]]
        index = np.arange(len(self))[chosen]
        counts, offsets = take(self.counts, self.offsets, index)
        return Masks(self.sizes[index], counts, offsets)

    def __iter__(self) -> Iterator[Masks]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Masks):
            return NotImplemented
        return (
            np.array_equal(self.sizes, other.sizes)
            and np.array_equal(self.offsets, other.offsets)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment]

    def part(self, start: int, stop: int) -> Masks:
        """The masks from ``start`` to ``stop``, whose arrays are views of these."""
        offsets = self.offsets[start : stop + 1]
        counts = self.counts[offsets[0] : offsets[-1]]
        return Masks(self.sizes[start:stop], counts, offsets - offsets[0])

    @property
    def pixels(self) -> IntArray:
        """(N,) int64: height times width of each mask."""
        return self.sizes[:, 0] * self.sizes[:, 1]

    @property
    def runs(self) -> IntArray:
        """(N,) int64: how many runs each mask has."""
        return self.offsets[1:] - self.offsets[:-1]


class Spans(NamedTuple):
    """Start and end positions of the foreground of N masks: an even number for each mask."""

    positions: IntArray
    offsets: IntArray


def concatenate(batches: Iterable[Masks]) -> Masks:
    """One batch of all masks of several batches, in order.

    Parameters
    ----------
    batches : any number of `Masks`

    Returns
    -------
    Masks, as many as all batches have

    >>> from app.masks import rle
    >>> one = rle.from_dicts([{"size": [1, 2], "counts": [2]}])
    >>> concatenate([one, one]).counts.tolist()
    [2, 2]
    """
    batches = [batch for batch in batches if len(batch)]
    if len(batches) == 1:
        return batches[0]
    sizes = [np.zeros((0, 2), np.int64), *(b.sizes for b in batches)]
    counts = [np.zeros(0, np.int64), *(b.counts for b in batches)]
    runs = [np.zeros(0, np.int64), *(b.runs for b in batches)]
    return Masks(np.concatenate(sizes), np.concatenate(counts), to_offsets(np.concatenate(runs)))


def to_offsets(lengths: IntArray) -> IntArray:
    """(N + 1,) offsets of N pieces of the given lengths."""
    offsets = np.empty(len(lengths) + 1, np.int64)
    offsets[0] = 0
    lengths.cumsum(out=offsets[1:])
    return offsets


def cuts(offsets: IntArray, most: int) -> list[int]:
    """Where to cut a ragged array into groups of whole pieces, of so many elements at most.

    >>> cuts(np.array([0, 3, 5, 20, 22]), 6)
    [0, 2, 3, 4]
    """
    last = len(offsets) - 1
    if last > 0 and offsets[-1] - offsets[0] <= most:
        return [0, last]
    places = [0]
    while places[-1] < last:
        stop = int(offsets.searchsorted(offsets[places[-1]] + most, side="right")) - 1
        places.append(max(stop, places[-1] + 1))
    return places


def ranges(starts: IntArray, lengths: IntArray) -> IntArray:
    """start, start + 1, ... for each start, as often as its length, one after the other."""
    offsets = to_offsets(lengths)
    numbers = (starts - offsets[:-1]).repeat(lengths)
    numbers += np.arange(offsets[-1])
    return numbers


def take(flat: IntArray, offsets: IntArray, index: IntArray) -> tuple[IntArray, IntArray]:
    """The chosen pieces of a ragged array and their offsets."""
    lengths = np.diff(offsets)[index]
    return flat[ranges(offsets[:-1][index], lengths)], to_offsets(lengths)


def to_spans(masks: Masks, kind: IntKind = np.int64) -> Spans:
    """Where the foreground of each mask starts and ends, as numbers of the given dtype."""
    positions = to_line(masks, np.zeros(len(masks), np.int64), kind)
    return Spans(positions, to_offsets(masks.runs & ~1))


def to_line(masks: Masks, start: IntArray, kind: IntKind = np.int64) -> IntArray:
    """Starts and ends of all masks in one array of the given dtype, each mask from its start on.

    Where numbers on the way do not fit the dtype they come out right again: only the place on the
    line has to fit.
    """
    runs = masks.runs
    positions = masks.counts.cumsum(dtype=kind)
    # The runs of each mask add up to its pixels.
    positions += (start - to_offsets(masks.pixels)[:-1]).astype(kind).repeat(runs)
    [odd] = (runs & 1).nonzero()
    if len(odd) == 0:
        return positions
    # An odd number of runs ends with background, whose end is the end of the image.
    keep = np.ones(len(positions), bool)
    keep[masks.offsets[1:][odd] - 1] = False
    return positions[keep]


def from_spans(sizes: IntArray, spans: Spans) -> Masks:
    """The batch whose foreground starts and ends at these positions."""
    positions, offsets = spans
    pixels = sizes[:, 0] * sizes[:, 1]
    lengths = np.diff(offsets)
    closed = lengths > 0
    closed[closed] = positions[offsets[1:][closed] - 1] == pixels[closed]
    runs = lengths + ~closed
    out = to_offsets(runs)
    ends = np.empty(out[-1], np.int64)
    ends[out[1:] - 1] = pixels
    inner = np.ones(len(ends), bool)
    inner[out[1:][~closed] - 1] = False
    ends[inner] = positions
    counts = ends.copy()
    counts[1:] -= ends[:-1]
    counts[out[:-1]] = ends[out[:-1]]
    return Masks(sizes, counts, out)


def background(sizes: Sizes, n: int | None = None) -> Masks:
    """Masks without foreground, one for each size.

    Parameters
    ----------
    sizes : one (height, width), or (N, 2) of them
    n : how many masks; 1, or one for each size, by default

    Returns
    -------
    Masks, N of them

    Raises
    ------
    SizeError

    >>> background([[2, 3], [0, 5]]).counts.tolist()
    [6, 0]
    """
    checked = check_sizes(sizes, n)
    pixels = checked[:, 0] * checked[:, 1]
    return Masks(checked, pixels, np.arange(len(checked) + 1))


def check_size(size: object, *, index: int | None = None) -> tuple[int, int]:
    """Height and width of one mask, or the error that says what is wrong with them.

    >>> check_size([480, 640.0])
    (480, 640)
    """
    if isinstance(size, np.ndarray):
        size = size.tolist()
    if not isinstance(size, list | tuple) or len(size) != 2:
        raise SizeError("size must be [height, width]", index=index, path=("size",))
    height, width = (_whole(number, index) for number in size)
    if height < 0 or width < 0:
        raise SizeError("size must not be negative", index=index, path=("size",))
    if max(height, width, height * width) > MAX_PIXELS:
        raise ImageTooLargeError(
            f"height times width must be less than 2^32, not {height} x {width}",
            index=index,
            path=("size",),
        )
    return height, width


def _whole(number: object, index: int | None) -> int:
    if isinstance(number, int | np.integer) and not isinstance(number, bool):
        return int(number)
    if isinstance(number, float | np.floating) and float(number).is_integer():
        return int(number)
    raise SizeError("height and width must be whole numbers", index=index, path=("size",))


def check_sizes(sizes: object, n: int | None = None) -> IntArray:
    """(N, 2) int64 from one size for all, or from one for each; ``n`` is how many there must be."""
    if isinstance(sizes, np.ndarray) and sizes.ndim == 0:
        sizes = sizes.item()
    if not isinstance(sizes, list | tuple | np.ndarray):
        raise SizeError("size must be [height, width], or a list of them", path=("size",))
    if len(sizes) == 2 and not any(isinstance(s, list | tuple | np.ndarray) for s in sizes):
        same = np.empty((1 if n is None else n, 2), np.int64)
        same[:] = check_size(sizes)
        return same
    if n is not None and len(sizes) != n:
        raise SizeError(f"{len(sizes)} sizes for {n} masks", path=("size",))
    return check_each_size(sizes)


def check_each_size(sizes: Sequence[object] | npt.NDArray[np.generic]) -> IntArray:
    """(N, 2) int64 from one size for each of N masks."""
    checked = _plain_sizes(sizes)
    if checked is None:
        checked = np.array([check_size(size, index=i) for i, size in enumerate(sizes)], np.int64)
    return checked.reshape(-1, 2)


def _plain_sizes(sizes: Sequence[object] | npt.NDArray[np.generic]) -> IntArray | None:
    """Sizes that an array can check at once; None where each must be looked at."""
    if isinstance(sizes, np.ndarray):
        array = sizes
    elif {list, tuple}.issuperset(map(type, sizes)) and set(map(len, sizes)) == {2}:  # type: ignore[arg-type]
        if set(map(type, chain.from_iterable(sizes))) != {int}:  # type: ignore[arg-type]
            return None
        try:
            array = np.fromiter(chain.from_iterable(sizes), np.int64, 2 * len(sizes)).reshape(-1, 2)  # type: ignore[arg-type]
        except OverflowError:
            return None
    else:
        return None
    if array.dtype != np.int64 or array.shape[1:] != (2,):
        return None
    if array.min(initial=0) < 0 or array.max(initial=0) > MAX_PIXELS:
        return None
    # The product of two numbers below 2^32 fits into 64 bits without a sign.
    if array.astype(np.uint64).prod(axis=1).max(initial=0) > MAX_PIXELS:
        return None
    return array.astype(np.int64, copy=False)


def check_same_sizes(sizes: IntArray, groups: IntArray) -> None:
    """Refuse masks whose size differs from the mask before them in the same group."""
    other = (sizes[1:] != sizes[:-1]).any(axis=1) & (groups[1:] == groups[:-1])
    if other.any():
        index = int(other.argmax()) + 1
        raise SizeMismatchError(
            f"a mask of size {sizes[index].tolist()} beside one of {sizes[index - 1].tolist()}",
            index=index,
            path=("size",),
        )
