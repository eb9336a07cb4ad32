"""JSON objects as text: look into one and change members of it, without touching the rest.

A COCO record is kept as the text it came in. Decoding and encoding it again would rewrite what
nobody edited: ``480.0`` and ``4.8e2`` are the same float, ``-0.0`` may lose its sign, integers of
twenty digits their end. So a record is split into its members, whose values stay text:

>>> members('{"id": 7, "area": 480.50, "note": "as is"}')["area"]
'480.50'
>>> replace('{"id": 7, "area": 480.50}', {"id": 8})
'{"id": 8, "area": 480.50}'
>>> replace('{"id": 7, "area": 480.50}', {"score": 0.5})
'{"id":7,"area":480.50,"score":0.5}'
"""

import functools
import json
from collections.abc import Mapping
from typing import Any

import msgspec

__all__ = ["decode", "dumps", "elements", "join", "members", "replace"]

_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def dumps(value: Any) -> str:
    """JSON text without spaces, in Unicode; refuses NaN and infinities."""
    if type(value) is int:
        # An export writes as many numbers as there are records.
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def members(text: str | bytes) -> dict[str, str]:
    """The members of a JSON object, in order, each value as its text.

    Raises msgspec.DecodeError when the text is not a JSON object.
    """
    return {key: bytes(raw).decode() for key, raw in _decoder.decode(text).items()}


def elements(text: str | bytes) -> list[str]:
    """The elements of a JSON array, each as its text; msgspec.DecodeError when it is none."""
    return [bytes(raw).decode() for raw in _list_decoder.decode(text)]


def decode(text: str | bytes) -> Any:
    """The value of a JSON text, also where it holds lone surrogates."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return json.loads(text)


def join(parts: Mapping[str, str]) -> str:
    """A JSON object's text from its members' texts."""
    return "{" + ",".join(f"{_name(key)}:{value}" for key, value in parts.items()) + "}"


# A file's records have the same few names.
_name = functools.lru_cache(maxsize=1024)(dumps)


def replace(
    text: str, values: Mapping[str, Any] | None = None, *, raw: Mapping[str, str] | None = None
) -> str:
    """The object with some members set: `values` are encoded, `raw` ones are texts already.

    Members that are there keep their place; new ones come last.
    """
    new = {key: dumps(value) for key, value in (values or {}).items()} | dict(raw or {})
    return _replaced_in_place(text, new) or join(members(text) | new)


def _replaced_in_place(text: str, new: Mapping[str, str]) -> str | None:
    """The text with nothing but these values exchanged; None where that takes more than a look.

    A name that the object has, that stands only once in the text, and that no escape can write in
    another way, stands before its value.
    """
    if "\\" in text:
        return None
    old = _decoder.decode(text)
    for key, value in new.items():
        name = f'"{key}"'
        if key not in old or text.count(name) != 1:
            return None
        start = text.index(":", text.index(name) + len(name)) + 1
        while text[start].isspace():
            start += 1
        text = text[:start] + value + text[start + len(bytes(old[key]).decode()) :]
    return text
