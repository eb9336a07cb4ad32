"""What the values of label images mean: options of an import of mask images, read and checked.

A mapping is a JSON object from a value's key to a category: its name, the id that it has in COCO
files, or null for what is no object. An object as a value is a mapping for the file of that name:

>>> known = read_mapping('{"1": "cat", "#ff0000": "dog", "b.png": {"1": 3, "2": null}}')
>>> known.target("a", "1"), known.target("b", "1"), known.target("b", "2") is None
('cat', 3, True)
>>> known.target("a", "7") is UNMAPPED
True

A number also names the grey colour of that value, and a colour may be written as in Python:

>>> read_mapping('{"(255, 0, 128)": "book"}').target("a", "#ff0080")
'book'
>>> read_mapping('{"255": "cat"}').target("a", "#ffffff")
'cat'
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PurePosixPath
from typing import Any, Final, Literal

import msgspec

from app.errors import Invalid
from app.services.imports.label_images import color_key

__all__ = [
    "OUTLINES",
    "PARTS",
    "UNMAPPED",
    "MaskMapping",
    "MaskOptions",
    "Target",
    "read_ignored",
    "read_mapping",
]

PARTS = ("none", "4", "8")
"""One annotation for each value, or for each part of it that hangs together by edges or corners."""

OUTLINES = ("mask", "polygons")
_NUMBER = re.compile(r"\d{1,5}")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_TRIPLE = re.compile(r"[(\[]?\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*[)\]]?")
_MOST_ENTRIES = 20_000
_LONGEST_NAME = 200


class _Unmapped(Enum):
    UNMAPPED = "unmapped"


UNMAPPED: Final = _Unmapped.UNMAPPED
Target = str | int | None | Literal[_Unmapped.UNMAPPED]
"""The name or COCO id of a category, None for what is ignored, or UNMAPPED."""


@dataclass(frozen=True)
class MaskMapping:
    """A mapping for all files, and those of single files by the stem of their name."""

    general: Mapping[str, str | int | None] = field(default_factory=dict)
    of_file: Mapping[str, Mapping[str, str | int | None]] = field(default_factory=dict)

    def target(self, stem: str, key: str) -> Target:
        """What the value with this key means in the file with this stem."""
        for known in (self.of_file.get(stem, {}), self.general):
            if key in known:
                return known[key]
        return UNMAPPED

    def __bool__(self) -> bool:
        return bool(self.general or self.of_file)


@dataclass(frozen=True)
class MaskOptions:
    """How to import mask images: see the route's description for what each means."""

    mapping: str = ""
    ignore: str = "0"
    parts: str = "none"
    outline: str = "mask"
    suffix: str = ""
    mode: str = "lenient"
    dry_run: bool = False


def _keys(text: str) -> list[str] | None:
    """The keys that are meant; None when it is neither a value nor a colour."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        number = int(text)
        return [str(number), color_key(number * 0x010101)] if number < 256 else [str(number)]
    if _COLOR.fullmatch(text):
        return [text.lower()]
    found = _TRIPLE.fullmatch(text)
    if found and all(int(part) < 256 for part in found.groups()):
        red, green, blue = map(int, found.groups())
        return [color_key(red << 16 | green << 8 | blue)]
    return None


def read_ignored(text: str) -> frozenset[str]:
    """The keys in a list such as ``0, 255`` or ``#000000 255``; Invalid for anything else."""
    found: list[str] = []
    for part in re.split(r"[\s,;]+", text.strip()):
        keys = _keys(part) if part else []
        if keys is None:
            told = f"{part!r:.40} is no value from 0 to 65535 and no colour such as #ff0000."
            raise Invalid(told, code="ignore_invalid", loc=("body", "ignore"))
        found += keys
    return frozenset(found)


def read_mapping(text: str) -> MaskMapping:
    """The mapping in a JSON text, empty for an empty one; Invalid says what is wrong with it."""
    if not text.strip():
        return MaskMapping()
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(f"It is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise _wrong("It is not a JSON object.")
    general: dict[str, str | int | None] = {}
    of_file: dict[str, Mapping[str, str | int | None]] = {}
    entries = 0
    for key, target in value.items():
        entries += len(target) if isinstance(target, dict) else 1
        if entries > _MOST_ENTRIES:
            raise _wrong(f"It has more than {_MOST_ENTRIES:,} entries.")
        if isinstance(target, dict):
            name = PurePosixPath(key.replace("\\", "/")).name
            own: dict[str, str | int | None] = {}
            for inner, one in target.items():
                own |= _entry(inner, one, known=own)
            of_file[PurePosixPath(name).stem] = own
        else:
            general |= _entry(key, target, known=general)
    return MaskMapping(general, of_file)


def _entry(key: str, target: Any, *, known: Collection[str]) -> dict[str, str | int | None]:
    keys = _keys(key)
    if keys is None:
        raise _wrong(f"{key!r:.60} is no value from 0 to 65535 and no colour such as #ff0000.")
    if isinstance(target, str) and 0 < len(target.strip()) <= _LONGEST_NAME:
        target = target.strip()
        if not target.isprintable():
            raise _wrong(f"The category of {key!r:.60} has characters that no name has.")
    elif isinstance(target, bool) or not (target is None or isinstance(target, int)):
        raise _wrong(f"{key!r:.60} is mapped to neither a category's name nor its id nor null.")
    # A colour that is written out wins over a grey value that means it, too.
    return {k: target for place, k in enumerate(keys) if place == 0 or k not in known}


def _wrong(detail: str) -> Invalid:
    return Invalid(detail, code="mapping_invalid", loc=("body", "mapping"))
