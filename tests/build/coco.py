"""COCO files for tests: a small valid one, changed in what a test is about."""

import json
from typing import Any

__all__ = ["annotation", "as_numbers", "coco", "numbers_as_text", "to_bytes"]


def annotation(**members: Any) -> dict[str, Any]:
    """A valid triangle on image 1, changed by `members`; ... takes a member away."""
    record = {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "segmentation": [[1.5, 1, 5, 1, 1, 5]],
        "area": 7.25,
        "bbox": [1, 1, 4, 4],
        "iscrowd": 0,
    } | members
    return {key: value for key, value in record.items() if value is not ...}


def coco(*annotations: Any, **members: Any) -> dict[str, Any]:
    """A file with an 8 x 6 image (width x height), a category and these annotations."""
    return {
        "info": {"description": "made for a test"},
        "images": [{"id": 1, "file_name": "a.jpg", "width": 8, "height": 6}],
        "annotations": list(annotations),
        "categories": [{"id": 1, "name": "cat"}],
    } | members


def to_bytes(file: Any) -> bytes:
    return file if isinstance(file, bytes) else json.dumps(file).encode()


def as_numbers(value: Any) -> Any:
    """A value as `numbers_as_text` reads it."""
    return numbers_as_text(json.dumps(value))


def numbers_as_text(text: bytes | str) -> Any:
    """The JSON value, every number being ("number", its text)."""

    def number(digits: str) -> tuple[str, str]:
        return ("number", digits)

    return json.loads(text, parse_int=number, parse_float=number)
