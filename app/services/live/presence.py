"""Who is on which image: in this server process, and in the others that share the database.

Each process knows its own people for certain. Of the others it knows what they announce; one that
has said nothing for a while, not even that it is alive, is taken for dead, with its people.
"""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["ALIVE_EVERY_SECONDS", "Person", "Presence"]

ALIVE_EVERY_SECONDS = 5.0
_DEAD_AFTER_SECONDS = 3 * ALIVE_EVERY_SECONDS


class Person(NamedTuple):
    """Somebody who has the image open; `name` is their name or, without one, their address."""

    id: int
    name: str


@dataclass
class _Process:
    """What another server process has announced."""

    heard_at: float
    people: dict[int, tuple[Person, ...]] = field(default_factory=dict)


class Presence:
    """People by image. Not safe for threads by itself: the hub holds its lock around each call."""

    def __init__(self) -> None:
        self._here: dict[int, Counter[Person]] = {}
        self._others: dict[str, _Process] = {}

    def join(self, image_id: int, person: Person) -> bool:
        """One more stream of this person; returns whether they were not here before."""
        here = self._here.setdefault(image_id, Counter())
        here[person] += 1
        return here[person] == 1

    def leave(self, image_id: int, person: Person) -> bool:
        """One stream less; returns whether it was their last one."""
        here = self._here[image_id]
        here[person] -= 1
        gone = here[person] == 0
        if gone:
            del here[person]
            if not here:
                del self._here[image_id]
        return gone

    def here(self, image_id: int) -> list[Person]:
        """Those of this process alone."""
        return list(self._here.get(image_id, ()))

    def images_here(self) -> list[int]:
        return list(self._here)

    def people(self, image_id: int) -> list[Person]:
        """Everybody on the image, once each, by name."""
        found = {person.id: person for person in self.here(image_id)}
        for process in self._others.values():
            found |= {person.id: person for person in process.people.get(image_id, ())}
        return sorted(found.values(), key=lambda person: (person.name.casefold(), person.id))

    def heard(self, process: str, image_id: int, people: Iterable[Person]) -> bool:
        """Another process announced who is on an image; returns whether that is news."""
        before = self.people(image_id)
        known = self._others.setdefault(process, _Process(0.0))
        known.heard_at = time.monotonic()
        known.people[image_id] = tuple(people)
        if not known.people[image_id]:
            del known.people[image_id]
        return self.people(image_id) != before

    def is_alive(self, process: str) -> None:
        if process in self._others:
            self._others[process].heard_at = time.monotonic()

    def forget(self, process: str) -> list[int]:
        """A process has ended; the images on which it had people."""
        known = self._others.pop(process, None)
        return list(known.people) if known else []

    def forget_dead(self) -> list[int]:
        """The same for every process that has been silent for too long."""
        limit = time.monotonic() - _DEAD_AFTER_SECONDS
        dead = [name for name, process in self._others.items() if process.heard_at < limit]
        return [image_id for name in dead for image_id in self.forget(name)]

    def forget_others(self) -> None:
        """What the others announced while nobody listened is not known."""
        self._others.clear()
