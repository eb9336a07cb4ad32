"""Reads a text file as UTF-8, whatever Unicode encoding its byte order mark announces."""

import codecs
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from app.formats.records import FileError

__all__ = ["as_utf8"]

# UTF-32's mark starts with UTF-16's, so it is looked for first.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BLOCK = 1 << 20


@contextmanager
def as_utf8(file: BinaryIO) -> Iterator[BinaryIO]:
    """The file as UTF-8, behind any byte order mark; other encodings are spooled."""
    file.seek(0)
    start = file.read(4)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            file.seek(len(mark))
            with tempfile.TemporaryFile() as spool:
                _convert(file, spool, encoding, len(mark))
                yield spool
            return
    file.seek(len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0)
    yield file


def _convert(file: BinaryIO, spool: BinaryIO, encoding: str, offset: int) -> None:
    # Half of a character costs the record that it is in, not the file: the reader sees it.
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    try:
        while block := file.read(_BLOCK):
            spool.write(decoder.decode(block).encode(errors="surrogatepass"))
            offset += len(block)
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        place = offset + (error.start if isinstance(error, UnicodeDecodeError) else 0)
        raise FileError(
            "encoding_invalid", f"The file says it is {encoding}, but is not at byte {place:,}."
        ) from None
    spool.seek(0)
