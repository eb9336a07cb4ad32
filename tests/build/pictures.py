"""Image files and zips that a test needs, made in memory."""

import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

__all__ = ["COCO_IMAGES", "make_picture", "make_png_header", "make_zip"]

COCO_IMAGES = sorted((Path(__file__).parent.parent / "data" / "coco" / "images").iterdir())


def make_picture(
    *,
    size: tuple[int, int] = (64, 48),
    kind: str = "PNG",
    mode: str = "RGB",
    orientation: int | None = None,
    seed: int = 0,
    **options: Any,
) -> bytes:
    """A file with a pattern in it that has no symmetry; the same arguments make the same bytes."""
    picture = Image.linear_gradient("L").resize(size)
    if mode in ("I;16", "I", "F"):
        picture = picture.convert("I").point(lambda value: value * 200 + seed).convert(mode)
    else:
        parts = (picture, picture.transpose(Image.Transpose.ROTATE_90).resize(size))
        third = Image.new("L", size, seed % 256)
        third.paste(255, (0, 0, max(1, size[0] // 3), max(1, size[1] // 4)))
        picture = Image.merge("RGB", (*parts, third)).convert(mode)
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options |= {"tiffinfo": exif} if kind == "TIFF" else {"exif": exif}
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def make_png_header(width: int, height: int) -> bytes:
    """A tiny PNG that says it is large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")
        )

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def make_zip(files: Mapping[str, bytes], *, method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip with these entries."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()
