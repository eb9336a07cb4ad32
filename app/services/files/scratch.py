"""Temporary files on the disk of the data, so that finishing one is a rename and not a copy.

::

    DATA_DIR/tmp/.lock          held while a folder is made or leftovers are removed
    DATA_DIR/tmp/p-x7k2…/       one folder for each process that needs one
    DATA_DIR/tmp/p-x7k2…/.lock  held for as long as that process lives

A process that was killed no longer holds its lock, and the next one to start removes what it left.
Process numbers would not do: two containers that share the folder count their own.
"""

import fcntl
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

__all__ = ["Scratch"]


class Scratch:
    """A place for files that nobody needs after this request or job."""

    def __init__(self, folder: Path) -> None:
        """`folder` and what is in it is made when the first file is."""
        self._root = folder
        self._mine: Path | None = None
        self._making = threading.Lock()

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder that is gone, with everything in it, when the block ends."""
        path = Path(tempfile.mkdtemp(prefix="t-", dir=self._own_folder()))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def file(self) -> BinaryIO:
        """An open file without a name, gone when it is closed."""
        return cast(BinaryIO, tempfile.TemporaryFile(dir=self._own_folder()))

    def draft(self) -> Path:
        """A new empty file, to be finished and moved to its place by the caller."""
        handle, name = tempfile.mkstemp(prefix="d-", dir=self._own_folder())
        os.close(handle)
        return Path(name)

    def remove_leftovers(self) -> int:
        """Remove the folders of processes that are gone; how many there were."""
        if not self._root.is_dir():
            return 0
        with _locked(self._root / ".lock"):
            gone = [path for path in self._root.glob("p-*") if not _is_held(path / ".lock")]
            for path in gone:
                shutil.rmtree(path, ignore_errors=True)
        return len(gone)

    def _own_folder(self) -> Path:
        with self._making:
            if self._mine is None:
                self._root.mkdir(parents=True, exist_ok=True)
                with _locked(self._root / ".lock"):
                    mine = Path(tempfile.mkdtemp(prefix="p-", dir=self._root))
                    held = _take(mine / ".lock")
                weakref.finalize(self, _give_back, mine, held)
                self._mine = mine
            return self._mine


def _take(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def _give_back(folder: Path, held: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = _take(path)
    try:
        yield
    finally:
        os.close(handle)


def _is_held(path: Path) -> bool:
    """Whether a living process holds the lock; a folder without one was left half made."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
