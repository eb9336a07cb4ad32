"""How a person likes the editor: their own keys, and how objects are drawn and listed."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.models import User

__all__ = ["MAX_CHANGED_KEYS", "change", "read"]

# More than there are commands. Names of commands that are gone stay until the keys are reset.
MAX_CHANGED_KEYS = 400


def read(session: Session, *, user: User) -> dict[str, Any]:
    """What the person chose, by part; nothing that they left alone is in it."""
    session.refresh(user, ["preferences"])
    return user.preferences


def change(session: Session, *, user: User, changes: dict[str, Any]) -> dict[str, Any]:
    """Merge `changes` into what is there, as a JSON merge patch (RFC 7396): null takes away.

    The row is locked, so that two windows which change different things both have their way.
    """
    locked = select(User.preferences).where(User.id == user.id).with_for_update()
    merged = _merged(session.scalars(locked).one(), changes)
    if len(merged.get("keys", {})) > MAX_CHANGED_KEYS:
        raise Invalid(
            f"At most {MAX_CHANGED_KEYS} commands can have keys of one's own.",
            code="too_many_keys",
            loc=("body", "keys"),
        )
    user.preferences = merged
    session.flush()
    return merged


def _merged(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    result = dict(target)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            result[name] = _merged(result.get(name, {}), value)
        else:
            result[name] = value
    return result
