"""Sending stored bytes: ETags, ranges, and headers that keep a file from being run as a page."""

import re
from typing import Any
from urllib.parse import quote

from fastapi import HTTPException, Request
from fastapi.responses import Response, StreamingResponse

from app.services.files.storage import Storage

__all__ = ["binary", "disposition", "headers", "not_modified", "send", "send_bytes"]

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_FOREVER = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"


def headers(tag: str, *, forever: bool = False) -> dict[str, str]:
    """What goes with every file that somebody uploaded, or that was made from one.

    The bytes are anybody's: even if a browser could be talked into reading them as a page, the
    policy lets that page do nothing.
    """
    return {
        "ETag": f'"{tag}"',
        "Cache-Control": _FOREVER if forever else _ASK_AGAIN,
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


def disposition(file_name: str, *, kind: str = "inline") -> str:
    """The header that names a file, safe for any name; see RFC 6266."""
    base = file_name.replace("\\", "/").rpartition("/")[2] or "file"
    plain = "".join(c if 32 <= ord(c) < 127 and c not in '"\\%' else "_" for c in base)
    exact = quote(base.encode("utf-8", "replace"), safe="")
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def not_modified(request: Request, tag: str, *, forever: bool = False) -> Response | None:
    """304 when the sender has this very state already."""
    sent = request.headers.get("if-none-match", "")
    known = {part.strip().removeprefix("W/") for part in sent.split(",")}
    if "*" in known or f'"{tag}"' in known:
        return Response(status_code=304, headers=headers(tag, forever=forever))
    return None


def send_bytes(data: bytes, *, media_type: str, tag: str, forever: bool = False) -> Response:
    return Response(data, media_type=media_type, headers=headers(tag, forever=forever))


def send(
    request: Request,
    storage: Storage,
    key: str,
    *,
    media_type: str,
    tag: str,
    more: dict[str, str],
    forever: bool = False,
) -> Response:
    """A stored file, or the range of it that was asked for, streamed."""
    size = storage.size(key)
    common = headers(tag, forever=forever) | {"Accept-Ranges": "bytes"} | more
    wanted = _wanted(request, tag, size)
    start, stop = wanted or (0, size)
    common["Content-Length"] = str(stop - start)
    if wanted:
        common["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return StreamingResponse(
        storage.chunks(key, start, stop),
        status_code=206 if wanted else 200,
        media_type=media_type,
        headers=common,
    )


def _wanted(request: Request, tag: str, size: int) -> tuple[int, int] | None:
    """The one range that is asked for; None for the whole file, also when several are."""
    found = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if found is None or request.headers.get("if-range", f'"{tag}"') != f'"{tag}"':
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    start = int(first[:20]) if first else max(0, size - int(last[:20]))
    stop = min(size, int(last[:20]) + 1) if first and last else size
    if first and last and int(last[:20]) < int(first[:20]):
        return None
    if start >= stop:
        raise HTTPException(
            416,
            f"The file has {size} bytes.",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return start, stop


def binary(*media_types: str, ranges: bool = False) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that sends a file, for its description."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in media_types}
    found: dict[int | str, dict[str, Any]] = {
        200: {"description": "The file.", "content": content},
        304: {"description": "The sender has it already."},
    }
    if ranges:
        found[206] = {"description": "The range that was asked for.", "content": content}
    return found
