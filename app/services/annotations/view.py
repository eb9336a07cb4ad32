"""An annotation as the API shows it, as JSON text put together from stored text.

Numbers come out as they were written: 480.50 in an imported record is 480.50 in the answer.
Only what the record lacks, or says in a way that a client could not use, comes from the columns.
Nothing decodes coordinates, so thousands of annotations cost milliseconds.
"""

import functools
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from app.formats.coco import rawjson
from app.services.annotations import shapes

__all__ = ["Content", "as_text", "members", "other_members", "time_text"]

# Members of a record that as_text shows under some name, or that say where the record stands.
_SHOWN = frozenset(
    (
        "id",
        "image_id",
        "category_id",
        "segmentation",
        "bbox",
        "area",
        "iscrowd",
        "keypoints",
        "num_keypoints",
        "attributes",
        "score",
        "caption",
    )
)
_ABSENT = msgspec.Raw(b"null")
# Longer than this, an array that starts with a bracket has something in it.
_LONGEST_EMPTY = 16


class Content(Protocol):
    """The columns that a present and a superseded annotation share."""

    @property
    def record(self) -> str: ...
    @property
    def variants(self) -> str | None: ...
    @property
    def shape(self) -> str | None: ...
    @property
    def area(self) -> float: ...
    @property
    def bbox(self) -> list[float]: ...
    @property
    def iscrowd(self) -> bool: ...


class _Shape(msgspec.Struct):
    segmentation: msgspec.Raw = _ABSENT
    holes: msgspec.Raw = msgspec.Raw(b"[]")


# The members of a record, each as its text.
_Record = dict[str, msgspec.Raw]

_records = msgspec.json.Decoder(_Record)
_shapes = msgspec.json.Decoder(_Shape)
_boxes = msgspec.json.Decoder(tuple[float, float, float, float])
_points = msgspec.json.Decoder(list[float])


def _text(raw: msgspec.Raw) -> str:
    return bytes(raw).decode()


def _of_kind(raw: msgspec.Raw, starts: str) -> str | None:
    """The text, if its first character tells that it is of the wanted kind and not empty."""
    text = _text(raw)
    if text[0] not in starts:
        return None
    if text[0] == "[" and len(text) < _LONGEST_EMPTY and not text.strip("[] \t\r\n"):
        return None
    return text


def _number(raw: msgspec.Raw) -> str | None:
    return _of_kind(raw, "-0123456789")


def _box(raw: msgspec.Raw, column: list[float]) -> str:
    try:
        _boxes.decode(raw)
    except msgspec.DecodeError:
        return rawjson.dumps(column)
    return _text(raw)


def _keypoints(record: _Record) -> tuple[str, str]:
    """The texts of ``keypoints`` and ``num_keypoints``."""
    number = _number(record.get("num_keypoints", _ABSENT))
    text = _of_kind(record.get("keypoints", _ABSENT), "[")
    if text is None:
        return "null", number or "null"
    try:
        points = _points.decode(text)
    except msgspec.DecodeError:
        return "null", number or "null"
    return text, number or str(shapes.count_labelled(points))


def members(content: Content) -> dict[str, str]:
    """What can be edited of an annotation: each member's JSON text, as a client sees it."""
    return _members(content, _records.decode(content.record))


def _members(content: Content, record: _Record) -> dict[str, str]:
    segmentation, holes = record.get("segmentation", _ABSENT), "[]"
    if content.shape is not None:
        shape = _shapes.decode(content.shape)
        segmentation, holes = shape.segmentation, _text(shape.holes)
    keypoints, num_keypoints = _keypoints(record)
    return {
        "segmentation": _of_kind(segmentation, "[{") or "null",
        "holes": holes,
        "bbox": _box(record.get("bbox", _ABSENT), content.bbox),
        "area": _number(record.get("area", _ABSENT)) or rawjson.dumps(content.area),
        "iscrowd": "1" if content.iscrowd else "0",
        "keypoints": keypoints,
        "num_keypoints": num_keypoints,
        "attributes": _of_kind(record.get("attributes", _ABSENT), "{") or "{}",
        "score": _number(record.get("score", _ABSENT)) or "null",
        "caption": _of_kind(record.get("caption", _ABSENT), '"') or "null",
    }


def other_members(record: str) -> dict[str, str]:
    """The members of a record that no client sees, such as DensePose's, each as its text."""
    return {name: text for name, text in rawjson.members(record).items() if name not in _SHOWN}


# Most annotations of an image have one task and few moments: those of their import.
_task = functools.lru_cache(maxsize=64)(rawjson.dumps)


def _id(key: int | None) -> str:
    return "null" if key is None else str(key)


@functools.lru_cache(maxsize=256)
def time_text(moment: datetime) -> str:
    """A moment as the API writes it, in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def as_text(annotation: Any, content: Any = None, **more: Any) -> str:
    """The annotation as the API shows it; with `content`, as it was in that superseded version.

    `annotation` is a row of `Annotation` or has its columns; `content` is an
    `AnnotationVersion`. `more` are members that come last.
    """
    state = annotation if content is None else content
    author = annotation.updated_by if content is None else content.author_id
    since = annotation.updated_at if content is None else content.created_at
    record = _records.decode(state.record)
    coco_id = _text(record["id"]) if "id" in record else rawjson.dumps(annotation.coco_id)
    shown, others = _members(state, record), [name for name in record if name not in _SHOWN]
    if state.shape is not None and shown["holes"] == "[]":
        # What the file has is read otherwise than it is written, and so not shown.
        others.insert(0, "segmentation")
    parts = {
        "id": str(annotation.id),
        "coco_id": coco_id,
        "image_id": str(annotation.image_id),
        "category_id": _id(state.category_id),
        "version": str(state.version),
        "task": _task(annotation.task),
        **shown,
        "other_keys": rawjson.dumps(others) if others else "[]",
        "client_key": rawjson.dumps(annotation.client_key) if annotation.client_key else "null",
        "created_by": _id(annotation.created_by),
        "updated_by": _id(author),
        "created_at": f'"{time_text(annotation.created_at)}"',
        "updated_at": f'"{time_text(since)}"',
        **{name: rawjson.dumps(value) for name, value in more.items()},
    }
    return "{" + ",".join([f'"{name}":{text}' for name, text in parts.items()]) + "}"
