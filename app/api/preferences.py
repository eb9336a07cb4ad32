"""How one likes the editor, the same in every browser."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from sqlalchemy.orm import Session

from app.api import problems, wire
from app.api.deps import SessionDep, UserDep
from app.models import User
from app.services import preferences

__all__ = ["out", "router"]

router = APIRouter(
    tags=["session"], responses=problems.responses(400, 401, 403, 413, 415, 422, 503)
)

# What the editor calls a command, such as `next-image`.
CommandId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
# A key as the editor writes it, such as `Mod+Shift+Z`.
Key = Annotated[
    str, StringConstraints(min_length=1, max_length=40), AfterValidator(wire.reject_control)
]
Keys = Annotated[list[Key], Field(max_length=6)]

ColorBy = Literal["category", "instance"]
ObjectSort = Literal["order", "newest", "area", "category", "id"]


class ViewChange(wire.Model):
    """How objects are drawn and listed; null brings a default back."""

    color_by: ColorBy | None = None
    fill_opacity: float | None = Field(default=None, ge=0, le=1)
    outline_only: bool | None = None
    labels: bool | None = None
    object_sort: ObjectSort | None = None
    group_objects: bool | None = None


class PreferencesChange(wire.Model):
    """A JSON merge patch: what is left out stays, null brings the default back."""

    keys: dict[CommandId, Keys | None] | None = Field(
        default=None, max_length=preferences.MAX_CHANGED_KEYS
    )
    view: ViewChange | None = None


class ViewOut(BaseModel):
    """What one chose; a member that is not there has its default."""

    color_by: ColorBy = "category"
    fill_opacity: float = 0.28
    outline_only: bool = False
    labels: bool = False
    object_sort: ObjectSort = "area"
    group_objects: bool = False


class PreferencesOut(BaseModel):
    """Keys of one's own by command, and how objects are drawn and listed."""

    keys: dict[str, list[str]] = {}
    view: ViewOut = ViewOut()


def out(session: Session, user: User) -> PreferencesOut:
    """A person's preferences, as an answer."""
    return PreferencesOut.model_validate(preferences.read(session, user=user))


@router.get("/me/preferences")
def index(user: UserDep, session: SessionDep) -> PreferencesOut:
    """One's preferences in the editor; `keys` has those commands whose keys one changed."""
    return out(session, user)


@router.patch("/me/preferences")
def change(body: PreferencesChange, user: UserDep, session: SessionDep) -> PreferencesOut:
    """Change some of them. No keys for a command is an empty list; null gives its own back."""
    changes: dict[str, Any] = body.model_dump(exclude_unset=True)
    return PreferencesOut.model_validate(preferences.change(session, user=user, changes=changes))
