"""Counts as strings, and back: five bits to a character.

`app.masks.rle` explains the code. Both directions work on the counts of a whole batch at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from app.masks.batch import ByteArray, IntArray, to_offsets
from app.masks.errors import RleCharsetError, RleOverlongError, RleTruncatedError

MAX_CHARACTERS = 7
"""The most characters one count can need: 2^32 - 1 is "oooooo3"."""


def encode_strings(counts: IntArray, offsets: IntArray) -> list[str]:
    """The string form of each piece of a ragged array of counts.

    Parameters
    ----------
    counts, offsets : flat int64 and (N + 1,) int64; piece i is ``counts[offsets[i]:offsets[i+1]]``

    >>> encode_strings(np.array([3, 2, 11, 0, 16]), np.array([0, 4, 5]))
    ['32;N', '`0']
    """
    values = _deltas(counts, offsets)
    # A number of k groups lies in [-2^(5k-1), 2^(5k-1)); folding the negative half onto the
    # positive one makes that one comparison.
    folded = values ^ (values >> 63)
    length = np.ones(len(values), np.int64)
    limit = 16
    while (longer := folded >= limit).any():
        length += longer
        limit <<= 5
    places = to_offsets(length)
    text = np.empty(places[-1], np.uint8)
    for group in range(int(length.max(initial=0))):
        chosen = slice(None) if group == 0 else np.flatnonzero(length > group)
        more = (length[chosen] > group + 1).astype(np.int64) << 5
        bits = (values[chosen] >> (5 * group)) & 31
        text[places[:-1][chosen] + group] = bits + more + 48
    whole = text.tobytes().decode("ascii")
    ends = places[offsets].tolist()
    return [whole[a:b] for a, b in pairwise(ends)]


def _deltas(counts: IntArray, offsets: IntArray) -> IntArray:
    values = counts.copy()
    values[2:] -= counts[:-2]
    # The first three counts of each piece are written as they are.
    first = offsets[:-1, None] + np.arange(3)
    first = first[first < offsets[1:, None]]
    values[first] = counts[first]
    return values


def decode_strings(
    strings: Sequence[bytes], index: IntArray | None = None
) -> tuple[IntArray, IntArray]:
    """The counts in strings, as flat int64 and (N + 1,) offsets; nothing is checked but the text.

    Parameters
    ----------
    strings : ASCII bytes
    index : what to call each string in errors; its place in the sequence by default

    Raises
    ------
    RleCharsetError, RleTruncatedError, RleOverlongError

    >>> counts, offsets = decode_strings([b"32;N", b"`0"])
    >>> counts.tolist(), offsets.tolist()
    ([3, 2, 11, 0, 16], [0, 4, 5])
    """
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    offsets = to_offsets(lengths)
    # Characters below "0" wrap around to large numbers, so one comparison finds both sides.
    text = np.frombuffer(b"".join(strings), np.uint8) - np.uint8(48)
    names = np.arange(len(strings)) if index is None else index

    def fail(place: int) -> tuple[int, int]:
        piece = int(np.searchsorted(offsets, place, side="right")) - 1
        return int(names[piece]), place - int(offsets[piece])

    if (text > 63).any():
        item, position = fail(int((text > 63).argmax()))
        raise charset_error(position, item)
    more = (text & 32) != 0
    final = offsets[1:][lengths > 0] - 1
    if more[final].any():
        item, _ = fail(int(final[more[final].argmax()]))
        raise RleTruncatedError("the counts end inside a number", index=item, path=("counts",))
    ends = np.flatnonzero(~more)
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1])[: len(ends)]
    groups = ends - starts + 1
    if groups.max(initial=0) > MAX_CHARACTERS:
        item, _ = fail(int(starts[(groups > MAX_CHARACTERS).argmax()]))
        raise RleOverlongError(
            f"a count has more than {MAX_CHARACTERS} characters", index=item, path=("counts",)
        )
    values = _join_groups(text, starts, ends, groups)
    places = np.searchsorted(ends, offsets)
    return _undo_deltas(values, places), places


def _join_groups(text: ByteArray, starts: IntArray, ends: IntArray, groups: IntArray) -> IntArray:
    values = (text[starts] & 31).astype(np.int64)
    for group in range(1, int(groups.max(initial=0))):
        chosen = np.flatnonzero(groups > group)
        values[chosen] |= (text[starts[chosen] + group] & 31).astype(np.int64) << (5 * group)
    negative = (text[ends] & 16) != 0
    values[negative] -= np.int64(1) << (5 * groups[negative])
    return values


def _undo_deltas(values: IntArray, offsets: IntArray) -> IntArray:
    """Turn differences to the value two places before into values, piece by piece.

    Running sums over every second element undo the differences; what they had summed up before
    the piece began is taken off again. The first value of a piece stands outside of both chains.
    """
    sums = values.copy()
    sums[0::2] = np.cumsum(values[0::2])
    sums[1::2] = np.cumsum(values[1::2])
    padded = np.concatenate([np.zeros(1, np.int64), sums])
    lengths = np.diff(offsets)
    pieces = lengths > 0
    first, lengths = offsets[:-1][pieces], lengths[pieces]
    place = np.arange(len(values)) - np.repeat(first, lengths)
    before = np.where(place & 1, np.repeat(padded[first], lengths), np.repeat(sums[first], lengths))
    out = sums - before
    out[first] = values[first]
    return out


def charset_error(position: int, index: int | None) -> RleCharsetError:
    return RleCharsetError(
        f"character {position} of the counts is none of those that encode counts",
        position=position,
        index=index,
        path=("counts",),
    )
