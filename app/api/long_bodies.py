"""Requests with long bodies, answered by a process of their own.

Reading 20 MB of JSON and looking through what it says stops everything else in a Python process for
a second or more, in a thread as well. So the web process passes such a request on as it comes in,
and the answer as it comes back, and sees neither as a whole. The other process
(app/long_process.py) is the same application on the same database. It is started by the first
request that needs it, and ended when none has for some minutes: its memory is the system's again.

For each request it is handed one end of a pair of sockets; messages.py says what goes over it. It
ends with this process, whatever ends this one, for then nobody holds the other end any more.
"""

import asyncio
import contextlib
import logging
import socket
import subprocess
import sys
import threading

from starlette.types import Receive, Scope, Send

from app.api import messages, problems

__all__ = ["LongBodies"]

# Whoever draws something large saves it again before that.
_IDLE_SECONDS = 300.0
_SCOPE = (
    "type",
    "asgi",
    "http_version",
    "method",
    "scheme",
    "path",
    "raw_path",
    "query_string",
    "root_path",
    "headers",
    "client",
    "server",
)
_log = logging.getLogger("maskwright.long_bodies")


class LongBodies:
    """ASGI application that has another process answer. It belongs to one event loop."""

    def __init__(self) -> None:
        self._process: _Process | None = None
        self._under_way = 0
        self._end: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._under_way += 1
        if self._end is not None:
            self._end.cancel()
        try:
            is_answered = await self._pass_on(scope, receive, send)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._end = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self.close)
        if not is_answered:
            detail = "The server could not work on the request; try again."
            again = {"Retry-After": "10"}
            await problems.problem(503, "unavailable", detail, headers=again)(scope, receive, send)

    def close(self) -> None:
        """End the process, and what it is doing."""
        if self._process is not None:
            self._process.close()
            self._process = None

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Whether an answer came; one that breaks off breaks off here, too."""
        try:
            reader, writer = await asyncio.open_connection(sock=self._connect())
        except OSError as error:
            _log.warning("no process for long bodies: %s", error)
            return False
        sending = asyncio.create_task(_send_request(scope, receive, writer))
        is_begun = False
        try:
            while (message := await messages.read(reader)) is not None:
                is_begun = True
                await send(message)
                if message["type"] == "http.response.body" and not message.get("more_body"):
                    break
        finally:
            sending.cancel()
            writer.close()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sending
        return is_begun

    def _connect(self) -> socket.socket:
        """A connection to the process, which is started unless it runs."""
        if self._process is not None and not self._process.has_ended():
            # It may be about to end: it closes its sockets first.
            with contextlib.suppress(ConnectionError):
                return self._process.connect()
        self.close()
        self._process = _Process()
        return self._process.connect()


class _Process:
    """The other process, and the socket by which it gets its connections."""

    def __init__(self) -> None:
        self._connections, its_end = socket.socketpair()
        # One that takes no connections any more must not stop this process, too.
        self._connections.setblocking(False)
        with its_end:
            number = its_end.fileno()
            self._child = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-P", "-m", "app.cli", "long-bodies", "--socket", str(number)],
                pass_fds=(number,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )

    def has_ended(self) -> bool:
        return self._child.poll() is not None

    def connect(self) -> socket.socket:
        """Our end of a new connection."""
        ours, its_end = socket.socketpair()
        with its_end:
            try:
                socket.send_fds(self._connections, [b"\0"], [its_end.fileno()])
            except OSError:
                ours.close()
                raise
        return ours

    def close(self) -> None:
        self._connections.close()
        self._child.kill()
        # The kernel needs a while to take a gigabyte back.
        threading.Thread(target=self._child.wait, daemon=True).start()


async def _send_request(scope: Scope, receive: Receive, writer: asyncio.StreamWriter) -> None:
    """Send what the request is, and its body as it comes in; at last, that the client went."""
    await messages.write(writer, {name: scope[name] for name in _SCOPE if name in scope})
    while (message := await receive())["type"] == "http.request":
        await messages.write(writer, message)
    writer.close()
