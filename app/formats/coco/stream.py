"""Reads the top level of a COCO file piece by piece, however large the file is.

A COCO file is one object whose large members are lists of records. Nothing here holds more of it
than a block of a few megabytes: records come out as the exact bytes that they have in the file, in
lists of some hundreds, and every other member as its bytes. The order of the members is free.

How a block is cut
    A block is read into a buffer that begins where a record begins. Its last whole record ends
    somewhere before the buffer does, and finding that place by reading byte after byte would be
    slow. So a place is guessed where a record seems to end, and a JSON decoder that runs at a
    gigabyte a second is asked whether the text before it is a list of whole values. From a known
    start there is only one way to read JSON, so a "yes" cannot be wrong; after a "no" an earlier
    place is tried, or more is read.

NaN, Infinity, and halves of characters
    JSON has neither of the first two, but Python writes them. Each is replaced in the buffer by a
    string of the same length, made of a character that no real text has (``"␡"``), so that only the
    record around it is lost: see `Stream.problem`. An escaped surrogate without its other half
    (``\\ud83d``) is no text either, and is replaced in the same way.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from app.formats.records import FileError

__all__ = ["RECORD_LISTS", "Member", "Records", "Stream"]

RECORD_LISTS = ("images", "categories", "annotations")

_BLOCK = 2 << 20
# The largest record of a real file has some megabytes: a mask of a huge image, uncompressed.
MOST_RECORD_BYTES = 128 << 20
_GUESSES = 12
_SPACE = b" \t\n\r"
_PLACE = re.compile(r"\(byte (\d+)\)")
_TRAILING = "trailing characters"
_LITERALS = (b"true", b"false", b"null", b"NaN", b"Infinity", b"-Infinity")
_NAN = re.compile(rb"-?Infinity|NaN")
_STRING_OR_NAN = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z|\\\Z)|-?Infinity|NaN', re.DOTALL)
_SENTINEL = re.compile(rb'"\x7f+"')
# Escapes one after the other, so that the second backslash of two begins none.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_HALF = b"\x7f" * len(r"\ud83d")
_FIRST_KEY = re.compile(rb'\{\s*("(?:[^"\\]|\\.)*")')
_OF_RESULTS = {"score", "bbox", "segmentation", "keypoints", "caption"}
_lists = msgspec.json.Decoder(list[msgspec.Raw])
_value = msgspec.json.Decoder(msgspec.Raw)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the top-level object; `text` is its JSON, empty for a list of records."""

    key: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Records:
    """Some records of a list, the first of which has the place `start` in it."""

    key: str
    start: int
    records: list[bytes]


