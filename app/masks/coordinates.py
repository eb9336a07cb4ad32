"""Coordinates from outside, checked and made flat.

Everything here works on points (x, y) in pixels of the image, the origin at its top left corner;
pixel (c, r) covers [c, c + 1) x [r, r + 1).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.masks.batch import MAX_COORDINATE, FloatArray, IntArray, to_offsets
from app.masks.errors import (
    BboxError,
    BboxNotFiniteError,
    BboxTooLargeError,
    MaskError,
    PolygonError,
    PolygonMissingError,
    PolygonNotFiniteError,
    PolygonOddNumbersError,
    PolygonTooFewPointsError,
    PolygonTooLargeError,
)

Ring = Sequence[float] | FloatArray
"""One closed outline, flat: x, y, x, y, ... The last point joins the first."""


@dataclass(frozen=True, slots=True)
class Rings:
    """All rings of a batch, flat, those of one item beside each other.

    Attributes
    ----------
    points : (P, 2) float64
    offsets : (R + 1,) int64, ring r has ``points[offsets[r]:offsets[r + 1]]``
    per_item : (N,) how many rings each item has
    hole : (R,) int64, 1 for holes
    """

    points: FloatArray
    offsets: IntArray
    per_item: IntArray
    hole: IntArray


def check_rings(
    polygons: Sequence[Sequence[Ring]], holes: Sequence[Sequence[Ring] | None] | None
) -> Rings:
    """Check the polygons and holes of each item and lay them out flat."""
    _check_list(polygons, None, "polygons")
    check_holes(holes, len(polygons))
    parts = _check_lists(polygons, "polygons")
    if 0 in parts:
        detail = "there is no polygon"
        raise PolygonMissingError(detail, index=parts.index(0), path=("polygons",))
    per_item = np.array(parts, np.int64)
    if holes is None:
        rings = list(chain.from_iterable(polygons))
        hole = np.zeros(len(rings), np.int64)
    else:
        cut = [() if one is None else one for one in holes]
        cuts = _check_lists(cut, "holes")
        rings = list(chain.from_iterable(chain.from_iterable(zip(polygons, cut, strict=True))))
        both = np.stack([per_item, np.array(cuts, np.int64)], axis=1)
        hole = np.repeat(np.tile([0, 1], len(both)), both.ravel())
        per_item = both.sum(axis=1)
    problem = _find_problem(rings)
    if isinstance(problem, _Problem):
        index, path = _name(problem.ring, per_item, hole)
        raise problem.kind(problem.detail, index=index, path=path)
    numbers, lengths = problem
    return Rings(numbers.reshape(-1, 2), to_offsets(lengths // 2), per_item, hole)


def _name(ring: int, per_item: IntArray, hole: IntArray) -> tuple[int, tuple[str, int]]:
    """The item and the path of a ring, counted over all items."""
    offsets = to_offsets(per_item)
    index = int(np.searchsorted(offsets, ring, side="right")) - 1
    first = int(offsets[index])
    if hole[ring] == 0:
        return index, ("polygons", ring - first)
    return index, ("holes", int(hole[first:ring].sum()))


def _check_lists(values: Sequence[object], name: str) -> list[int]:
    """How many members each of the lists has."""
    if not _are_lists(values):
        for index, value in enumerate(values):
            _check_list(value, index, name)
    return list(map(len, values))  # type: ignore[arg-type]


def check_holes(holes: Sequence[object] | None, n: int) -> None:
    """Refuse holes that are neither None nor a list with a member for each of n items."""
    if holes is None:
        return
    _check_list(holes, None, "holes")
    if len(holes) != n:
        raise PolygonError(f"{len(holes)} lists of holes for {n} items")


def _check_list(value: object, index: int | None, name: str) -> None:
    if not isinstance(value, list | tuple):
        path = () if index is None else (name,)
        raise PolygonError(f"{name} must be a list of lists of numbers", index=index, path=path)


class _Problem(NamedTuple):
    """What is wrong with which ring."""

    ring: int
    kind: type[PolygonError]
    detail: str


def _find_problem(rings: list[Ring]) -> _Problem | tuple[FloatArray, IntArray]:
    """All numbers of all rings and how many each has, or the first thing that is wrong."""
    if not _are_lists(rings):
        rings = [ring.tolist() if isinstance(ring, np.ndarray) else ring for ring in rings]
    # One look at all numbers together; each ring for itself only to find the faulty one.
    numbers = _packed(list(chain.from_iterable(rings))) if _are_lists(rings) else None
    if numbers is None:
        ring = next(place for place, ring in enumerate(rings) if not are_numbers(ring))
        return _Problem(ring, PolygonError, "a polygon is a flat list of numbers: x, y, x, y, ...")
    lengths = np.fromiter(map(len, rings), np.int64, len(rings))
    if (lengths & 1).any():
        ring = int((lengths & 1).argmax())
        return _Problem(ring, PolygonOddNumbersError, "a polygon has an x without its y")
    if len(lengths) and lengths.min() < 6:
        ring = int((lengths < 6).argmax())
        return _Problem(ring, PolygonTooFewPointsError, "a polygon has fewer than three points")
    if (problem := _problem(numbers)) is not None:
        place, finite = problem
        ring = int(np.searchsorted(to_offsets(lengths), place, side="right")) - 1
        reach = PolygonTooLargeError if finite else PolygonNotFiniteError
        return _Problem(ring, reach, _detail(finite))
    return numbers, lengths


def _are_lists(values: Sequence[object]) -> bool:
    return {list, tuple}.issuperset(map(type, values))


def are_numbers(values: object) -> bool:
    """Whether this is a list or tuple of plain numbers; True and "1" are none."""
    return isinstance(values, list | tuple) and _NUMBERS.issuperset(map(type, values))


_NUMBERS = {int, float, np.float64, np.float32, np.int64, np.int32}


def _packed(numbers: list[float]) -> FloatArray | None:
    """Plain numbers as an array, or None where one of them is something else.

    ``pack`` refuses whatever is no number and takes a third of the time that NumPy takes for a
    list. It lets True and False pass, so what could be one of them is looked at.
    """
    try:
        packed = np.frombuffer(struct.pack(f"{len(numbers)}d", *numbers))
    except struct.error:
        # An integer may be too long for a float.
        return to_floats(numbers) if are_numbers(numbers) else None
    suspects = np.flatnonzero((packed == 0) | (packed == 1)).tolist()
    return packed if all(type(numbers[place]) in _NUMBERS for place in suspects) else None


def is_textless(value: object, depth: int) -> bool:
    """Whether there is no text in lists nested up to so deep.

    Asked before NumPy makes an array of them, which gives every member as much room as the
    longest text needs.
    """
    if not isinstance(value, list | tuple):
        return not isinstance(value, str | bytes)
    if {str, bytes, list, tuple}.isdisjoint(map(type, value)):
        return True
    return depth > 1 and all(is_textless(member, depth - 1) for member in value)


def to_floats(numbers: Sequence[float]) -> FloatArray:
    """An array of the numbers; an integer too long for a float becomes infinity."""
    try:
        return np.array(numbers, np.float64)
    except OverflowError:
        return np.array([_to_float(number) for number in numbers], np.float64)


def _to_float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return 2 * MAX_COORDINATE if number > 0 else -2 * MAX_COORDINATE


def _problem(numbers: FloatArray) -> tuple[int, bool] | None:
    """The place of the first number that is not finite or too large, and whether it is finite."""
    # NaN fails every comparison, so that one test finds all three.
    fine = np.abs(numbers) <= MAX_COORDINATE
    if fine.all():
        return None
    place = int(fine.argmin())
    return place, bool(np.isfinite(numbers[place]))


def _detail(finite: bool) -> str:
    if finite:
        return f"a coordinate is farther than {MAX_COORDINATE:.0f} from the origin"
    return "a coordinate is not a finite number"


def check_flat(
    numbers: Sequence[float],
    index: int,
    path: tuple[str, ...],
    kinds: tuple[type[MaskError], type[MaskError], type[MaskError]],
) -> FloatArray:
    """Numbers within reach as float64, or one of ``kinds``: wrong type, not finite, too large."""
    if not are_numbers(numbers):
        raise kinds[0](f"{path[-1]} must be made of numbers", index=index, path=path)
    checked = to_floats(numbers)
    problem = _problem(checked)
    if problem is not None:
        raise kinds[1 + problem[1]](_detail(problem[1]), index=index, path=path)
    return checked


def check_boxes(boxes: npt.ArrayLike, name: str = "bbox") -> FloatArray:
    """(N, 4) float64 boxes x, y, w, h, each number and each corner within reach."""
    if isinstance(boxes, np.ndarray):
        boxes = boxes.tolist()
    if not isinstance(boxes, list | tuple):
        raise BboxError("boxes must be a list of boxes", path=(name,))
    flat: list[float] = []
    for index, box in enumerate(boxes):
        numbers = box.tolist() if isinstance(box, np.ndarray) else box
        if not are_numbers(numbers) or len(numbers) != 4:
            raise BboxError("a box is four numbers: x, y, w, h", index=index, path=(name,))
        flat.extend(numbers)
    checked = to_floats(flat).reshape(-1, 4)
    corners = np.concatenate([checked, checked[:, :2] + checked[:, 2:]], axis=1)
    problem = _problem(corners.ravel())
    if problem is not None:
        index = problem[0] // 6
        finite = bool(np.isfinite(checked[index]).all())
        kind = BboxTooLargeError if finite else BboxNotFiniteError
        raise kind(_detail(finite), index=index, path=(name,))
    return checked
