"""Runs the program that decodes large pictures (`app.services.pictures.decoder`), each time anew.

A picture of 400 megapixels takes more than a gigabyte when it is decoded as a whole, and hostile
bytes may ask for any amount of memory and time. So it is done by a child: it gives its memory back
when it ends, is told how much there is of it and of the processor's time, knows none of the
server's secrets, and is the first that the kernel ends when memory runs out. What it says is its
exit code.
"""

import logging
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, get_args

from app.child_process import oom_kills
from app.errors import AppError, Invalid, Unavailable

__all__ = ["DAMAGED", "DISK_FULL", "FAILED", "NO_MEMORY", "Command", "Decoder", "Source"]

Command = Literal["check", "convert", "shrink", "tiles"]

FAILED = 1
DAMAGED = 3
"""The exit code for a file that nobody can decode."""

DISK_FULL = 4
"""The exit code when there is no room for what is made, or for the picture spread out."""

NO_MEMORY = 5
"""The exit code when decoding asks for more memory than the child may take."""

# Of the processor, and by the clock, when others want the processor, too.
_MOST_CPU_SECONDS = 600
_MOST_SECONDS = 900
# What is checked gets less than what is made afterwards: no image is taken in that has no tiles.
_SPARED_BYTES = 500_000_000
# Of each command in one process; further ones wait for their turn.
_AT_ONCE = 2
_KEPT = re.compile(r"HOME|LANG|PATH|(DYLD|LC|LD|MALLOC|PYTHON|VIPS)_?[A-Z_]*")
# What libraries say that end the whole process when there is no memory.
_SAYS_MEMORY = re.compile(rb"memory|alloc", re.IGNORECASE)
# How a process ends that fell over what it read; other signals come from outside.
_CRASHES = {
    -signal.SIGABRT,
    -signal.SIGBUS,
    -signal.SIGFPE,
    -signal.SIGILL,
    -signal.SIGSEGV,
    -signal.SIGTRAP,
}
_turns = {command: threading.BoundedSemaphore(_AT_ONCE) for command in get_args(Command)}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """A stored file that something is made from, and how it is turned to be shown."""

    sha256: str
    media_type: str
    orientation: int


class Decoder:
    """Starts children, and ends those that still run when it is closed."""

    def __init__(self, memory_mb: int) -> None:
        """`memory_mb` is what each may take, in megabytes."""
        self._memory_bytes = memory_mb * 1_000_000
        self._lock = threading.Lock()
        self._children: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False

    def run(
        self,
        command: Command,
        file: BinaryIO,
        *,
        media_type: str,
        folder: Path,
        orientation: int = 1,
        target: Path | None = None,
        trouble: AppError,
    ) -> None:
        """Decode the file of that type, an open one with a descriptor, and write to `target`.

        Temporary files go to `folder`. Invalid has the code ``image_damaged`` or
        ``image_too_large``, Unavailable ``disk_full``; `trouble` is raised when nobody can tell.
        The calling thread waits, and must live as long as the child: it ends with it.
        """
        what = [command, media_type, str(orientation), str(target or ""), str(os.getpid())]
        memory_bytes = self._memory_bytes - (_SPARED_BYTES if command == "check" else 0)
        limits = [str(memory_bytes), str(_MOST_CPU_SECONDS)]
        with _turns[command]:
            ended_before = oom_kills()
            try:
                child = subprocess.Popen(  # noqa: S603 - our own program
                    [sys.executable, "-P", "-m", "app.services.pictures.decoder", *what, *limits],
                    stdin=file,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    env=_environment(folder),
                    start_new_session=True,
                )
            except OSError as error:
                # There is no memory or no process left.
                _log.warning("no decoder: %s", error)
                raise trouble from error
            code, said = self._wait(child)
            if code == -signal.SIGKILL and oom_kills() != ended_before:
                # Anybody else who kills it says nothing about the file.
                code = NO_MEMORY
            # The child has moved the place of the file, behind the back of our buffer.
            file.seek(0, os.SEEK_END)
        if code == 0 and (target is None or target.exists()):
            return
        about = said.decode(errors="replace")[-2000:]
        # A damaged file is nothing that the server's keeper could mend.
        level = logging.INFO if code == DAMAGED else logging.WARNING
        _log.log(level, "%s of %s ended with %s: %s", command, media_type, code, about)
        raise self._verdict(code, said) or trouble

    def make(
        self, command: Command, source: Source, file: BinaryIO, target: Path, *, trouble: AppError
    ) -> Path:
        """`run` for a stored file that is open: what was written, beside its temporary files."""
        self.run(
            command,
            file,
            media_type=source.media_type,
            orientation=source.orientation,
            folder=target.parent,
            target=target,
            trouble=trouble,
        )
        return target

    def close(self) -> None:
        """End what is being done."""
        with self._lock:
            self._is_closed = True
            children = list(self._children)
        for child in children:
            child.kill()

    def _wait(self, child: subprocess.Popen[bytes]) -> tuple[int | None, bytes]:
        """The exit code, negative for a signal and None when it took too long; and its words."""
        with self._lock:
            self._children.add(child)
            if self._is_closed:
                # It was started just when the others were ended.
                child.kill()
        with child:
            try:
                _, said = child.communicate(timeout=_MOST_SECONDS)
            except subprocess.TimeoutExpired:
                return None, b"too slow"
            finally:
                child.kill()
                with self._lock:
                    self._children.discard(child)
        return child.returncode, said

    def _verdict(self, code: int | None, said: bytes) -> AppError | None:
        if code is None or code == FAILED or self._is_closed:
            return None
        if code == DISK_FULL:
            return Unavailable("The server's disk is full.", code="disk_full")
        # It said so, the kernel ended it for the memory that it took, or a library gave up.
        if code == NO_MEMORY or (code in _CRASHES and _SAYS_MEMORY.search(said)):
            return Invalid(
                "The image takes more memory to decode than this server gives for one.",
                code="image_too_large",
            )
        if code == -signal.SIGXCPU:
            return Invalid(
                "The image takes longer to decode than this server gives for one.",
                code="image_too_large",
            )
        # A decoder that fell over the bytes has decoded nothing either.
        if code == DAMAGED or code in _CRASHES:
            return Invalid("The image is truncated or damaged.", code="image_damaged")
        return None


def _environment(folder: Path) -> dict[str, str]:
    """What the child needs of ours: it decodes bytes of strangers, so no secret is among it."""
    kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
    # Pictures are spread out in the folder, and not in a /tmp that may be memory. Few arenas: each
    # takes addresses, which are what is limited. So does each thread, and there would be as many as
    # the machine has processors.
    return kept | {
        "TMPDIR": str(folder),
        "VIPS_BLOCK_UNTRUSTED": "1",
        "VIPS_CONCURRENCY": "2",
        "MALLOC_ARENA_MAX": "2",
    }
