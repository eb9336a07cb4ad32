"""Accounts: passwords, sessions, tokens and the brake on guessing."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid, NotFound, TooManyTries, Unauthenticated
from app.models import ApiToken, SignInFailure, User, UserSession
from app.services.live import live

__all__ = [
    "MIN_PASSWORD_LENGTH",
    "any_user",
    "authenticate",
    "check_tries",
    "create_token",
    "create_user",
    "delete_token",
    "end_session",
    "get_token",
    "list_tokens",
    "list_users",
    "record_failure",
    "session_key",
    "set_disabled",
    "set_password",
    "start_session",
    "touch_session",
    "touch_token",
    "user_by_email",
    "user_of_session",
    "user_of_token",
]

MIN_PASSWORD_LENGTH = 8
# Argon2 reads the whole password: an endless one would be a cheap way to keep a server busy.
MAX_PASSWORD_LENGTH = 1000
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,255}")
_WINDOW = timedelta(minutes=15)
# Ten wrong passwords for one account from one address, or a hundred from anywhere: wait.
_TRIES_BY_BOTH, _TRIES_BY_EMAIL, _TRIES_BY_ADDRESS = 10, 100, 50
_TOUCH_EVERY = timedelta(minutes=1)
_hasher = PasswordHasher()


@cache
def _no_account_hash() -> str:
    """Verified when there is no such account, so that an answer takes as long as for a real one."""
    return _hasher.hash("no such account")


def _is_right(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password[:MAX_PASSWORD_LENGTH])
    except (VerificationError, InvalidHashError):
        return False


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _now() -> datetime:
    return datetime.now(UTC)


def any_user(session: Session) -> bool:
    """Whether anybody has an account yet."""
    return bool(session.scalar(select(exists().select_from(User))))


def user_by_email(session: Session, *, email: str) -> User:
    """The user with this address, upper or lower case; NotFound when there is none."""
    user = _find(session, email)
    if user is None:
        raise NotFound(f"There is no user {email}.")
    return user


def _find(session: Session, email: str) -> User | None:
    # PostgreSQL lowers both sides: it may know fewer letters than Python does.
    wanted = func.lower(email.strip())
    return session.scalar(select(User).where(func.lower(User.email) == wanted))


def list_users(session: Session) -> Sequence[User]:
    """All accounts by their addresses, in the order of their characters."""
    address = func.lower(User.email).collate("C")
    return session.scalars(select(User).order_by(address, User.id)).all()


def _check_password(password: str) -> str:
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise Invalid(
            f"A password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters.",
            code="password_length",
            loc=("body", "password"),
        )
    return password


def create_user(
    session: Session, *, email: str, password: str, name: str = "", is_admin: bool = False
) -> User:
    """A new account. The address must look like one and be free."""
    email = email.strip()
    if not _EMAIL.fullmatch(email):
        raise Invalid("That is not an e-mail address.", code="email_invalid", loc=("body", "email"))
    if _find(session, email) is not None:
        raise Conflict("There is already a user with this address.", code="email_taken")
    user = User(
        email=email,
        name=name.strip(),
        password_hash=_hasher.hash(_check_password(password)),
        is_admin=is_admin,
    )
    session.add(user)
    session.flush()
    return user


def set_password(session: Session, *, user: User, password: str, keep: bytes | None = None) -> None:
    """Change a password and sign out every browser but the one whose session is `keep`."""
    user.password_hash = _hasher.hash(_check_password(password))
    others = delete(UserSession).where(UserSession.user_id == user.id)
    if keep is not None:
        others = others.where(UserSession.token_hash != keep)
    session.execute(others)
    live.user_changed(session, user.id)


def set_disabled(session: Session, *, user: User, disabled: bool) -> None:
    """Shut an account out (its sessions end at once; its tokens stop working) or let it in."""
    if not disabled:
        user.disabled_at = None
        return
    user.disabled_at = user.disabled_at or _now()
    session.execute(delete(UserSession).where(UserSession.user_id == user.id))
    live.user_changed(session, user.id)


def check_tries(session: Session, *, email: str, address: str) -> None:
    """Raise TooManyTries when there were too many failures of late."""
    email, since = email.strip().lower(), _now() - _WINDOW
    by_email, by_address, by_both = session.execute(
        select(
            func.count().filter(SignInFailure.email == email),
            func.count().filter(SignInFailure.address == address),
            func.count().filter(SignInFailure.email == email, SignInFailure.address == address),
        ).where(
            SignInFailure.at > since,
            (SignInFailure.email == email) | (SignInFailure.address == address),
        )
    ).one()
    if by_both >= _TRIES_BY_BOTH or by_email >= _TRIES_BY_EMAIL or by_address >= _TRIES_BY_ADDRESS:
        raise TooManyTries(
            "Too many failed attempts to sign in. Wait a few minutes and try again.",
            retry_after=int(_WINDOW.total_seconds() / 3),
        )


def record_failure(session: Session, *, email: str, address: str) -> None:
    """Remember a failed attempt; forget those of yesterday."""
    session.execute(delete(SignInFailure).where(SignInFailure.at < _now() - timedelta(days=1)))
    session.add(SignInFailure(email=email.strip().lower()[:320], address=address))


def authenticate(session: Session, *, email: str, password: str) -> User:
    """The user whose password this is; the same error and effort whatever is wrong."""
    user = _find(session, email)
    right = _is_right(user.password_hash if user else _no_account_hash(), password)
    if user is None or not right or user.disabled_at is not None:
        raise Unauthenticated(
            "The e-mail address or the password is not right.", code="wrong_credentials"
        )
    if _hasher.check_needs_rehash(user.password_hash):
        user.password_hash = _hasher.hash(password)
    return user


def start_session(session: Session, *, user: User, days: int, user_agent: str) -> str:
    """Sign a browser in: the returned token goes into its cookie, its hash into the database."""
    token = secrets.token_urlsafe(32)
    session.execute(delete(UserSession).where(UserSession.expires_at < _now()))
    session.add(
        UserSession(
            token_hash=_digest(token),
            user_id=user.id,
            expires_at=_now() + timedelta(days=days),
            user_agent=user_agent[:400],
        )
    )
    return token


def user_of_session(session: Session, *, token: str) -> tuple[User, bool] | None:
    """Who is signed in with this cookie, and whether the visit is due to be noted."""
    row = session.execute(
        select(User, UserSession.last_seen_at)
        .join(UserSession, UserSession.user_id == User.id)
        .where(
            UserSession.token_hash == _digest(token),
            UserSession.expires_at > _now(),
            User.disabled_at.is_(None),
        )
    ).one_or_none()
    return None if row is None else (row[0], _is_old(row[1]))


def touch_session(session: Session, *, token: str, days: int) -> None:
    """Note a visit, which prolongs the session; nobody waits for it: see `touch_token`."""
    now, key = _now(), UserSession.token_hash
    free = select(key).where(key == _digest(token)).with_for_update(skip_locked=True)
    session.execute(
        update(UserSession)
        .where(key == free.scalar_subquery())
        .values(last_seen_at=now, expires_at=now + timedelta(days=days))
        .execution_options(synchronize_session=False)
    )


def end_session(session: Session, *, token: str) -> None:
    ended = delete(UserSession).where(UserSession.token_hash == _digest(token))
    user_id = session.scalar(ended.returning(UserSession.user_id))
    if user_id is not None:
        live.user_changed(session, user_id)


def session_key(token: str) -> bytes:
    """The key under which a cookie's session is stored."""
    return _digest(token)


