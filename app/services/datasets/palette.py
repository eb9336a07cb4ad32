"""The colours that categories get when nobody chose one.

The first twelve were searched for, not picked: of all sets tried, the smallest distance of any two
in OKLab was largest, at once for ordinary sight and for the three kinds of dichromacy. The others
follow a formula without an end: each hue stands the golden angle after the one before, which keeps
any number of them apart (Vogel, "A better way to construct the sunflower head", Mathematical
Biosciences 44, 1979), in the cylinder of OKLab (Ottosson, "A perceptual color space for image
processing", 2020). Lightness and chroma change from one to the next, and stay where a shape can be
seen on a photograph. `tests/services/datasets/test_palette.py` says how all of this is measured.
"""

import math
from functools import cache

__all__ = ["HUES", "color_for"]

HUES = (
    "#4f8cff", "#d61e26", "#b4e620", "#9029bb", "#fb9d8e", "#a79f22",
    "#ac2170", "#8d6db7", "#61e7df", "#2048ff", "#cc7282", "#a4b0ed",
)  # fmt: skip

_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
# Of the starts and rounds tried, those with the largest distances between the first eighty.
_FIRST_HUE = math.radians(170)
_LIGHTNESS = (0.66, 0.84, 0.56, 0.75)
_CHROMA = (0.20, 0.14, 0.09)
_CHROMA_STEP = 0.005


@cache
def color_for(position: int) -> str:
    """The colour, as ``#rrggbb``, for the category at this place (from 0) in its dataset."""
    if position < len(HUES):
        return HUES[position]
    n = position - len(HUES)
    lightness, chroma = _LIGHTNESS[n % len(_LIGHTNESS)], _CHROMA[n % len(_CHROMA)]
    hue = _FIRST_HUE + n * _GOLDEN_ANGLE
    # Not every hue can be so colourful on a screen: less chroma keeps hue and lightness.
    while not _on_screen(rgb := _linear_rgb(lightness, chroma, hue)):
        chroma -= _CHROMA_STEP
    return "#" + "".join(f"{round(255 * _gamma(part)):02x}" for part in rgb)


def _linear_rgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """OKLCH (hue in radians) as linear sRGB, by Ottosson's matrices; outside 0 to 1: no such."""
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _on_screen(rgb: tuple[float, float, float]) -> bool:
    return all(0 <= part <= 1 for part in rgb)


def _gamma(part: float) -> float:
    """Linear light as the sRGB standard (IEC 61966-2-1) stores it."""
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
