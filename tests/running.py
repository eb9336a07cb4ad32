"""Starts the real server as a process of its own, and counts what it leaves behind."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import psutil

MASKWRIGHT = Path(sys.executable).parent / "maskwright"
# In seconds: enough on a machine that is busy with other things, and no wait for somebody.
SOON = 20.0


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """The environment of a server of its own, without this process's settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MASKWRIGHT_")}
    named = {f"MASKWRIGHT_{name.upper()}": value for name, value in settings.items()}
    return {**kept, "MASKWRIGHT_DATA_DIR": str(data_dir), **named}


def maskwright(
    data_dir: Path, *arguments: str | Path, stdin: str = "", **settings: str
) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end, in an empty working directory."""
    return subprocess.run(
        [MASKWRIGHT, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd=data_dir.parent,
        env=environment(data_dir, **settings),
        timeout=100,
    )


class Server:
    """``maskwright serve`` on a free port, until the end of the with-block.

    `line` is what it printed, `url` the address in it.
    """

    def __init__(
        self,
        data_dir: Path,
        *options: str,
        command: Sequence[str | Path] = (MASKWRIGHT,),
        **settings: str,
    ) -> None:
        self.data_dir = data_dir
        self.line = self.url = ""
        self._command = [*command, "serve", "--port", "0", *options]
        self._environment = environment(data_dir, **settings)
        self._seen: list[psutil.Process] = []

    def __enter__(self) -> "Server":
        self.process = subprocess.Popen(
            self._command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.data_dir.parent,
            env=self._environment,
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline().strip()
        found = re.search(r"https?://[^ ]+", self.line)
        if found is None:
            self.process.kill()
            raise AssertionError(f"it did not start: {self.line!r} {self.process.communicate()}")
        self.url = found.group()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.stop()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def tree(self) -> list[psutil.Process]:
        """The processes below the server's, and remembers them for `left_over`."""
        self._seen = psutil.Process(self.process.pid).children(recursive=True)
        return self._seen

    def children(self, word: str) -> list[psutil.Process]:
        """The living processes directly below the server whose command has this word."""
        found = []
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if word in process.cmdline():
                    found.append(process)
        return found

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> float:
        """Send the signal and wait for the end; returns the seconds that it took."""
        self.tree()
        began = time.monotonic()
        self.process.send_signal(sent)
        self.process.wait(60)
        return time.monotonic() - began

    def left_over(self, within: float = 0.0) -> list[psutil.Process]:
        """Which of the processes seen last are still there `within` seconds from now."""
        _, alive = psutil.wait_procs(self._seen, timeout=within)
        return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
