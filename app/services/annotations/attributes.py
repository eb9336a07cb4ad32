"""The attributes of an annotation as a client sends them, beside the text that they have."""

import json
from typing import Any

from app.errors import Invalid
from app.formats.coco import rawjson
from app.services.annotations import shapes
from app.services.annotations.shapes import Json

__all__ = ["check", "keeping_text"]

_MOST_CHARACTERS = 100_000
_DEEPEST = 32


def keeping_text(before: str | None, attributes: Json) -> str:
    """The attributes as sent, but those that say the same as before in their old text.

    A browser reads 1.0 and sends 1: what nobody touched keeps the text of its file all the same.
    """
    old = rawjson.members(before) if before and before.lstrip().startswith("{") else {}

    def kept(name: str, text: str) -> str:
        known = old.get(name)
        if known is not None and shapes.same(json.loads(known), json.loads(text)):
            return known
        return text

    sent = rawjson.members(attributes.text)
    return rawjson.join({name: kept(name, text) for name, text in sent.items()})


def check(attributes: Json) -> None:
    """Invalid when there are too many of them, or they lie too deep in each other."""
    loc = ("body", "attributes")
    if len(attributes.text) > _MOST_CHARACTERS:
        raise Invalid("The attributes are too long.", code="attributes_too_long", loc=loc)
    level, depth = [attributes.value], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise Invalid(
                "The attributes are nested too deeply.", code="attributes_too_deep", loc=loc
            )
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict | list):
                inner.extend(value.values() if isinstance(value, dict) else value)
        level = inner
