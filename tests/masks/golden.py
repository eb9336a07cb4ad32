"""The tables of tests/data/masks, read once: pycocotools' answers, and RLE right and wrong."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "data" / "masks"


@cache
def golden(kind: str) -> list[dict[str, Any]]:
    answers: dict[str, list[dict[str, Any]]] = json.loads((FOLDER / "mask_golden.json").read_text())
    return answers[kind]


def rle_cases(kind: str) -> list[dict[str, Any]]:
    """RLE objects that are "refused" or "accepted", by the browser's codec as well."""
    cases: dict[str, list[dict[str, Any]]] = json.loads((FOLDER / "rle_cases.json").read_text())
    return cases[kind]


def stroke_cases() -> list[dict[str, Any]]:
    """Brush strokes with their counts, of the browser's brush as well."""
    cases: list[dict[str, Any]] = json.loads((FOLDER / "stroke_cases.json").read_text())
    return cases


def bitmap_of(rows: list[str], width: int) -> list[list[int]]:
    """Rows of the characters 0 and 1 as numbers."""
    assert all(len(row) == width for row in rows)
    return [[int(pixel) for pixel in row] for row in rows]
