"""What a COCO file is about: told by what it holds, and where that leaves it open, by its name.

A file of instances and one of stuff look the same; one without any annotation could be anything.
Then the name decides: ``<task>_<subset>.json``, as COCO and Datumaro call their files.

>>> from_name("annotations/person_keypoints_val2017.json")
('person_keypoints', 'val2017')
>>> detect([b'{"id": 1, "image_id": 1, "caption": "A cat."}'], {}, "val.json")
'captions'
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.formats.records import TASKS

__all__ = ["MOST_LOOKED_AT", "detect", "from_name"]

MOST_LOOKED_AT = 100
"""How many annotations are looked at."""

_LONGEST_SUBSET = 200
_GEOMETRY = frozenset({"segmentation", "bbox", "keypoints"})
# What only annotations with a geometry have: a record with one of these has lost its own.
_OF_OBJECTS = _GEOMETRY | {"area", "iscrowd", "num_keypoints"}
_OBJECTS = ("instances", "stuff", "person_keypoints")
_STUFF = re.compile(r"\bCOCO\b.*\bStuff\b")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


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


def detect(first: Sequence[bytes], envelope: Mapping[str, str], name: str) -> str:
    """The task of a file with these first annotations and these members beside its lists."""
    possible = _possible(first, envelope)
    told, _ = from_name(name)
    if told in possible:
        return told
    if "stuff" in possible and _STUFF.search(envelope.get("info", "")):
        return "stuff"
    return possible[0]


def _possible(first: Sequence[bytes], envelope: Mapping[str, str]) -> tuple[str, ...]:
    """The tasks that the annotations fit, the likeliest first."""
    if not first:
        likely = "instances" if "annotations" in envelope else "image_info"
        return (likely, *(task for task in TASKS if task != likely))
    seen: set[str] = set()
    for record in first:
        seen.update(_keys(record))
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


def _keys(record: bytes) -> Any:
    try:
        return _members.decode(record).keys()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
