"""Which image an uploaded file belongs to: a plan, made from names, sizes and hashes alone.

In this order, and each step for all files before the next:

1. The dataset has an image of this name. Without pixels, it gets these; with the same bytes, the
   file is there already; with other bytes, the name is taken.
2. The same bytes are there under a name of which one is the end of the other.
3. Exactly one image without pixels has a name of which one is the end of the other: "a/1.jpg" and
   "train/a/1.jpg". Failing that, exactly one has the same last step.
4. Whatever is left is a new image.

Where several fit, the file is refused, and whoever sent it can say which by a longer path.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.services.files.names import base_name, share_an_end

__all__ = ["Arrival", "Decision", "Existing", "Refusal", "decide", "plan"]

_NAMES_TOLD = 3


@dataclass(frozen=True)
class Arrival:
    """A sound file: its name for comparing, its hash, and its sizes as (width, height)."""

    match_name: str
    sha256: str
    shown: tuple[int, int]
    raw: tuple[int, int]
    orientation: int


@dataclass(frozen=True)
class Existing:
    """An image of the dataset; `sha256` is None while it has no pixels."""

    id: int
    match_name: str
    size: tuple[int, int]
    sha256: str | None
    described: bool


@dataclass(frozen=True)
class Refusal:
    """Why a file is not taken."""

    code: str
    message: str


@dataclass
class Decision:
    """What becomes of a file. With nothing set, it is a new image.

    `fills` are images that get its pixels, each with the orientation to apply; `same` are images
    that have them; `repeats` is the place of an equal file that came before it.
    """

    fills: list[tuple[int, int]] = field(default_factory=list)
    same: list[int] = field(default_factory=list)
    repeats: int | None = None
    refusal: Refusal | None = None

    @property
    def is_new(self) -> bool:
        return not (self.fills or self.same or self.refusal) and self.repeats is None


def plan(arrivals: Sequence[Arrival], existing: Iterable[Existing]) -> list[Decision]:
    """A decision for each file, in order."""
    return _Plan(arrivals, list(existing)).run()


class _Plan:
    def __init__(self, arrivals: Sequence[Arrival], existing: list[Existing]) -> None:
        self._arrivals = arrivals
        self._decisions: list[Decision | None] = [None] * len(arrivals)
        self._by_name: dict[str, list[Existing]] = {}
        self._by_hash: dict[str, list[Existing]] = {}
        self._waiting: dict[str, list[Existing]] = {}
        for image in existing:
            self._by_name.setdefault(image.match_name, []).append(image)
            if image.sha256 is not None:
                self._by_hash.setdefault(image.sha256, []).append(image)
        for image in existing:
            if image.sha256 is None:
                self._waiting.setdefault(base_name(image.match_name), []).append(image)

    def run(self) -> list[Decision]:
        self._repeated_names()
        for place in self._open():
            self._decisions[place] = self._by_equal_name(self._arrivals[place])
        taken = {key for made in self._decisions if made for key, _ in made.fills}
        for place in self._open():
            self._decisions[place] = self._by_equal_bytes(self._arrivals[place])
        self._by_ending(taken)
        return [decision or Decision() for decision in self._decisions]

    def _open(self) -> list[int]:
        return [place for place, decision in enumerate(self._decisions) if decision is None]

    def _repeated_names(self) -> None:
        """A name that comes twice in one upload: once is enough, and twice may contradict."""
        first: dict[str, int] = {}
        for place, arrival in enumerate(self._arrivals):
            earlier = first.setdefault(arrival.match_name, place)
            if earlier == place:
                continue
            if self._arrivals[earlier].sha256 == arrival.sha256:
                self._decisions[place] = Decision(repeats=earlier)
            else:
                self._decisions[place] = _refused(
                    "Another file of this upload has the same name.", code="name_taken"
                )

    def _by_equal_name(self, arrival: Arrival) -> Decision | None:
        images = self._by_name.get(arrival.match_name, [])
        return decide(arrival, images) if images else None

    def _by_equal_bytes(self, arrival: Arrival) -> Decision | None:
        name = arrival.match_name
        same = [
            image.id
            for image in self._by_hash.get(arrival.sha256, [])
            if share_an_end(image.match_name, name)
            or (image.described and base_name(image.match_name) == base_name(name))
        ]
        return Decision(same=same[:1]) if same else None

    def _by_ending(self, taken: set[int]) -> None:
        claims: dict[int, list[int]] = {}
        images: dict[int, Existing] = {}
        for place in self._open():
            name = self._arrivals[place].match_name
            candidates = [
                image for image in self._waiting.get(base_name(name), []) if image.id not in taken
            ]
            fitting = [image for image in candidates if share_an_end(image.match_name, name)]
            fitting = fitting or candidates
            if len(fitting) == 1:
                images[fitting[0].id] = fitting[0]
                claims.setdefault(fitting[0].id, []).append(place)
            elif fitting:
                self._decisions[place] = _ambiguous(fitting)
        for key, places in claims.items():
            self._settle(images[key], places)

    def _settle(self, image: Existing, places: list[int]) -> None:
        """One image that one file or several claim; a longer common end wins over a base name."""
        closer = [
            place
            for place in places
            if share_an_end(image.match_name, self._arrivals[place].match_name)
        ]
        claimants = closer or places
        if len({self._arrivals[place].sha256 for place in claimants}) > 1:
            for place in claimants:
                self._decisions[place] = _refused(
                    f"Several files of this upload could be the pixels of {image.match_name}.",
                    code="file_name_ambiguous",
                )
            return
        self._decisions[claimants[0]] = _fill(self._arrivals[claimants[0]], [image])
        for place in claimants[1:]:
            self._decisions[place] = Decision(repeats=claimants[0])


def decide(arrival: Arrival, images: Sequence[Existing]) -> Decision:
    """What becomes of a file that is one of these images, of which there is at least one."""
    waiting = [image for image in images if image.sha256 is None]
    same = [image.id for image in images if image.sha256 == arrival.sha256]
    if waiting:
        return _fill(arrival, waiting)
    if same:
        return Decision(same=same)
    return _refused("The dataset has another image of this name.", code="name_taken")


def _fill(arrival: Arrival, images: list[Existing]) -> Decision:
    """Give the pixels to records whose size fits, as shown or as the rows stand in the file.

    A record that speaks of the rows as they are in the file has its coordinates there: then the
    image is shown so, too.
    """
    fills = []
    for image in images:
        if image.size == arrival.shown:
            fills.append((image.id, arrival.orientation))
        elif image.size == arrival.raw:
            fills.append((image.id, 1))
    if fills:
        return Decision(fills=fills)
    width, height = images[0].size
    return _refused(
        f"The file has {arrival.shown[0]} x {arrival.shown[1]} pixels, "
        f"but the imported image {images[0].match_name} has {width} x {height}.",
        code="size_mismatch",
    )


def _refused(message: str, *, code: str) -> Decision:
    return Decision(refusal=Refusal(code, message))


def _ambiguous(images: list[Existing]) -> Decision:
    told = ", ".join(image.match_name for image in images[:_NAMES_TOLD])
    more = "" if len(images) <= _NAMES_TOLD else f" and {len(images) - _NAMES_TOLD} more"
    return _refused(
        f"It could be the pixels of {told}{more}: send it with its folder.",
        code="file_name_ambiguous",
    )
