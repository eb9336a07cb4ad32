"""A web server in this process, and clients that follow its server-sent events as browsers do."""

import json
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import httpx2 as httpx
import uvicorn
from fastapi import FastAPI

__all__ = ["Event", "Follower", "following", "serving"]

SECONDS = 30.0


class Event(NamedTuple):
    """An event as it came; a comment is called ``ping``."""

    name: str
    data: dict[str, Any]
    id: int | None = None


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The address of a server that runs in a thread until the end of the with-block."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{opened.getsockname()[1]}"
        finally:
            app.state.live.close()
            server.should_exit = True
            thread.join(SECONDS)


class Follower:
    """One open stream; its events wait here until the test asks for them."""

    def __init__(self, response: httpx.Response) -> None:
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(response,))
        self._thread.start()

    def _read(self, response: httpx.Response) -> None:
        fields: dict[str, str] = {}
        with suppress(httpx.HTTPError, httpx.StreamError):
            for line in response.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields:
                    self._put(fields)
                    fields = {}
        self._events.put(None)

    def _put(self, fields: dict[str, str]) -> None:
        if "event" in fields:
            number = int(fields["id"]) if "id" in fields else None
            self._events.put(Event(fields["event"], json.loads(fields["data"]), number))

    def next(self, name: str | None = None) -> Event:
        """The next event, or the next one of this name; fails when the stream ends before."""
        while True:
            event = self._events.get(timeout=SECONDS)
            assert event is not None, "the stream has ended"
            if name in (None, event.name):
                return event

    def rest(self) -> list[Event]:
        """What came until the stream's end."""
        found = []
        while (event := self._events.get(timeout=SECONDS)) is not None:
            found.append(event)
        return found

    def join(self) -> None:
        self._thread.join(SECONDS)


@contextmanager
def following(
    address: str, token: str, image_id: int, headers: dict[str, str] | None = None, **params: int
) -> Iterator[Follower]:
    """Follow an image with an API token; the stream is cut at the end of the with-block."""
    sent = {"Authorization": f"Bearer {token}", **(headers or {})}
    with httpx.Client(base_url=address, headers=sent, timeout=SECONDS) as client:
        path = f"/api/images/{image_id}/events"
        with client.stream("GET", path, params=params) as response:
            response.raise_for_status()
            follower = Follower(response)
            try:
                yield follower
            finally:
                with suppress(OSError):
                    cut(response)
    follower.join()


def cut(response: httpx.Response) -> None:
    """Break the connection, which another thread is reading from."""
    stream = response.extensions["network_stream"]
    stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
