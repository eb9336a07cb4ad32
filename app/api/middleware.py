"""What holds for every request: how large its body may be, HEAD, and headers of every answer."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import deps, problems
from app.context import AppContext

__all__ = ["BodyLimit", "HeadAsGet", "SafeHeaders"]

# A JSON body is read as a whole before a route sees it: an annotation of a million vertices has
# about 20 MB, and a batch of masks may be as large again.
MAX_JSON_BYTES = 64_000_000
# Reading JSON stops everything else for about ten milliseconds per megabyte, in a thread as well.
# Strangers have nothing to send that is longer than this.
MAX_STRANGERS_JSON_BYTES = 1_000_000


class BodyLimit:
    """ASGI middleware that refuses bodies over the limit with 413, while they come in.

    An upload's route looks who is calling before it reads; a JSON body is read before that, so
    long ones of strangers are refused here.
    """

    def __init__(self, app: ASGIApp, *, context: AppContext, max_upload_bytes: int) -> None:
        self.app = app
        self.context = context
        self.max_upload_bytes = max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        multipart = headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data")
        most = self.max_upload_bytes if multipart else MAX_JSON_BYTES

        async def limit() -> int:
            if multipart or await run_in_threadpool(self._is_known, scope):
                return most
            return MAX_STRANGERS_JSON_BYTES

        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > MAX_STRANGERS_JSON_BYTES:
            allowed = await limit()
            if int(length) > allowed:
                await _too_large(allowed)(scope, receive, send)
                return
        await self.app(scope, _counted(receive, limit), send)

    def _is_known(self, scope: Scope) -> bool:
        with self.context.sessions.begin() as session:
            return deps.find_identity(Request(scope), self.context, session) is not None


def _told(limit: int) -> str:
    return f"The body is larger than {limit:,} bytes."


def _too_large(limit: int) -> ASGIApp:
    return problems.problem(413, "too_large", _told(limit), headers={"Connection": "close"})


def _counted(receive: Receive, find_limit: Callable[[], Awaitable[int]]) -> Receive:
    """`receive`, failing as soon as more bytes came than the caller may send."""
    seen, limit = 0, 0

    async def counted() -> Message:
        nonlocal seen, limit
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_STRANGERS_JSON_BYTES:
            limit = limit or await find_limit()
            if seen > limit:
                raise HTTPException(413, _told(limit))
        return message

    return counted


class HeadAsGet:
    """ASGI middleware that answers HEAD like GET; the web server leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self.app(scope, receive, send)


class SafeHeaders:
    """ASGI middleware that adds what every answer carries, unless the route set it itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, hardened)
