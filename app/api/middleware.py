"""What holds for every request: how large its body may be, and headers of every answer."""

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problems

__all__ = ["BodyLimit", "SafeHeaders"]

# A JSON body is read as a whole before a route sees it: an annotation of a million vertices has
# about 20 MB, and a batch of masks may be as large again.
MAX_JSON_BYTES = 64_000_000


class BodyLimit:
    """ASGI middleware that refuses bodies over the limit with 413, while they come in."""

    def __init__(self, app: ASGIApp, *, max_upload_bytes: int) -> None:
        self.app = app
        self.max_upload_bytes = max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        multipart = headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data")
        limit = self.max_upload_bytes if multipart else MAX_JSON_BYTES
        detail = f"The body is larger than {limit:,} bytes."
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > limit:
            answer = problems.problem(413, "too_large", detail, headers={"Connection": "close"})
            await answer(scope, receive, send)
            return
        await self.app(scope, _counted(receive, limit, detail), send)


def _counted(receive: Receive, limit: int, detail: str) -> Receive:
    """`receive`, failing as soon as more than `limit` bytes came."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413, detail)
        return message

    return counted


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
