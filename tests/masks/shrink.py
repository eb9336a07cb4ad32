"""Makes a failing list of calls as small as it can be while it goes on failing."""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from itertools import islice
from typing import Any

import numpy as np

from tests.masks.peer import Call
from tests.masks.questions import counts_of

Path = tuple[str | int, ...]
Fails = Callable[[list[list[Call]]], list[bool]]
"""Of several lists of calls, which fail; asked of many at a time, as every question is dear."""

_AT_A_TIME = 300
_LARGEST_CROP = 1 << 20


def shrink(calls: list[Call], fails: Fails, patience: int = 500) -> list[Call]:
    """The smallest failing list of calls that is found by leaving out and rounding.

    Parameters
    ----------
    calls : plain JSON that fails
    fails : what failing means
    patience : how often to ask at most
    """
    for _ in range(patience):
        cost = _cost(calls)
        candidates = (c for c in _simpler(calls) if _cost(c) < cost)
        found = _first_failing(candidates, fails)
        if found is None:
            break
        calls = found
    return calls


def _first_failing(candidates: Iterator[list[Call]], fails: Fails) -> list[Call] | None:
    while some := list(islice(candidates, _AT_A_TIME)):
        for candidate, failing in zip(some, fails(some), strict=True):
            if failing:
                return candidate
    return None


def _cost(value: Any) -> tuple[int, int, float]:
    """How many numbers there are, how long they are to write, and how large."""
    numbers = [n for n in _leaves(value) if not isinstance(n, str | bool)]
    return len(numbers), sum(len(repr(n)) for n in numbers), sum(map(abs, numbers))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from _leaves(member)
    else:
        yield value


def _simpler(calls: list[Call]) -> Iterator[list[Call]]:
    lists = [(path, value) for path, value in _walk(calls) if isinstance(value, list)]
    for share in (2, 4, 8, 16, 0):
        for path, value in lists:
            yield from (_put(calls, path, rest) for rest in _without(value, share))
    yield from _cropped(calls)
    for path, value in _walk(calls):
        if isinstance(value, dict):
            yield from (_put(calls, path, mask) for mask in _without_a_run(value))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield from (_put(calls, path, number) for number in _rounder(value))


def _walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every member but the insides of a mask, whose size and counts belong together."""
    yield path, value
    members: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict) and not _is_mask(value):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for name, member in members:
        yield from _walk(member, (*path, name))


def _is_mask(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"size", "counts"}


def _put(calls: list[Call], path: Path, value: Any) -> list[Call]:
    if not path:
        whole: list[Call] = value
        return whole
    changed = deepcopy(calls)
    place: Any = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return changed


def _without(values: list[Any], share: int) -> Iterator[list[Any]]:
    """The list without each of so many shares of it; with share 0 without each one and each two."""
    steps = {1, 2} if share == 0 else {len(values) // share}
    for step in sorted(steps - {0}):
        for start in range(0, len(values), step):
            yield values[:start] + values[start + step :]


def _cropped(calls: list[Call]) -> Iterator[list[Call]]:
    """Halves of the images of all masks, by rows and by columns, and all but their edges."""
    masks = [value for _, value in _walk(calls) if _is_mask(value)]
    if not masks or any(np.prod(mask["size"]) > _LARGEST_CROP for mask in masks):
        return
    height, width = (max(mask["size"][axis] for mask in masks) for axis in (0, 1))
    for side, axis in ((height, 0), (width, 1)):
        for part in (slice(side // 2, None), slice(side // 2), slice(1, None), slice(side - 1)):
            changed = deepcopy(calls)
            for _, mask in _walk(changed):
                if _is_mask(mask):
                    mask.update(_crop(mask, axis, part))
            yield changed


def _crop(mask: Call, axis: int, part: slice) -> Call:
    flat = np.repeat(np.arange(len(mask["counts"])) & 1, mask["counts"])
    bitmap = flat.reshape(mask["size"], order="F")
    bitmap = bitmap[part] if axis == 0 else bitmap[:, part]
    return {"size": list(bitmap.shape), "counts": counts_of(bitmap.ravel(order="F"))}


def _without_a_run(mask: Call) -> Iterator[Call]:
    if not _is_mask(mask):
        return
    counts = mask["counts"]
    for k in range(1, len(counts)):
        rest = [*counts[: k - 1], sum(counts[k - 1 : k + 2]), *counts[k + 2 :]]
        yield {**mask, "counts": rest}


def _rounder(number: float) -> Iterator[float]:
    yield 0
    if isinstance(number, float):
        yield int(number)
        yield from (round(number, digits) for digits in (1, 3))
    yield number // 2
    yield number - 1 if number > 0 else number + 1
