"""Cursors of lists: the sort key of the last row, so that a page stays right while rows come.

A cursor is the URL-safe base64 of a JSON list; clients treat it as opaque.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from app.api import wire
from app.errors import Malformed

__all__ = ["Page", "decode", "encode", "short"]


Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[Item]
    next_cursor: str | None = None


def short(
    items: Iterable[Item],
    *,
    key: Callable[[Item], tuple[str, int]],
    limit: int | None,
    cursor: str | None,
) -> Page[Item]:
    """A page of a list that is short enough to be read whole; `key` says how it is ordered.

    Without a `limit` it is all that follows the cursor: nobody misses a category because there
    are more than fifty.
    """
    after = decode(cursor, str, int) if cursor else None
    rest = [item for item in items if after is None or key(item) > after]
    page = rest[:limit]
    return Page(items=page, next_cursor=encode(*key(page[-1])) if len(page) < len(rest) else None)


def encode(*key: Any) -> str:
    """The cursor after a row with this sort key."""
    text = json.dumps(key, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode(cursor: str, *kinds: type) -> tuple[Any, ...]:
    """The sort key in a cursor, whose parts must be of these types; Malformed otherwise."""
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        key = None
    if (
        not isinstance(key, list)
        or len(key) != len(kinds)
        or not all(type(part) is kind for part, kind in zip(key, kinds, strict=True))
        or any(isinstance(part, int) and abs(part) >= 2**63 for part in key)
        or not all(wire.is_storable(part) for part in key if isinstance(part, str))
    ):
        raise Malformed(
            "That cursor is not one of ours.", code="bad_cursor", loc=("query", "cursor")
        )
    return tuple(key)