class Stream:
    """The members and records of one COCO file, read once from where the file stands."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._buffer = b""
        self._at = 0
        # Where the buffer's first byte stands in the file.
        self._offset = file.tell()
        self._ended = False
        self._seen_nan = False
        self._seen_halves = False

    def problem(self, text: bytes) -> tuple[str, str] | None:
        """Why a record or value that was handed over must be left out: a code and a sentence."""
        if self._seen_halves and _HALF in text:
            return "record_unreadable", "A text holds half of a character: a surrogate alone."
        if self._seen_nan and _SENTINEL.search(text) is not None:
            return "not_a_number", "NaN or Infinity, which JSON does not have."
        return None

    @property
    def place(self) -> int:
        """Where in the file reading stands: behind what came out last, or at a list's bracket."""
        return self._offset + self._at

    def read(self) -> Iterator[Member | Records]:
        """Everything in the file, in its order; a list of records begins with its Member."""
        first = self._peek()
        if first == b"":
            raise FileError("file_empty", "The file is empty.")
        if first == b"[":
            raise self._not_an_object()
        if first != b"{":
            raise self._no_object()
        self._at += 1
        separator = b""
        while (char := self._peek()) != b"}":
            if separator and char != separator:
                raise self._malformed("expected , or }")
            if separator:
                self._at += 1
            yield from self._member()
            separator = b","
        self._at += 1
        if self._peek() != b"":
            raise self._malformed("something follows the end of the object")

    def read_list(self) -> Iterator[Records]:
        """The records of a file that is one list, as results are."""
        first = self._peek()
        if first == b"":
            raise FileError("file_empty", "The file is empty.")
        if first != b"[":
            raise FileError("results_expected", "The file is not a list of results.")
        yield from self._records("")
        if self._peek() != b"":
            raise self._malformed("something follows the end of the list")

    def _member(self) -> Iterator[Member | Records]:
        if self._peek() != b'"':
            raise self._malformed('expected "')
        try:
            key = msgspec.json.decode(self._take_value())
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self._malformed("a key that is not text") from None
        if self._peek() != b":":
            raise self._malformed("expected :")
        self._at += 1
        if key in RECORD_LISTS and self._peek() == b"[":
            yield Member(key, b"")
            yield from self._records(key)
        else:
            if self._peek() == b"":
                raise self._truncated()
            yield Member(key, self._take_value())

    def _take_value(self) -> bytes:
        """Any one JSON value at the present place."""
        while True:
            text = memoryview(self._buffer)[self._at :]
            try:
                _value.decode(text)
            except msgspec.DecodeError as error:
                place = _place(error)
                if place is not None and _TRAILING in str(error):
                    value = bytes(text[:place]).rstrip(_SPACE)
                    self._at += place
                    return value
                if self._hide_halves():
                    continue
                if place is not None:
                    self._repair(self._at + place)
                    continue
            except RecursionError:
                raise self._too_deep() from None
            # The value fills the buffer, or its end is not in it yet.
            self._more("")

    def _records(self, key: str) -> Iterator[Records]:
        self._at += 1
        index = 0
        while (char := self._peek()) != b"]":
            if index and char != b",":
                raise self._malformed(f"expected , or ] after {key}[{index - 1}]")
            if index:
                self._at += 1
            records, ended = self._some(f"{key}[{index}]")
            if records:
                yield Records(key, index, records)
            index += len(records)
            if ended:
                return
        self._at += 1

    def _some(self, path: str) -> tuple[list[bytes], bool]:
        """Whole records from the present place on, and whether the list ended with them."""
        if self._peek() in (b"", b",", b"]"):
            raise self._malformed(f"expected a record, {path}")
        if len(self._buffer) - self._at < _BLOCK:
            self._fill()
        while True:
            for cut in self._guesses():
                found = self._try(cut)
                if found is not None:
                    return found
            if self._ended:
                # No brace closes a record here: numbers, or something cut off.
                found = self._try(len(self._buffer))
                if found is not None:
                    return found
                raise self._truncated(path)
            self._look_ahead()
            self._more(path)

    def _look_ahead(self) -> None:
        """Refuse a record that is nested too deep before all of it is read to find its end."""
        if len(self._buffer) - self._at > 2 * _BLOCK:
            return
        try:
            _value.decode(memoryview(self._buffer)[self._at :])
        except RecursionError:
            raise self._too_deep() from None
        except msgspec.DecodeError:
            # Most likely it just goes on.
            return

    def _guesses(self) -> Iterator[int]:
        """Places behind which a record may have ended, the last ones first."""
        buffer, start, end = self._buffer, self._at, len(self._buffer)
        first = _FIRST_KEY.match(buffer, start)
        place = end
        if first is not None:
            for _ in range(_GUESSES):
                place = buffer.rfind(first[1], start + 1, place)
                if place < 0:
                    break
                before = buffer[max(start, place - 64) : place].rstrip(_SPACE)
                if not before.endswith(b"{"):
                    continue
                before = before[:-1].rstrip(_SPACE)
                if not before.endswith(b","):
                    continue
                before = before[:-1].rstrip(_SPACE)
                if before.endswith(b"}"):
                    yield max(start, place - 64) + len(before)
        place = end
        for _ in range(_GUESSES):
            place = buffer.rfind(b"}", start, place)
            if place < 0:
                return
            yield place + 1

    def _try(self, cut: int) -> tuple[list[bytes], bool] | None:
        """The records up to `cut`; None when the last one is not whole there."""
        while True:
            text = b"[" + self._buffer[self._at : cut] + b"]"
            try:
                records = _lists.decode(text)
            except RecursionError:
                raise self._too_deep() from None
            except msgspec.DecodeError as error:
                place = _place(error)
                if (place is None or _TRAILING not in str(error)) and self._hide_halves():
                    continue
                if place is None or place >= len(text) - 1:
                    return None
                if _TRAILING not in str(error):
                    # `text` has one byte more in front than the buffer.
                    self._repair(self._at + place - 1)
                    continue
                # The list ended before `cut`.
                records = _lists.decode(text[:place])
                self._at += place - 1
                return [bytes(record) for record in records], True
            self._at = cut
            return [bytes(record) for record in records], False

    def _repair(self, place: int) -> None:
        """Replace NaN and Infinity from here on if one stands at `place`; else it is malformed."""
        # The decoder points at a literal's first character, and behind a minus sign.
        for start in (place, place - 1):
            if start >= self._at and _NAN.match(self._buffer, start):
                self._seen_nan = True
                self._hide_nan()
                return
            if any(literal.startswith(self._buffer[start:]) for literal in _LITERALS):
                # Its end is not in the buffer yet, or nowhere.
                self._more("")
                return
        if not self._ended and len(self._buffer) - place <= 2 * len(_HALF):
            # Half a character, the rest of which may be in the next block.
            self._more("")
            return
        raise self._malformed("this is not JSON", place)

    def _hide_nan(self) -> None:
        rest = _STRING_OR_NAN.sub(_hidden, self._buffer[self._at :])
        self._buffer = self._buffer[: self._at] + rest

    def _hide_halves(self) -> bool:
        """Replace escaped surrogates that stand alone; whether there were any."""
        end, found = len(self._buffer), False
        if not any(self._buffer.find(mark, self._at) >= 0 for mark in (b"\\ud", b"\\uD")):
            return False

        def hidden(match: re.Match[bytes]) -> bytes:
            nonlocal found
            # One at the buffer's end may have its other half in the next block.
            if match[1] is None or (match.end() + len(_HALF) > end and not self._ended):
                return match[0]
            found = True
            return _HALF

        self._buffer = self._buffer[: self._at] + _ESCAPE.sub(hidden, self._buffer[self._at :])
        self._seen_halves = self._seen_halves or found
        return found

    def _peek(self) -> bytes:
        """The next character that is not white space; empty at the end of the file."""
        while True:
            while self._at < len(self._buffer):
                char = self._buffer[self._at : self._at + 1]
                if char not in (b" ", b"\n", b"\t", b"\r"):
                    return char
                self._at += 1
            if not self._fill():
                return b""

    def _fill(self) -> bool:
        """Read another block behind the buffer; False at the end of the file."""
        block = self._file.read(_BLOCK)
        self._offset += self._at
        self._buffer = self._buffer[self._at :] + block
        self._at = 0
        self._ended = not block
        if block and self._seen_nan:
            self._hide_nan()
        return bool(block)

    def _more(self, path: str) -> None:
        """Read as much again as there is, for a value that does not end in the buffer."""
        if self._ended:
            raise self._truncated(path)
        size = len(self._buffer) - self._at
        if size >= MOST_RECORD_BYTES:
            raise FileError(
                "record_too_large",
                f"{path or 'A member'} has {MOST_RECORD_BYTES:,} bytes or more.",
            )
        blocks = [self._file.read(_BLOCK)]
        wanted = min(2 * size, MOST_RECORD_BYTES)
        while blocks[-1] and size + sum(map(len, blocks)) < wanted:
            blocks.append(self._file.read(_BLOCK))
        self._ended = not blocks[-1]
        self._offset += self._at
        self._buffer = b"".join([self._buffer[self._at :], *blocks])
        self._at = 0
        if self._seen_nan:
            self._hide_nan()

    def _malformed(self, what: str, place: int | None = None) -> FileError:
        place = self._at if place is None else place
        if place >= len(self._buffer) and self._ended:
            return self._truncated()
        around = self._buffer[max(0, place - 20) : place + 20].decode(errors="replace")
        return FileError(
            "json_malformed", f"Byte {self._offset + place:,}: {what}, near {around!r}."
        )

    def _truncated(self, path: str = "") -> FileError:
        where = f" inside {path}" if path else ""
        size = self._offset + len(self._buffer)
        return FileError("json_truncated", f"The file ends{where}, after {size:,} bytes.")

    def _too_deep(self) -> FileError:
        return FileError(
            "nesting_too_deep",
            f"Behind byte {self._offset + self._at:,} lists or objects are nested too deep.",
        )

    def _no_object(self) -> FileError:
        """What to say about a file that is neither an object nor a list."""
        try:
            _value.decode(memoryview(self._buffer)[self._at :])
        except msgspec.DecodeError:
            # The bytes of a picture or a zip would tell nobody anything.
            return FileError("json_malformed", "The file is not JSON: it does not begin with {.")
        told = "The file is a single value; a COCO file is an object with images and annotations."
        return FileError("top_level", told)

    def _not_an_object(self) -> FileError:
        """What to say about a file that is a list: results look like this."""
        if self.is_results():
            return FileError(
                "results_file",
                "The file is a list of results (detections), not a set of annotations.",
            )
        return FileError(
            "top_level",
            "The file is a list; a COCO file is an object with images, annotations and categories.",
        )

    def is_results(self) -> bool:
        """Whether the file is a list of results, by its first one; an empty list could be anything.

        Nothing can be read afterwards.
        """
        if self._peek() != b"[":
            return False
        self._at += 1
        if self._peek() != b"{":
            return False
        try:
            first = self._some("[0]")[0][0]
            keys = msgspec.json.decode(first, type=dict[str, msgspec.Raw]).keys()
        except (FileError, msgspec.DecodeError, UnicodeDecodeError):
            return False
        return "image_id" in keys and bool(keys & _OF_RESULTS)


def _place(error: msgspec.DecodeError) -> int | None:
    """The byte that the decoder complains about; None when the text just ends too early."""
    found = _PLACE.search(str(error))
    if found is None:
        return None
    # It counts from 0, save here.
    return int(found[1]) - (_TRAILING in str(error))


def _hidden(match: re.Match[bytes]) -> bytes:
    text = match[0]
    return text if text.startswith(b'"') else b'"' + b"\x7f" * (len(text) - 2) + b'"'
