"""The body of a request as it was written: each member's value and its very text.

FastAPI reads a body into Python values, and 12.50 becomes 12.5 there. Where numbers are kept as
they were sent, a route takes a model for checking and describing the body, and `BodyDep` for its
text.

Nothing else goes on in the process while JSON is read, in a thread neither. So routes of long
bodies are `LongBodyRoute`: its reader takes a fifth of the time that Python's own does.
"""

import json
import math
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.errors import Invalid, Malformed
from app.formats.coco import rawjson
from app.services.annotations.shapes import Json

__all__ = ["BodyDep", "LongBodyRoute", "members", "named"]


class LongBodyRoute(APIRoute):
    """A route whose body is read quickly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await handle(_Request(request.scope, request.receive))

        return handler


class _Request(Request):
    async def json(self) -> Any:
        # What this reader refuses is read, or refused with its reason, by Python's.
        return rawjson.decode(await self.body())


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
    values: dict[str, Any] = rawjson.decode(compact)
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
