"""Comparing and joining the records of a file with those of a dataset.

Two files may describe the same thing with different members and different number texts: official
person_keypoints files round the area that instances files have in full. So records are compared
member by member and by value, and joining adds and replaces members but never takes any away.
"""

import math
from typing import Any

from app.formats.coco import rawjson

__all__ = ["contains", "join", "missing"]

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


def contains(kept: str, new: str) -> bool:
    """Whether the kept record says everything that the new one says."""
    if kept == new:
        return True
    return not _differing(rawjson.decode(kept), rawjson.decode(new))


def _differing(kept: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [
        name
        for name, value in new.items()
        if name not in kept or not _same(name, kept[name], value)
    ]


def join(kept: str, new: str) -> str:
    """The kept record with what the new one says otherwise or in addition, in its own text."""
    names = _differing(rawjson.decode(kept), rawjson.decode(new))
    texts = rawjson.members(new)
    return rawjson.replace(kept, raw={name: texts[name] for name in names})


def missing(kept: str, new: str) -> tuple[dict[str, str], list[str]]:
    """Members that only the new record has, as texts, and those that both have and that differ."""
    old = rawjson.decode(kept)
    names = _differing(old, rawjson.decode(new))
    texts = rawjson.members(new)
    return {name: texts[name] for name in names if name not in old}, [n for n in names if n in old]
