"""Image files: what they really are, whether they decode, and small upright pictures of them.

The type comes from the bytes, never from the name. A file counts as sound only when all of it
decodes: a truncated one is refused at the door, not found by an annotator. Nothing is decoded
before the header's width and height are within the limit.

Cameras store the sensor's rows and note how to turn them in EXIF ("orientation", 1 to 8). `Picture`
has both sizes; coordinates of annotations are those of the picture as shown.

=========  ==================================================================================
JPEG       decoded at an eighth of its size to be checked: fast, and little memory
BMP        stored as it is: large ones are checked by their length, and read in strips
TIFF       turned by Pillow itself while it loads; its orientation counts as 1 here
GIF, WebP  the first frame only
=========  ==================================================================================

Pictures that take more than `LARGE_BYTES` here are decoded elsewhere
(`app.services.pictures.decoding`), but for those whose pixels are wanted as an array (`raw`).
"""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import SEEK_END, BytesIO
from typing import BinaryIO, cast

from PIL import Image as Pillow
from PIL import ImageFile

from app.errors import Invalid

__all__ = [
    "LARGE_BYTES",
    "MEDIA_TYPES",
    "Picture",
    "bitmap_strips",
    "inspect",
    "is_progressive",
    "jpeg",
    "load",
    "opaque",
    "png",
    "raw",
    "read_header",
    "shown",
]

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # A JPEG with further pictures behind the first; many telephones.
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "GIF": "image/gif",
}
_TURNS = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
_EXIF_ORIENTATION = 0x0112
# Pictures that are decoded at the same time share this much memory; a larger one waits until it
# is alone.
_DECODING_BYTES = 512 * 1024 * 1024
LARGE_BYTES = 128 * 1024 * 1024
"""What a picture may take while it is decoded in a process that has other things to do."""

_STRIP_ROWS = 256
_LONGEST_EXIF_BYTES = 1024 * 1024
_LONGEST_PROFILE_BYTES = 4096
_START_OF_SCAN = b"\xff\xda"
# The usual is ten. Previews and further pictures behind the first are counted along.
_MOST_SCANS = 64

# We compare the header with a limit of our own before anything is decoded.
Pillow.MAX_IMAGE_PIXELS = None
# What Pillow finds odd about a file (a damaged EXIF block, say) is nothing that we could mend.
warnings.filterwarnings("ignore", module=r"PIL\.", category=UserWarning)


@dataclass(frozen=True)
class Picture:
    """What an image file is: its type, the size of its rows, and how they turn to be shown."""

    media_type: str
    raw_width: int
    raw_height: int
    orientation: int

    @property
    def width(self) -> int:
        """Pixels from left to right as shown."""
        return self.raw_height if self.orientation >= 5 else self.raw_width

    @property
    def height(self) -> int:
        """Pixels from top to bottom as shown."""
        return self.raw_width if self.orientation >= 5 else self.raw_height


def inspect(
    file: BinaryIO,
    *,
    max_pixels: int,
    elsewhere: Callable[[BinaryIO, str], None] | None = None,
) -> Picture:
    """Decode the file once and say what it is.

    `elsewhere` decodes a file of that media type that would take too much here, and raises what
    `load` would. Invalid has the code ``not_an_image``, ``image_too_large`` or ``image_damaged``.
    """
    with _opened(file) as image:
        width, height = image.size
        _check_size(image, max_pixels)
        if image.info.get("progressive") and _count_scans(file) > _MOST_SCANS:
            raise Invalid("The image has more scans than any camera writes.", code="image_damaged")
        cost = _cost(image, _eighth(image))
        if elsewhere is None or cost <= LARGE_BYTES:
            with _budget.spend(cost):
                image.load()
        elif not _is_whole_bitmap(image, file):
            elsewhere(file, MEDIA_TYPES[image.format or ""])
        if image.format == "PNG" and not _has_png_end(file):
            raise Invalid("The image is truncated.", code="image_damaged")
        return _picture(image, file, width, height)


def load(file: BinaryIO) -> None:
    """Decode all of the file; Invalid has the code ``image_too_large`` without enough memory."""
    with _opened(file) as image, _decoding(image, shrink_to=_eighth(image)):
        image.load()


