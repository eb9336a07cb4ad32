"""The body of a request as it was written: each member's value and its very text.

FastAPI reads a body into Python values, and 12.50 becomes 12.5 there. Where numbers are kept as
they were sent, a route takes a model for checking and describing the body, and `BodyDep` for its
text.
"""

import json
import math
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request
from pydantic import BaseModel

from app.errors import Invalid, Malformed
from app.formats.coco import rawjson
from app.services.shapes import Json

__all__ = ["BodyDep", "members", "named"]


async def _body(request: Request) -> bytes:
    return await request.body()


BodyDep = Annotated[bytes, Depends(_body)]


def members(body: bytes | str) -> dict[str, Json]:
    """The members of a JSON object, with what it has of white space between tokens left out."""
    text = body if isinstance(body, bytes) else body.encode()
    try:
        compact = msgspec.json.format(text, indent=-1)
        texts = rawjson.members(compact)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unreadable(text) from None
    values: dict[str, Any] = json.loads(compact)
    return {name: Json(values[name], text) for name, text in texts.items()}


def named(body: BaseModel, written: bytes) -> dict[str, Json]:
    """The members that a checked body names, as they were written."""
    found = members(written)
    return {name: found[name] for name in found if name in body.model_fields_set}


def _unreadable(body: bytes) -> Invalid | Malformed:
    """Python's reader is more generous than JSON is: it takes NaN and lone surrogates."""
    try:
        place = _not_finite(json.loads(body), ("body",))
    except (ValueError, RecursionError):
        place = None
    if place is not None:
        return Invalid("NaN and infinities are no JSON numbers.", code="not_finite", loc=place)
    return Malformed("The body is not valid JSON in UTF-8.")


def _not_finite(value: Any, place: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    if isinstance(value, float):
        return None if math.isfinite(value) else place
    if not isinstance(value, dict | list):
        return None
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return next((found for key, item in inner if (found := _not_finite(item, (*place, key)))), None)
