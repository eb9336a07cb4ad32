"""What a request may send, and how many large ones are at work at a time.

A JSON body is read as a whole and becomes objects before a route sees it, many times as large as
its text: ``[[],[],…`` takes 24 bytes for each one sent. So bodies are short but where geometry
goes, and what is long is counted while it comes in: texts, lists and objects cost the most. Few
long bodies are read at a time, and fewer become objects: they and whatever asks the mask engine
take turns, so that there has to be memory for some of them, not for as many as somebody sends.

`maskwright serve` has a process of its own for long ones (long_bodies.py): there they take turns,
and keep waiting nobody who sends something short.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Literal

import anyio
from anyio.lowlevel import RunVar
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import deps, problems
from app.context import AppContext

__all__ = ["BodyLimit"]

# Nothing but geometry is longer. Reading JSON stops everything else for about ten milliseconds per
# megabyte (a fifth of that in the routes of geometry), in a thread as well, so strangers have
# nothing to send that is longer either.
MAX_JSON_BYTES = 1_000_000
# An annotation of a million vertices has about 20 MB, and a bitmap of 16 million pixels in rows 32.
MAX_GEOMETRY_BYTES = 32_000_000
# A million rows of a bitmap or half a million masks are so many lists and objects, and texts.
MAX_LISTS_AND_OBJECTS = 1_100_000
MAX_TEXTS = 1_600_000

# A process of its own answers those with longer ones, where there is such a process. Reading a
# megabyte of short objects takes a tenth of a second, and reading so much a few milliseconds.
_LONG_BYTES = 250_000

_GEOMETRY = re.compile(
    r"/api/(masks/[^/]+|images/[^/]+/annotations|annotations/[^/]+(/draw)?"
    r"|predictions/[^/]+/accept)/?"
)
# Their routes look who is calling, and then read the body with app/api/multipart.py.
_FILES = re.compile(r"/api/datasets/[^/]+/(images|imports|mask-imports)/?")
_MASKS = "/api/masks/"
_PATIENCE_SECONDS = 30
# A sender that holds room pauses no longer, and is at its end by then (500 kilobits per second).
_PAUSE_SECONDS = 60
_BODY_SECONDS = 600
# Long bodies that may wait in memory for each request that is computed.
_BODIES_FOR_ONE = 4
_semaphores: RunVar[dict[str, anyio.Semaphore]] = RunVar("large requests")


class BodyLimit:
    """ASGI middleware that refuses bodies over the limits with 413, while they come in.

    A route of files looks who is calling before it reads; the body of any other is read before
    that, whatever its type is said to be, so long ones of strangers are refused here.
    """

    def __init__(
        self, app: ASGIApp, *, context: AppContext, long_bodies: ASGIApp | None = None
    ) -> None:
        """`long_bodies` answers who sends them, where another process does that."""
        self.app = app
        self.context = context
        self.long_bodies = long_bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        told = int(length) if length.isdigit() else 0
        sends_files = headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data")
        if sends_files and _FILES.fullmatch(scope["path"]):
            most = self.context.settings.max_upload_mb * 1_000_000
            if told > most:
                await _too_large(most)(scope, receive, send)
            else:
                await self.app(scope, _Upload(receive, most), send)
            return
        if told > MAX_JSON_BYTES and told > (most := await self._most(scope)):
            await _too_large(most)(scope, receive, send)
            return
        if self.long_bodies is not None and await self._is_for_elsewhere(scope, headers, told):
            await self.long_bodies(scope, receive, send)
            return
        turn = _Turn(self.context.settings.large_requests)
        body = _Json(
            receive,
            turn,
            lambda: self._most(scope),
            scope.setdefault("state", {}),
            is_long=told > MAX_JSON_BYTES,
            is_masks=scope["path"].startswith(_MASKS),
        )
        try:
            await self.app(scope, body, turn.ended_by(send))
        finally:
            turn.end()

    async def _is_for_elsewhere(
        self, scope: Scope, headers: Mapping[bytes, bytes], told: int
    ) -> bool:
        """Whether the body is long, or may become so, and is somebody's who may send that."""
        if told <= _LONG_BYTES and b"transfer-encoding" not in headers:
            return False
        return await self._most(scope) > MAX_JSON_BYTES

    async def _most(self, scope: Scope) -> int:
        """How long the JSON that this request sends may be."""
        if not _GEOMETRY.fullmatch(scope["path"]):
            return MAX_JSON_BYTES
        is_known = await run_in_threadpool(self._is_known, scope)
        return MAX_GEOMETRY_BYTES if is_known else MAX_JSON_BYTES

    def _is_known(self, scope: Scope) -> bool:
        with self.context.sessions.begin() as session:
            return deps.find_identity(Request(scope), self.context, session) is not None


