"""Masks drawn many at a time are those of one at a time, whatever a script does in between."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import client
from app.client import COCO
from tests.build.coco import annotation, coco

FILE = Path(__file__).parent.parent / "data" / "coco" / "instances.json"
SQUARE = [1, 1, 5, 1, 5, 4, 1, 4]
RLE = {"size": [6, 8], "counts": "73300000a0"}


def alone(made: COCO, record: dict[str, Any]) -> tuple[Any, Any]:
    """The answers for an annotation that was not loaded with others."""
    fresh = COCO(json.loads(json.dumps({**made.dataset, "annotations": [record]})))
    return answers(fresh, fresh.dataset["annotations"][0])


def answers(made: COCO, record: dict[str, Any]) -> tuple[Any, Any]:
    return made.annToRLE(record), made.annToMask(record).tolist()


ORDERS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "in turn": list,
    "backwards": lambda found: found[::-1],
    "some skipped": lambda found: found[::7],
    "shuffled": lambda found: [
        found[place] for place in np.random.default_rng(1).permutation(len(found))
    ],
    "twice": lambda found: found + found,
    "each twice": lambda found: [one for one in found for _ in range(2)],
}


@pytest.mark.parametrize("order", ORDERS)
def test_any_order(order: str) -> None:
    made = COCO(FILE)
    loaded = made.loadAnns(made.getAnnIds())
    assert len(loaded) > 100
    for record in ORDERS[order](loaded):
        rle = made.annToRLE(record)
        assert np.array_equal(made.annToMask(record), alone_mask(made, record)), record["id"]
        assert rle["size"] == list(made.annToMask(record).shape)


_masks: dict[int, Any] = {}


def alone_mask(made: COCO, record: dict[str, Any]) -> Any:
    if record["id"] not in _masks:
        single = COCO({**made.dataset, "annotations": [record]})
        _masks[record["id"]] = single.annToMask(record)
    return _masks[record["id"]]


def scale(record: dict[str, Any], _image: dict[str, Any]) -> None:
    record["segmentation"][0][2] -= 1


def replace(record: dict[str, Any], _image: dict[str, Any]) -> None:
    record["segmentation"] = RLE


def refill(record: dict[str, Any], _image: dict[str, Any]) -> None:
    record["segmentation"] = {**RLE, "counts": [0, 48]}


def resize(_record: dict[str, Any], image: dict[str, Any]) -> None:
    image["width"] = 4


def take_away(record: dict[str, Any], _image: dict[str, Any]) -> None:
    del record["segmentation"]


@pytest.mark.parametrize("change", [scale, replace, refill, resize, take_away])
def test_what_is_changed_meanwhile_is_drawn_anew(change: Callable[..., None]) -> None:
    made = COCO(coco(*(annotation(id=i, segmentation=[list(SQUARE)]) for i in range(5))))
    first, second, third, *_ = made.loadAnns(made.getAnnIds())
    before = answers(made, first)
    change(second, made.imgs[1])
    assert answers(made, second) == alone(made, second) != before
    assert answers(made, third) == alone(made, third)


def test_an_rle_that_is_changed_in_place() -> None:
    made = COCO(
        coco(*(annotation(id=i, segmentation={"size": [6, 8], "counts": [48]}) for i in range(3)))
    )
    first, second, _ = made.loadAnns(made.getAnnIds())
    made.annToMask(first)
    second["segmentation"]["counts"][:] = [0, 48]
    assert made.annToMask(second).all()


def test_one_without_a_mask_does_not_spoil_the_others() -> None:
    made = COCO(
        coco(
            annotation(segmentation=[SQUARE]),
            annotation(id=2, segmentation={"size": [6, 8], "counts": "xyz"}),
            annotation(id=3, segmentation=RLE),
            annotation(id=4, segmentation={"size": [6, 8], "counts": "b'73300000a0'"}),
            annotation(id=5, segmentation=[np.array(SQUARE)]),
        )
    )
    first, broken, third, repr_of_bytes, array = made.loadAnns(made.getAnnIds())
    wanted = made.annToRLE(first)
    with pytest.raises(client.BadGeometry):
        made.annToMask(broken)
    assert made.annToRLE(third) is third["segmentation"]
    assert made.annToRLE(repr_of_bytes) == wanted == made.annToRLE(array)


def test_an_rle_that_is_not_written_in_the_usual_way_is_handed_on() -> None:
    odd = {"size": [2, 2], "counts": "40"}
    made = COCO(coco(annotation(segmentation=odd), annotation(id=2, segmentation=odd)))
    for record in made.loadAnns([1, 2]):
        assert made.annToRLE(record) is odd
