"""Whether the process lives, and whether it can work."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError

from app.api import problems
from app.api.deps import ContextDep
from app.db import is_migrated
from app.errors import Unavailable

__all__ = ["router"]

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """All is well."""

    status: Literal["ok"] = "ok"


@router.get("/healthz")
def live() -> Health:
    """The process answers."""
    return Health()


@router.get("/readyz", responses=problems.responses(503))
def ready(context: ContextDep) -> Health:
    """The database answers and has every migration."""
    try:
        migrated = is_migrated(context.engine)
    except DBAPIError as error:
        raise Unavailable("The database does not answer.", code="database_away") from error
    if not migrated:
        raise Unavailable("The database is not migrated.", code="not_migrated")
    return Health()
