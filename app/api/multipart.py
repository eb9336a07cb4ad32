"""Multipart bodies, read as they come in and written to disk, never whole in memory.

FastAPI would spool a whole body before it knows who is calling. A route that takes files asks for
the plain `Request` instead, checks who is calling, and then reads the body with `receive`.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from anyio import CancelScope, CapacityLimiter, from_thread, to_thread
from anyio.lowlevel import RunVar
from fastapi import Request
from python_multipart import multipart
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from app.errors import Invalid, Malformed, TooLarge, WrongType
from app.services.files.storage import disk_full_as_problem

__all__ = ["ReceivedFile", "aside", "receive"]

_BYTES_AT_ONCE = 1024 * 1024
_LONGEST_TEXT_BYTES = 64 * 1024
_MOST_TEXTS = 100
# Threads of their own: files are checked in them, which takes a while, and hundreds of uploads at
# once would leave none for pages.
_THREADS = 8
_threads: RunVar[CapacityLimiter] = RunVar("threads of uploads")
# Whose turn the work of this thread takes, and what stands for it there.
_turn: ContextVar[tuple[CapacityLimiter, object] | None] = ContextVar("turn", default=None)


@dataclass(frozen=True)
class ReceivedFile:
    """A file that is complete; `file_name` is what the sender called it, unchecked."""

    field: str
    file_name: str
    path: Path
    sha256: str
    size: int


async def receive(
    request: Request,
    *,
    files: Collection[str],
    texts: Collection[str] = (),
    most_files: int = 100_000,
    new_path: Callable[[], Path],
    on_file: Callable[[ReceivedFile], None],
) -> dict[str, list[str]]:
    """Read the body: call `on_file` for each file, and return the text fields.

    `files` and `texts` are the fields there may be. Files are written to what `new_path` gives;
    while `on_file` works, which it does in a thread, the sender waits.
    """
    reader = _Reader(_boundary(request), files, texts, most_files, new_path, on_file)
    waiting = bytearray()
    try:
        async for chunk in request.stream():
            waiting += chunk
            if len(waiting) >= _BYTES_AT_ONCE:
                await _in_thread(reader.write, bytes(waiting))
                waiting.clear()
        await _in_thread(reader.finish, bytes(waiting))
    except ClientDisconnect as error:
        raise Malformed("The upload was broken off.") from error
    except FormParserError as error:
        raise Malformed("The body is not valid multipart/form-data.") from error
    finally:
        reader.close()
    return reader.texts


async def _in_thread(work: Callable[[bytes], None], data: bytes) -> None:
    try:
        threads = _threads.get()
    except LookupError:
        threads = CapacityLimiter(_THREADS)
        _threads.set(threads)
    turn = object()
    await threads.acquire_on_behalf_of(turn)
    token = _turn.set((threads, turn))
    try:
        await to_thread.run_sync(work, data, limiter=CapacityLimiter(1))
    finally:
        _turn.reset(token)
        threads.release_on_behalf_of(turn)


@contextmanager
def aside() -> Iterator[None]:
    """For `on_file` while it waits for another process: other uploads go on meanwhile."""
    turn = _turn.get()
    if turn is None:
        yield
        return
    threads, holder = turn
    from_thread.run_sync(threads.release_on_behalf_of, holder)
    try:
        yield
    finally:
        from_thread.run(_take_again, threads, holder)


async def _take_again(threads: CapacityLimiter, holder: object) -> None:
    # Also for a request that was broken off: its turn is given back at the end.
    with CancelScope(shield=True):
        await threads.acquire_on_behalf_of(holder)


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        raise WrongType("This route reads multipart/form-data.")
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= multipart.MAX_BOUNDARY_LENGTH:
        raise Malformed("The content type names no boundary, or one that is too long.")
    return boundary


class _Reader:
    """Callbacks of the parser, which pushes headers and data as they come."""

    def __init__(
        self,
        boundary: bytes,
        files: Collection[str],
        texts: Collection[str],
        most_files: int,
        new_path: Callable[[], Path],
        on_file: Callable[[ReceivedFile], None],
    ) -> None:
        self.texts: dict[str, list[str]] = {}
        self._fields = dict.fromkeys(files, True) | dict.fromkeys(texts, False)
        self._files_left, self._texts_left = most_files, _MOST_TEXTS
        self._new_path, self._on_file = new_path, on_file
        self._complete = False
        self._header_name, self._header_value = bytearray(), bytearray()
        self._disposition = b""
        self._start_part("", None)
        self._parser = multipart.MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._part_data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
        )

    def write(self, data: bytes) -> None:
        self._parser.write(data)

    def finish(self, data: bytes) -> None:
        self._parser.write(data)
        self._parser.finalize()
        if not self._complete:
            raise Malformed("The body ends before its last boundary.")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _start_part(self, field: str, file_name: str | None) -> None:
        self._field, self._file_name = field, file_name
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self._digest = hashlib.sha256()
        self._size = 0
        self._text = bytearray()

    # The parser's callbacks ------------------------------------------------------------------

    def _part_begin(self) -> None:
        self._disposition = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _headers_finished(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or b"name" not in options:
            raise Malformed("A part of the body has no name.")
        field = _decoded(options[b"name"])
        sent = options.get(b"filename")
        if field not in self._fields:
            raise Invalid("There is no such field.", code="unknown", loc=("body", field[:100]))
        if self._fields[field] != (sent is not None):
            wanted = "a file" if self._fields[field] else "text"
            raise Invalid(f"This field takes {wanted}.", code="wrong_kind", loc=("body", field))
        self._start_part(field, None if sent is None else _decoded(sent).replace("%22", '"'))
        if sent is not None:
            self._open_file()
        self._texts_left -= sent is None
        if self._texts_left < 0:
            raise TooLarge("The body has too many fields.")

    def _open_file(self) -> None:
        self._files_left -= 1
        if self._files_left < 0:
            raise TooLarge("The body has too many files.")
        with disk_full_as_problem():
            self._path = self._new_path()
            self._file = self._path.open("wb")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        piece = memoryview(data)[start:end]
        self._size += len(piece)
        if self._file is not None:
            with disk_full_as_problem():
                self._file.write(piece)
            self._digest.update(piece)
            return
        if self._size > _LONGEST_TEXT_BYTES:
            raise TooLarge("A text field is too long.")
        self._text += piece

    def _part_end(self) -> None:
        if self._file is None:
            self.texts.setdefault(self._field, []).append(_decoded(bytes(self._text)))
            return
        with disk_full_as_problem():
            self._file.close()
        name, path = self._file_name or "", self._path
        self._file = None
        assert path is not None  # noqa: S101 - opened together with the file
        if not name and not self._size:
            # A form whose file field was left empty sends this.
            path.unlink()
            return
        self._on_file(ReceivedFile(self._field, name, path, self._digest.hexdigest(), self._size))

    def _end(self) -> None:
        self._complete = True


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")
