"""The process that answers requests with long bodies for the web process.

It is the same application; only its requests come from app/api/long_bodies.py, which says why.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

from starlette.types import ASGIApp, Message, Scope

from app.api import messages
from app.child_process import go_first
from app.config import Settings
from app.context import make_context
from app.main import create_app

__all__ = ["run"]

# Few requests are at work at a time. There are more connections when these are all in use.
_CONNECTIONS_KEPT = 2
_PIECE_BYTES = 256 * 1024
_log = logging.getLogger("maskwright.long_bodies")


def run(settings: Settings, descriptor: int) -> None:
    """Answer what comes by the socket `descriptor`, until its other end is closed."""
    go_first()
    few = settings.model_copy(update={"database_pool_size": _CONNECTIONS_KEPT})
    context = make_context(few)
    with socket.socket(fileno=descriptor) as connections:
        asyncio.run(_serve(create_app(few, context), connections))
    context.close()


async def _serve(app: ASGIApp, connections: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    connections.setblocking(False)
    ended = asyncio.Event()
    requests = set[asyncio.Task[None]]()

    def take() -> None:
        told, descriptors, _, _ = socket.recv_fds(connections, 1, 1)
        if not told:
            ended.set()
        for descriptor in descriptors:
            request = loop.create_task(_answer(app, socket.socket(fileno=descriptor)))
            requests.add(request)
            request.add_done_callback(requests.discard)

    loop.add_reader(connections, take)
    await ended.wait()


async def _answer(app: ASGIApp, connection: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=connection)
    told = await messages.read(reader)

    async def receive() -> Message:
        return await messages.read(reader) or {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        # A client that went away is told nothing, and its request goes on as any other's.
        with contextlib.suppress(ConnectionError):
            for piece in _pieces(message):
                await messages.write(writer, piece)

    try:
        if told is not None:
            await app(_scope(told), receive, send)
    except Exception:  # noqa: BLE001 - as any server, it goes on with the next one
        _log.exception("a request failed")
    finally:
        writer.close()


def _scope(told: Scope) -> Scope:
    """What msgpack has made lists of is tuples again."""
    pairs = [(name, value) for name, value in told["headers"]]
    ends = {name: tuple(told[name]) for name in ("client", "server") if told.get(name)}
    return {**told, **ends, "headers": pairs}


def _pieces(message: Message) -> Iterator[Message]:
    """A long body in pieces, so that the web process handles each in no time."""
    body = message.get("body", b"")
    if len(body) <= _PIECE_BYTES:
        yield message
        return
    for start in range(0, len(body), _PIECE_BYTES):
        stop = start + _PIECE_BYTES
        more = bool(message.get("more_body")) or stop < len(body)
        yield {**message, "body": body[start:stop], "more_body": more}
