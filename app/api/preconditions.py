"""ETags of versioned things: ``"7"`` is version 7, and ``If-Match`` says which one was seen."""

import re
from typing import Annotated

from fastapi import Header, Response

from app.errors import Malformed, VersionRequired

__all__ = ["IfMatch", "IfNoneMatch", "etag", "is_known", "not_modified", "optional", "required"]

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description='The version that the change is based on, as `"7"`.'),
]
IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", description="Answers 304 when this is the present version."),
]

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_COMMA = re.compile(r"\s*,\s*")
_VERSION = re.compile(r"[1-9][0-9]{0,18}")


def etag(version: int) -> str:
    return f'"{version}"'


def _tags(value: str, header: str) -> list[tuple[bool, str]]:
    """The entity tags of a header's list: whether each is a weak one, and what it says."""
    tags, place = [], 0
    while True:
        found = _TAG.match(value, place)
        if found is None:
            break
        tags.append((found[1] is not None, found[2]))
        following = _COMMA.match(value, found.end())
        if following is None:
            place = found.end()
            break
        place = following.end()
    if not tags or value[place:].strip():
        raise Malformed(
            f'{header} holds a version in double quotes, such as "7".',
            code="if_match_invalid",
            loc=("header", header),
        )
    return tags


def optional(if_match: str | None) -> frozenset[int] | None:
    """The versions that ``If-Match`` allows; None for any (no header, or ``*``).

    A weak tag never matches, as RFC 9110 has it, and neither does a tag that is not a version.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tags = _tags(if_match.strip(), "If-Match")
    return frozenset(int(tag) for weak, tag in tags if not weak and _VERSION.fullmatch(tag))


def required(if_match: str | None) -> frozenset[int] | None:
    """The same where a change must say what it is based on; ``*`` says: on whatever there is."""
    if if_match is None:
        raise VersionRequired('Send the version that you saw, as If-Match: "7".')
    return optional(if_match)


def is_known(if_none_match: str | None, version: int) -> bool:
    """Whether the client has this version already; a header that makes no sense is passed over."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return str(version) in [found[2] for found in _TAG.finditer(if_none_match)]


def not_modified(version: int) -> Response:
    return Response(status_code=304, headers={"ETag": etag(version)})
