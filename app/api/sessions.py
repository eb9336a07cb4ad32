"""Signing in and out, and who one is."""

from collections.abc import AsyncIterator
from datetime import datetime

from fastapi import APIRouter, Depends, Request, Response, status
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from app.api import deps, problems, wire
from app.api.deps import ContextDep, IdentityDep, SessionDep, UserDep
from app.context import AppContext
from app.errors import Forbidden, Invalid, Unauthenticated
from app.models import User
from app.services import users

__all__ = ["UserOut", "router", "set_cookies"]

router = APIRouter(
    tags=["session"], responses=problems.responses(400, 401, 403, 413, 415, 422, 503)
)


class SignIn(wire.Model):
    """What a person types to sign in."""

    email: wire.Email
    password: wire.Password


class UserOut(BaseModel):
    """An account, as others may see it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    email: str
    name: str
    is_admin: bool
    disabled_at: datetime | None
    created_at: datetime


class ProfileChange(wire.Model):
    """One's own name, or a new password together with the present one."""

    name: wire.Name | None = None
    password: wire.Password | None = None
    current_password: wire.Password | None = None


async def _password_turn() -> AsyncIterator[None]:
    yield


# To look at a password takes a core and 64 MB for a tenth of a second. In a flood of sign-ins the
# others wait here, before they have a connection or a thread.
_PASSWORD_TURN = Depends(_password_turn, scope="function", max_concurrency=2)

_WRONG_PASSWORD = Invalid(
    "The present password is not right.",
    code="wrong_password",
    loc=("body", "current_password"),
)


def _is_https(request: Request, context: AppContext) -> bool:
    base_url = context.settings.base_url
    return request.url.scheme == "https" or bool(base_url and base_url.startswith("https:"))


def set_cookies(response: Response, request: Request, context: AppContext, token: str) -> None:
    """The session's cookie, and the one that our pages read to prove that they are ours."""
    age, secure = context.settings.session_days * 86400, _is_https(request, context)
    response.set_cookie(
        deps.SESSION_COOKIE, token, max_age=age, httponly=True, samesite="lax", secure=secure
    )
    csrf = deps.csrf_token(context.secret_key, token)
    response.set_cookie(deps.CSRF_COOKIE, csrf, max_age=age, samesite="lax", secure=secure)


@router.post(
    "/session",
    response_model=UserOut,
    responses=problems.responses(429),
    dependencies=[_PASSWORD_TURN],
)
def sign_in(
    body: SignIn, request: Request, response: Response, session: SessionDep, context: ContextDep
) -> UserOut | Response:
    """Sign in; the answer sets the session's cookie. A session that was open before ends."""
    try:
        user = _authenticate(session, request, body.email, body.password)
    except Unauthenticated as error:
        return problems.answer(error)
    if previous := request.cookies.get(deps.SESSION_COOKIE):
        users.end_session(session, token=previous)
    token = users.start_session(
        session,
        user=user,
        days=context.settings.session_days,
        user_agent=request.headers.get("User-Agent", ""),
    )
    set_cookies(response, request, context, token)
    return UserOut.model_validate(user)


def _authenticate(session: Session, request: Request, email: str, password: str) -> User:
    """The user with this password; a failure is noted, and counts once it is committed.

    So whoever catches `Unauthenticated` answers it instead of raising it again, which would undo
    the note with the rest of the transaction.
    """
    address = deps.client_address(request)
    users.check_tries(session, email=email, address=address)
    try:
        return users.authenticate(session, email=email, password=password)
    except Unauthenticated:
        users.record_failure(session, email=email, address=address)
        raise


@router.delete("/session", status_code=status.HTTP_204_NO_CONTENT)
def sign_out(identity: IdentityDep, response: Response, session: SessionDep) -> None:
    """End this browser's session on the server."""
    if identity.cookie is None:
        raise Forbidden("An API token has no session; delete the token instead.")
    users.end_session(session, token=identity.cookie)
    response.delete_cookie(deps.SESSION_COOKIE)
    response.delete_cookie(deps.CSRF_COOKIE)


@router.get("/me")
def me(user: UserDep) -> UserOut:
    """Who is signed in."""
    return UserOut.model_validate(user)


@router.patch(
    "/me",
    response_model=UserOut,
    responses=problems.responses(429),
    dependencies=[_PASSWORD_TURN],
)
def change_me(
    body: ProfileChange, request: Request, identity: IdentityDep, session: SessionDep
) -> UserOut | Response:
    """Change one's name or password; a new password signs out all other browsers."""
    user: User = identity.user
    if body.password is not None:
        try:
            _authenticate(session, request, user.email, body.current_password or "")
        except Unauthenticated:
            return problems.answer(_WRONG_PASSWORD)
        keep = users.session_key(identity.cookie) if identity.cookie else None
        users.set_password(session, user=user, password=body.password, keep=keep)
    if "name" in body.model_fields_set:
        user.name = body.name or ""
    session.flush()
    return UserOut.model_validate(user)
