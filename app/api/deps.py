"""What routes ask for: the database session, who is calling, and the running process's parts.

A request keeps its connection from the moment it is known who is calling until the commit, and
needs a thread again and again in between. Were there no limit on how many do so at once, requests
with a connection would wait for a thread while all threads wait for a connection, for ever. So at
most `db.TRANSACTIONS_AT_ONCE` requests are between the two; the others wait with neither. Nobody
asks for a second connection while holding one.
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import db
from app.context import AppContext
from app.errors import CsrfFailed, Unauthenticated
from app.models import User
from app.services import access, users

__all__ = [
    "CSRF_COOKIE",
    "CSRF_HEADER",
    "SESSION_COOKIE",
    "AdminDep",
    "ContextDep",
    "Id",
    "Identity",
    "IdentityDep",
    "Limit",
    "SessionDep",
    "ShortLimit",
    "UserDep",
    "client_address",
    "csrf_token",
    "get_context",
    "get_session",
]

SESSION_COOKIE = "maskwright_session"
CSRF_COOKIE = "maskwright_csrf"
CSRF_HEADER = "X-CSRF-Token"
# For rows that another transaction has locked: an import keeps those of its images for minutes.
_LONGEST_WAIT_SECONDS = 10
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Id = Annotated[int, Path(ge=1, le=2**63 - 1)]
ShortLimit = Annotated[
    int | None,
    Query(ge=1, le=500, description="At most this many items; all of them when it is not given."),
]
Limit = Annotated[int, Query(ge=1, le=500, description="At most this many items.")]


async def get_context(request: Request) -> AppContext:
    context: AppContext = request.app.state.context
    return context


ContextDep = Annotated[AppContext, Depends(get_context)]


def get_session(request: Request, context: ContextDep) -> Iterator[Session]:
    """The request's transaction: committed when the route returned, undone when it raised.

    ``scope="function"`` below matters: with FastAPI's default the commit would come after the
    client has its answer, and a failing commit would still have answered 200.
    """
    with context.sessions.begin() as session:
        if getattr(request.state, "holds_others_up", False):
            wait = f"{_LONGEST_WAIT_SECONDS}s"
            session.execute(select(func.set_config("lock_timeout", wait, True)))
        yield session


# One object for all routes: each `Depends` counts for itself.
SessionDep = Annotated[
    Session,
    Depends(get_session, scope="function", max_concurrency=db.TRANSACTIONS_AT_ONCE),
]


@dataclass(frozen=True)
class Identity:
    """Who is calling, and with which cookie (None for an API token)."""

    user: User
    cookie: str | None


def csrf_token(secret_key: str, cookie: str) -> str:
    """The token that belongs to one session; a page of another site cannot know it."""
    return hmac.new(secret_key.encode(), b"csrf:" + cookie.encode(), hashlib.sha256).hexdigest()


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def find_identity(request: Request, context: AppContext, session: Session) -> Identity | None:
    """Who is calling, by API token or by cookie; None for nobody."""
    token = _bearer(request)
    cookie = None if token else request.cookies.get(SESSION_COOKIE)
    if token:
        found = users.user_of_token(session, token=token)
    elif cookie:
        found = users.user_of_session(session, token=cookie)
    else:
        found = None
    if found is None:
        return None
    user, due = found
    if due and token:
        users.touch_token(session, token=token)
    elif due and cookie:
        users.touch_session(session, token=cookie, days=context.settings.session_days)
    return Identity(user, cookie)


def get_identity(request: Request, context: ContextDep, session: SessionDep) -> Identity:
    """Who is calling; refuses nobody, and cookies without the token of our own pages."""
    identity = find_identity(request, context, session)
    if identity is None:
        raise Unauthenticated("Sign in, or send an API token.")
    if identity.cookie and request.method not in _SAFE_METHODS:
        sent = request.headers.get(CSRF_HEADER, "")
        wanted = csrf_token(context.secret_key, identity.cookie)
        if not hmac.compare_digest(sent.encode(), wanted.encode()):
            raise CsrfFailed(
                f"Send the value of the cookie {CSRF_COOKIE} in the header {CSRF_HEADER}."
            )
    return identity


IdentityDep = Annotated[Identity, Depends(get_identity, scope="function")]


async def get_user(identity: IdentityDep) -> User:
    return identity.user


UserDep = Annotated[User, Depends(get_user)]


async def get_admin(user: UserDep) -> User:
    return access.administer(user)


AdminDep = Annotated[User, Depends(get_admin)]


def client_address(request: Request) -> str:
    """The caller's network address, as the web server reports it."""
    return request.client.host if request.client else "unknown"
