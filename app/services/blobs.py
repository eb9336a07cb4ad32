"""The rows behind stored files, and how files come and go without a gap.

A file is in the storage only while a committed row in ``blobs`` says so:

=========  ====================================================================================
coming     `note` commits the row first; `keep` then locks it, moves the file in, and stays
           locked until the images that use it are committed
going      `remove_if_unused` locks the row, sees that no image uses it, deletes row and file
=========  ====================================================================================

Both lock the row, so an upload of the same content at the moment of a deletion finds its file there
afterwards, whoever was first. A process that dies in between leaves at most a row that no image
uses, which `find_unused` finds.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.models import Blob, Image
from app.services.storage import Storage, blob_key, cache_folder

__all__ = ["NewBlob", "find_unused", "keep", "note", "remove_if_unused"]

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


def remove_if_unused(session: Session, storage: Storage, *, sha256: str) -> bool:
    """Remove a file that no image uses any more; the caller commits at once.

    Should the process die before the commit, the row stays without its file, and is found again
    or made good by the next upload of the same content.
    """
    blob = session.scalar(
        select(Blob).where(Blob.sha256 == sha256).with_for_update(skip_locked=True)
    )
    # A statement of its own: it sees what was committed while we waited for nothing.
    if blob is None or session.scalar(select(exists().where(Image.blob_sha256 == sha256))):
        return False
    session.delete(blob)
    session.flush()
    storage.delete(blob_key(sha256))
    storage.delete_folder(cache_folder(sha256))
    return True
