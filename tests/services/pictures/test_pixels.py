"""Image files: what they are, whether they are sound, and how they are shown."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat

from app.errors import Invalid
from app.services.pictures import pixels
from tests.build.pictures import COCO_IMAGES, make_picture, make_png_header

KINDS: dict[str, dict[str, Any]] = {
    "jpeg": {"kind": "JPEG"},
    "jpeg-progressive": {"kind": "JPEG", "progressive": True},
    "jpeg-grey": {"kind": "JPEG", "mode": "L"},
    "jpeg-cmyk": {"kind": "JPEG", "mode": "CMYK"},
    "png": {},
    "png-alpha": {"mode": "RGBA"},
    "png-grey-alpha": {"mode": "LA"},
    "png-palette": {"mode": "P"},
    "png-palette-transparent": {"mode": "P", "transparency": 0},
    "png-bits": {"mode": "1"},
    "png-16": {"mode": "I;16"},
    "webp": {"kind": "WEBP"},
    "webp-lossless": {"kind": "WEBP", "lossless": True},
    "tiff": {"kind": "TIFF"},
    "tiff-lzw": {"kind": "TIFF", "compression": "tiff_lzw"},
    "tiff-16": {"kind": "TIFF", "mode": "I;16"},
    "tiff-float": {"kind": "TIFF", "mode": "F"},
    "bmp": {"kind": "BMP"},
    "gif": {"kind": "GIF", "mode": "P"},
}


def inspect(data: bytes, max_pixels: int = 10**6) -> pixels.Picture:
    return pixels.inspect(BytesIO(data), max_pixels=max_pixels)


def refusal(data: bytes, max_pixels: int = 10**6) -> str:
    with pytest.raises(Invalid) as caught:
        inspect(data, max_pixels)
    return caught.value.code


@pytest.mark.parametrize("name", KINDS)
def test_kinds(name: str) -> None:
    data = make_picture(size=(90, 60), **KINDS[name])
    found = inspect(data)
    assert found.media_type == f"image/{name.partition('-')[0]}"
    assert (found.width, found.height, found.orientation) == (90, 60, 1)
    assert pixels.read_header(BytesIO(data)) == found
    shown = pixels.shown(BytesIO(data), box=30, orientation=1)
    assert shown.size == (30, 20)
    assert shown.mode == ("RGBA" if "alpha" in name or "transparent" in name else "RGB")
    low, high = pixels.opaque(shown).convert("L").getextrema()
    assert isinstance(low, int)
    assert isinstance(high, int)
    assert high - low > 100, "the pattern is to be seen"
    with Image.open(BytesIO(pixels.jpeg(shown))) as small:
        assert small.size == (30, 20)


@pytest.mark.parametrize("name", KINDS)
def test_every_cut_is_found(name: str) -> None:
    data = make_picture(size=(90, 60), **KINDS[name])
    # Whole enough are a GIF without the byte that says that nothing follows, and a BMP without
    # what fills its last row up to a multiple of four bytes.
    spared = 2 if name in ("gif", "bmp") else 0
    cuts = {len(data) * part // 16 for part in range(16)}
    cuts |= {len(data) - missing for missing in range(spared + 1, 30)}
    for cut in sorted(cuts):
        code = refusal(data[:cut])
        assert code in ("image_damaged", "not_an_image"), f"{cut} of {len(data)} bytes"


@pytest.mark.parametrize("path", COCO_IMAGES[:3], ids=lambda path: path.name)
def test_cuts_of_a_photograph(path: Path) -> None:
    data = path.read_bytes()
    inspect(data)
    # The last two bytes say no more than that this is the end.
    for cut in (3, 10, 1000, len(data) // 2, len(data) - 700):
        assert refusal(data[:-cut]) in ("image_damaged", "not_an_image")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 1000,
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.4",
        b"GIF89a",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x10\0\0\0WEBPVP8 ",
        b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0",
    ],
)
def test_not_an_image(data: bytes) -> None:
    assert refusal(data) == "not_an_image"


def test_the_header_is_enough_to_refuse_a_bomb() -> None:
    assert refusal(make_png_header(50_000, 50_000)) == "image_too_large"
    assert refusal(make_picture(size=(11, 10)), max_pixels=109) == "image_too_large"
    assert inspect(make_picture(size=(11, 10)), max_pixels=110).width == 11
    # The header lies: what it promises does not come.
    assert refusal(make_png_header(500, 500)) == "image_damaged"


def test_a_small_file_may_not_ask_for_a_thousand_passes() -> None:
    data = make_picture(size=(90, 60), kind="JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    assert refusal(data[:-2] + data[last:-2] * 1000 + data[-2:]) == "image_damaged"
    assert inspect(data).width == 90


def test_one_pixel() -> None:
    data = make_picture(size=(1, 1))
    assert inspect(data).width == 1
    assert pixels.shown(BytesIO(data), box=256, orientation=1).size == (1, 1)


def test_a_very_thin_picture() -> None:
    data = make_picture(size=(2000, 1), kind="JPEG")
    assert pixels.shown(BytesIO(data), box=64, orientation=1).size == (64, 1)


_TURNED_BACK: dict[int, Callable[[Image.Image], Image.Image]] = {
    1: lambda shown: shown,
    2: ImageOps.mirror,
    3: lambda shown: shown.rotate(180),
    4: ImageOps.flip,
    5: lambda shown: ImageOps.flip(shown.rotate(90, expand=True)),
    6: lambda shown: shown.rotate(90, expand=True),
    7: lambda shown: ImageOps.mirror(shown.rotate(90, expand=True)),
    8: lambda shown: shown.rotate(-90, expand=True),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", _TURNED_BACK)
def test_orientation(kind: str, orientation: int) -> None:
    data = make_picture(size=(80, 40), kind=kind, orientation=orientation)
    found = inspect(data)
    assert (found.width, found.height) == ((40, 80) if orientation >= 5 else (80, 40))
    shown = pixels.shown(BytesIO(data), box=None, orientation=found.orientation)
    assert shown.size == (found.width, found.height)
    with Image.open(BytesIO(make_picture(size=(80, 40)))) as sent:
        difference = ImageChops.difference(_TURNED_BACK[orientation](shown), sent.convert("RGB"))
    allowed = 0 if kind in ("PNG", "TIFF") else 6
    assert max(ImageStat.Stat(difference).mean) <= allowed


def test_an_orientation_that_makes_no_sense_is_ignored() -> None:
    for value in (0, 9, 65535):
        assert inspect(make_picture(kind="JPEG", orientation=value)).orientation == 1


def test_transparency_is_white_in_a_jpeg() -> None:
    out = BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(out, "PNG")
    shown = pixels.shown(out, box=None, orientation=1)
    assert pixels.opaque(shown).getpixel((0, 0)) == (255, 255, 255)
