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

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.models import Blob, Image
from app.services.storage import Storage, blob_key, cache_folder

__all__ = ["NewBlob", "find_unused", "keep", "note", "remove_unused"]

_ROWS_AT_ONCE = 1000
# Putting is waiting: for the disk to have written, or for the object storage to answer.
_PUTS_AT_ONCE = 4


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


def keep(session: Session, storage: Storage, *, files: Sequence[NewBlob]) -> None:
    """Move the files into the storage; their rows stay locked until the caller's commit."""
    for rows in _rows(files):
        row = insert(Blob).values(rows)
        # An update that changes nothing, for its lock. A row that is just being deleted is made
        # again once that is committed.
        locked = row.on_conflict_do_update(
            index_elements=[Blob.sha256], set_={"size": row.excluded.size}
        )
        session.execute(locked)
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
