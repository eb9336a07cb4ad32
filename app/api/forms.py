"""Multipart forms: their text fields, and how the OpenAPI document describes them.

`app.api.multipart.receive` reads a body and hands over its texts; a `Form` tells what they say.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.api import wire
from app.errors import Invalid

__all__ = ["Form", "described"]

_flag = TypeAdapter(bool)
_name = TypeAdapter(wire.Name)


def described(required: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a route adds to the OpenAPI document: a form of these fields, one of them required."""
    schema = {
        "type": "object",
        "required": [required],
        "additionalProperties": False,
        "properties": dict(fields),
    }
    content = {"multipart/form-data": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


class Form:
    """The texts of a form, each of which may be sent once; Invalid names the field otherwise."""

    def __init__(self, texts: Mapping[str, Sequence[str]]) -> None:
        for field, sent in texts.items():
            if len(sent) > 1:
                raise Invalid("Name it once.", code="invalid", loc=("body", field))
        self._sent = {field: sent[0].strip() for field, sent in texts.items()}

    def text(self, field: str, default: str = "") -> str:
        """What was sent, without space around it."""
        return self._sent.get(field, default)

    def choice(self, field: str, known: Sequence[str], *, code: str) -> str:
        """One of the known values, the first where nothing was sent; `code` is that of others."""
        chosen = self.text(field) or known[0]
        if chosen not in known:
            told = f"{field} is one of {', '.join(known)}."
            raise Invalid(told, code=code, loc=("body", field))
        return chosen

    def flag(self, field: str) -> bool:
        """True or false; false where nothing was sent."""
        try:
            return _flag.validate_python(self.text(field) or "false")
        except ValidationError:
            told = f"{field} is true or false."
            raise Invalid(told, code="bool_parsing", loc=("body", field)) from None

    def name(self, field: str) -> str | None:
        """A `wire.Name`; None where the field was not sent."""
        if field not in self._sent:
            return None
        try:
            return _name.validate_python(self._sent[field])
        except ValidationError as error:
            found = error.errors()[0]
            raise Invalid(found["msg"], code=found["type"], loc=("body", field)) from None
