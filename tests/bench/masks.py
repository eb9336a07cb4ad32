"""The mask engine beside pycocotools and faster-coco-eval, on real annotations, in one process.

Every ratio is the peer's time over ours, of the medians of rounds in which all of them take turns,
so that a slow phase of the machine slows each of them: more than 1 is faster than the peer. Times
are the processor's, of which other work on the machine takes nothing; nobody here uses more than
one thread. Each side starts from what it works on by itself: the lists of a COCO file for polygons,
bitmaps for encode, and for all else RLE objects with bytes for the peers and a batch for
`app.masks`.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import chain, groupby
from typing import Any, NamedTuple

import numpy as np
from faster_coco_eval.core import mask as faster
from pycocotools import _mask as coding
from pycocotools import mask as coco

from app import masks
from app.masks import strings
from tests.bench import Row
from tests.shared_data import SHARED_DATA

__all__ = ["measure"]

ROUNDS = 15
PEERS = (("pycocotools", coco), ("faster-coco-eval", faster))


class _Annotations(NamedTuple):
    """The polygon annotations of coco-large, those of one image beside each other."""

    polygons: list[list[list[float]]]
    sizes: list[list[int]]
    images: list[int]


@cache
def _annotations() -> _Annotations:
    content = json.loads((SHARED_DATA / "coco-large" / "instances_union.json").read_bytes())
    sizes = {image["id"]: [image["height"], image["width"]] for image in content["images"]}
    drawn = [one for one in content["annotations"] if isinstance(one["segmentation"], list)]
    drawn.sort(key=lambda one: one["image_id"])
    images = [one["image_id"] for one in drawn]
    return _Annotations(
        [one["segmentation"] for one in drawn], [sizes[image] for image in images], images
    )


def _medians(*calls: Callable[[], object]) -> list[float]:
    """Median seconds of each call, all of them taking turns."""
    times: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(ROUNDS):
        for call, taken in zip(calls, times, strict=True):
            begun = time.process_time()
            call()
            taken.append(time.process_time() - begun)
    return [statistics.median(taken) for taken in times]


def _rows(
    what: str,
    n: int,
    ours: Callable[[], object],
    peers: Sequence[Callable[[], object]],
    target: float | None,
) -> Iterator[Row]:
    """A row for each peer, in the order of PEERS; the target is for pycocotools, the first one."""
    own, *others = _medians(ours, *peers)
    for (name, _), seconds in zip(PEERS, others, strict=False):
        note = f"{name} {seconds / n * 1e6:.1f} us each, ours {own / n * 1e6:.1f}"
        goal = target if name == "pycocotools" else None
        yield Row(what, seconds / own, "x", goal, at_least=True, note=note)


def _pieces(n: int, size: int) -> list[slice]:
    return [slice(first, min(first + size, n)) for first in range(0, n, size)]


def _loop(call: Callable[[Any], object], given: Sequence[Any]) -> Callable[[], object]:
    """Call it with each of these; no answer is kept, as a server keeps none."""

    def run() -> None:
        for one in given:
            call(one)

    return run


def _each_peer(
    call: Callable[[Any, Any], object], given: Sequence[Any]
) -> list[Callable[[], object]]:
    return [_loop(partial(call, peer), given) for _, peer in PEERS]


def _bytes(batch: masks.Masks) -> list[dict[str, Any]]:
    """RLE objects as the peers make them."""
    return [
        {"size": rle["size"], "counts": rle["counts"].encode()} for rle in masks.to_dicts(batch)
    ]


# Polygons ----------------------------------------------------------------------------------------


def _polygons() -> Iterator[Row]:
    polygons, sizes, _ = _annotations()
    n = len(polygons)
    parts = [[ring] for rings in polygons for ring in rings]
    part_sizes = [size for rings, size in zip(polygons, sizes, strict=True) for _ in rings]
    given = list(zip(polygons, sizes, strict=True))

    def draw(peer: Any, one: Any) -> object:
        return peer.frPyObjects(one[0], *one[1])

    def draw_united(peer: Any, one: Any) -> object:
        return peer.merge(peer.frPyObjects(one[0], *one[1]))

    for size in (100, 500, n):
        pieces = _pieces(len(parts), size)
        yield from _rows(
            f"polygons to RLE, {min(size, n):,} at a time",
            n,
            _loop(lambda some: masks.from_polygons(parts[some], part_sizes[some]), pieces),
            _each_peer(draw, given),
            3 if size == n else None,
        )
    yield from _rows(
        "the same, parts united, string counts",
        n,
        lambda: masks.to_dicts(masks.from_polygons(polygons, sizes)),
        _each_peer(draw_united, given),
        None,
    )
    yield from _rows(
        "polygons to RLE, one at a time",
        1000,
        _loop(lambda one: masks.from_polygons([one[0]], one[1]), given[:1000]),
        _each_peer(draw, given[:1000]),
        None,
    )
    yield from _saved(given[:1000])
    yield from _large()


def _saved(given: list[tuple[list[list[float]], list[int]]]) -> Iterator[Row]:
    times = []
    for rings, size in given:
        begun = time.process_time()
        drawn = masks.from_polygons([rings], size)
        masks.area(drawn).tolist(), masks.bbox(drawn).tolist()
        times.append(time.process_time() - begun)
    yield Row("one polygon saved: raster, area, box", statistics.median(times) * 1e3, "ms", 0.3)


def _large() -> Iterator[Row]:
    turn = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    reach = 8000 + 1000 * np.sin(turn * 7) + np.random.default_rng(1).normal(0, 20, 1000)
    ring = (10_000 + reach * np.stack([np.cos(turn), np.sin(turn)])).T.ravel().tolist()
    side = 20_000
    own, peer = _medians(
        lambda: masks.from_polygons([[ring]], [side, side]),
        lambda: coco.frPyObjects([ring], side, side),
    )
    note = f"pycocotools {peer * 1e3:.1f} ms"
    yield Row("1,000 vertices on 20,000 x 20,000", own * 1e3, "ms", 5, note=note)


# Bitmaps, measures and strings -------------------------------------------------------------------


def _bitmaps() -> Iterator[Row]:
    polygons, sizes, _ = _annotations()
    n = 400
    every = masks.from_polygons(polygons[:n], sizes[:n])
    batches = [every[some] for some in _pieces(n, 10)]
    rles = _bytes(every)
    lists = [rles[some] for some in _pieces(n, 10)]
    bitmaps = masks.decode(every)

    yield from _rows(
        "decode",
        n,
        _loop(masks.decode, batches),
        _each_peer(lambda peer, rle: peer.decode(rle), rles),
        10,
    )
    yield from _rows(
        "the same, from string counts",
        n,
        _loop(lambda some: masks.decode(masks.from_dicts(some)), lists),
        _each_peer(lambda peer, rle: peer.decode(rle), rles),
        None,
    )
    yield from _rows(
        "encode",
        n,
        _loop(masks.encode, bitmaps),
        _each_peer(lambda peer, bitmap: peer.encode(bitmap), bitmaps),
        1.5,
    )


def _measures() -> Iterator[Row]:
    polygons, sizes, _ = _annotations()
    # pycocotools fails on more than 255 masks at a time (its size is in 8 bits under NumPy 2).
    n = 5_500
    every = masks.from_polygons(polygons[:n], sizes[:n])
    batches = [every[some] for some in _pieces(n, 250)]
    rles = [_bytes(batch) for batch in batches]
    areas = _each_peer(lambda peer, some: peer.area(some), rles)
    yield from _rows("area, 250 at a time", n, _loop(masks.area, batches), areas, 2)
    boxes = _each_peer(lambda peer, some: peer.toBbox(some), rles)
    yield from _rows("bbox, 250 at a time", n, _loop(masks.bbox, batches), boxes, 2)
    internal = [coding._frString(some) for some in rles]
    yield from _rows(
        "counts to strings",
        n,
        _loop(masks.to_dicts, batches),
        [_loop(coding._toString, internal)],
        1,
    )
    yield from _rows(
        "strings to counts",
        n,
        _loop(masks.from_dicts, rles),
        [_loop(coding._frString, rles)],
        1,
    )
    texts = [[rle["counts"] for rle in some] for some in rles]
    yield from _rows(
        "the same, unchecked",
        n,
        _loop(strings.decode_strings, texts),
        [_loop(coding._frString, rles)],
        None,
    )


# Sets --------------------------------------------------------------------------------------------


def _merges() -> Iterator[Row]:
    polygons, sizes, _ = _annotations()
    several = [i for i, rings in enumerate(polygons) if len(rings) > 1]
    groups = [len(polygons[i]) for i in several]
    parts = [[ring] for i in several for ring in polygons[i]]
    part_sizes = list(chain.from_iterable([sizes[i]] * len(polygons[i]) for i in several))
    batch = masks.from_polygons(parts, part_sizes)
    rles = iter(_bytes(batch))
    given = [[next(rles) for _ in range(count)] for count in groups]
    yield from _rows(
        "merge of each annotation's parts",
        len(groups),
        lambda: masks.merge(batch, groups),
        _each_peer(lambda peer, some: peer.merge(some), given),
        2,
    )


def _ious() -> Iterator[Row]:
    polygons, sizes, images = _annotations()
    groups = [list(found) for _, found in groupby(range(len(images)), images.__getitem__)]
    busy = [some[:20] for some in groups if len(some) >= 20][:40]
    alike = [i for i, size in enumerate(sizes) if size == [480, 640]]
    for count, sets, target in (
        (20, busy, 0.5),
        (100, [alike[some] for some in _pieces(500, 100)], 1),
        (500, [alike[:500]], 1),
    ):
        batches = [
            masks.from_polygons([polygons[i] for i in some], [sizes[i] for i in some])
            for some in sets
        ]
        rles = [_bytes(batch) for batch in batches]
        yield from _rows(
            f"IoU of all pairs, {count} objects",
            len(sets),
            _loop(lambda batch: masks.iou(batch, batch), batches),
            _each_peer(lambda peer, some: peer.iou(some, some, [0] * len(some)), rles),
            target,
        )


def measure() -> Iterator[Row]:
    if not SHARED_DATA.is_dir():
        return
    for subject in (_polygons, _bitmaps, _measures, _merges, _ious):
        yield from subject()
