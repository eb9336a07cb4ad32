"""The engine's answers to the calls that `tests.masks.peer` asks pycocotools.

All calls of one operation are answered as one batch of many sizes, where the engine allows it.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np

from app import masks
from app.masks import MaskError, Masks, strings
from app.masks.batch import ByteArray
from tests.masks.peer import Call

Answers = Callable[[Sequence[Call]], list[Any]]


def answer(calls: Sequence[Call]) -> list[Any]:
    """The answer to each call; a text where the engine refuses it or fails."""
    answers: list[Any] = [None] * len(calls)
    for op in {call["op"] for call in calls}:
        places = [i for i, call in enumerate(calls) if call["op"] == op]
        try:
            found = OPERATIONS[op]([calls[i] for i in places])
        except MaskError as error:
            found = [f"refused: {error.code}"] * len(places)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is an answer to look at
            found = [f"failed: {error!r}"] * len(places)
        for i, one in zip(places, found, strict=True):
            answers[i] = one
    return answers


def for_peer(call: Call) -> Call:
    """What to ask pycocotools: of outlines, what it makes of the polygons that we traced."""
    if call["op"] != "outlines":
        return call
    [outline] = masks.to_polygons(masks.from_dicts(call["masks"]))
    return {"op": "union", "size": call["masks"][0]["size"], "polygons": outline.polygons}


def _measured(drawn: Masks) -> list[Any]:
    rows = zip(
        masks.to_dicts(drawn), masks.area(drawn).tolist(), masks.bbox(drawn).tolist(), strict=True
    )
    return [list(row) for row in rows]


def _share(flat: list[Any], calls: Sequence[Call], name: str, more: int = 0) -> list[Any]:
    """A flat list cut into as many answers for each call as its member has items."""
    rest = iter(flat)
    return [list(islice(rest, len(call[name]) + more)) for call in calls]


def _bits(bitmap: ByteArray) -> list[Any]:
    return [list(bitmap.shape), np.packbits(np.ascontiguousarray(bitmap)).tobytes().hex()]


def _polygons(calls: Sequence[Call]) -> list[Any]:
    items = [
        rings
        for call in calls
        for rings in [*([ring] for ring in call["polygons"]), call["polygons"]]
    ]
    sizes = [call["size"] for call in calls for _ in range(len(call["polygons"]) + 1)]
    return _share(_measured(masks.from_polygons(items, sizes)), calls, "polygons", 1)


def _boxes(calls: Sequence[Call]) -> list[Any]:
    boxes = [box for call in calls for box in call["boxes"]]
    sizes = [call["size"] for call in calls for _ in call["boxes"]]
    return _share(_measured(masks.from_boxes(boxes, sizes)), calls, "boxes")


def _rles(calls: Sequence[Call]) -> list[Any]:
    read = masks.from_dicts([mask for call in calls for mask in call["masks"]])
    return _share(_measured(masks.from_dicts(masks.to_dicts(read))), calls, "masks")


def _bitmaps(calls: Sequence[Call]) -> list[Any]:
    out: list[Any] = []
    for call in calls:
        stack = masks.decode_stack(masks.from_dicts(call["masks"]))
        coded = masks.encode(stack)
        # The order of the bytes does not matter, nor which number is foreground.
        assert masks.encode(np.ascontiguousarray(stack) * -3.5) == coded
        out.append([*masks.to_dicts(coded), _bits(masks.decode_stack(coded))])
    return out


def _decode(calls: Sequence[Call]) -> list[Any]:
    read = masks.from_dicts([mask for call in calls for mask in call["masks"]])
    return _share([_bits(bitmap) for bitmap in masks.decode(read)], calls, "masks")


def _strings(calls: Sequence[Call]) -> list[Any]:
    counts = [count for call in calls for count in call["counts"]]
    offsets = np.cumsum([0, *(len(call["counts"]) for call in calls)])
    written = strings.encode_strings(np.array(counts, np.int64), offsets)
    again = strings.encode_strings(*strings.decode_strings([text.encode() for text in written]))
    return [list(pair) for pair in zip(written, again, strict=True)]


def _merge(calls: Sequence[Call]) -> list[Any]:
    out: list[Any] = [None] * len(calls)
    for intersect in (False, True):
        places = [i for i, call in enumerate(calls) if call["intersect"] is intersect]
        if not places:
            continue
        groups = [calls[i]["masks"] for i in places]
        read = masks.from_dicts([mask for group in groups for mask in group])
        merged = masks.merge(read, list(map(len, groups)), intersect)
        for i, rle in zip(places, masks.to_dicts(merged), strict=True):
            out[i] = rle
    return out


def _iou(calls: Sequence[Call]) -> list[Any]:
    return [
        masks.iou(
            masks.from_dicts(call["dt"]),
            masks.from_dicts([one["mask"] for one in call["gt"]]),
            [one["iscrowd"] for one in call["gt"]],
        ).tolist()
        for call in calls
    ]


def _iou_boxes(calls: Sequence[Call]) -> list[Any]:
    return [
        masks.iou_boxes(
            call["dt"], [one["box"] for one in call["gt"]], [one["iscrowd"] for one in call["gt"]]
        ).tolist()
        for call in calls
    ]


def _outlines(calls: Sequence[Call]) -> list[Any]:
    return list(masks.to_dicts(masks.from_dicts([call["masks"][0] for call in calls])))


OPERATIONS: dict[str, Answers] = {
    "polygons": _polygons,
    "boxes": _boxes,
    "rles": _rles,
    "bitmaps": _bitmaps,
    "decode": _decode,
    "strings": _strings,
    "merge": _merge,
    "iou": _iou,
    "iou_boxes": _iou_boxes,
    "outlines": _outlines,
}
