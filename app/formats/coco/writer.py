"""Writes a COCO file from records that are text already.

The file is the dataset's envelope (the top-level object of what was imported, its lists of records
emptied) with the records put in, one to a line. ``info``, ``licenses``, ``images``, ``annotations``
and ``categories`` are always there, because readers of COCO files fail without them; but a file of
captions has no categories, because pycocotools would ask each caption for its own.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.formats.coco import rawjson
from app.formats.coco.stream import RECORD_LISTS

__all__ = ["image_text", "merge_envelopes", "renumbered", "with_size", "write"]

_ALWAYS = {
    "info": "{}",
    "licenses": "[]",
    "images": "[]",
    "annotations": "[]",
    "categories": "[]",
}
# Lists that a file of the task may lack, and those that it has only where an imported one had them.
_OPTIONAL = {"captions": {"categories"}, "image_info": {"annotations", "categories"}}
_UNWANTED = {"captions": {"categories"}}
# Large enough that handing a piece over costs nothing beside it, small enough to keep many.
_PIECE_CHARS = 1 << 17
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def image_text(*, coco_id: str, file_name: str, width: int, height: int) -> str:
    """The record of an image that no file described; `coco_id` is JSON text."""
    name = rawjson.dumps(file_name)
    return f'{{"id":{coco_id},"file_name":{name},"width":{width},"height":{height}}}'


def with_size(text: str, *, width: int, height: int) -> str:
    """An image's record with its width and height where it has none."""
    parts = rawjson.members(text)
    known = {"width": str(width), "height": str(height)}
    lacking = {name: known[name] for name in known if parts.get(name, "null") == "null"}
    return rawjson.replace(text, raw=lacking) if lacking else text


def renumbered(text: str, ids: Mapping[str, Any]) -> str:
    """A record with these id members replaced and nothing else touched."""
    return rawjson.replace(text, ids)


def write(
    envelope: str | None,
    records: Mapping[str, Iterable[str]],
    *,
    task: str = "instances",
    own: bool = True,
    ensure_ascii: bool = False,
) -> Iterator[bytes]:
    """The file in pieces of 128 kB or so; `own` says that the envelope is of a file of the task.

    UTF-8; with `ensure_ascii`, characters beyond ASCII are escaped. `records` has the texts of
    ``images``, ``annotations`` and ``categories``; each is asked for when its turn comes, which the
    order of the envelope's members decides.
    """
    members = _members(envelope, task, own=own)
    encode = _ascii if ensure_ascii else str.encode
    pieces: list[str] = []
    size = 0
    for text in _texts(members, records):
        pieces.append(text)
        size += len(text)
        if size >= _PIECE_CHARS:
            yield encode("".join(pieces))
            pieces, size = [], 0
    yield encode("".join(pieces))


def _ascii(text: str) -> bytes:
    """JSON text with what is beyond ASCII escaped; such characters stand in its strings alone.

    >>> _ascii('{"é": "\U0001f600"}')
    b'{"\\\\u00e9": "\\\\ud83d\\\\ude00"}'
    """
    return _BEYOND_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text).encode()


def _members(envelope: str | None, task: str, *, own: bool) -> dict[str, str]:
    """The members of the file's object, in order, lists of records empty."""
    members = rawjson.members(envelope) if envelope else {}
    if not own:
        members = {key: text for key, text in members.items() if key not in _UNWANTED.get(task, ())}
    may_lack = (_OPTIONAL if own else _UNWANTED).get(task, ())
    needed = {key: text for key, text in _ALWAYS.items() if key not in may_lack}
    return members | {key: text for key, text in needed.items() if key not in members}


def _texts(members: Mapping[str, str], records: Mapping[str, Iterable[str]]) -> Iterator[str]:
    before = "{"
    for key, text in members.items():
        yield f"{before}{rawjson.dumps(key)}:"
        before = ",\n"
        if key not in RECORD_LISTS:
            yield text
            continue
        yield "["
        between = "\n"
        for record in records[key]:
            yield between
            yield record
            between = ",\n"
        yield "]"
    yield "}\n"


def merge_envelopes(kept: str, new: str) -> tuple[str, list[str]]:
    """The envelope of a dataset after another import, and the members that differ.

    Members that only the new file has are added. Licences are joined: those that the dataset has
    not, by value, come last. Anything else that differs stays as the dataset has it.
    """
    parts, others = rawjson.members(kept), rawjson.members(new)
    conflicts = []
    for key, text in others.items():
        if key not in parts:
            parts[key] = text
        elif key == "licenses":
            joined = _join_lists(parts[key], text)
            if joined is None:
                conflicts.append(key)
            else:
                parts[key] = joined
        elif rawjson.decode(parts[key]) != rawjson.decode(text):
            conflicts.append(key)
    return rawjson.join(parts), conflicts


def _join_lists(kept: str, new: str) -> str | None:
    """Both lists in one; None when one is no list or both give the same id to different things."""
    first, second = rawjson.decode(kept), rawjson.decode(new)
    if not isinstance(first, list) or not isinstance(second, list):
        return kept if first == second else None
    ids = [item.get("id") for item in first if isinstance(item, dict)]
    missing = [place for place, item in enumerate(second) if item not in first]
    if any(isinstance(second[i], dict) and second[i].get("id") in ids for i in missing):
        return None
    texts = rawjson.elements(kept) + [rawjson.elements(new)[i] for i in missing]
    return kept if not missing else "[" + ",".join(texts) + "]"
