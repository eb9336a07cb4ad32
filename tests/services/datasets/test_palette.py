"""The palette's colours stay apart, for ordinary sight and for dichromats.

Distances are Euclidean in OKLab (Ottosson 2020); 0.02 is about a just noticeable difference.
Dichromacy is simulated on linear RGB by the matrices of Machado, Oliveira and Fernandes (2009) for
severity 1.
"""

import numpy as np
import numpy.typing as npt
import pytest

from app.services.datasets.palette import HUES, color_for

Floats = npt.NDArray[np.float64]

SIGHT: dict[str, list[list[float]]] = {
    "ordinary": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def oklab(colors: tuple[str, ...], sight: str) -> Floats:
    """The colours as somebody with this sight sees them, shape (n, 3)."""
    rgb = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colors])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(SIGHT[sight]).T, 0, 1)
    lab: Floats = np.cbrt(seen @ TO_LMS.T) @ TO_LAB.T
    return lab


# As many as COCO has.
EIGHTY = tuple(color_for(position) for position in range(80))


def distances(colors: tuple[str, ...], sight: str) -> Floats:
    """Of each colour from each other one, shape (n, n), with 1 on the diagonal."""
    lab = oklab(colors, sight)
    apart: Floats = np.linalg.norm(lab[:, None] - lab[None], axis=-1) + np.eye(len(colors))
    return apart


@pytest.mark.parametrize("sight", SIGHT)
def test_the_twelve_hues_stay_apart(sight: str) -> None:
    assert distances(HUES, sight).min() > 0.1


def test_eighty_colors_stay_apart_and_neighbours_far_apart() -> None:
    apart = distances(EIGHTY, "ordinary")
    assert apart.min() > 0.028
    # COCO's neighbours are of one kind, such as all animals, and are often on one image.
    assert min(np.diagonal(apart, step).min() for step in range(1, 5)) > 0.085


@pytest.mark.parametrize("sight", SIGHT)
def test_the_next_category_looks_different_to_everybody(sight: str) -> None:
    assert np.diagonal(distances(EIGHTY, sight), 1).min() > 0.08


def test_no_color_is_lost_in_the_dark_or_in_the_light() -> None:
    lightness = oklab(EIGHTY, "ordinary")[:, 0]
    assert lightness.min() > 0.49
    assert lightness.max() < 0.88


def test_the_colors_go_on_without_an_end() -> None:
    assert len({color_for(position) for position in range(500)}) > 490
