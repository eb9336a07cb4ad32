"""Makes the tiles of one picture: a program of its own, run by `app.services.tiles`.

::

    python -m app.services.tile_maker MEDIA_TYPE ORIENTATION TARGET PARENT < FILE

libvips reads the file row by row and cuts the full size and all smaller ones in one pass, so that
400 megapixels take some 300 MB and no more. Two kinds of files need room for the whole picture: a
picture that is turned is spread out in a temporary file first, and a progressive JPEG in memory.
What libvips does not read (BMP) is decoded by Pillow. It is a program, because the memory is given
back when it ends, and because the server goes on when a decoder falls over hostile bytes.

Colours come out as in thumbnails (`app.services.pixels`): eight bits, deeper greys stretched from
end to end, CMYK as RGB. Tiles are JPEG; PNG where something is transparent, and for palettes, whose
flat colours JPEG would smear.
"""

import errno
import os
import signal
import sys
from typing import Any

import pyvips

from app.child_process import die_with_parent, go_first
from app.errors import Invalid
from app.services import pixels

__all__ = ["DAMAGED", "DISK_FULL", "OVERLAP_PIXELS", "TILE_PIXELS"]

TILE_PIXELS = 1024
OVERLAP_PIXELS = 1
"""Pixels of its neighbours that a tile has on each side: smoothing at the seams needs them."""

DAMAGED = 3
"""The exit code for a file that nobody can decode."""

DISK_FULL = 4
"""The exit code when there is no room for the tiles, or for the picture spread out."""

_FAILED = 1

_LOADERS = {
    "image/jpeg": "jpegload_source",
    "image/png": "pngload_source",
    "image/webp": "webpload_source",
    "image/tiff": "tiffload_source",
    "image/gif": "gifload_source",
}
# With a sample of each colour for every pixel; 42 dB on detailed photographs.
_JPEG = ".jpg[Q=90]"
_PNG = ".png[compression=1]"
_LONGEST_PROFILE_BYTES = 4096
_FILE = 0


def main(media_type: str, orientation: int, target: str) -> int:
    """Write the tiles of the picture on standard input into a zip file at `target`."""
    # Everything is read once.
    pyvips.cache_set_max(0)
    try:
        image = _opened(media_type, orientation)
        suffix = _PNG if image.hasalpha() or _has_palette(image) else _JPEG
        keep = _keep(image)
        _turned(_eight_bits(image, media_type, orientation), orientation).dzsave(
            target,
            layout="dz",
            basename="t",
            suffix=suffix,
            tile_size=TILE_PIXELS,
            overlap=OVERLAP_PIXELS,
            depth="onetile",
            container="zip",
            compression=0,
            keep=keep,
        )
    except (pyvips.Error, Invalid) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the server writes it into its log
        return _reason(error, media_type, orientation)
    return 0


def _reason(error: Exception, media_type: str, orientation: int) -> int:
    """The exit code: libvips tells what cannot be read and what cannot be written alike."""
    if any(os.strerror(number) in str(error) for number in (errno.ENOSPC, errno.EDQUOT)):
        return DISK_FULL
    try:
        # Every pixel once more, and nothing is written.
        _opened(media_type, orientation).avg()
    except (pyvips.Error, Invalid):
        return DAMAGED
    return _FAILED


def _opened(media_type: str, orientation: int) -> Any:
    loader = _LOADERS.get(media_type)
    if loader is None:
        return _by_pillow()
    try:
        # From top to bottom, unless the picture is turned.
        image = _by_vips(loader, "sequential" if orientation in (1, 2) else "random")
        # TIFF files are turned as they say and nowhere else.
        if media_type == "image/tiff" and _says_turned(image):
            image = _by_vips(loader, "random").autorot()
    except pyvips.Error:
        return _by_pillow()
    return image


def _by_vips(loader: str, access: str) -> Any:
    os.lseek(_FILE, 0, os.SEEK_SET)
    source = pyvips.Source.new_from_descriptor(_FILE)
    return getattr(pyvips.Image, loader)(source, access=access)


def _says_turned(image: Any) -> bool:
    return "orientation" in image.get_fields() and image.get("orientation") != 1


def _by_pillow() -> Any:
    os.lseek(_FILE, 0, os.SEEK_SET)
    with open(_FILE, "rb", closefd=False) as file:
        picture = pixels.shown(file, box=None, orientation=1)
    width, height = picture.size
    bands = len(picture.getbands())
    image = pyvips.Image.new_from_memory(picture.tobytes(), width, height, bands, "uchar")
    return image.copy(interpretation="srgb")


def _has_palette(image: Any) -> bool:
    fields = image.get_fields()
    one_bit = "bits-per-sample" in fields and image.get("bits-per-sample") == 1
    return one_bit or "palette" in fields or "gif-palette" in fields


def _keep(image: Any) -> str:
    """Whether the tiles carry the colour profile; only one that fits RGB and is short."""
    is_rgb = image.interpretation in ("srgb", "rgb") and image.get_typeof("icc-profile-data") != 0
    return (
        "icc" if is_rgb and len(image.get("icc-profile-data")) <= _LONGEST_PROFILE_BYTES else "none"
    )


def _eight_bits(image: Any, media_type: str, orientation: int) -> Any:
    """Grey, RGB or RGBA with a byte for each sample."""
    if image.interpretation == "cmyk":
        return _from_cmyk(image)
    if image.format != "uchar" and image.bands == 1:
        found = image.stats()
        low, high = found(0, 0)[0], found(1, 0)[0]
        # The pixels have passed by; they are read again.
        image = _opened(media_type, orientation)
        scale = 255 / (high - low) if high > low else 0
        return (image * scale - low * scale).cast("uchar").copy(interpretation="b-w")
    if image.format == "ushort":
        image = image.msb()
        return image.copy(interpretation="b-w" if image.bands <= 2 else "srgb")
    if image.interpretation not in ("b-w", "srgb", "rgb"):
        image = image.colourspace("srgb")
    return image


def _from_cmyk(image: Any) -> Any:
    left = 255 - image.extract_band(0, n=3)
    return (left * (255 - image.extract_band(3)) / 255).cast("uchar").copy(interpretation="srgb")


def _turned(image: Any, orientation: int) -> Any:
    """As the EXIF orientation says; see `app.services.pixels`."""
    turns = {3: "rot180", 5: "rot90", 6: "rot90", 7: "rot270", 8: "rot270"}
    if orientation in turns:
        image = getattr(image, turns[orientation])()
    if orientation in (2, 5, 7):
        return image.fliphor()
    return image.flipver() if orientation == 4 else image


if __name__ == "__main__":
    kind, turn, path, parent = sys.argv[1:]
    prepare = die_with_parent(signal.SIGKILL, int(parent))
    if prepare is not None:
        prepare()
    # Whoever waits for a page is served first, and the database is not what is given up.
    os.nice(10)
    go_first()
    sys.exit(main(kind, int(turn), path))