def _told(limit: int) -> str:
    return f"The body is larger than {limit:,} bytes."


def _too_large(limit: int) -> ASGIApp:
    return problems.problem(413, "too_large", _told(limit), headers={"Connection": "close"})


class _Turn:
    """What a large request holds: room for its body, and leave to be computed.

    Who sends slowly takes up room alone, so that it keeps nobody waiting who computes.
    """

    def __init__(self, most: int) -> None:
        self._most = {"room": _BODIES_FOR_ONE * most, "leave": most}
        self._held: dict[str, anyio.Semaphore] = {}

    async def take(self, what: Literal["room", "leave"]) -> None:
        """Wait for it, unless it is there already; 503 when it does not come."""
        if what in self._held:
            return
        try:
            semaphores = _semaphores.get()
        except LookupError:
            semaphores = {name: anyio.Semaphore(most) for name, most in self._most.items()}
            _semaphores.set(semaphores)
        with anyio.move_on_after(_PATIENCE_SECONDS):
            await semaphores[what].acquire()
            self._held[what] = semaphores[what]
        if what not in self._held:
            detail = "Too many large requests are under way; try again later."
            raise problems.Refused(503, detail, code="unavailable", headers={"Retry-After": "10"})

    def end(self) -> None:
        while self._held:
            self._held.popitem()[1].release()

    def ended_by(self, send: Send) -> Send:
        """`send`, ending the turn when the answer is there: who reads it slowly holds nobody up."""

        async def sending(message: Message) -> None:
            self.end()
            await send(message)

        return sending


class _Upload:
    """`receive` of a body that goes to the disk, failing when more came than may be."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._left = self._most = most

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise problems.Refused(413, _told(self._most), code="too_large")
        return message


class _Json:
    """`receive` of a body that is held in memory, failing when more came than may be."""

    def __init__(
        self,
        receive: Receive,
        turn: _Turn,
        find_most: Callable[[], Awaitable[int]],
        state: MutableMapping[str, Any],
        *,
        is_long: bool,
        is_masks: bool,
    ) -> None:
        self._receive = receive
        self._turn = turn
        self._find_most = find_most
        self._state = state
        self._is_long = is_long
        self._is_masks = is_masks
        self._most = 0
        self._bytes = self._nested = self._quotes = 0
        self._is_read = False
        self._end = 0.0

    async def __call__(self) -> Message:
        if self._is_read:
            # Whether the client is still there.
            return await self._receive()
        if self._is_long:
            await self._turn.take("room")
        message = await self._in_time() if self._is_long else await self._receive()
        body = message.get("body", b"")
        self._bytes += len(body)
        self._nested += body.count(b"[") + body.count(b"{")
        self._quotes += body.count(b'"')
        if self._bytes > MAX_JSON_BYTES:
            self._most = self._most or await self._find_most()
            if self._bytes > self._most:
                raise problems.Refused(413, _told(self._most), code="too_large")
            self._is_long = True
        if self._nested > MAX_LISTS_AND_OBJECTS or self._quotes > 2 * MAX_TEXTS:
            detail = (
                f"The body has more than {MAX_LISTS_AND_OBJECTS:,} lists and objects, "
                f"or {MAX_TEXTS:,} texts."
            )
            raise problems.Refused(413, detail, code="body_too_complex")
        self._is_read = not message.get("more_body", False)
        if (self._is_long or self._is_masks) and self._is_read:
            await self._turn.take("leave")
            # While it waited for the database, nobody else would be computed.
            self._state["holds_others_up"] = self._is_long
        return message

    async def _in_time(self) -> Message:
        """The next piece of a long body; 408 when others have waited for its room long enough."""
        now = anyio.current_time()
        self._end = self._end or now + _BODY_SECONDS
        with anyio.CancelScope(deadline=min(now + _PAUSE_SECONDS, self._end)):
            return await self._receive()
        detail = "The body came too slowly; try again."
        raise problems.Refused(408, detail, code="too_slow", headers={"Connection": "close"})
