"""Masks as PNG pictures: one byte a pixel, 0 and 255 going out, anything but black coming in."""

import base64
import binascii
import io
import struct

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from app.errors import Invalid, TooLarge

__all__ = ["encode", "read", "write"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">I4sII")


def encode(bitmap: npt.NDArray[np.uint8]) -> bytes:
    """A bitmap (h, w) of 0 and 1 as a PNG; a bitmap without pixels has none."""
    if bitmap.size == 0:
        raise Invalid("A mask without pixels has no picture.", code="png_empty")
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(bitmap) * np.uint8(255)).save(buffer, "PNG")
    return buffer.getvalue()


def write(bitmap: npt.NDArray[np.uint8]) -> str:
    """The same PNG in base64."""
    return base64.b64encode(encode(bitmap)).decode()


def read(text: str, *, max_pixels: int, loc: tuple[str | int, ...]) -> npt.NDArray[np.bool_]:
    """The bitmap (h, w) of a base64 PNG.

    A pixel is foreground when one of its colour channels is not 0 and it is not transparent; in
    a picture with a palette, when its index is not 0. The size is read from the header before
    anything is unpacked, so a small file cannot fill the memory.
    """
    try:
        data = base64.b64decode(text, validate=True)
        if not data.startswith(_SIGNATURE):
            raise ValueError("no PNG")
        _, kind, width, height = _HEADER.unpack_from(data, len(_SIGNATURE))
        if kind != b"IHDR":
            raise ValueError("no header")
        if width * height > max_pixels:
            raise TooLarge(
                f"The picture has more than {max_pixels} pixels.", code="too_large", loc=loc
            )
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            return _foreground(picture)
    except (
        binascii.Error,
        ValueError,
        struct.error,
        SyntaxError,
        OSError,
        UnidentifiedImageError,
    ):
        raise Invalid("That is not base64 of a PNG picture.", code="png_invalid", loc=loc) from None


def _foreground(picture: Image.Image) -> npt.NDArray[np.bool_]:
    pixels: npt.NDArray[np.generic] = np.asarray(picture)
    if pixels.ndim == 2:
        single: npt.NDArray[np.bool_] = pixels != 0
        return single
    has_alpha = picture.mode in ("LA", "RGBA")
    # One channel after the other: asking for any of an axis of three takes several times as long.
    found: npt.NDArray[np.bool_] = pixels[..., 0] != 0
    for channel in range(1, pixels.shape[2] - has_alpha):
        found |= pixels[..., channel] != 0
    if has_alpha:
        found &= pixels[..., -1] != 0
    return found
