"""Comparing and joining the records of a file with those of a dataset.

Two files may describe the same thing with different members and different number texts: official
person_keypoints files round the area that instances files have in full. So records are compared
member by member and by value, and joining adds and replaces members but never takes any away.

A thing that files of several tasks list has one full record; what each of them says stays as it is
(app/formats/coco/variants.py).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.formats.coco import rawjson, variants

__all__ = ["Kept", "Merged", "contains", "differing", "merge", "near"]

# Half of the fifth decimal, to which official files round areas.
_AREA_TOLERANCE = 5.1e-6


def _same(name: str, kept: Any, new: Any) -> bool:
    if kept == new:
        # In Python true equals 1, too, which is what COCO's readers make of it.
        return True
    return (
        name == "area"
        and isinstance(kept, int | float)
        and isinstance(new, int | float)
        and math.isclose(kept, new, rel_tol=0, abs_tol=_AREA_TOLERANCE)
    )


def near(kept: Any, new: Any, tolerance: float) -> bool:
    """Whether two lists of numbers are the same but for rounding."""
    return (
        isinstance(kept, list)
        and isinstance(new, list)
        and len(kept) == len(new)
        and all(isinstance(n, int | float) for n in (*kept, *new))
        and all(abs(a - b) <= tolerance for a, b in zip(kept, new, strict=True))
    )


def contains(kept: str, new: str) -> bool:
    """Whether the kept record says everything that the new one says."""
    if kept == new:
        return True
    return not _says_else(rawjson.decode(kept), rawjson.decode(new))


def _says_else(kept: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [
        name
        for name, value in new.items()
        if name not in kept or not _same(name, kept[name], value)
    ]


def differing(kept: str, new: str) -> list[str]:
    """Members that both records have, with different values."""
    old = rawjson.decode(kept)
    return [name for name in _says_else(old, rawjson.decode(new)) if name in old]


def _join(kept: str, new: str, *, overwrite: bool) -> str:
    """The kept record with what the new one says in addition and, to `overwrite`, otherwise."""
    old = rawjson.decode(kept)
    names = _says_else(old, rawjson.decode(new))
    texts = rawjson.members(new)
    raw = {name: texts[name] for name in names if overwrite or name not in old}
    return rawjson.replace(kept, raw=raw) if raw else kept


@dataclass(frozen=True)
class Kept:
    """What the dataset has of a thing, and the tasks whose files list it."""

    record: str
    variants: str | None = None
    tasks: Sequence[str] = ()

    def text(self, task: str) -> str:
        """The record as this task's file has it; the full one where no such file lists it."""
        return variants.text_of(self.record, self.variants, task)


@dataclass(frozen=True)
class Merged:
    """A thing after a file: `changed` members of the full record, and those about which the
    file and the dataset, or two tasks, disagree."""

    record: str
    variants: str | None
    changed: frozenset[str]
    differing: list[str]


def merge(
    kept: Kept, task: str, new: str, *, leads: bool = False, overwrite: bool = True
) -> Merged:
    """Join a record that a file of this task has for the thing.

    Members of the full record change where no other task has a say in them, or where this one
    `leads`; without `overwrite` none does, and only what is missing is added.
    """
    others = {name: kept.text(name) for name in kept.tasks if name != task}
    settled = {member for text in others.values() for member in rawjson.members(text)}
    disagreed = differing(kept.text(task), new) if not overwrite else []
    listed = task in kept.tasks
    text = _join(kept.text(task), new, overwrite=overwrite) if listed else new
    full, own = rawjson.decode(kept.record), rawjson.decode(text)
    texts, changed = rawjson.members(text), set()
    for name in _says_else(full, own):
        if name not in full or (overwrite and (leads or name not in settled)):
            changed.add(name)
        if name in full and name in settled and name not in disagreed:
            disagreed.append(name)
    raw = {name: texts[name] for name in texts if name in changed}
    record = rawjson.replace(kept.record, raw=raw) if raw else kept.record
    told = variants.keep(record, {**others, task: text})
    return Merged(record, told, frozenset(changed), disagreed)
