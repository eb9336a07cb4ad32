"""Masks as rows of numbers, the JSON form of a bitmap: 0 is background, all else foreground."""

from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import Invalid

__all__ = ["read", "write"]

# Anything but a list of lists of these would take NumPy long to look through, or become an array
# of texts that are each as long as the longest.
_PIXELS = {int, float, bool}


def read(rows: object, *, loc: tuple[str | int, ...]) -> npt.NDArray[np.generic]:
    """The array (h, w) of a list of rows of numbers, at least one row."""
    array: npt.NDArray[Any] = np.zeros(0)
    if isinstance(rows, list) and all(
        isinstance(row, list) and _PIXELS.issuperset(map(type, row)) for row in rows
    ):
        with suppress(ValueError, OverflowError):
            array = np.asarray(rows)
    if array.ndim != 2:
        detail = "A mask is a list of rows of numbers, all of the same length."
        raise Invalid(detail, code="bitmap_invalid", loc=loc)
    return array


def write(bitmap: npt.NDArray[np.uint8]) -> bytes:
    """A bitmap (h, w) of 0 and 1 as JSON text.

    It is written as an array of characters: lists of numbers would be twenty times as large.
    """
    height, width = bitmap.shape
    if width == 0 or height == 0:
        return b"[" + b",".join([b"[]"] * height) + b"]"
    text = np.full((height, 2 * width + 2), ord(","), np.uint8)
    text[:, 0] = ord("[")
    text[:, 1:-2:2] = bitmap + ord("0")
    text[:, -2] = ord("]")
    return b"[" + text.tobytes()[:-1] + b"]"
