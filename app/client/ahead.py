"""Masks of annotations that are asked for one after the other, drawn many at a time.

The mask engine needs about as long for a hundred annotations as a C loop does, and much longer for
a hundred times one. Scripts load a list of annotations and ask for the mask of each in turn, so the
first question is answered together with those that are likely to follow. Nothing is kept but that,
and an annotation that was changed since is drawn anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app import masks
from app.client import pixels
from app.client.errors import BadGeometry
from app.client.index import Record

__all__ = ["Ahead", "Drawn"]

_AT_ONCE = 100


@dataclass(frozen=True)
class Drawn:
    """The mask of one annotation: a place in a batch."""

    batch: "_Batch"
    place: int

    @property
    def mask(self) -> masks.Masks:
        """A batch of one."""
        return self.batch.drawn[self.place : self.place + 1]

    @property
    def rle(self) -> masks.Rle:
        return self.batch.rles[self.place]


@dataclass
class _Batch:
    drawn: masks.Masks

    @cached_property
    def rles(self) -> list[masks.Rle]:
        return masks.to_dicts(self.drawn)


class Ahead:
    """Draws annotations, and those that were loaded with them."""

    def __init__(self) -> None:
        self._expected: Sequence[Record] = ()
        self._next = 0
        # By the identity of annotations that `_expected` keeps alive.
        self._ready: dict[int, tuple[Any, Drawn]] = {}

    def expect(self, annotations: Sequence[Record]) -> None:
        """These will be asked for, most likely in this order."""
        self._expected, self._next, self._ready = annotations, 0, {}

    def draw(self, annotation: Record, images: Mapping[Any, Record]) -> Drawn:
        """The annotation's mask; BadGeometry when it has none."""
        ready = self._ready.get(id(annotation))
        if ready is None and self._is_next(annotation):
            self._draw_some(images)
            ready = self._ready.get(id(annotation))
        if ready is not None and ready[0] == _shape_of(annotation, images):
            return ready[1]
        return Drawn(_Batch(pixels.of(annotation, _image(annotation, images))), 0)

    def _is_next(self, annotation: Record) -> bool:
        """Whether it is one of those that may come now: some are skipped, or all come again."""
        following = range(self._next, min(self._next + _AT_ONCE, len(self._expected)))
        for place in (*following, *range(min(1, self._next, len(self._expected)))):
            if self._expected[place] is annotation:
                self._next = place
                return True
        return False

    def _draw_some(self, images: Mapping[Any, Record]) -> None:
        some = self._expected[self._next : self._next + _AT_ONCE]
        self._next += len(some)
        # Of what is not plain nothing could tell whether it was changed.
        shapes = [(one, _shape_of(one, images)) for one in some]
        plain = [(one, shape) for one, shape in shapes if shape is not None]
        try:
            drawn = pixels.of_all([one for one, _ in plain], [_image(o, images) for o, _ in plain])
        except BadGeometry:
            # One of them has no mask; whoever asks for it is told.
            self._ready = {}
            return
        batch = _Batch(drawn)
        self._ready = {
            id(one): (shape, Drawn(batch, place)) for place, (one, shape) in enumerate(plain)
        }


def _image(annotation: Record, images: Mapping[Any, Record]) -> Record | None:
    image_id = annotation.get("image_id")
    return None if isinstance(image_id, list | dict) else images.get(image_id)


def _shape_of(annotation: Record, images: Mapping[Any, Record]) -> Any:
    """A copy of all that its mask depends on; None where that is not plain lists and texts."""
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        size, counts = segmentation.get("size"), segmentation.get("counts")
        if not isinstance(size, list) or not isinstance(counts, str | bytes | list):
            return None
        return size[:], counts[:]
    if not isinstance(segmentation, list) or set(map(type, segmentation)) != {list}:
        return None
    image = _image(annotation, images)
    if image is None:
        return None
    return image.get("height"), image.get("width"), [part[:] for part in segmentation]
