"""Children that never outlive the process that started them, nor cost it its life."""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

__all__ = ["die_with_parent", "go_first", "limit_resources", "oom_kills"]


def die_with_parent(sent: signal.Signals, parent: int | None = None) -> Callable[[], None] | None:
    """A ``preexec_fn`` after which the kernel sends `sent` to the child when we die.

    None where the kernel cannot do that. "We" are the thread that starts the child: start
    children from a thread that lives as long as the program. `parent` is for a process that
    calls the result itself.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    set_parent_death_signal, parent = 1, parent or os.getpid()

    def prepare() -> None:
        libc.prctl(set_parent_death_signal, int(sent))
        # We may have died before the call, and then no signal will ever come.
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def go_first() -> None:
    """Have the kernel end this process before any other when memory runs out."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def oom_kills() -> int | None:
    """How many processes the kernel has ended because memory ran out; None where it does not say.

    It counts those of all containers, and says nothing of which they were.
    """
    with suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            name, _, number = line.partition(" ")
            if name == "oom_kill":
                return int(number)
    return None


def limit_resources(*, memory_bytes: int, cpu_seconds: int) -> None:
    """Have the kernel refuse this process more memory than that, and end it after that much work.

    Memory is counted as addresses (``RLIMIT_AS``): what is asked for, whether it is used or not.
    A system that does not limit one of the two is left to its other means.
    """
    limits = (
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        # The first says so with SIGXCPU, the second kills.
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 5),
        (resource.RLIMIT_CORE, 0, 0),
    )
    for kind, soft, hard in limits:
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (soft, hard))
