"""Masks for tests: every kind that is worth a look, and what Hypothesis makes of chance."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app import masks
from app.masks import Masks
from app.masks.batch import BoolArray

MOST = 9


def _drawn(*rows: str) -> BoolArray:
    return np.array([[pixel == "#" for pixel in row] for row in rows], bool)


def _rings(side: int) -> BoolArray:
    """Rings in rings, one pixel thick and one pixel apart."""
    y, x = np.indices((side, side))
    depth = np.minimum(np.minimum(x, y), side - 1 - np.maximum(x, y))
    return np.asarray(depth % 2 == 0, bool)


def _spiral(side: int) -> BoolArray:
    out = np.zeros((side, side), bool)
    row, column, (dy, dx) = 0, 0, (0, 1)
    out[0, 0] = True
    for length in range(side - 1, 0, -2):
        for _ in range(2 if length < side - 1 else 3):
            for _ in range(length):
                row, column = row + dy, column + dx
                out[row, column] = True
            dy, dx = dx, -dy
    return out


_CHECKERS = np.indices((7, 8)).sum(axis=0) % 2 == 0

KINDS: dict[str, BoolArray] = {
    "no rows": np.zeros((0, 5), bool),
    "no columns": np.zeros((5, 0), bool),
    "nothing at all": np.zeros((0, 0), bool),
    "empty": np.zeros((4, 6), bool),
    "full": np.ones((4, 6), bool),
    "one pixel, full": np.ones((1, 1), bool),
    "one pixel, empty": np.zeros((1, 1), bool),
    "one pixel in the middle": _drawn("...", ".#.", "..."),
    "one pixel in each corner": _drawn("#..#", "....", "#..#"),
    "one row": _drawn("##.#.###"),
    "one column": _drawn("#", "#", ".", "#", "."),
    "diagonal": np.eye(6, dtype=bool),
    "other diagonal": np.eye(6, dtype=bool)[::-1],
    "all but the diagonal": ~np.eye(6, dtype=bool),
    "checkers": _CHECKERS,
    "other checkers": ~_CHECKERS,
    "large checkers": np.repeat(np.repeat(_CHECKERS, 2, axis=0), 3, axis=1),
    "ring": _rings(3),
    "ring in ring in ring": _rings(11),
    "rings within the edge": np.pad(_rings(12), 1),
    "rings around the edge": ~np.pad(_rings(9), 1),
    "spiral": _spiral(13),
    "holes beside each other": _drawn("########", "#..#.#.#", "#..#.#.#", "########"),
    "holes that touch at corners": _drawn("######", "#.#.##", "##.#.#", "#.#.##", "######"),
    "holes at the edge": _drawn(".####.", "##..##", "#....#", "##..##", ".####."),
    "ring that closes at a corner": _drawn("####.", "#..#.", "#..#.", "###..", "...#."),
    "island that touches its ring at a corner": _drawn("#####", "#..##", "#.#.#", "#...#", "#####"),
    "island beside an island in a hole": _drawn(
        "##########", "#........#", "#.##.###.#", "#.##.#.#.#", "#....###.#", "#........#",
        "##########",
    ),
    "comb": np.indices((5, 12))[1] % 2 == 0,
    "comb on its side": np.indices((12, 5))[0] % 2 == 0,
    "runs that end with their column": _drawn(".#.#", ".#.#", ".#.#"),
    "runs over several columns": _drawn("..##.", ".###.", ".###.", ".##.."),
}  # fmt: skip


@st.composite
def ragged(draw: st.DrawFn, most: int = 6) -> Masks:
    """A batch of masks of their own sizes, now and then of none."""
    chosen = draw(st.lists(st.sampled_from(list(KINDS)) | bitmaps(), max_size=most))
    return masks.concatenate(
        masks.encode(KINDS[one] if isinstance(one, str) else one) for one in chosen
    )


@st.composite
def bitmaps(draw: st.DrawFn, most: int = MOST) -> BoolArray:
    shape = draw(st.tuples(st.integers(0, most), st.integers(0, most)))
    return draw(arrays.arrays(bool, shape, elements=st.booleans(), fill=st.just(False)))


@st.composite
def nested(draw: st.DrawFn) -> BoolArray:
    """Rectangles on each other, each turning over what it covers: rings, islands and corners."""
    height, width = draw(st.integers(1, 16)), draw(st.integers(1, 16))
    out = np.zeros((height, width), bool)
    for _ in range(draw(st.integers(0, 8))):
        y, x = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        out[y : y + draw(st.integers(1, height)), x : x + draw(st.integers(1, width))] ^= True
    return out


@st.composite
def stacks(draw: st.DrawFn, most: int = 4) -> BoolArray:
    """(h, w, n) bitmaps of one size, sides of 0 and thick and thin shapes among them."""
    height, width = draw(st.integers(0, MOST)), draw(st.integers(0, MOST))
    n = draw(st.integers(1, most))
    fill = st.sampled_from([False, True])
    drawn = draw(arrays.arrays(bool, (height, width, n), elements=st.booleans(), fill=fill))
    if draw(st.booleans()):
        drawn = np.repeat(np.repeat(drawn, 2, axis=0), 3, axis=1)
    return drawn


@st.composite
def polygons(draw: st.DrawFn, reach: int = 20) -> list[float]:
    """A flat polygon of three to nine points, on and between the pixels' corners."""
    number = st.one_of(
        st.integers(-reach, reach).map(float),
        st.integers(-5 * reach, 5 * reach).map(lambda n: n / 5),
        st.integers(-20 * reach, 20 * reach).map(lambda n: n / 20),
        st.floats(-reach, reach),
    )
    points = draw(st.lists(st.tuples(number, number), min_size=3, max_size=9))
    return [number for point in points for number in point]
