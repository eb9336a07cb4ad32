"""Decodes one large picture: a program of its own, run by `app.services.pictures.decoding`.

::

    python -m app.services.pictures.decoder
        COMMAND MEDIA_TYPE ORIENTATION TARGET PARENT BYTES SECONDS < FILE

=========  ====================================================================================
check      decodes all of it, and writes nothing
shrink     writes a JPEG of at most `SHRUNK_PIXELS` each way, from which thumbnails are made
convert    writes a PNG of the whole picture
tiles      writes a zip of tiles in the layout of Deep Zoom
=========  ====================================================================================

libvips reads the file row by row and writes what is asked for in one pass, so that 400 megapixels
take some 300 MB and no more. A picture that is turned, and a BMP, which libvips does not read, are
spread out in a temporary file first; a progressive JPEG and an interlaced PNG need memory for the
whole picture. It is a program, because the memory is given back when it ends, and because the
server goes on when a decoder falls over hostile bytes.

Colours come out as in thumbnails (`app.services.pictures.pixels`): eight bits, deeper greys
stretched from end to end, CMYK as RGB. Tiles are JPEG; PNG where something is transparent, and for
palettes, whose flat colours JPEG would smear.
"""

import errno
import mmap
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import pyvips
from PIL.Image import Image as Picture

from app.child_process import die_with_parent, go_first, limit_resources
from app.errors import Invalid
from app.services.pictures import pixels
from app.services.pictures.decoding import DAMAGED, DISK_FULL, FAILED, NO_MEMORY

__all__ = ["OVERLAP_PIXELS", "SHRUNK_PIXELS", "TILE_PIXELS", "main"]

TILE_PIXELS = 1024
OVERLAP_PIXELS = 1
"""Pixels of its neighbours that a tile has on each side: smoothing at the seams needs them."""

SHRUNK_PIXELS = 2048
"""The longer side of a picture that was shrunk."""

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


def main(command: str, media_type: str, orientation: int, target: str) -> int:
    """Do what is asked for with the picture on standard input; the exit code."""
    # Everything is read once.
    pyvips.cache_set_max(0)
    try:
        if command == "check":
            _check(media_type)
        elif command == "shrink":
            _shrink(media_type, orientation, target)
        elif command == "convert":
            _convert(media_type, orientation, target)
        else:
            _cut(media_type, orientation, target)
    except (pyvips.Error, Invalid, MemoryError) as error:
        print(repr(error), file=sys.stderr)  # noqa: T201 - the server writes it into its log
        return _reason(error)
    return 0


def _reason(error: Exception) -> int:
    """The exit code: libvips tells what cannot be read and what cannot be written alike."""
    if any(os.strerror(number) in str(error) for number in (errno.ENOSPC, errno.EDQUOT)):
        return DISK_FULL
    if not isinstance(error, pyvips.Error):
        return _code(error)
    try:
        # Every pixel once more, and nothing is written.
        _load()
    except (Invalid, MemoryError) as found:
        return _code(found)
    return FAILED


def _code(error: Exception) -> int:
    is_damaged = isinstance(error, Invalid) and error.code != "image_too_large"
    return DAMAGED if is_damaged else NO_MEMORY


def _check(media_type: str) -> None:
    """Decode all of it; Invalid for what `app.services.pictures.pixels` would not decode either."""
    if media_type in ("image/png", "image/tiff"):
        try:
            # In rows, and nothing may be odd.
            _by_vips(_LOADERS[media_type], "sequential", fail_on="warning").avg()
        except pyvips.Error as error:
            print(error, file=sys.stderr)  # noqa: T201 - see above
        else:
            return
    _load()


def _load() -> None:
    os.lseek(_FILE, 0, os.SEEK_SET)
    with open(_FILE, "rb", closefd=False) as file:
        pixels.load(file)


def _cut(media_type: str, orientation: int, target: str) -> None:
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


def _convert(media_type: str, orientation: int, target: str) -> None:
    image = _opened(media_type, orientation)
    keep = _keep(image)
    picture = _turned(_eight_bits(image, media_type, orientation), orientation)
    picture.pngsave(target, compression=1, keep=keep)


