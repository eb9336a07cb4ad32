"""Accounts, for administrators."""

from fastapi import APIRouter, status

from app.api import deps, paging, problems, wire
from app.api.deps import AdminDep, SessionDep
from app.api.sessions import UserOut
from app.errors import Conflict, NotFound
from app.models import User
from app.services import users

__all__ = ["router"]

router = APIRouter(
    prefix="/users", tags=["users"], responses=problems.responses(400, 401, 403, 413, 415, 422, 503)
)


class UserIn(wire.Model):
    """A new account."""

    email: wire.Email
    password: wire.Password
    name: wire.Label = ""
    is_admin: bool = False


class UserChange(wire.Model):
    """What an administrator may change of an account."""

    is_admin: bool | None = None
    disabled: bool | None = None
    password: wire.Password | None = None


@router.get("")
def index(
    _admin: AdminDep, session: SessionDep, limit: deps.ShortLimit = None, cursor: str | None = None
) -> paging.Page[UserOut]:
    """All accounts."""
    found = [UserOut.model_validate(row) for row in users.list_users(session)]
    return paging.short(
        found, key=lambda row: (row.email.lower(), row.id), limit=limit, cursor=cursor
    )


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems.responses(409))
def create(body: UserIn, _admin: AdminDep, session: SessionDep) -> UserOut:
    """Make an account."""
    user = users.create_user(
        session,
        email=body.email,
        password=body.password,
        name=body.name,
        is_admin=body.is_admin,
    )
    session.refresh(user)
    return UserOut.model_validate(user)


@router.patch("/{user_id}", responses=problems.responses(404, 409))
def change(user_id: deps.Id, body: UserChange, admin: AdminDep, session: SessionDep) -> UserOut:
    """Disable or enable an account, make it an administrator or not, or reset its password."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such user.")
    if user.id == admin.id and (body.disabled or body.is_admin is False):
        raise Conflict("You cannot shut yourself out.", code="own_account")
    if body.is_admin is not None:
        user.is_admin = body.is_admin
    if body.disabled is not None:
        users.set_disabled(session, user=user, disabled=body.disabled)
    if body.password is not None:
        users.set_password(session, user=user, password=body.password)
    session.flush()
    return UserOut.model_validate(user)
