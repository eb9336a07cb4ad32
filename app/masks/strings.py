"""Counts as strings, and back: five bits to a character.

`app.masks.rle` explains the code. Both directions work on the counts of a whole batch at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from app.masks.batch import (
    RUNS_AT_A_TIME,
    BoolArray,
    ByteArray,
    IntArray,
    IntKind,
    cuts,
    to_offsets,
)
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
    texts: list[str] = []
    for a, b in pairwise(cuts(offsets, RUNS_AT_A_TIME)):
        first, last = offsets[a], offsets[b]
        texts += _encode(counts[first:last], offsets[a : b + 1] - first)
    return texts


def _encode(counts: IntArray, offsets: IntArray) -> list[str]:
    if counts.max(initial=0) < 2**31:
        # Half as wide is twice as fast.
        counts = counts.astype(np.int32)
    values = _deltas(counts, offsets)
    # A number of k groups lies in [-2^(5k-1), 2^(5k-1)); folding the negative half onto the
    # positive one makes that one comparison.
    folded = values ^ (values >> (8 * values.itemsize - 1))
    most = int(folded.max(initial=0))
    groups = np.ones(len(values), np.int8)
    for bits in range(4, most.bit_length(), 5):
        groups += folded >= 1 << bits
    places = to_offsets(groups.astype(np.int64))
    text = np.empty(int(places[-1]) + MAX_CHARACTERS, np.uint8)
    starts = places[:-1]
    # The last groups first: what is written behind the end of a number is written over by what
    # stands there.
    for group in reversed(range(int(groups.max(initial=0)))):
        if group < 2:
            text[starts + group] = _characters(values, groups, group)
        else:
            [long] = (groups > group).nonzero()
            text[starts[long] + group] = _characters(values[long], groups[long], group)
    whole = text[: places[-1]].tobytes().decode("ascii")
    ends = places[offsets].tolist()
    return [whole[a:b] for a, b in pairwise(ends)]


def _characters(values: IntArray, groups: npt.NDArray[np.int8], group: int) -> ByteArray:
    """The character of one group of each number."""
    bits = (values >> (5 * group)).astype(np.uint8)
    bits &= 31
    bits += 48
    bits += (groups > group + 1).astype(np.uint8) << 5
    return bits


def _deltas(counts: IntArray, offsets: IntArray) -> IntArray:
    """Counts less the count two places before, save the first three of each piece."""
    values = counts.copy()
    values[2:] -= counts[:-2]
    first = offsets[:-1, None] + np.arange(3)
    first = first[first < offsets[1:, None]]
    values[first] = counts[first]
    return values


def decode_strings(
    strings: Sequence[str | bytes], index: IntArray | None = None
) -> tuple[IntArray, IntArray]:
    """The counts in strings, as flat int64 and (N + 1,) offsets; nothing is checked but the text.

    Parameters
    ----------
    strings : str or bytes, each with at least one character
    index : what to call each string in errors; its place in the sequence by default

    Raises
    ------
    RleCharsetError, RleTruncatedError, RleOverlongError

    >>> counts, offsets = decode_strings([b"32;N", b"`0"])
    >>> counts.tolist(), offsets.tolist()
    ([3, 2, 11, 0, 16], [0, 4, 5])
    """
    names = np.arange(len(strings)) if index is None else index
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    pieces = cuts(to_offsets(lengths), RUNS_AT_A_TIME)
    decoded = [_decode(strings[a:b], lengths[a:b], names[a:b]) for a, b in pairwise(pieces)]
    if len(decoded) == 1:
        return decoded[0]
    runs = [np.zeros(0, np.int64), *(offsets[1:] - offsets[:-1] for _, offsets in decoded)]
    counts = [np.zeros(0, np.int64), *(counts for counts, _ in decoded)]
    return np.concatenate(counts), to_offsets(np.concatenate(runs))


def _decode(
    strings: Sequence[str | bytes], lengths: IntArray, names: IntArray
) -> tuple[IntArray, IntArray]:
    offsets = to_offsets(lengths)

    def fail(place: int) -> tuple[int, int]:
        piece = int(np.searchsorted(offsets, place, side="right")) - 1
        return int(names[piece]), place - int(offsets[piece])

    try:
        whole = _joined(strings)
    except UnicodeEncodeError as error:
        item, position = fail(error.start)
        raise charset_error(position, item) from None
    # Characters below "0" wrap around to large numbers, so one comparison finds both sides.
    text = np.frombuffer(whole, np.uint8) - np.uint8(48)
    if text.max(initial=0) > 63:
        item, position = fail(int((text > 63).argmax()))
        raise charset_error(position, item)
    more = text > 31
    final = offsets[1:] - 1
    if more[final].any():
        item, _ = fail(int(final[more[final].argmax()]))
        raise RleTruncatedError("the counts end inside a number", index=item, path=("counts",))
    # Where a number goes on for so many characters more.
    going = [more]
    while len(going) <= MAX_CHARACTERS and going[-1].any():
        going.append(going[-1][:-1] & more[len(going) :])
    if len(going) > MAX_CHARACTERS:
        item, _ = fail(int(going[MAX_CHARACTERS - 1].argmax()))
        raise RleOverlongError(
            f"a count has more than {MAX_CHARACTERS} characters", index=item, path=("counts",)
        )
    [ends] = (~more).nonzero()
    starts = np.zeros(len(ends), np.int64)
    starts[1:] = ends[:-1] + 1
    places = ends.searchsorted(offsets)
    return _undo_deltas(_join_groups(text, going)[starts], places), places


def _joined(strings: Sequence[str | bytes]) -> bytes:
    """All strings as one, a byte for each character, whatever it is."""
    kinds = set(map(type, strings))
    if kinds == {bytes}:
        return b"".join(strings)  # type: ignore[arg-type]
    if bytes in kinds:
        strings = [text.decode("latin-1") if isinstance(text, bytes) else text for text in strings]
    return "".join(strings).encode("latin-1")  # type: ignore[arg-type]


def _join_groups(text: ByteArray, going: list[BoolArray]) -> IntArray:
    """The number that begins at each character.

    ``going[k]`` says where a number goes on for k + 1 characters more. The last group of a number
    has a sign.
    """
    kind: IntKind = np.int32 if len(going) <= 6 else np.int64
    bits = text & 31
    bits -= (text & 16 & ~going[0] * np.uint8(16)) << 1
    group: IntArray = bits.view(np.int8).astype(kind)
    values = group.copy()
    # Many numbers have a second group, few have more.
    second: IntArray = going[0][:-1].astype(kind)
    second *= group[1:]
    second <<= 5
    values[:-1] += second
    for place, goes_on in enumerate(going[1:], 2):
        [long] = goes_on.nonzero()
        values[long] += group[long + place] << (5 * place)
    return values


def _undo_deltas(values: IntArray, offsets: IntArray) -> IntArray:
    """Turn differences to the value two places before into values, piece by piece.

    Running sums over every second element undo the differences. Where a piece begins, what they sum
    up to until there is taken off. The first value of a piece stands outside of both sums.
    """
    values = values.astype(np.int64)
    first = offsets[:-1][offsets[1:] - offsets[:-1] > 2]
    values[first + 2] -= values[first]
    for parity in (0, 1):
        # Side by side in memory they are summed up in a quarter of the time.
        chain = values[parity::2].copy()
        starts = (offsets + 1 - parity) >> 1
        starts = starts[:-1][starts[1:] > starts[:-1]]
        if len(starts):
            totals = np.add.reduceat(chain, starts)
            chain[starts[1:]] -= totals[:-1]
            values[parity::2] = chain.cumsum()
    return values


def charset_error(position: int, index: int | None) -> RleCharsetError:
    return RleCharsetError(
        f"character {position} of the counts is none of those that encode counts",
        position=position,
        index=index,
        path=("counts",),
    )
