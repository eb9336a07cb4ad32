"""Types that several wire models share."""

from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

from app.formats.coco import values

__all__ = [
    "CocoId",
    "Color",
    "Email",
    "Label",
    "Model",
    "Name",
    "Password",
    "Text",
    "is_storable",
    "reject_control",
]


def is_storable(value: str) -> bool:
    """Whether PostgreSQL can keep a text: it takes neither NUL nor half a surrogate pair."""
    return not any(char == "\x00" or 0xD800 <= ord(char) < 0xE000 for char in value)


def reject_control(value: str) -> str:
    """Refuse control characters: PostgreSQL cannot store NUL, and no name needs the others."""
    if not is_storable(value) or any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ValueError("control characters and lone surrogates are not allowed")
    return value


def _reject_nul(value: str) -> str:
    if not is_storable(value):
        raise ValueError("NUL characters and lone surrogates are not allowed")
    return value


def _read_coco_id(text: str) -> Any:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        value = text
    problem = values.id_problem(value)
    if problem is not None:
        raise ValueError(f"an id {problem}")
    return value


# An id of a COCO file in a query: JSON as it stands in the file, or a text that is no JSON.
CocoId = Annotated[str, StringConstraints(max_length=1200), AfterValidator(_read_coco_id)]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(reject_control),
]
# A name that may be empty.
Label = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=200),
    AfterValidator(reject_control),
]
Text = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_reject_nul)]
Email = Annotated[str, StringConstraints(max_length=320), AfterValidator(reject_control)]
# How long one may be is for the service to say; this only keeps books out.
Password = Annotated[str, StringConstraints(max_length=10_000)]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$", to_lower=True)]


# More than any body has. Each unknown member is an error of its own, of about a kilobyte.
MAX_MEMBERS = 100


class Model(BaseModel):
    """A body that we read: unknown members are a mistake that the sender should hear of."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _reject_heaps(cls, data: Any) -> Any:
        if isinstance(data, dict) and len(data) > MAX_MEMBERS:
            raise ValueError(f"there are more than {MAX_MEMBERS} members")
        return data
