"""Hands what transactions tell (live.py) to the streams that are open in this process.

One connection listens for all of them (listener.py). A stream has one
`Subscription`, which gathers what it has to tell until its event loop comes round to it: a few
annotations by name, and beyond that the advice to look at the image. Nothing is lost by that: a
look shows everything, and after each gap, such as a database that was away, everybody looks.
"""

import asyncio
import json
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from app.services.live import live
from app.services.live.listener import Listener
from app.services.live.presence import ALIVE_EVERY_SECONDS, Person, Presence

__all__ = ["MOST_STREAMS_OF_A_USER", "Ended", "Heard", "LiveHub", "Subscription"]

MOST_STREAMS_OF_A_USER = 20
"""Streams of one user in one process; with one more, their oldest one ends."""

_log = logging.getLogger("maskwright.live")

# A stream that has more than this to tell tells to look instead.
_MOST_ANNOTATIONS = 100
# As many as fit into a note, whose size PostgreSQL limits to 8000 bytes.
_MOST_PEOPLE_IN_A_NOTE, _LONGEST_NAME_IN_A_NOTE = 20, 80

Ended = Literal["too_many", "closing"]


@dataclass
class Heard:
    """What there is to tell: changes of annotations, and whether to look at image or people."""

    annotations: list[dict[str, Any]] = field(default_factory=list)
    look: bool = False
    people: bool = False
    ended: Ended | None = None


class Subscription:
    """What one stream has not told yet. `next` belongs to its event loop, the rest to anybody."""

    def __init__(self, image_id: int, dataset_id: int, person: Person) -> None:
        self.image_id, self.dataset_id, self.person = image_id, dataset_id, person
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._lock = threading.Lock()
        self._heard = Heard()

    async def next(self, seconds: float) -> Heard:
        """What came since the last call, waiting for it; after so many seconds, nothing."""
        try:
            await asyncio.wait_for(self._ready.wait(), seconds)
        except TimeoutError:
            return Heard()
        with self._lock:
            heard, self._heard = self._heard, Heard(ended=self._heard.ended)
            self._ready.clear()
        return heard

    def tell(self, change: Callable[[Heard], None]) -> None:
        with self._lock:
            change(self._heard)
        try:
            self._loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:
            # The loop has ended, and the stream with it.
            return

    def tell_annotation(self, note: dict[str, Any]) -> None:
        def add(heard: Heard) -> None:
            if len(heard.annotations) >= _MOST_ANNOTATIONS:
                heard.annotations, heard.look = [], True
            else:
                heard.annotations.append(note)

        self.tell(add)

    def tell_to_look(self) -> None:
        self.tell(lambda heard: setattr(heard, "look", True))

    def tell_people(self) -> None:
        self.tell(lambda heard: setattr(heard, "people", True))

    @property
    def has_ended(self) -> bool:
        """It was told to end; it may take a moment until it does."""
        return self._heard.ended is not None

    def end(self, why: Ended) -> None:
        self.tell(lambda heard: setattr(heard, "ended", why))


