"""What the files of several tasks say differently about the same thing.

An annotation of an instances file is often in a person_keypoints file, too, with more members, with
fewer, in another order, or with its area rounded. One record is kept in full; a record of another
task is told by what differs from it: the names of its members in their order, with a text of their
own where it is not the same.

>>> full = '{"id": 7, "area": 480.50, "bbox": [1, 2, 3, 4], "keypoints": [5, 6, 2]}'
>>> noted = keep(full, {"instances": '{"bbox": [1, 2, 3, 4], "area": 480.5000, "id": 7}'})
>>> noted
'{"instances":["bbox",{"area":480.5000},"id"]}'
>>> text_of(full, noted, "instances")
'{"bbox":[1, 2, 3, 4],"area":480.5000,"id":7}'
>>> text_of(full, noted, "person_keypoints") == full
True

So a member that an edit changes in the full record changes wherever its name stands:

>>> changed = full.replace("[1, 2, 3, 4]", "[0, 0, 9, 9]").replace("480.50", "81")
>>> text_of(changed, follow(noted, full, changed), "instances")
'{"bbox":[0, 0, 9, 9],"area":81,"id":7}'
"""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from app.formats.coco import rawjson

__all__ = ["follow", "keep", "text_of"]

# A file of another task has no use for these.
_KEYPOINT_MEMBERS = frozenset({"keypoints", "num_keypoints", "skeleton"})
_KEYPOINT_TASK = "person_keypoints"
_variants = msgspec.json.Decoder(dict[str, list[str | dict[str, msgspec.Raw]]])
_record = msgspec.json.Decoder(dict[str, msgspec.Raw])


def text_of(record: str, variants: str | None, task: str) -> str:
    """The record as the task's file has it."""
    # An export asks this of each annotation: what costs more than a search comes last.
    if variants is None or f'"{task}":' not in variants:
        return record
    told = _variants.decode(variants).get(task)
    if told is None:
        return record
    full, parts = _record.decode(record), list[bytes]()
    for element in told:
        if isinstance(element, str):
            if (value := full.get(element)) is not None:
                parts.append(_key(element) + value)
        else:
            parts += [_key(name) + value for name, value in element.items()]
    return "{" + b",".join(parts).decode() + "}"


@lru_cache(maxsize=1000)
def _key(name: str) -> bytes:
    return rawjson.dumps(name).encode() + b":"


def keep(record: str, texts: Mapping[str, str]) -> str | None:
    """The variants of a record that several tasks have like this; None when all are the same."""
    if all(text == record for text in texts.values()):
        return None
    full = rawjson.members(record)
    told = {task: _tell(full, text) for task, text in texts.items()}
    differing = {task: _list(elements) for task, elements in told.items() if elements is not None}
    return rawjson.join(differing) if differing else None


def _tell(full: Mapping[str, str], text: str) -> list[str] | None:
    parts = rawjson.members(text)
    if parts == full and list(parts) == list(full):
        return None
    return [
        rawjson.dumps(name) if full.get(name) == own else rawjson.join({name: own})
        for name, own in parts.items()
    ]


def _list(elements: list[str]) -> str:
    return "[" + ",".join(elements) + "]"


def follow(variants: str | None, before: str, after: str) -> str | None:
    """The variants when an edit makes `after` of the record `before`.

    A changed member has the new text in every task that has it. A new one comes last, in every task
    but keypoints, which only go where keypoints belong; one that was taken away is gone everywhere.
    """
    if variants is None:
        return None
    old, new = rawjson.members(before), rawjson.members(after)
    changed = {name for name in new.keys() & old.keys() if new[name] != old[name]}
    added = [name for name in new if name not in old]
    gone = old.keys() - new.keys()
    followed = {}
    for task, told in rawjson.members(variants).items():
        elements = list(_followed(told, changed, gone | set(added)))
        wanted = added if task == _KEYPOINT_TASK else set(added) - _KEYPOINT_MEMBERS
        elements += [rawjson.dumps(name) for name in added if name in wanted]
        followed[task] = _list(elements)
    return rawjson.join(followed)


def _followed(told: str, changed: set[str], gone: set[str]) -> list[str]:
    elements = []
    for element in rawjson.elements(told):
        own = element.startswith("{")
        name = next(iter(rawjson.members(element))) if own else rawjson.decode(element)
        if name not in gone:
            elements.append(rawjson.dumps(name) if name in changed else element)
    return elements
