"""Takes files away that no image uses any more, in transactions of their own."""

import logging
from collections.abc import Iterable

from sqlalchemy.exc import SQLAlchemyError

from app.context import AppContext
from app.errors import AppError
from app.services.files import blobs

__all__ = ["remove_all_unused", "remove_unused"]

_log = logging.getLogger(__name__)
# Rows that are locked together; an upload of the same content waits for as many removals.
_FILES_AT_ONCE = 100


def remove_unused(context: AppContext, sha256s: Iterable[str]) -> int:
    """Remove those of these files that no image uses; how many that were.

    Whoever calls is done with what matters: trouble is logged, and `remove_all_unused` tries again.
    """
    removed, ordered = 0, sorted(set(sha256s))
    for start in range(0, len(ordered), _FILES_AT_ONCE):
        some = ordered[start : start + _FILES_AT_ONCE]
        try:
            with context.sessions.begin() as session:
                removed += blobs.remove_unused(session, context.storage, sha256s=some)
        except (SQLAlchemyError, AppError, OSError) as error:
            _log.warning("unused files could not be removed: %s", error)
    return removed


def remove_all_unused(context: AppContext) -> int:
    """Look through all files: at the start of a server, and after a dataset was deleted."""
    removed, last = 0, ""
    while True:
        try:
            with context.sessions.begin() as session:
                found = blobs.find_unused(session, after=last)
        except SQLAlchemyError as error:
            _log.warning("unused files could not be looked for: %s", error)
            return removed
        if not found:
            return removed
        removed += remove_unused(context, found)
        last = found[-1]