class LiveHub:
    """The streams of this process, and who is where. Made once, by the wiring."""

    def __init__(self, database_url: str) -> None:
        self._name = secrets.token_hex(6)
        self._lock = threading.RLock()
        # In the order in which they were opened.
        self._open: dict[Subscription, None] = {}
        self._presence = Presence()
        self._closing = False
        self._listener = Listener(
            database_url,
            live.CHANNEL,
            connected=self._begin,
            heard=self._hear,
            tick=self._tick,
            tick_seconds=ALIVE_EVERY_SECONDS,
        )

    @contextmanager
    def subscribe(
        self, *, image_id: int, dataset_id: int, person: Person
    ) -> Iterator[Subscription]:
        """Hear of an image, and be seen on it, until the end of the with-block."""
        one = Subscription(image_id, dataset_id, person)
        with self._lock:
            if self._closing:
                one.end("closing")
            self._make_room(person)
            is_first = not self._presence.here(image_id)
            if self._presence.join(image_id, person):
                self._people_changed(image_id, ask=is_first)
            # Now, so that it is not told of itself.
            self._open[one] = None
            self._listener.start()
        try:
            yield one
        finally:
            with self._lock:
                del self._open[one]
                if self._presence.leave(image_id, person):
                    self._people_changed(image_id)

    def people(self, image_id: int) -> list[Person]:
        with self._lock:
            return self._presence.people(image_id)

    def close(self) -> None:
        """End all streams, and stop listening."""
        with self._lock:
            self._closing = True
            for one in self._open:
                one.end("closing")
            self._say(about="ended")
        self._listener.stop()

    def _make_room(self, person: Person) -> None:
        theirs = [one for one in self._open if one.person.id == person.id and not one.has_ended]
        surplus = len(theirs) + 1 - MOST_STREAMS_OF_A_USER
        for one in theirs[: max(0, surplus)]:
            one.end("too_many")

    # What other transactions and processes say, in the listener's thread -------------------------

    def _begin(self) -> None:
        """There is a connection again: whatever was said before it is not known."""
        with self._lock:
            self._presence.forget_others()
            for image_id in self._presence.images_here():
                self._announce(image_id, ask=True)
            for one in self._open:
                one.tell_to_look()

    def _hear(self, text: str) -> None:
        try:
            note = json.loads(text)
        except ValueError:
            # Anybody in the database can write to the channel; this is nothing of ours.
            _log.warning("A note that is no JSON was left aside.")
            return
        with self._lock:
            match note:
                case {"about": "annotation", "image": key}:
                    for one in self._on_image(key):
                        one.tell_annotation(note)
                case {"about": "image", "image": key}:
                    for one in self._on_image(key):
                        one.tell_to_look()
                case {"about": "dataset", "dataset": key}:
                    for one in self._open:
                        if one.dataset_id == key:
                            one.tell_to_look()
                case {"about": "user", "user": key}:
                    for one in self._open:
                        if one.person.id == key:
                            one.tell_to_look()
                case {"from": name} if name != self._name:
                    self._hear_process(name, note)

    def _hear_process(self, name: str, note: dict[str, Any]) -> None:
        match note:
            case {"about": "people", "image": key, "people": people, "ask": ask}:
                if self._presence.heard(name, key, (Person(*one) for one in people)):
                    self._tell_people(key)
                if ask and self._presence.here(key):
                    self._announce(key)
            case {"about": "alive"}:
                self._presence.is_alive(name)
            case {"about": "ended"}:
                for key in self._presence.forget(name):
                    self._tell_people(key)

    def _tick(self) -> None:
        with self._lock:
            for key in self._presence.forget_dead():
                self._tell_people(key)
            if self._presence.images_here():
                self._say(about="alive")

    def _on_image(self, image_id: int) -> list[Subscription]:
        return [one for one in self._open if one.image_id == image_id]

    # Who is where --------------------------------------------------------------------------------

    def _people_changed(self, image_id: int, *, ask: bool = False) -> None:
        self._tell_people(image_id)
        self._announce(image_id, ask=ask)

    def _tell_people(self, image_id: int) -> None:
        for one in self._on_image(image_id):
            one.tell_people()

    def _announce(self, image_id: int, *, ask: bool = False) -> None:
        """Tell the other processes who is here; with `ask`, they tell who is there."""
        people = [
            (person.id, person.name[:_LONGEST_NAME_IN_A_NOTE])
            for person in self._presence.here(image_id)[:_MOST_PEOPLE_IN_A_NOTE]
        ]
        self._say(about="people", image=image_id, people=people, ask=ask)

    def _say(self, **members: Any) -> None:
        note = {"from": self._name, **members}
        self._listener.say(json.dumps(note, ensure_ascii=False, separators=(",", ":")))
