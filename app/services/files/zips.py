"""Zips that came from outside: read without trusting a word of them.

A zip says in its directory how many entries there are, what they are called and how large they
will be; any of it may be a lie. So the directory is measured before it is taken apart, names are
only text (app/services/files/names.py), and unpacking counts the bytes that really come out:

======================  ==================================================================
``zip_damaged``         the directory or an entry cannot be read, or its checksum is wrong
``zip_too_many_files``  more entries than MASKWRIGHT_MAX_ZIP_FILES
``zip_encrypted``       an entry needs a password
``zip_unsupported``     an entry is packed by another method than store, deflate or bzip2
``zip_bomb``            an entry grows to many times its packed size
``zip_too_large``       all entries together are larger than MASKWRIGHT_MAX_UPLOAD_MB
======================  ==================================================================
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from app.errors import Invalid
from app.services.files import names

__all__ = ["Allowance", "entries", "entry_name", "is_zip", "open_zip", "unpack"]

_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_RECORD = b"PK\x01\x02"
# A directory's record has 46 bytes, a name, and seldom more than that.
_BYTES_FOR_RECORD = 1024
# LZMA is not among them: it takes as much memory as an entry's first bytes tell it to.
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})
_UTF8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1
_CHUNK_BYTES = 256 * 1024
# A photograph hardly shrinks; a flat drawing does so up to a thousandfold, but is small.
_MOST_GROWTH = 250
_ALWAYS_ALLOWED_BYTES = 16 * 1024 * 1024
_JUNK = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


class Allowance:
    """The bytes that the zips of one request may still unpack to."""

    def __init__(self, total: int) -> None:
        self._left = total

    def take(self, amount: int) -> None:
        self._left -= amount
        if self._left < 0:
            raise Invalid("Unpacked, the zips are larger than allowed.", code="zip_too_large")


def is_zip(head: bytes) -> bool:
    """Whether a file that starts with these bytes claims to be a zip."""
    return head.startswith(_STARTS)


class _Measured:
    """A file whose zip directory is looked at before zipfile makes objects of it."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self.has_directory = False
        self._file, self._most = file, most
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if self.has_directory:
            return self._file.read(size)
        if size > (self._most + 64) * _BYTES_FOR_RECORD:
            raise self._too_many()
        data = self._file.read(size)
        if data.count(_RECORD) > self._most:
            raise self._too_many()
        return data

    def _too_many(self) -> Invalid:
        detail = f"The zip holds more than {self._most:,} files."
        return Invalid(detail, code="zip_too_many_files")


@contextmanager
def open_zip(path: Path, *, max_files: int) -> Iterator[zipfile.ZipFile]:
    """The zip at `path`; Invalid when it cannot be read or has too many entries."""
    with path.open("rb") as file:
        measured = _Measured(file, max_files)
        try:
            archive = zipfile.ZipFile(cast(IO[bytes], measured))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError) as error:
            raise _damaged("The zip is truncated or damaged.") from error
        measured.has_directory = True
        with archive:
            yield archive


def _damaged(detail: str) -> Invalid:
    return Invalid(detail, code="zip_damaged")


def entries(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """The files in a zip, without folders and without what operating systems leave behind."""
    for info in archive.infolist():
        steps = info.orig_filename.replace("\\", "/").lower().split("/")
        junk = steps[-1] in _JUNK or steps[-1].startswith("._") or "__macosx" in steps
        if steps[-1] and not junk:
            yield info


def entry_name(info: zipfile.ZipInfo) -> str:
    """The entry's name with forward slashes; Invalid when it is hostile.

    Many programs write UTF-8 without saying so, which zipfile then reads as code page 437.
    """
    name = info.orig_filename
    if not info.flag_bits & _UTF8_FLAG:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = info.orig_filename
    return names.check_file_name(name)


def unpack(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, allowance: Allowance
) -> Iterator[bytes]:
    """The bytes of an entry, piece by piece; Invalid as soon as something is wrong with it."""
    if info.flag_bits & _ENCRYPTED_FLAG:
        raise Invalid("The entry is encrypted.", code="zip_encrypted")
    if info.compress_type not in _METHODS:
        raise Invalid("The entry is packed by an unusual method.", code="zip_unsupported")
    out = 0
    try:
        with archive.open(info) as packed:
            while chunk := packed.read(_CHUNK_BYTES):
                out += len(chunk)
                if out > max(_ALWAYS_ALLOWED_BYTES, _MOST_GROWTH * info.compress_size):
                    raise Invalid("The entry grows without end.", code="zip_bomb")
                allowance.take(len(chunk))
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise _damaged("The entry is truncated or damaged.") from error
    except (OSError, RuntimeError) as error:
        # bzip2 tells of damaged data so; a password that is asked for after all is a RuntimeError.
        raise _damaged("The entry cannot be read.") from error
