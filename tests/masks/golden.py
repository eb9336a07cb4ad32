"""The reference answers of pycocotools, read once; tests/data/masks/README.md describes them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent.parent / "data" / "masks" / "mask_golden.json"


@cache
def golden(kind: str) -> list[dict[str, Any]]:
    answers: dict[str, list[dict[str, Any]]] = json.loads(FILE.read_text())
    return answers[kind]


def bitmap_of(rows: list[str], width: int) -> list[list[int]]:
    """Rows of the characters 0 and 1 as numbers."""
    assert all(len(row) == width for row in rows)
    return [[int(pixel) for pixel in row] for row in rows]
