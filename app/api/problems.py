"""One body for every error: RFC 9457 ``application/problem+json``.

::

    {"type": "about:blank", "title": "Invalid values", "status": 422,
     "detail": "…one sentence for a person…", "code": "invalid",
     "errors": [{"loc": ["body", "name"], "code": "missing", "message": "Field required"}]}

`code` is stable. `install` maps what the layers raise to it; nothing else renders errors.
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from psycopg import errors as pg
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException

from app.errors import AppError
from app.masks import MaskError

__all__ = ["Problem", "ProblemError", "Refused", "answer", "install", "problem", "responses"]

_log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
# A body may be wrong in a million places.
_MOST_ERRORS = 100


class ProblemError(BaseModel):
    """One thing that is wrong, and where."""

    loc: list[str | int]
    code: str
    message: str


class Problem(BaseModel):
    """What an error looks like from outside."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemError] = []


class Refused(HTTPException):
    """A refusal from where a body is read: whatever else is raised there counts as malformed."""

    def __init__(
        self, status: int, detail: str, *, code: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers)
        self.code = code


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route or router, for its OpenAPI description.

    Wherever a body can be too large it can come too slowly, too.
    """
    if 413 in statuses:
        statuses = (*statuses, 408)
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    title: str | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """An error answer."""
    body = {
        "type": "about:blank",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": list(errors),
        **members,
    }
    return Response(msgspec.json.encode(body), status, dict(headers or {}), MEDIA_TYPE)


def answer(error: AppError) -> Response:
    """A business error, answered by a route whose transaction must be committed even so."""
    members = dict(error.members)
    return problem(
        error.status,
        error.code,
        error.detail,
        title=error.title,
        errors=members.pop("errors", ()),
        headers=error.headers,
        **members,
    )


def _app_error(_request: Request, error: AppError) -> Response:
    return answer(error)


def _mask_error(_request: Request, error: MaskError) -> Response:
    found = {"loc": ["body"], "code": error.code, "message": str(error)}
    return problem(422, error.code, str(error), title="Invalid values", errors=[found])


def _validation_error(request: Request, error: RequestValidationError) -> Response:
    found = [
        {"loc": list(e["loc"]), "code": e["type"], "message": e["msg"]}
        for e in error.errors()[:_MOST_ERRORS]
    ]
    first = found[0] if found else {"loc": [], "code": "invalid", "message": "Invalid request"}
    if first["code"] == "json_invalid":
        return problem(400, "malformed", "The body is not valid JSON.", errors=found)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if first["loc"] == ["body"] and first["code"] != "missing" and not _is_json(content_type):
        sent = content_type or "a body without a type"
        return problem(415, "wrong_type", f"This route reads application/json, not {sent}.")
    where = ".".join(str(part) for part in first["loc"])
    detail = f"{where}: {first['message']}" if where else str(first["message"])
    return problem(422, "invalid", detail, title="Invalid values", errors=found)


def _is_json(content_type: str) -> bool:
    return content_type == "application/json" or content_type.endswith("+json")


_HTTP_CODES = {
    400: "malformed",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "wrong_type",
    416: "range_not_satisfiable",
}


def _http_error(_request: Request, error: HTTPException) -> Response:
    known = _HTTP_CODES.get(error.status_code, "error")
    code = error.code if isinstance(error, Refused) else known
    detail = str(error.detail)
    return problem(error.status_code, code, detail, headers=error.headers)


def _database_error(_request: Request, error: DBAPIError) -> Response:
    """What PostgreSQL refused: unusable text, a number out of range, a clash, or no connection."""
    cause = error.orig
    if isinstance(cause, pg.DataError | UnicodeEncodeError):
        return problem(422, "invalid", "A value cannot be stored: it is out of range or not text.")
    if isinstance(cause, pg.IntegrityError):
        return problem(409, "conflict", "It clashes with what is there by now.")
    if isinstance(cause, pg.LockNotAvailable | pg.DeadlockDetected | pg.SerializationFailure):
        return problem(409, "busy", "Somebody else is changing this; try again.")
    if isinstance(error, OperationalError):
        _log.error("database: %s", cause)
        return problem(503, "unavailable", "The database does not answer; try again shortly.")
    raise error


def _gone(_request: Request, _error: StaleDataError) -> Response:
    return problem(409, "conflict", "Somebody else deleted it in this moment.")


def _no_connection(_request: Request, _error: NoFreeConnection) -> Response:
    return problem(503, "unavailable", "Too much is going on; try again shortly.")


def _unexpected(_request: Request, _error: Exception) -> Response:
    return problem(500, "internal", "Something went wrong on the server; it is in its log.")


def install(app: FastAPI) -> None:
    """Render every error of the application as a problem."""
    app.add_exception_handler(AppError, _app_error)  # type: ignore[arg-type]
    app.add_exception_handler(MaskError, _mask_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _validation_error)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _http_error)  # type: ignore[arg-type]
    app.add_exception_handler(DBAPIError, _database_error)  # type: ignore[arg-type]
    app.add_exception_handler(StaleDataError, _gone)  # type: ignore[arg-type]
    app.add_exception_handler(NoFreeConnection, _no_connection)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _unexpected)
