"""API tokens, for scripts."""

from datetime import datetime

from fastapi import APIRouter, status
from pydantic import BaseModel, ConfigDict

from app.api import deps, paging, problems, wire
from app.api.deps import SessionDep, UserDep
from app.services import users

__all__ = ["router"]

router = APIRouter(
    prefix="/tokens",
    tags=["tokens"],
    responses=problems.responses(400, 401, 403, 413, 415, 422, 503),
)


class TokenIn(wire.Model):
    """What the token is for."""

    name: wire.Name


class TokenOut(BaseModel):
    """A token without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


class TokenMade(BaseModel):
    """A new token: `token` is shown this once."""

    id: int
    name: str
    token: str


@router.post("", status_code=status.HTTP_201_CREATED)
def create(body: TokenIn, user: UserDep, session: SessionDep) -> TokenMade:
    """Make a token that acts as oneself."""
    row, token = users.create_token(session, user=user, name=body.name)
    return TokenMade(id=row.id, name=row.name, token=token)


@router.get("")
def index(
    user: UserDep, session: SessionDep, limit: deps.ShortLimit = None, cursor: str | None = None
) -> paging.Page[TokenOut]:
    """One's own tokens."""
    found = [TokenOut.model_validate(row) for row in users.list_tokens(session, user=user)]
    return paging.short(found, key=lambda row: ("", row.id), limit=limit, cursor=cursor)


@router.get("/{token_id}", responses=problems.responses(404))
def show(token_id: deps.Id, user: UserDep, session: SessionDep) -> TokenOut:
    """One of one's own tokens; the token itself is never shown again."""
    return TokenOut.model_validate(users.get_token(session, user=user, token_id=token_id))


@router.delete(
    "/{token_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems.responses(404),
)
def delete(token_id: deps.Id, user: UserDep, session: SessionDep) -> None:
    """Revoke a token; it stops working at once."""
    users.delete_token(session, user=user, token_id=token_id)
