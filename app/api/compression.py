"""Long JSON answers, compressed for whoever takes that.

Two thousand polygons are megabytes, of which two thirds can be spared. Compressed is what is there
as a whole: exports and events are sent while they are made, and files and pictures are short
already. Answers with an ETag stay as they are, since it names these very bytes.

Who can measure how long answers get may guess what stands beside text of his own (BREACH). Nothing
here holds a secret beside what a request says but a new token, which is short and never the same;
pages, which carry the token of their forms, are not compressed.
"""

import re
import zlib

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CompressJson", "accepts_gzip"]

# What fits into a packet is there no sooner when it is shorter.
_SHORTEST_BYTES = 1400
# A third of the size at 120 megabytes a second. The next levels spare a tenth more for several
# times the work.
_LEVEL = 1
# Longer ones take more than a millisecond, in which nobody else is served but by a thread.
_LONG_BYTES = 100_000
_GZIP = 16 + zlib.MAX_WBITS
_JSON = re.compile(r"application/([a-z.-]+\+)?json\s*(;.*)?", re.IGNORECASE)
_CODING = re.compile(r"\s*([!#$%&'*+.^_`|~0-9a-z-]+)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?")


def accepts_gzip(headers: Headers) -> bool:
    """Whether ``Accept-Encoding`` allows gzip, by name or, where it is not named, by ``*``.

    >>> accepts_gzip(Headers({"accept-encoding": "br, gzip;q=0.5"}))
    True
    >>> accepts_gzip(Headers({"accept-encoding": "gzip;q=0, *"}))
    False
    """
    weights = {}
    for coding in ",".join(headers.getlist("accept-encoding")).lower().split(","):
        found = _CODING.fullmatch(coding)
        if found is not None:
            weights[found[1]] = float(found[2] or 1)
    return weights.get("gzip", weights.get("*", 0)) > 0


class CompressJson:
    """ASGI middleware that compresses long JSON answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            send = _Answer(send, is_taken=accepts_gzip(Headers(scope=scope)))
        await self.app(scope, receive, send)


class _Answer:
    """`send` that keeps the head of a long JSON answer until its body is there."""

    def __init__(self, send: Send, *, is_taken: bool) -> None:
        self._send = send
        self._is_taken = is_taken
        self._head: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if _is_long_json(headers):
                headers.add_vary_header("Accept-Encoding")
                if self._is_taken:
                    self._head = message
                    return
        elif self._head is not None:
            head, self._head = self._head, None
            if not message.get("more_body"):
                await _compress(head, message)
            await self._send(head)
        await self._send(message)


def _is_long_json(headers: Headers) -> bool:
    """Only what is there as a whole tells its length."""
    length = headers.get("content-length", "")
    return (
        length.isdigit()
        and int(length) >= _SHORTEST_BYTES
        and _JSON.fullmatch(headers.get("content-type", "")) is not None
        and not any(name in headers for name in ("etag", "content-encoding", "content-range"))
    )


async def _compress(head: Message, message: Message) -> None:
    body = message.get("body", b"")
    long = len(body) >= _LONG_BYTES
    message["body"] = await run_in_threadpool(_gzip, body) if long else _gzip(body)
    headers = MutableHeaders(scope=head)
    headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(message["body"]))


def _gzip(body: bytes) -> bytes:
    return zlib.compress(body, _LEVEL, _GZIP)