def _shrink(media_type: str, orientation: int, target: str) -> None:
    image = _opened(media_type, 1, is_shrunk=True)
    keep = _keep(image)
    if media_type == "image/tiff" and _says_turned(image):
        orientation = image.get("orientation")
    image = _eight_bits(image, media_type, 1, is_shrunk=True)
    if image.hasalpha():
        image = image.flatten(background=255)
    small = image.thumbnail_image(
        SHRUNK_PIXELS, height=SHRUNK_PIXELS, size="down", no_rotate=True
    ).copy_memory()
    _turned(small, orientation).jpegsave(target, Q=85, keep=keep)


def _opened(media_type: str, orientation: int, *, is_shrunk: bool = False) -> Any:
    """The picture in rows; with `is_shrunk` as it lies in the file, maybe smaller already."""
    loader = _LOADERS.get(media_type)
    if loader is None:
        return _by_pillow()
    try:
        # From top to bottom, unless the picture is turned.
        image = _by_vips(loader, "sequential" if orientation in (1, 2) else "random")
        if is_shrunk:
            if media_type == "image/jpeg":
                times = max(image.width, image.height) // (2 * SHRUNK_PIXELS)
                shrink = next((n for n in (8, 4, 2) if n <= times), 1)
                image = _by_vips(loader, "sequential", shrink=shrink)
        # TIFF files are turned as they say and nowhere else.
        elif media_type == "image/tiff" and _says_turned(image):
            image = _by_vips(loader, "random").autorot()
    except pyvips.Error:
        return _by_pillow()
    return image


def _by_vips(loader: str, access: str, *, fail_on: str = "truncated", **options: Any) -> Any:
    os.lseek(_FILE, 0, os.SEEK_SET)
    source = pyvips.Source.new_from_descriptor(_FILE)
    return getattr(pyvips.Image, loader)(source, access=access, fail_on=fail_on, **options)


def _says_turned(image: Any) -> bool:
    return "orientation" in image.get_fields() and image.get("orientation") != 1


def _by_pillow() -> Any:
    os.lseek(_FILE, 0, os.SEEK_SET)
    with open(_FILE, "rb", closefd=False) as file:
        strips = pixels.bitmap_strips(file)
        if strips is not None:
            return _spread_out(strips)
        picture = pixels.shown(file, box=None, orientation=1)
    width, height = picture.size
    bands = len(picture.getbands())
    image = pyvips.Image.new_from_memory(picture.tobytes(), width, height, bands, "uchar")
    return image.copy(interpretation="srgb")


def _spread_out(strips: Iterator[Picture]) -> Any:
    """The picture in a temporary file, and not in memory."""
    width = height = bands = 0
    with tempfile.TemporaryFile() as file:
        for strip in strips:
            width, bands = strip.width, len(strip.getbands())
            height += strip.height
            file.write(strip.tobytes())
        file.flush()
        rows = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    image = pyvips.Image.new_from_memory(rows, width, height, bands, "uchar")
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


def _eight_bits(image: Any, media_type: str, orientation: int, *, is_shrunk: bool = False) -> Any:
    """Grey, RGB or RGBA with a byte for each sample."""
    if image.interpretation == "cmyk":
        return _from_cmyk(image)
    if image.format != "uchar" and image.bands == 1:
        found = image.stats()
        low, high = found(0, 0)[0], found(1, 0)[0]
        # The pixels have passed by; they are read again.
        image = _opened(media_type, orientation, is_shrunk=is_shrunk)
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
    """As the EXIF orientation says; see `app.services.pictures.pixels`."""
    turns = {3: "rot180", 5: "rot90", 6: "rot90", 7: "rot270", 8: "rot270"}
    if orientation in turns:
        image = getattr(image, turns[orientation])()
    if orientation in (2, 5, 7):
        return image.fliphor()
    return image.flipver() if orientation == 4 else image


if __name__ == "__main__":
    wanted, kind, turn, path, parent, most_bytes, most_seconds = sys.argv[1:]
    prepare = die_with_parent(signal.SIGKILL, int(parent))
    if prepare is not None:
        prepare()
    # Whoever waits for a page is served first, and the database is not what is given up.
    os.nice(10)
    go_first()
    limit_resources(memory_bytes=int(most_bytes), cpu_seconds=int(most_seconds))
    sys.exit(main(wanted, kind, int(turn), path))
