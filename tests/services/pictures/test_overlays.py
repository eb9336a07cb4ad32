"""Annotations drawn on a small picture."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from app import masks
from app.services.pictures.overlays import Drawn, draw

COCO = json.loads((Path(__file__).parents[2] / "data/coco/instances.json").read_text())
FILL = round(0.28 * 255)
SQUARE = [10, 10, 40, 10, 40, 40, 10, 40]


def drawn(*drawn: Drawn, size: tuple[int, int] = (100, 50)) -> Pillow.Image:
    return draw(drawn, image_size=(100, 50), size=size)


def alpha(picture: Pillow.Image) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    return np.asarray(picture.getchannel("A"))


def test_nothing() -> None:
    assert drawn().getchannel("A").getextrema() == (0, 0)


def test_a_polygon_is_filled_and_outlined() -> None:
    picture = drawn(Drawn("#00ffff", polygons=[SQUARE]))
    assert picture.getpixel((25, 25)) == (0, 255, 255, FILL)
    assert picture.getpixel((5, 25)) == (0, 0, 0, 0)
    assert int(alpha(picture)[25, 9:12].max()) > 200


def test_it_scales_with_the_picture() -> None:
    for width, height in ((50, 25), (200, 100), (2000, 1000)):
        picture = drawn(Drawn("#00ffff", polygons=[SQUARE]), size=(width, height))
        box = picture.getchannel("A").getbbox()
        scale = width / 100
        assert box == pytest.approx([10 * scale, 10 * scale, 40 * scale, 40 * scale], abs=2.1)


def test_holes_stay_empty() -> None:
    hole = [20, 20, 30, 20, 30, 30, 20, 30]
    picture = drawn(Drawn("#ff0000", polygons=[SQUARE], holes=[hole]))
    assert picture.getpixel((25, 25)) == (0, 0, 0, 0)
    assert picture.getpixel((15, 15)) == (255, 0, 0, FILL)


def test_parts_that_overlap_are_one_area() -> None:
    picture = drawn(Drawn("#ff0000", polygons=[SQUARE, [20, 20, 50, 20, 50, 45, 20, 45]]))
    assert picture.getpixel((25, 35)) == (255, 0, 0, FILL)


def test_a_box_alone_is_drawn_and_one_beside_a_polygon_is_not() -> None:
    assert drawn(Drawn("#ff0000", bbox=[10, 10, 20, 20])).getpixel((20, 20)) == (255, 0, 0, FILL)
    assert drawn(Drawn("#ff0000", bbox=[0, 0, 0, 0])).getchannel("A").getextrema() == (0, 0)


def test_small_ones_lie_above_large_ones() -> None:
    small = Drawn("#00ff00", area=100, polygons=[[20, 20, 30, 20, 30, 30, 20, 30]])
    large = Drawn("#ff0000", area=900, polygons=[SQUARE])
    pictures = [drawn(small, large), drawn(large, small)]
    assert pictures[0].tobytes() == pictures[1].tobytes()
    rim = pictures[0].getpixel((20, 25))
    assert isinstance(rim, tuple)
    assert rim[1] > rim[0]


@pytest.mark.parametrize("fine", [1, 3])
def test_a_mask_is_where_its_pixels_are(fine: int) -> None:
    crowds = [one for one in COCO["annotations"] if one["iscrowd"]]
    assert crowds
    for one in crowds:
        height, width = one["segmentation"]["size"]
        size = (width // fine, height // fine)
        picture = draw(
            [Drawn("#ff0000", rle=one["segmentation"])], image_size=(width, height), size=size
        )
        wanted = masks.decode(masks.from_dicts([one["segmentation"]]))[0]
        small = Pillow.fromarray(wanted * 255).resize(size, Pillow.Resampling.BOX)
        shown, sure = alpha(picture), np.asarray(small)
        assert (shown[sure == 255] >= FILL - 1).all()
        assert (shown[sure == 0] > 0).mean() < 0.01


def test_an_rle_over_the_whole_picture() -> None:
    rle = {"size": [50, 100], "counts": [0, 5000]}
    picture = drawn(Drawn("#ff0000", rle=rle))
    assert (alpha(picture) == FILL).all()


def test_a_mask_costs_what_is_shown_of_it() -> None:
    """A hundred megapixels are never decoded."""
    rle = {"size": [10_000, 10_000], "counts": [20_000_000, 60_000_000, 20_000_000]}
    picture = draw([Drawn("#ff0000", rle=rle)], image_size=(10_000, 10_000), size=(64, 64))
    assert picture.getpixel((32, 32)) == (255, 0, 0, FILL)
    assert picture.getpixel((5, 32)) == (0, 0, 0, 0)


def test_keypoints_and_limbs() -> None:
    one = Drawn(
        "#ff0000",
        bbox=[0, 0, 0, 0],
        keypoints=[20, 20, 2, 60, 20, 1, 0, 0, 0],
        skeleton=[[1, 2], [2, 3]],
    )
    picture = drawn(one)
    assert picture.getpixel((20, 20)) == (255, 0, 0, 255)
    assert picture.getpixel((60, 20)) == (255, 255, 255, 255)
    limb = picture.getpixel((40, 20))
    assert isinstance(limb, tuple)
    assert limb[3] > 100
    assert picture.getpixel((30, 10)) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "one",
    [
        Drawn("#ff0000", polygons=[[]]),
        Drawn("#ff0000", polygons=[[1, 2, 3, 4]]),
        Drawn("#ff0000", polygons=[[1, 2, 3, 4, 5, 6, 7]]),
        Drawn("#ff0000", polygons=[[1e300, -1e300, 1e7, 0, 0, 1e300]]),
        Drawn("#ff0000", polygons=[[-50, -50, -10, -50, -10, -10]]),
        Drawn("#ff0000", polygons=[[5, 5, 5, 5, 5, 5]]),
        Drawn("#ff0000", rle={"size": [50, 100], "counts": [5000]}),
        Drawn("#ff0000", rle={"size": [50, 100], "counts": [7]}),
        Drawn("#ff0000", rle={"size": [50, 100], "counts": "???"}),
        Drawn("#ff0000", bbox=[-500, -500, 100, 100]),
        Drawn("#ff0000", keypoints=[1, 2]),
        Drawn("#ff0000", keypoints=[1, 2, 2], skeleton=[[1, 9], [0, 1]]),
        Drawn("#ff0000", keypoints=[1e9, -1e9, 2]),
    ],
)
def test_odd_geometry_harms_nothing(one: Drawn) -> None:
    square = Drawn("#00ff00", polygons=[SQUARE])
    assert drawn(one, square).getpixel((25, 25)) is not None
    assert drawn(one, square).size == (100, 50)