def create_token(session: Session, *, user: User, name: str) -> tuple[ApiToken, str]:
    """A new API token: its row, and the token itself, which is never shown again."""
    token = "mw_" + secrets.token_urlsafe(32)
    row = ApiToken(user_id=user.id, name=name, token_hash=_digest(token))
    session.add(row)
    session.flush()
    return row, token


def list_tokens(session: Session, *, user: User) -> Sequence[ApiToken]:
    return session.scalars(
        select(ApiToken).where(ApiToken.user_id == user.id).order_by(ApiToken.id)
    ).all()


def get_token(session: Session, *, user: User, token_id: int) -> ApiToken:
    """One of one's own tokens."""
    row = session.scalar(select(ApiToken).where(_is_own(user, token_id)))
    if row is None:
        raise NotFound("There is no such token.")
    return row


def delete_token(session: Session, *, user: User, token_id: int) -> None:
    """Revoke one's own token."""
    ended = delete(ApiToken).where(_is_own(user, token_id))
    if session.scalar(ended.returning(ApiToken.id)) is None:
        raise NotFound("There is no such token.")
    live.user_changed(session, user.id)


def _is_own(user: User, token_id: int) -> ColumnElement[bool]:
    return (ApiToken.id == token_id) & (ApiToken.user_id == user.id)


def user_of_token(session: Session, *, token: str) -> tuple[User, bool] | None:
    """Whose API token this is, while their account is open, and whether to note its use."""
    row = session.execute(
        select(User, ApiToken.last_used_at)
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(ApiToken.token_hash == _digest(token), User.disabled_at.is_(None))
    ).one_or_none()
    return None if row is None else (row[0], _is_old(row[1]))


def touch_token(session: Session, *, token: str) -> None:
    """Note that a token was used.

    The row stays locked until the request ends. Other requests with the same token do not wait
    for it: one of them noted the use, and that is enough.
    """
    key = ApiToken.token_hash
    free = select(key).where(key == _digest(token)).with_for_update(skip_locked=True)
    session.execute(
        update(ApiToken)
        .where(key == free.scalar_subquery())
        .values(last_used_at=_now())
        .execution_options(synchronize_session=False)
    )


def _is_old(seen: datetime | None) -> bool:
    return seen is None or _now() - seen > _TOUCH_EVERY
