"""What Hypothesis makes masks of."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.masks.batch import BoolArray

MOST = 9


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
