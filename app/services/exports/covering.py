"""What of each object can be seen: the parts that objects above it cover are cut away.

Objects of an image lie on each other in their order, the last on top. Each loses what those above
it cover. One that lies within another all but entirely cuts no hole into it, as the buttons of a
shirt leave the shirt whole: Datumaro's rule, which compares areas and overlap to a thousandth.

>>> from app.masks import from_boxes, to_lists
>>> below_and_above = from_boxes([[0, 0, 2, 4], [1, 0, 2, 4]], [4, 4])
>>> places, seen = cut_covered(below_and_above, np.array([7, 7]))
>>> places.tolist(), to_lists(seen)
([0], [[0, 4, 12]])
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from app import masks

__all__ = ["cut_covered"]

_WITHIN = 0.001
# Pairs whose boxes are compared at a time, and whose masks are.
_BOXES = 1 << 16
_PAIRS = 2000
_Ints = npt.NDArray[np.int64]


def cut_covered(batch: masks.Masks, images: _Ints) -> tuple[_Ints, masks.Masks]:
    """The places of the masks that lose something, and what is left of each.

    Parameters
    ----------
    batch : N masks, those of an image beside each other, from the lowest to the highest
    images : (N,) the image of each; masks of one image have the same size
    """
    below, above = _covering(batch, images)
    if len(below) == 0:
        return below, batch[below]
    places, first = np.unique(below, return_index=True)
    groups = np.diff(np.append(first, len(below)))
    covered = masks.merge(batch[above], groups)
    return places, masks.difference(batch[places], covered)


def _covering(batch: masks.Masks, images: _Ints) -> tuple[_Ints, _Ints]:
    """Pairs of a mask and one above it that covers a part, ordered by the lower one."""
    area = masks.area(batch)
    lower: list[_Ints] = []
    upper: list[_Ints] = []
    for below, above in _meeting(masks.bbox(batch), images):
        overlap = masks.iou_pairs(batch[below], batch[above])
        within = np.abs(area[above] / np.maximum(area[below], 1) - overlap) < _WITHIN
        cuts = (overlap > 0) & ~within
        lower.append(below[cuts])
        upper.append(above[cuts])
    none = np.zeros(0, np.int64)
    return np.concatenate([none, *lower]), np.concatenate([none, *upper])


def _meeting(boxes: npt.NDArray[np.float64], images: _Ints) -> Iterator[tuple[_Ints, _Ints]]:
    """Pairs of a mask and one above it in its image whose boxes meet, some thousands at a time."""
    corner, end = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    for below, above in _pairs(images):
        meets = np.maximum(corner[below], corner[above]) < np.minimum(end[below], end[above])
        found = np.flatnonzero(meets.all(axis=1))
        for some in np.array_split(found, len(found) // _PAIRS + 1):
            yield below[some], above[some]


def _pairs(images: _Ints) -> Iterator[tuple[_Ints, _Ints]]:
    """Each mask with each one above it in its image, ordered by the lower one."""
    starts = np.flatnonzero(np.diff(images, prepend=-1))
    sizes = np.diff(np.append(starts, len(images)))
    higher = np.repeat(starts + sizes, sizes) - np.arange(len(images)) - 1
    before = np.cumsum(higher) - higher
    turns = np.flatnonzero(np.diff(before // _BOXES)) + 1
    for places in np.split(np.arange(len(images)), turns):
        number = higher[places]
        below = np.repeat(places, number)
        first = before[places] - before[places[:1]]
        rank = np.arange(len(below)) - np.repeat(first, number)
        yield below, below + 1 + rank
