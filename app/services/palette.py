"""The colours that categories get when nobody chose one.

Twelve colours, then lighter and darker ones of them. The twelve were searched for, not picked: of
all sets tried, the smallest distance of any two in OKLab was largest, at once for ordinary sight
and for the three kinds of dichromacy (`tests/services/test_palette.py` says how that is measured).
"""

__all__ = ["HUES", "PALETTE", "color_for"]

HUES = (
    "#4f8cff", "#d61e26", "#b4e620", "#9029bb", "#fb9d8e", "#a79f22",
    "#ac2170", "#8d6db7", "#61e7df", "#2048ff", "#cc7282", "#a4b0ed",
)  # fmt: skip

# Above 1 towards white, below 1 towards black. Seven rounds are enough for COCO's 80 categories.
_SHADES = (1.0, 0.75, 1.3, 0.58, 1.5, 0.44, 0.87)


def _shade(color: str, factor: float) -> str:
    parts = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    if factor >= 1:
        mixed = [round(part + (255 - part) * (factor - 1)) for part in parts]
    else:
        mixed = [round(part * factor) for part in parts]
    return "#" + "".join(f"{part:02x}" for part in mixed)


PALETTE = tuple(_shade(hue, factor) for factor in _SHADES for hue in HUES)


def color_for(position: int) -> str:
    """The palette's colour for the category at this place in its dataset."""
    return PALETTE[position % len(PALETTE)]