def _eighth(image: Pillow.Image) -> tuple[int, int]:
    """The smallest size that the JPEG decoder offers; it still reads all."""
    width, height = image.size
    return max(1, width // 8), max(1, height // 8)


def _check_size(image: Pillow.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise Invalid(
            f"The image has {width} x {height} pixels; at most {max_pixels:,} are taken.",
            code="image_too_large",
        )


def _count_scans(file: BinaryIO) -> int:
    """Passes over the picture in a progressive JPEG; a few bytes can ask for a long one."""
    place, scans, end = file.tell(), 0, b""
    file.seek(0)
    while chunk := file.read(1024 * 1024):
        scans += (end + chunk).count(_START_OF_SCAN)
        end = chunk[-1:]
    file.seek(place)
    return scans


def _has_png_end(file: BinaryIO) -> bool:
    """Whether all chunks are there; Pillow is content once the last row has come."""
    for name, _size in _png_chunks(file):
        if name == b"IEND":
            return len(file.read(4)) == 4
    return False


def _png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Name and size of each chunk; the file is at its content meanwhile."""
    place = 8
    file.seek(place)
    while len(head := file.read(8)) == 8:
        size = int.from_bytes(head[:4], "big")
        yield head[4:], size
        place += size + 12
        file.seek(place)


def _png_exif(file: BinaryIO) -> bytes | None:
    """The EXIF block; it may stand behind the pixels, where Pillow finds it once it has them."""
    found = None
    for name, size in _png_chunks(file):
        if name == b"eXIf":
            found = b"Exif\0\0" + file.read(min(size, _LONGEST_EXIF_BYTES))
    return found


def read_header(file: BinaryIO) -> Picture:
    """What a file is that `inspect` once found sound; nothing is decoded."""
    with _opened(file) as image:
        return _picture(image, file, *image.size)


def is_progressive(file: BinaryIO) -> bool:
    """Whether it is a JPEG that is decoded as a whole, however small it is wanted."""
    with _opened(file) as image:
        return bool(image.info.get("progressive"))


def bitmap_strips(file: BinaryIO) -> Iterator[Pillow.Image] | None:
    """A BMP from top to bottom, some rows at a time, as RGB or RGBA; None for what is packed.

    `file` must be open until the last strip has come.
    """
    with _opened(file) as image:
        return _strips(image, file) if _is_bitmap(image) else None


def _is_bitmap(image: Pillow.Image) -> bool:
    return image.format == "BMP" and _layout(image)[0] == "raw"


def _layout(image: Pillow.Image) -> tuple[str, int, tuple[str, int, int]]:
    """How the pixels of a BMP are packed, where they begin, and mode, bytes and order of rows."""
    ((codec, _, offset, rows),) = cast(ImageFile.ImageFile, image).tile
    return codec, offset, cast(tuple[str, int, int], rows)


def _is_whole_bitmap(image: Pillow.Image, file: BinaryIO) -> bool:
    """Whether all rows of a BMP that is not packed are there: any bytes are pixels then."""
    if not _is_bitmap(image):
        return False
    _, offset, (_, stride, _) = _layout(image)
    return offset + stride * image.height <= file.seek(0, SEEK_END)


def _strips(image: Pillow.Image, file: BinaryIO) -> Iterator[Pillow.Image]:
    _, offset, (rawmode, stride, direction) = _layout(image)
    width, height = image.size
    for top in range(0, height, _STRIP_ROWS):
        rows = min(_STRIP_ROWS, height - top)
        # Most files have their last row first.
        file.seek(offset + stride * (top if direction == 1 else height - top - rows))
        # What fills the last row up may be missing.
        data = file.read(stride * rows).ljust(stride * rows, b"\0")
        layout = (rawmode, stride, direction)
        strip = Pillow.frombytes(image.mode, (width, rows), data, "raw", *layout)
        if image.mode == "P" and image.palette is not None:
            strip.putpalette(image.palette)
        yield _eight_bits(strip)


def shown(file: BinaryIO, *, box: int | None, orientation: int) -> Pillow.Image:
    """The upright picture as RGB or RGBA, at most `box` pixels wide and high."""
    shrink_to = None if box is None else (2 * box, 2 * box)
    with _opened(file) as image, _decoding(image, shrink_to=shrink_to):
        image.load()
        profile = image.info.get("icc_profile")
        keeps_colors = image.mode in ("RGB", "RGBA")
        picture = _eight_bits(image)
        if box is not None:
            picture.thumbnail((box, box), Pillow.Resampling.LANCZOS, reducing_gap=2.0)
        turn = _TURNS.get(orientation)
        if turn is not None:
            picture = picture.transpose(turn)
        picture.info.clear()
        if keeps_colors and profile and len(profile) <= _LONGEST_PROFILE_BYTES:
            picture.info["icc_profile"] = profile
        return picture


def raw(file: BinaryIO, *, max_pixels: int) -> Pillow.Image:
    """All pixels as they stand in the file, in the file's own mode; Invalid as for `inspect`."""
    with _opened(file) as image:
        _check_size(image, max_pixels)
        with _decoding(image):
            image.load()
        if image.format == "PNG" and not _has_png_end(file):
            raise Invalid("The image is truncated.", code="image_damaged")
        return image


def opaque(picture: Pillow.Image) -> Pillow.Image:
    """The picture on white, where it is transparent."""
    if picture.mode == "RGB":
        return picture
    ground = Pillow.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A"))
    ground.info.update(picture.info)
    return ground


def jpeg(picture: Pillow.Image, *, quality: int = 85) -> bytes:
    """The picture as a JPEG file."""
    out = BytesIO()
    profile = picture.info.get("icc_profile")
    opaque(picture).save(out, "JPEG", quality=quality, icc_profile=profile)
    return out.getvalue()


def png(picture: Pillow.Image) -> bytes:
    """The picture as a PNG file; packed quickly rather than tightly."""
    out = BytesIO()
    profile = picture.info.get("icc_profile")
    picture.save(out, "PNG", compress_level=1, icc_profile=profile)
    return out.getvalue()


@contextmanager
def _opened(file: BinaryIO) -> Iterator[Pillow.Image]:
    """The file's header, read; whatever goes wrong with its pixels then is said in our words."""
    # Hostile bytes make decoders fail in every way there is, here and below.
    try:
        image = Pillow.open(file, formats=("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"))
    except Exception as error:
        raise Invalid(
            "The file is not a JPEG, PNG, WebP, TIFF, BMP or GIF image.", code="not_an_image"
        ) from error
    try:
        if min(image.size) < 1:
            raise Invalid("The image has no pixels.", code="image_damaged")
        yield image
    except Invalid:
        raise
    except MemoryError as error:
        raise Invalid(
            "The image needs more memory than there is.", code="image_too_large"
        ) from error
    except Exception as error:
        raise Invalid("The image is truncated or damaged.", code="image_damaged") from error


def _picture(image: Pillow.Image, file: BinaryIO, width: int, height: int) -> Picture:
    return Picture(MEDIA_TYPES[image.format or ""], width, height, _orientation(image, file))


def _orientation(image: Pillow.Image, file: BinaryIO) -> int:
    """From EXIF alone: browsers do not look at XMP, where Pillow would look next."""
    data = _png_exif(file) if image.format == "PNG" else image.info.get("exif")
    if image.format == "TIFF" or not data:
        return 1
    exif = Pillow.Exif()
    try:
        exif.load(data)
        value = exif.get(_EXIF_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - a damaged EXIF block does not make the picture bad
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def _eight_bits(image: Pillow.Image) -> Pillow.Image:
    """RGB, or RGBA where something is transparent; deeper greys are stretched from end to end."""
    if image.mode.startswith(("I", "F")):
        low, high = cast(tuple[float, float], image.getextrema())
        wide = image.convert("F")
        scale = 255.0 / (high - low) if high > low else 0.0
        return wide.point(lambda value: value * scale - low * scale).convert("L").convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB") if image.mode != "RGB" else image


class _Budget:
    """Bytes that pictures under work may take together."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def spend(self, amount: int) -> Iterator[None]:
        amount = min(amount, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._used + amount <= self._total)
            self._used += amount
        try:
            yield
        finally:
            with self._changed:
                self._used -= amount
                self._changed.notify_all()


_budget = _Budget(_DECODING_BYTES)


@contextmanager
def _decoding(image: Pillow.Image, *, shrink_to: tuple[int, int] | None = None) -> Iterator[None]:
    """Wait until the memory that this picture's pixels take is free.

    With `shrink_to`, a JPEG is decoded at the smallest size that is not below it. A progressive
    one still keeps two bytes for each of its samples until the last scan.
    """
    with _budget.spend(_cost(image, shrink_to)):
        yield


def _cost(image: Pillow.Image, shrink_to: tuple[int, int] | None) -> int:
    """Bytes that the pixels take; from here on a JPEG is decoded at the size that is wanted."""
    width, height = image.size
    progressive = bool(image.info.get("progressive"))
    if shrink_to is not None:
        image.draft(None, shrink_to)
        if not progressive:
            width, height = image.size
    return width * height * (6 if progressive else 4)
