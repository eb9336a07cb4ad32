"""Label images: pictures whose pixels say what they are of, by an index, a grey or a colour.

Every pixel is read as it stands in the file; nothing is smoothed, converted or turned. A value is
known by its key, which is also how a mapping names it:

===================  =========  =====================================================
palette              ``3``      the index; its colour is that of the palette
grey, 1 to 16 bits   ``255``    the grey value
RGB, RGBA            ``#ff0000``  the colour; whole transparent pixels are of nothing
===================  =========  =====================================================
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from app.errors import Invalid
from app.services.pictures import pixels

__all__ = ["LabelError", "LabelImage", "Value", "color_key", "read"]

# Others do not keep each pixel as it was drawn.
_FORMATS = frozenset({"PNG", "TIFF", "BMP", "GIF"})
_GREY_16 = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_CODES = {"image_too_large": "mask_image_too_large"}
NOTHING = -1
"""The label of pixels that are of nothing, whatever a mapping says."""


class LabelError(Exception):
    """A picture that holds no labels: a code of `app.formats.issues.ISSUES` and why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Value:
    """One of the values: its key, and its colour (``#rrggbb``) where it has one."""

    key: str
    color: str | None = None


@dataclass(frozen=True)
class LabelImage:
    """The labels of all pixels, (h, w) int32; `palette` has the colours where they are indices."""

    labels: npt.NDArray[np.int32]
    is_color: bool
    palette: Sequence[str] = ()

    def value(self, label: int) -> Value:
        """What a label stands for."""
        if self.is_color:
            return Value(color_key(label), color_key(label))
        known = 0 <= label < len(self.palette)
        return Value(str(label), self.palette[label] if known else None)


def color_key(color: int) -> str:
    """``#rrggbb`` of 0xRRGGBB."""
    return f"#{color:06x}"


def read(file: BinaryIO, *, max_pixels: int) -> LabelImage:
    """The labels in a PNG, TIFF, BMP or GIF; raises LabelError."""
    try:
        picture = pixels.raw(file, max_pixels=max_pixels)
    except Invalid as error:
        code = _CODES.get(error.code, "mask_image_unreadable")
        raise LabelError(code, error.detail) from None
    if picture.format not in _FORMATS:
        told = f"It is a {picture.format}, which does not keep every pixel as it was drawn."
        raise LabelError("mask_image_lossy", told)
    array: npt.NDArray[Any] = np.asarray(picture)
    if picture.mode in ("P", "1", "L", *_GREY_16):
        palette = _palette(picture) if picture.mode == "P" else ()
        labels = array.astype(np.int32)
        if picture.mode == "L" and (depth := _depth(file)) in (2, 4):
            # Pillow stretches these to 0 to 255.
            labels //= 255 // (2**depth - 1)
        return LabelImage(labels, is_color=False, palette=palette)
    if picture.mode == "LA":
        labels = array[..., 0].astype(np.int32)
        return LabelImage(np.where(array[..., 1] == 0, NOTHING, labels), is_color=False)
    if picture.mode in ("RGB", "RGBA"):
        if _depth(file) == 16:
            # Pillow hands out the upper eight of them.
            raise LabelError("mask_image_mode", "It has colours of 16 bits.")
        wide = array[..., :3].astype(np.int32)
        labels = wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
        if picture.mode == "RGBA":
            labels = np.where(array[..., 3] == 0, NOTHING, labels)
        return LabelImage(labels, is_color=True)
    raise LabelError("mask_image_mode", f"Its pixels are of the mode {picture.mode}.")


def _palette(picture: Image.Image) -> list[str]:
    flat = picture.getpalette("RGB") or []
    colors = zip(flat[0::3], flat[1::3], flat[2::3], strict=False)
    return [color_key(red << 16 | green << 8 | blue) for red, green, blue in colors]


def _depth(file: BinaryIO) -> int:
    """The bits of each channel in a PNG; 0 for another file."""
    file.seek(0)
    head = file.read(26)
    return head[24] if head.startswith(b"\x89PNG") else 0
