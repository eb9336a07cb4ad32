"""Conditions on ids of COCO files, which may be any JSON scalar."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, any_, cast, literal
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import InstrumentedAttribute

from app.formats.coco import rawjson

__all__ = ["is_one_of"]


def is_one_of(column: InstrumentedAttribute[Any], ids: Iterable[Any]) -> ColumnElement[bool]:
    """Whether the column equals one of the ids, as JSON does: 1 is 1.0, and "1" is neither."""
    texts = literal([rawjson.dumps(coco_id) for coco_id in ids], ARRAY(Text))
    return column == any_(cast(texts, ARRAY(JSONB)))
