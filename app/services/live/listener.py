"""The one connection of a server process that listens to the notes of all transactions.

It has a thread of its own, which sleeps until a note comes, until there is something to say, or
until the next tick. When the connection breaks, notes are lost until there is a new one: then
`connected` is called, and whoever relies on notes has to look at what they are about.
"""

import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import psycopg
from psycopg import conninfo, sql

__all__ = ["Listener"]

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.25, 10.0
_STOP_SECONDS = 2.0
# A database server that vanished without a word is noticed by the network's own means.
_KEEPALIVE = {"keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 4}

_log = logging.getLogger("maskwright.live")


class Listener:
    """Listens on `channel` from the first `start` to `stop`; the callbacks run in its thread."""

    def __init__(
        self,
        url: str,
        channel: str,
        *,
        connected: Callable[[], None],
        heard: Callable[[str], None],
        tick: Callable[[], None],
        tick_seconds: float,
    ) -> None:
        address = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._address = conninfo.make_conninfo(address, **_KEEPALIVE)
        self._channel = channel
        self._connected, self._heard, self._tick = connected, heard, tick
        self._tick_seconds = tick_seconds
        self._sayings: deque[str] = deque()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._woken: socket.socket
        self._waker: socket.socket

    def start(self) -> None:
        """Begin to listen; does nothing when it has begun. Not for two threads at once."""
        if self._thread is None and not self._stopping:
            # A byte in here wakes the thread from its sleep. Made here, so that who never begins
            # has nothing to close.
            self._woken, self._waker = socket.socketpair()
            self._woken.setblocking(False)
            self._waker.setblocking(False)
            self._thread = threading.Thread(target=self._run, name="live-notes", daemon=True)
            self._thread.start()

    def say(self, note: str) -> None:
        """Send a note of our own, when there is a connection; nobody waits for it."""
        self._sayings.append(note)
        self._wake()

    def stop(self) -> None:
        """Say what is still to be said, and end."""
        if self._stopping:
            return
        self._stopping = True
        if self._thread is not None:
            self._wake()
            self._thread.join(_STOP_SECONDS)
            self._woken.close()
            self._waker.close()

    def _wake(self) -> None:
        if self._thread is None:
            return
        try:
            self._waker.send(b".")
        except OSError:
            # Full: it wakes up anyway. Closed: it has ended.
            return

    def _run(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopping:
            try:
                with psycopg.connect(
                    self._address,
                    autocommit=True,
                    connect_timeout=10,
                    application_name="maskwright live",
                ) as connection:
                    connection.add_notify_handler(lambda note: self._heard(note.payload))
                    connection.execute(sql.SQL("listen {}").format(sql.Identifier(self._channel)))
                    # What was to be said on a connection before is outdated.
                    self._sayings.clear()
                    self._connected()
                    pause = _FIRST_PAUSE_SECONDS
                    self._listen(connection)
            except psycopg.Error as error:
                _log.info("No connection to listen on: %s", error)
                pause = self._rest(pause)
            except Exception:  # noqa: BLE001
                # Such as a note of another version's process. Without this thread all streams would
                # be silent and seem well; a new connection makes everybody look.
                _log.exception("The listener failed, and begins anew")
                pause = self._rest(pause)

    def _rest(self, pause: float) -> float:
        """Wait before the next attempt, unless it is the end; how long to wait after that one."""
        if not self._stopping:
            _wait([self._woken.fileno()], pause)
        return min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _listen(self, connection: psycopg.Connection) -> None:
        next_tick = time.monotonic() + self._tick_seconds
        while True:
            # Read before anything is said: what `stop` was told before is said, too.
            stopping = self._stopping
            while self._sayings:
                connection.execute(
                    "select pg_notify(%s, %s)", (self._channel, self._sayings.popleft())
                )
            if stopping:
                return
            sources = [connection.fileno(), self._woken.fileno()]
            readable = _wait(sources, max(0.0, next_tick - time.monotonic()))
            if self._woken.fileno() in readable:
                self._woken.recv(4096)
            if connection.fileno() in readable:
                self._receive(connection)
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + self._tick_seconds
                self._tick()

    def _receive(self, connection: psycopg.Connection) -> None:
        connection.pgconn.consume_input()
        while note := connection.pgconn.notifies():
            self._heard(note.extra.decode())


def _wait(descriptors: Sequence[int], seconds: float) -> set[int]:
    """Those of the descriptors that can be read; none when the time is over.

    Not select.select, which fails from descriptor 1024 on: each open stream takes one.
    """
    with selectors.DefaultSelector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        return {key.fd for key, _ in selector.select(seconds)}
