"""What a COCO file is about: told by what it holds, and where that leaves it open, by its name.

A file of instances and one of stuff look the same; one without any annotation could be anything.
Then the name decides: ``<task>_<subset>.json``, as COCO and Datumaro call their files. Where it is
silent, too, the categories may tell: those of COCO-stuff are stuff, and so are those that all say
that they are no things. What is left is `assumed`.

>>> from_name("annotations/person_keypoints_val2017.json")
('person_keypoints', 'val2017')
>>> detect([b'{"id": 1, "image_id": 1, "caption": "A cat."}'], "val.json")
Detected(task='captions', assumed=False)
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from app.formats.coco import values
from app.formats.records import TASKS, CategoryRecord

__all__ = ["MOST_LOOKED_AT", "Detected", "detect", "from_name"]

MOST_LOOKED_AT = 100
"""How many annotations are looked at."""

_LONGEST_SUBSET = 200
_GEOMETRY = frozenset({"segmentation", "bbox", "keypoints"})
# What only annotations with a geometry have: a record with one of these has lost its own.
_OF_OBJECTS = _GEOMETRY | {"area", "iscrowd", "num_keypoints"}
_OBJECTS = ("instances", "stuff", "person_keypoints")
_STUFF = re.compile(r"\bCOCO\b.*\bStuff\b")
# The categories of COCO-stuff: no others have both such an id and such a supercategory.
_STUFF_IDS = range(92, 184)
_STUFF_PARENTS = frozenset(
    {"building", "ceiling", "floor", "food-stuff", "furniture-stuff", "ground", "other", "plant"}
    | {"raw-material", "sky", "solid", "structural", "textile", "wall", "water", "window"}
)
_Members = Mapping[str, msgspec.Raw]
_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


def from_name(name: str) -> tuple[str | None, str | None]:
    """Task and subset, as far as the name of a file tells them."""
    stem = re.split(r"[/\\]", name)[-1]
    stem = stem[: -len(".json")] if stem.lower().endswith(".json") else stem
    for task in TASKS:
        if stem == task:
            return task, None
        if stem.startswith(f"{task}_"):
            subset = stem[len(task) + 1 :].strip()
            usable = subset.isprintable() and 0 < len(subset) <= _LONGEST_SUBSET
            return task, subset if usable else None
    return None, None


class Detected(NamedTuple):
    """A task; `assumed` where the file could as well be of another one."""

    task: str
    assumed: bool = False


def detect(
    first: Sequence[bytes],
    name: str,
    envelope: Mapping[str, str] | None = None,
    categories: Sequence[CategoryRecord] = (),
) -> Detected:
    """The task of a file with these first annotations.

    `envelope` are the members beside its lists, and `categories` those that can be used.
    """
    envelope = envelope or {}
    records = list(map(_read, first))
    possible = _possible(records, envelope)
    told, _ = from_name(name)
    if told in possible:
        return Detected(told)
    is_stuff = _STUFF.search(envelope.get("info", "")) or _are_stuff(categories)
    if is_stuff and "stuff" in possible and possible[0] != "person_keypoints":
        return Detected("stuff")
    return Detected(possible[0], possible == _OBJECTS and _are_regions(records))


def _are_stuff(categories: Sequence[CategoryRecord]) -> bool:
    """Whether these are stuff beyond doubt."""
    return bool(categories) and (
        all(not one.isthing for one in categories)
        or all(
            values.whole(one.coco_id) in _STUFF_IDS and one.supercategory in _STUFF_PARENTS
            for one in categories
        )
    )


def _are_regions(first: Sequence[_Members]) -> bool:
    """Whether annotations are what stuff is made of: masks, none of them of a crowd."""
    return bool(first) and all(
        bytes(one.get("segmentation", b"")).startswith(b"{")
        and bytes(one.get("iscrowd", b"0")) in (b"0", b"false")
        for one in first
    )


def _possible(first: Sequence[_Members], envelope: Mapping[str, str]) -> tuple[str, ...]:
    """The tasks that the annotations fit, the likeliest first."""
    if not first:
        likely = "instances" if "annotations" in envelope else "image_info"
        return (likely, *(task for task in TASKS if task != likely))
    seen: set[str] = set().union(*first)
    if "segments_info" in seen:
        return ("panoptic",)
    if "keypoints" in seen:
        return ("person_keypoints", "instances", "stuff")
    if seen & _GEOMETRY:
        return _OBJECTS
    if "caption" in seen:
        return ("captions",)
    if "category_id" in seen and not seen & _OF_OBJECTS:
        return ("labels",)
    return _OBJECTS


def _read(record: bytes) -> _Members:
    """The members of a record; none of one that cannot be read."""
    try:
        return _decoder.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
