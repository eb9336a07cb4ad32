"""The rows behind stored files, and how files come and go without a gap.

A file is in the storage only while a committed row in ``blobs`` says so:

=========  ====================================================================================
coming     `note` commits the row first; `keep` then locks it, moves the file in, and stays
           locked until the images that use it are committed
going      `remove_unused` locks the row, sees that no image uses it, deletes row and file
=========  ====================================================================================

Both lock the row, so an upload of the same content at the moment of a deletion finds its file there
afterwards, whoever was first. A process that dies in between leaves at most a row that no image
uses, which `find_unused` finds.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db import SessionFactory
from app.models import Blob, Image
from app.services.files.storage import Storage, blob_key, cache_folder

__all__ = ["Arrivals", "NewBlob", "find_unused", "hold", "keep", "note", "remove_unused"]

_ROWS_AT_ONCE = 1000
# Putting is waiting: for the disk to have written, or for the object storage to answer.
_PUTS_AT_ONCE = 4
# Rows that are locked together; an upload of the same content waits for as many removals.
_REMOVALS_AT_ONCE = 100


@dataclass(frozen=True)
class NewBlob:
    """A finished temporary file."""

    path: Path
    sha256: str
    size: int
    media_type: str


def note(session: Session, *, files: Iterable[NewBlob]) -> None:
    """Say that these files are about to come; to be committed before `keep`."""
    for rows in _rows(files):
        session.execute(insert(Blob).values(rows).on_conflict_do_nothing())


def keep(session: Session, storage: Storage | None, *, files: Sequence[NewBlob]) -> None:
    """Move the files into the storage; their rows stay locked until the caller's commit.

    Without a storage only the rows are there, for whoever tries and undoes it all.
    """
    for rows in _rows(files):
        row = insert(Blob).values(rows)
        # An update that changes nothing, for its lock. A row that is just being deleted is made
        # again once that is committed.
        locked = row.on_conflict_do_update(
            index_elements=[Blob.sha256], set_={"size": row.excluded.size}
        )
        session.execute(locked)
    if storage is None:
        return
    with ThreadPoolExecutor(_PUTS_AT_ONCE) as pool:
        distinct = {file.sha256: file for file in files}.values()
        for _ in pool.map(lambda file: storage.put(blob_key(file.sha256), file.path), distinct):
            pass


def _rows(files: Iterable[NewBlob]) -> Iterable[list[dict[str, object]]]:
    """Rows for a statement each, in one order for everybody, so that nobody waits in a circle."""
    distinct = {file.sha256: file for file in files}
    ordered = [distinct[sha256] for sha256 in sorted(distinct)]
    for start in range(0, len(ordered), _ROWS_AT_ONCE):
        yield [
            {"sha256": file.sha256, "size": file.size, "media_type": file.media_type}
            for file in ordered[start : start + _ROWS_AT_ONCE]
        ]


def find_unused(session: Session, *, limit: int = 1000, after: str = "") -> Sequence[str]:
    """Blobs that no image uses, in order."""
    used = exists().where(Image.blob_sha256 == Blob.sha256)
    return session.scalars(
        select(Blob.sha256).where(~used, Blob.sha256 > after).order_by(Blob.sha256).limit(limit)
    ).all()


def hold(session: Session, *, sha256: str) -> bool:
    """Lock the file's row, so that nobody removes the file before the commit; False without one."""
    row = select(Blob.sha256).where(Blob.sha256 == sha256).with_for_update(read=True)
    return session.scalar(row) is not None


def remove_unused(session: Session, storage: Storage, *, sha256s: Sequence[str]) -> int:
    """Remove those files that no image uses any more; how many that were. The caller commits.

    Should the process die before the commit, rows stay without their files, and are found again or
    made good by the next upload of the same content.
    """
    locked = session.scalars(
        select(Blob.sha256)
        .where(Blob.sha256.in_(sha256s))
        .order_by(Blob.sha256)
        # What somebody else has locked is being used or removed at this moment.
        .with_for_update(skip_locked=True)
    ).all()
    # A statement of its own, so that it sees whatever was committed before the rows were locked.
    used = set(session.scalars(select(Image.blob_sha256).where(Image.blob_sha256.in_(locked))))
    unused = [sha256 for sha256 in locked if sha256 not in used]
    session.execute(delete(Blob).where(Blob.sha256.in_(unused)))
    for sha256 in unused:
        storage.delete(blob_key(sha256))
        storage.delete_folder(cache_folder(sha256))
    return len(unused)


class Arrivals:
    """The files of one savepoint: noted before it, and taken away behind it where nobody uses them.

    ``used`` has the hashes of files that images use; it counts for nothing when an exception ends
    the block, since the savepoint was undone then. Both ways commit transactions of their own.
    """

    def __init__(self, sessions: SessionFactory, storage: Storage) -> None:
        self._sessions = sessions
        self._storage = storage
        self._noted: set[str] = set()
        self.used: set[str | None] = set()

    def note(self, files: Sequence[NewBlob]) -> None:
        """Say that these files are about to come."""
        if files:
            self._noted |= {file.sha256 for file in files}
            with self._sessions.begin() as own:
                note(own, files=files)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        ordered = sorted(self._noted if kind else self._noted - self.used)
        for start in range(0, len(ordered), _REMOVALS_AT_ONCE):
            some = ordered[start : start + _REMOVALS_AT_ONCE]
            with self._sessions.begin() as own:
                remove_unused(own, self._storage, sha256s=some)
