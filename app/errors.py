"""Business errors: what may go wrong and how the outside is told.

::

    AppError                     status  code
    ├── Malformed                400     malformed
    ├── Unauthenticated          401     unauthenticated
    ├── Forbidden                403     forbidden
    │   └── CsrfFailed           403     csrf_failed
    ├── NotFound                 404     not_found
    ├── Conflict                 409     conflict (or a more exact one)
    ├── StaleVersion             412     stale_version, carries ``current``
    ├── TooLarge                 413     too_large
    ├── WrongType                415     wrong_type
    ├── Invalid                  422     invalid (or a more exact one), carries ``errors``
    ├── VersionRequired          428     version_required
    ├── TooManyTries             429     too_many_tries, carries ``retry_after``
    └── Unavailable              503     unavailable

Services raise these; one handler (app/api/problems.py) renders them all as
``application/problem+json`` (RFC 9457). ``code`` is stable: clients may rely on it. ``detail`` is
one sentence for a person and never names a path of the server.
"""

from typing import Any, ClassVar

__all__ = [
    "AppError",
    "Conflict",
    "CsrfFailed",
    "Forbidden",
    "Invalid",
    "Malformed",
    "NotFound",
    "StaleVersion",
    "TooLarge",
    "TooManyTries",
    "Unauthenticated",
    "Unavailable",
    "VersionRequired",
    "WrongType",
]


class AppError(Exception):
    """Something the caller did or met that has a name; see the tree above."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    default_code: ClassVar[str] = "internal"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        loc: tuple[str | int, ...] | None = None,
        **members: Any,
    ) -> None:
        """``loc`` names the place in the request that is wrong; ``members`` join the body."""
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code
        self.members: dict[str, Any] = members
        if loc is not None:
            error = {"loc": list(loc), "code": self.code, "message": detail}
            self.members.setdefault("errors", [error])

    @property
    def headers(self) -> dict[str, str]:
        """HTTP headers that go with the answer."""
        return {}


class Malformed(AppError):
    """The request cannot be read at all."""

    status = 400
    title = "Malformed request"
    default_code = "malformed"


class Unauthenticated(AppError):
    """Nobody is signed in, or the credentials are not right."""

    status = 401
    title = "Not signed in"
    default_code = "unauthenticated"

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(AppError):
    """The caller may see it but may not do that."""

    status = 403
    title = "Not allowed"
    default_code = "forbidden"


class CsrfFailed(Forbidden):
    """A writing request with a cookie lacks the token that only our own pages know."""

    title = "Cross-site request refused"
    default_code = "csrf_failed"


class NotFound(AppError):
    """It does not exist, or the caller may not know that it does."""

    status = 404
    title = "Not found"
    default_code = "not_found"


class Conflict(AppError):
    """It clashes with what is there."""

    status = 409
    title = "Conflict"
    default_code = "conflict"


class StaleVersion(AppError):
    """Somebody else changed it in between; ``current`` carries its present state as JSON text."""

    status = 412
    title = "Changed in the meantime"
    default_code = "stale_version"


class TooLarge(AppError):
    """Larger than this server takes."""

    status = 413
    title = "Too large"
    default_code = "too_large"


class WrongType(AppError):
    """The body is not of a type that this route reads."""

    status = 415
    title = "Wrong type"
    default_code = "wrong_type"


class Invalid(AppError):
    """Readable, but the values make no sense."""

    status = 422
    title = "Invalid values"
    default_code = "invalid"


class VersionRequired(AppError):
    """A change must name the version that it is based on."""

    status = 428
    title = "Version required"
    default_code = "version_required"


class TooManyTries(AppError):
    """Too many failed attempts; try again after ``retry_after`` seconds."""

    status = 429
    title = "Too many tries"
    default_code = "too_many_tries"

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.members.get("retry_after", 60))}


class Unavailable(AppError):
    """The server cannot do this at present: the database is away, the disk is full."""

    status = 503
    title = "Not available"
    default_code = "unavailable"
