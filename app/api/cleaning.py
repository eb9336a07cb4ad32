"""Takes files away that no image uses any more, each in a transaction of its own."""

import logging
from collections.abc import Iterable

from sqlalchemy.exc import SQLAlchemyError

from app.context import AppContext
from app.errors import AppError
from app.services import blobs

__all__ = ["remove_all_unused", "remove_unused"]

_log = logging.getLogger(__name__)


def remove_unused(context: AppContext, sha256s: Iterable[str]) -> int:
    """Remove those of these files that no image uses; how many that were.

    Whoever calls is done with what matters: trouble is logged, and `remove_all_unused` tries again.
    """
    removed = 0
    for sha256 in sorted(set(sha256s)):
        try:
            with context.sessions.begin() as session:
                removed += blobs.remove_if_unused(session, context.storage, sha256=sha256)
        except (SQLAlchemyError, AppError, OSError) as error:
            _log.warning("an unused file could not be removed: %s", error)
    return removed


def remove_all_unused(context: AppContext) -> int:
    """Look through all files; for the start, and after a dataset was deleted."""
    removed, last = 0, ""
    while True:
        with context.sessions.begin() as session:
            found = blobs.find_unused(session, after=last)
        if not found:
            return removed
        removed += remove_unused(context, found)
        last = found[-1]
