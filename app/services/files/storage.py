"""Where files are kept: a small object store, in a local folder or in S3-compatible storage.

A file has a key, made here and never from a name that somebody sent:

===============================  ================================================================
``blobs/3a/3a7f…``               a file named by the SHA-256 of its content (`blob_key`)
``cache/3a/3a7f…/thumbnail-256``  something derived from that file (`cache_key`); may vanish
``jobs/x7k2…``                   what a job needs or made (`job_key`)
===============================  ================================================================

A finished local file is taken in as a whole or not at all: nobody ever sees half a file under a
key. Every process that shares the database shares the storage, too; `scratch` is its own.
"""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from app.config import Settings
from app.errors import NotFound, Unavailable
from app.services.files.scratch import Scratch

if TYPE_CHECKING:
    from obstore import GetOptions

__all__ = [
    "LocalStorage",
    "ObjectStorage",
    "Storage",
    "blob_key",
    "cache_folder",
    "cache_key",
    "disk_full_as_problem",
    "job_key",
    "open_storage",
]

_CHUNK_BYTES = 256 * 1024
# Larger objects go up in parts; a whole one is held in memory while it is sent.
_WHOLE_BYTES = 16 * 1024 * 1024
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class Storage(Protocol):
    """Files by key. A missing key raises NotFound, trouble with the storage Unavailable."""

    @property
    def scratch(self) -> Scratch:
        """Temporary files of this process, on the disk of the data."""
        ...

    def put(self, key: str, path: Path) -> None:
        """Take a finished local file in; nothing is left at `path`. A key is written only once."""
        ...

    def put_bytes(self, key: str, data: bytes) -> None:
        """Write a small file, whatever was there before."""
        ...

    def size(self, key: str) -> int:
        """How many bytes the file has."""
        ...

    def open(self, key: str) -> BinaryIO:
        """The file for reading and seeking; the caller closes it."""
        ...

    def chunks(self, key: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`, piece by piece."""
        ...

    def delete(self, key: str) -> None:
        """Remove the file if it is there."""
        ...

    def delete_folder(self, folder: str) -> None:
        """Remove every file whose key starts with this folder."""
        ...


def blob_key(sha256: str) -> str:
    """The place of a file named by its content."""
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError("not a SHA-256 in lower-case hexadecimal digits")
    return f"blobs/{sha256[:2]}/{sha256}"


def cache_folder(sha256: str) -> str:
    """The place of everything derived from a blob."""
    return "cache/" + blob_key(sha256).removeprefix("blobs/")


def cache_key(sha256: str, name: str) -> str:
    """The place of one thing derived from a blob, such as ``thumbnail-256``."""
    return f"{cache_folder(sha256)}/{name}"


def job_key() -> str:
    """A new place for what a job needs or makes; whoever asks deletes it again."""
    return f"jobs/{secrets.token_hex(16)}"


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"not a storage key: {key!r}")
    return key


def _missing() -> NotFound:
    return NotFound("The file is not in the storage any more.", code="file_missing")


@contextmanager
def disk_full_as_problem() -> Iterator[None]:
    """Tell the caller that the disk is full, where a bare OSError would be a defect of ours."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise Unavailable("The server's disk is full.", code="disk_full") from error
        raise


class LocalStorage:
    """Files in a folder of this machine, or of a network mount that all processes share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.scratch = Scratch(folder / "tmp")

    def _path(self, key: str) -> Path:
        return self._folder / _checked(key)

    def put(self, key: str, path: Path) -> None:
        target = self._path(key)
        with disk_full_as_problem():
            if target.exists() and target.stat().st_size == path.stat().st_size:
                path.unlink()
                return
            _sync(path)
            _make_folder(target.parent)
            path.replace(target)
            _sync(target.parent)

    def put_bytes(self, key: str, data: bytes) -> None:
        target = self._path(key)
        with disk_full_as_problem():
            draft = self.scratch.draft()
            try:
                draft.write_bytes(data)
                target.parent.mkdir(parents=True, exist_ok=True)
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)

    def size(self, key: str) -> int:
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
            raise _missing() from None

    def open(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except FileNotFoundError:
            raise _missing() from None

    def chunks(self, key: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        with self.open(key) as file:
            file.seek(start)
            left = self.size(key) - start if stop is None else stop - start
            while left > 0 and (chunk := file.read(min(left, _CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def delete_folder(self, folder: str) -> None:
        shutil.rmtree(self._path(folder), ignore_errors=True)


def _sync(path: Path) -> None:
    """Wait until the file or folder is on the disk, so that a power cut does not undo it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make_folder(folder: Path) -> None:
    """Make a folder and its parents, each on the disk before something is put into it."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir()
        _sync(folder.parent)


class ObjectStorage:
    """Objects of an obstore store: S3 and whatever speaks its language, or memory for tests."""

    def __init__(self, store: Any, scratch: Path) -> None:
        self._store = store
        self.scratch = Scratch(scratch)

    def put(self, key: str, path: Path) -> None:
        with _store_trouble():
            if path.stat().st_size <= _WHOLE_BYTES:
                with suppress(AlreadyExistsError):
                    obstore.put(self._store, _checked(key), path, mode="create")
            elif not self._has(key, path.stat().st_size):
                obstore.put(self._store, _checked(key), path)
        path.unlink()

    def _has(self, key: str, size: int) -> bool:
        try:
            return bool(obstore.head(self._store, _checked(key))["size"] == size)
        except FileNotFoundError:
            return False

    def put_bytes(self, key: str, data: bytes) -> None:
        with _store_trouble():
            obstore.put(self._store, _checked(key), data)

    def size(self, key: str) -> int:
        with _store_trouble():
            return int(obstore.head(self._store, _checked(key))["size"])

    def open(self, key: str) -> BinaryIO:
        """A local copy: decoders seek to and fro, and each jump would be a request."""
        with disk_full_as_problem():
            file = self.scratch.file()
            try:
                for chunk in self.chunks(key):
                    file.write(chunk)
            except BaseException:
                file.close()
                raise
        file.seek(0)
        return file

    def chunks(self, key: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        with _store_trouble():
            if stop is not None and stop <= start:
                return
            options: GetOptions = {}
            if stop is not None:
                options["range"] = (start, stop)
            elif start:
                options["range"] = {"offset": start}
            found = obstore.get(self._store, _checked(key), options=options)
            for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
                yield bytes(chunk)

    def delete(self, key: str) -> None:
        with _store_trouble(), suppress(FileNotFoundError):
            obstore.delete(self._store, _checked(key))

    def delete_folder(self, folder: str) -> None:
        with _store_trouble():
            for found in obstore.list(self._store, prefix=_checked(folder) + "/"):
                keys = [entry["path"] for entry in found]
                if keys:
                    obstore.delete(self._store, keys)


@contextmanager
def _store_trouble() -> Iterator[None]:
    """Name what went wrong between us and the object storage."""
    try:
        yield
    except FileNotFoundError:
        raise _missing() from None
    except BaseError as error:
        raise Unavailable(
            "The object storage does not answer or refused.", code="storage_unavailable"
        ) from error


def open_storage(settings: Settings) -> Storage:
    """The storage that the settings name, with the leftovers of killed processes removed."""
    storage: Storage
    if settings.storage_url is None:
        storage = LocalStorage(settings.data_dir)
    else:
        storage = ObjectStorage(_s3_store(settings.storage_url), settings.data_dir / "tmp")
    storage.scratch.remove_leftovers()
    return storage


def _s3_store(url: str) -> Any:
    """The bucket; address, region and credentials come from the usual ``AWS_…`` variables."""
    if not re.fullmatch(r"s3://[^/]+(/.*)?", url):
        raise ValueError("MASKWRIGHT_STORAGE_URL is s3://bucket or s3://bucket/prefix")
    address = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
    return S3Store.from_url(
        url.rstrip("/"),
        client_options={"allow_http": address.startswith("http://")},
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
    )
