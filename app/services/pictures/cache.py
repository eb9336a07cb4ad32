"""What is made from stored files, takes room, and may be made again: kept up to a limit.

A row in ``cached_files`` says how large each file is and when it was used last; when all of them
together are larger than the limit, those go that nobody used for the longest time. What was used
within the last minutes stays, so nothing vanishes while somebody reads it, and the limit may be
exceeded meanwhile. The rows are in the database: every server that shares the files shares them,
and a restart changes nothing. The folder may be emptied by hand: what is missing is made again.
What `Cache.use` has seen it vouches for during half a minute; whoever finds nothing there then says
so with `Cache.forget`, and makes it again.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import SQLAlchemyError

from app.db import SessionFactory
from app.errors import AppError, NotFound
from app.models import CachedFile
from app.services.files import blobs
from app.services.files.storage import Storage, blob_key, disk_full_as_problem

__all__ = ["Cache"]

# Whoever reads a file has said so at most `_NOTED_SECONDS` before.
_STAYS = timedelta(minutes=2)
_NOTED_SECONDS = 30
_MOST_NOTES = 1000
_ROWS_AT_ONCE = 100
# Any number will do, as long as nothing else takes it.
_TURN = text("select pg_advisory_xact_lock(7227004)")
_log = logging.getLogger(__name__)


class Cache:
    """The cached files, as one process sees them."""

    def __init__(self, sessions: SessionFactory, storage: Storage, *, most_mb: int) -> None:
        """`most_mb` is the limit in megabytes (10^6 bytes)."""
        self._sessions = sessions
        self._storage = storage
        self._most_bytes = most_mb * 1_000_000
        self._lock = threading.Lock()
        self._noted: dict[str, float] = {}

    def make(self, sha256: str, key: str, work: Callable[[BinaryIO, Path], Path]) -> None:
        """Keep what `work` makes of the stored file, an open one, in a folder that goes then.

        NotFound when the stored file is gone, Unavailable (``disk_full``) without room.
        """
        with disk_full_as_problem(), self._storage.scratch.folder() as folder:
            with self._storage.open(blob_key(sha256)) as file:
                made = work(file, folder)
            self.keep(sha256, key, made)

    def keep(self, sha256: str, key: str, made: Path) -> None:
        """Take in what was made from the stored file, unless that is gone meanwhile.

        A process that is killed before the row is committed leaves a file that counts from when it
        is looked at, or made again.
        """
        with self._sessions.begin() as session:
            # Locked, so that a deletion at this moment comes before or after, and then takes it.
            if not blobs.hold(session, sha256=sha256):
                return
            # Its row first: whoever makes room has it, and is done, or leaves it alone.
            session.execute(_row(sha256, key, made.stat().st_size))
            # A damaged one may be there, and it may have the same size.
            self._storage.delete(key)
            self._storage.put(key, made)
        with self._sessions.begin() as session:
            # A deletion that met the lock left the file to whoever comes next.
            blobs.remove_unused(session, self._storage, sha256s=[sha256])
        self.make_room()

    def use(self, sha256: str, key: str) -> bool:
        """Whether the file is there; it stays for some minutes at least."""
        now = time.monotonic()
        with self._lock:
            if now < self._noted.get(key, 0.0) + _NOTED_SECONDS:
                return True
        if not self._note(sha256, key):
            return False
        with self._lock:
            if len(self._noted) >= _MOST_NOTES:
                self._noted = {k: t for k, t in self._noted.items() if now < t + _NOTED_SECONDS}
            self._noted[key] = now
        return True

    def forget(self, key: str) -> None:
        """Look anew next time: the file is gone, or should be."""
        with self._lock:
            self._noted.pop(key, None)

    def _note(self, sha256: str, key: str) -> bool:
        row = update(CachedFile).where(CachedFile.key == key).returning(CachedFile.key)
        with self._sessions.begin() as session:
            # Waits for whoever is just removing it.
            known = session.scalar(row.values(used_at=func.clock_timestamp())) is not None
            try:
                size = self._storage.size(key)
            except NotFound:
                session.execute(delete(CachedFile).where(CachedFile.key == key))
                return False
            # Without a row, it was made before there were any.
            if not known and blobs.hold(session, sha256=sha256):
                session.execute(_row(sha256, key, size))
        return True

    def make_room(self) -> int:
        """Remove what was not used for the longest time, down to the limit; how many that were."""
        try:
            removed = 0
            while some := self._remove_some():
                removed += some
        except (SQLAlchemyError, AppError, OSError) as error:
            # Whoever calls is done with what matters, and the next one tries again.
            _log.warning("no room was made in the cache: %s", error)
        return removed

    def _remove_some(self) -> int:
        removed = []
        old = (
            select(CachedFile.key, CachedFile.size)
            .where(CachedFile.used_at < func.clock_timestamp() - _STAYS)
            .order_by(CachedFile.used_at, CachedFile.key)
            .limit(_ROWS_AT_ONCE)
            # What somebody else has locked is being used or made at this moment.
            .with_for_update(skip_locked=True)
        )
        with self._sessions.begin() as session:
            # One at a time, or each would remove as much as is too much.
            session.execute(_TURN)
            total = session.scalar(select(func.coalesce(func.sum(CachedFile.size), 0))) or 0
            if total <= self._most_bytes:
                return 0
            for key, size in session.execute(old).all():
                if total <= self._most_bytes:
                    break
                self._storage.delete(key)
                removed.append(key)
                total -= size
            session.execute(delete(CachedFile).where(CachedFile.key.in_(removed)))
        return len(removed)


def _row(sha256: str, key: str, size: int) -> Insert:
    row = insert(CachedFile).values(key=key, blob_sha256=sha256, size=size)
    return row.on_conflict_do_update(
        index_elements=[CachedFile.key],
        set_={"size": row.excluded.size, "used_at": func.clock_timestamp()},
    )
