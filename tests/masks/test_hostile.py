"""Whatever comes in: a right answer or a MaskError, for time and memory in proportion to it."""

import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import masks
from app.masks import MaskError, Masks

# What the engine may need whatever it is asked: a few small arrays and the error itself.
SMALL = 1 << 18
LARGEST = [65535, 65537]
MEGABYTE = 1_000_000


@contextmanager
def no_more_than(size: int) -> Iterator[None]:
    """Fails if more bytes than this were allocated at any time; NumPy reports its own."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= size, f"{peak:,} bytes"


def answered_or_refused(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except MaskError as refusal:
        error = refusal
    assert error.code != MaskError.code, "a code of its own"
    assert error.detail
    return None


def drawn_or_refused(call: Callable[[], Masks]) -> Masks | None:
    """The masks, which must add up, or None if the engine refuses; nothing else may be raised."""
    found: Masks | None = answered_or_refused(call)
    if found is None:
        return None
    assert (np.add.reduceat(found.counts, found.offsets[:-1]) == found.pixels).all()
    first = np.isin(np.arange(len(found.counts)), found.offsets[:-1])
    assert (found.counts >= first.choose([1, 0])).all(), "canonical: no run but the first is empty"
    return found


sides = st.integers(0, 12) | st.sampled_from([65535, 65537, 2**31, 2**32 - 1])


@given(st.binary(max_size=4000) | st.text(max_size=4000), sides, sides)
def test_any_counts(counts: bytes | str, height: int, width: int) -> None:
    item = {"size": [height, width], "counts": counts}
    with no_more_than(SMALL + 200 * len(counts)):
        drawn_or_refused(lambda: masks.from_dicts([item]))


@given(st.text(st.characters(min_codepoint=48, max_codepoint=111), max_size=4000), sides, sides)
def test_any_counts_of_the_right_characters(counts: str, height: int, width: int) -> None:
    with no_more_than(SMALL + 200 * len(counts)):
        found = drawn_or_refused(
            lambda: masks.from_dicts([{"size": [height, width], "counts": counts}])
        )
        if found is not None and found.pixels[0] < 100_000:
            assert masks.decode(found)[0].sum() == masks.area(found)[0]


numbers = st.integers() | st.integers(-1, 2**33) | st.floats() | st.booleans() | st.none()


@given(st.lists(numbers, max_size=200), sides, sides)
def test_any_list_of_counts(counts: list[Any], height: int, width: int) -> None:
    with no_more_than(SMALL + 200 * len(counts)):
        drawn_or_refused(lambda: masks.from_dicts([{"size": [height, width], "counts": counts}]))


any_json = st.recursive(
    numbers | st.integers(-5, 20) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(st.sampled_from(["size", "counts", "x"]), inner, max_size=3)
        | st.lists(st.integers(-5, 20) | st.floats(-30, 30), min_size=5, max_size=12)
    ),
    max_leaves=20,
)


@given(any_json, any_json)
def test_any_json_as_a_segmentation(segmentation: Any, size: Any) -> None:
    length = len(json.dumps([segmentation, size]))
    for frame in (size, [7, 9], LARGEST):
        with no_more_than(SMALL + 500 * length):
            found = drawn_or_refused(
                # The columns that polygons span are bounded by the caller.
                lambda frame=frame: masks.from_segmentations(  # type: ignore[misc]
                    [segmentation], frame, max_crossings=100
                )
            )
        if found is not None:
            assert masks.area(found)[0] <= found.pixels[0]


@given(any_json, any_json, any_json)
def test_any_json_for_the_other_functions(one: Any, other: Any, third: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: masks.from_boxes(one, [9, 9]),
        lambda: masks.from_boxes([one], other),
        lambda: masks.from_polygons(one, [9, 9], holes=other),
        lambda: masks.from_polygons([one], [9, 9], holes=[other]),
        lambda: masks.from_strokes([one], [other], [9, 9]),
        lambda: masks.from_dicts(one if isinstance(one, list) else [one]),
        lambda: masks.background(one),
        lambda: masks.simplify(one if isinstance(one, list) else [one], other),
        lambda: masks.iou_boxes(one, other, third),
        lambda: masks.iou(masks.background([3, 3], 2), masks.background([3, 3], 2), one),
        lambda: masks.to_polygons(masks.background([3, 3]), tolerance=one),
        lambda: masks.to_polygons(masks.background([3, 3]), one),
        lambda: masks.encode(one),
        lambda: masks.encode_labels(one),
    ]
    for call in calls:
        answered_or_refused(call)


BOMBS: dict[str, tuple[Callable[[], object], str]] = {
    "an image of 2^32 pixels": (
        lambda: masks.from_dicts([{"size": [65536, 65536], "counts": "0"}]),
        "image_too_large",
    ),
    "a short mask of the largest image": (
        lambda: masks.from_dicts([{"size": LARGEST, "counts": [1] * 9}]),
        "rle_short",
    ),
    "counts of seven characters": (
        lambda: masks.from_dicts([{"size": LARGEST, "counts": "oooooo3" * 1000}]),
        "rle_overrun",
    ),
    "differences of seven characters": (
        lambda: masks.from_dicts([{"size": LARGEST, "counts": "ooooooL" * 1000}]),
        "rle_negative",
    ),
    "the bitmap of the largest image": (
        lambda: masks.decode(masks.background(LARGEST)),
        "decode_too_large",
    ),
    "bitmaps that together are more than allowed": (
        lambda: masks.decode(masks.background([1000, 1000], 100), max_pixels=10**8 - 1),
        "decode_too_large",
    ),
    "a stack of bitmaps that together are more than allowed": (
        lambda: masks.decode_stack(masks.background([1000, 1000], 100), max_pixels=10**8 - 1),
        "decode_too_large",
    ),
    "a polygon that crosses twenty million columns": (
        lambda: masks.from_polygons([[[0, 0, 1e7, 1, 0, 2]]], [2, 10**7]),
        "polygon_too_complex",
    ),
    "a box over ten million columns": (
        lambda: masks.from_boxes([[0, 0, 1e7, 1]], [2, 10**7]),
        "polygon_too_complex",
    ),
    "a stroke over a million columns and back": (
        lambda: masks.from_strokes([[0, 0, 1e6, 0] * 9], [1], [2, 10**6]),
        "stroke_too_complex",
    ),
    "a text as long as a book in a bitmap of many": (
        lambda: masks.encode([["x" * 20_000, *[""] * 20_000]]),
        "bitmap_invalid",
    ),
    "a text as long as a book among many crowd flags": (
        lambda: masks.iou_boxes([], [], ["x" * 20_000, *[""] * 20_000]),
        "iscrowd_invalid",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_nothing_large_is_allocated_before_the_refusal(name: str) -> None:
    call, code = BOMBS[name]
    with no_more_than(4 * SMALL), pytest.raises(MaskError) as caught:
        call()
    assert caught.value.code == code


def test_the_largest_image_costs_nothing_where_there_are_no_runs() -> None:
    with no_more_than(SMALL):
        full = masks.from_dicts([{"size": LARGEST, "counts": [0, 2**32 - 1]}] * 10)
        assert masks.area(masks.merge(full)).tolist() == [2**32 - 1]
        assert masks.iou(full, full).min() == 1.0
        assert masks.bbox(full)[0].tolist() == [0, 0, LARGEST[1], LARGEST[0]]
        assert masks.to_polygons(full)[0].iou == 1.0


PATTERNS: dict[str, Any] = {
    "the same character": "P" * MEGABYTE,
    "short runs": "1" * MEGABYTE,
    "empty runs": "0" * MEGABYTE,
    "a wrong character at the end": "1" * MEGABYTE + "~",
    "numbers of seven characters": "oooooo3" * (MEGABYTE // 7),
    "nothing at all": "\0" * MEGABYTE,
    "any characters": np.random.default_rng(1).integers(48, 112, MEGABYTE, np.uint8).tobytes(),
    "any bytes": np.random.default_rng(2).bytes(MEGABYTE),
    "a list of whole numbers": [1] * MEGABYTE,
    "a list of floats": [1.0] * MEGABYTE,
    "a list with a text at the end": [1] * MEGABYTE + ["1"],
    "a list of enormous numbers": [10**30] * (MEGABYTE // 10),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_megabyte_of_counts_is_read_in_proportion(name: str) -> None:
    """Processor time, which others on the machine do not lengthen; a hundredth of it is usual."""
    began = time.process_time()
    with no_more_than(200 * MEGABYTE):
        for size in ([1000, 1000], LARGEST, [3, 3]):
            drawn_or_refused(
                lambda size=size: masks.from_dicts(  # type: ignore[misc]
                    [{"size": size, "counts": PATTERNS[name]}]
                )
            )
    assert time.process_time() - began < 20


@settings(max_examples=20)
@given(st.lists(st.floats(-1e7, 1e7), min_size=6, max_size=60).filter(lambda n: len(n) % 2 == 0))
def test_a_polygon_costs_as_many_bytes_as_it_crosses_columns(ring: list[float]) -> None:
    crossings = len(ring) // 2 * 50
    with no_more_than(SMALL + 200 * crossings):
        assert drawn_or_refused(lambda: masks.from_polygons([[ring]], [10**7, 50])) is not None
