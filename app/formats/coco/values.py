"""Single values of COCO records: ids, names, numbers, colours.

An id is any JSON scalar. Two ids are the same when JSON says so: 1 and 1.0 are, 1 and "1" and true
are not. `id_key` makes a dictionary key of an id that keeps this (in Python, ``1 == True``).
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

__all__ = [
    "NumberTooLarge",
    "color_of",
    "decode",
    "finite",
    "has_duplicate_keys",
    "highest_id",
    "id_key",
    "id_problem",
    "is_unsafe",
    "match_name",
    "other_type",
    "shown_name",
    "whole",
]

_DRIVE = re.compile(r"^[A-Za-z]:(?=/)")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_KEY, _OBJECT = b'":', b"{"
# PostgreSQL's index rows end somewhere beyond this; no real id is that long.
_LONGEST_ID = 1000
_MOST_ID_BITS = 3000
_decoder = msgspec.json.Decoder()


class NumberTooLarge(ValueError):
    """A number such as 1e999 that a float cannot hold."""


def decode(record: bytes) -> Any:
    """The value of a record that is known to be well-formed.

    Raises UnicodeDecodeError, NumberTooLarge, or ValueError for what cannot be read otherwise.
    """
    try:
        return _decoder.decode(record)
    except UnicodeDecodeError:
        raise
    except (msgspec.DecodeError, msgspec.ValidationError):
        # Numbers that no float holds, and integers of any length: this decoder tells which it is.
        return json.loads(record, parse_float=_float, parse_constant=_refuse)


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise NumberTooLarge(text[:40])
    return value


def _refuse(text: str) -> float:
    raise ValueError(text)


def has_duplicate_keys(record: bytes, value: dict[str, Any]) -> bool:
    """Whether an object in the record has a key twice.

    Decoding each record in a way that tells would cost more than everything else, so what looks
    like a key is counted first; only where the number differs from that of the keys that came out
    is it looked at closely.
    """
    keys = len(value) if record.count(_OBJECT) == 1 else _count_keys(value)
    if record.count(_KEY) == keys:
        return False
    found = False

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        result = dict(members)
        found = found or len(result) != len(members)
        return result

    json.loads(record, object_pairs_hook=pairs)
    return found


def _count_keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_count_keys(v) for v in value.values() if type(v) in (dict, list))
    # Lists of numbers, which make up most of a file, are told by their first element.
    if isinstance(value, list) and value and type(value[0]) in (dict, list):
        return sum(_count_keys(v) for v in value)
    return 0


def id_problem(value: Any) -> str | None:
    """Why this cannot be an id; None when it can."""
    if isinstance(value, str):
        if len(value) > _LONGEST_ID:
            return f"has more than {_LONGEST_ID} characters"
        if any(char == "\x00" or 0xD800 <= ord(char) < 0xE000 for char in value):
            return "holds a character that cannot be stored"
        return None
    if isinstance(value, int) and value.bit_length() > _MOST_ID_BITS:
        return f"has more than {_MOST_ID_BITS} bits"
    if isinstance(value, list | dict):
        return "is not a single value"
    return None


def id_key(value: Any) -> Any:
    """What ids are compared by."""
    if isinstance(value, bool) or value is None:
        return (type(value).__name__, value)
    if isinstance(value, float) and abs(value) >= 2**53:
        # The database keeps the decimal digits, and gives them back as an integer.
        return int(Decimal(repr(value)))
    return value


def other_type(value: Any) -> Any:
    """The same id as a number instead of a text, or the other way round; None for no such id."""
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.isascii() and text.removeprefix("-").isdigit() else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return None


def highest_id(ids: Iterable[Any]) -> int:
    """The highest id that counting could go on from; 0 for none.

    Integers beyond 2^53 are none in a browser, so ids given here stay below.
    """
    return max((int(i) for i in ids if isinstance(i, int | float) and 0 < i < 2**53), default=0)


def finite(value: Any) -> float | None:
    """A number as a float; None for anything else, and for what a float cannot hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def whole(value: Any) -> int | None:
    """A whole number, also when it is written as 640.0; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def color_of(value: Any) -> str | None:
    """``#rrggbb`` from such a text or from a list of three bytes."""
    if isinstance(value, str):
        return value.lower() if _COLOR.fullmatch(value) else None
    if isinstance(value, list) and len(value) == 3:
        parts = [whole(part) for part in value]
        if all(part is not None and 0 <= part <= 255 for part in parts):
            return "#" + "".join(f"{part:02x}" for part in parts)
    return None


def _is_control(char: str) -> bool:
    return ord(char) < 32 or ord(char) == 127 or 0xD800 <= ord(char) < 0xE000


def is_unsafe(file_name: str) -> bool:
    """Whether a file name would be dangerous as a path: absolute, climbing, control characters."""
    name = file_name.replace("\\", "/")
    return (
        name.startswith("/")
        or _DRIVE.match(name) is not None
        or ".." in name.split("/")
        or shown_name(name) != name
    )


def shown_name(file_name: str) -> str:
    """The name as it can be stored and shown: control characters replaced."""
    if file_name.isprintable():
        return file_name
    return "".join("\ufffd" if _is_control(char) else char for char in file_name)


def match_name(file_name: str) -> str:
    """The name by which files and records find each other.

    Unicode NFC, forward slashes, no drive, no empty, ``.`` or ``..`` parts:

    >>> match_name("C:\\\\data\\\\..\\\\a.jpg"), match_name("./train//a.jpg")
    ('data/a.jpg', 'train/a.jpg')
    """
    name = unicodedata.normalize("NFC", shown_name(file_name)).replace("\\", "/")
    parts = _DRIVE.sub("", name).split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))
