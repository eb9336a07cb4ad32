"""``maskwright serve``: one process that starts the others and answers for them.

::

    serve ─┬─ postgres          unless DATABASE_URL names a server
           ├─ web               migrates, then accepts on a socket that serve has opened
           │   ├─ long bodies   answers what would keep all others waiting, while it is needed
           │   └─ decoders      each looks at one large picture
           └─ worker            started again when it dies, after a growing pause

The order saves time: the web process (app/web_process.py) loads its code while PostgreSQL starts,
and waits for a line on its standard input before it opens the database. Whatever ends the
supervisor ends them all: a signal within a few seconds and in order; kill -9 by the kernel, which
is asked to kill the children (see `app.child_process.die_with_parent`). The supervisor itself
loads little and does little, so that it stays small and does not fail.
"""

import contextlib
import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

from app.child_process import die_with_parent
from app.config import Settings
from app.embedded_postgres import EmbeddedPostgres

__all__ = ["ServeError", "follow_parent", "listen", "serve"]

# Together they stay below the five seconds that a stop may take.
CHILDREN_STOP_SECONDS = 2.5
POSTGRES_STOP_SECONDS = 1.5
WEB_START_SECONDS = 60.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
UNACKNOWLEDGED_MS = 20_000
# A worker that lived this long was well: its next death is not the last one's sequel.
WELL_AFTER_SECONDS = 60.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_log = logging.getLogger("maskwright.serve")


class ServeError(Exception):
    """The server cannot run (any more); the message is one sentence for a person."""


class _StopRequested(BaseException):
    """A signal asked us to stop: raised in the main thread wherever it is."""


def _stop(_number: int, _frame: FrameType | None) -> None:
    # Only the first signal counts: a second one must not interrupt the tidying up.
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise _StopRequested


def follow_parent() -> None:
    """Have the kernel stop this process, in good order, when the one that started it ends."""
    prepare = die_with_parent(signal.SIGTERM, parent=os.getppid())
    if prepare is not None:
        prepare()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port`; port 0 takes any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # A machine that left the network acknowledges nothing: its streams end soon then.
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        opened.bind((host, port))
        opened.listen(2048)
    except OSError as error:
        opened.close()
        raise ServeError(f"Port {port} of {host} cannot be used: {error.strerror}.") from error
    return opened


class _Child:
    """A process of ours that runs one of our own commands."""

    def __init__(self, command: list[str], settings: Settings, **options: Any) -> None:
        self.command, self.options = command, options
        # What the supervisor found out, over what the child finds in its environment.
        self.settings = {
            "MASKWRIGHT_DATABASE_URL": settings.database_url or "",
            "MASKWRIGHT_DATA_DIR": str(settings.data_dir),
            "MASKWRIGHT_HOST": settings.host,
            "MASKWRIGHT_PORT": str(settings.port),
        }
        self.started_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with warnings.catch_warnings():
            # See app.embedded_postgres: the child of this fork only calls prctl.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                # -P: the working directory may hold an `app` that is not ours.
                [sys.executable, "-P", "-m", "app.cli", *self.command],
                env={**os.environ, **self.settings},
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),
                **self.options,
            )
        self.started_at = time.monotonic()

    def ended(self) -> int | None:
        """The exit code when it has ended, else None."""
        return self.process.poll() if self.process else None

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait_or_kill(self, deadline: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def serve(
    settings: Settings,
    *,
    worker: bool = True,
    demo: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Run the server until a signal; `demo` adds the ready-made dataset."""
    # Under nohup the end of the terminal is not meant for us.
    ours = [n for n in STOP_SIGNALS if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, _stop) for number in ours}
    try:
        with contextlib.ExitStack() as stack:
            _run(settings, stack, worker=worker, demo=demo, say=say)
    except _StopRequested:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(
    settings: Settings,
    stack: contextlib.ExitStack,
    *,
    worker: bool,
    demo: bool,
    say: Callable[[str], None],
) -> None:
    opened = stack.enter_context(listen(settings.host, settings.port))
    port = opened.getsockname()[1]
    settings = settings.model_copy(update={"data_dir": settings.data_dir.absolute(), "port": port})
    postgres = None
    if settings.database_url is None:
        postgres = EmbeddedPostgres(settings.data_dir, settings.postgres_bin)
        settings = settings.model_copy(update={"database_url": postgres.url})
        stack.callback(postgres.stop, POSTGRES_STOP_SECONDS)
    web = _Child(
        ["web", "--socket", str(opened.fileno()), *(["--demo"] if demo else [])],
        settings,
        pass_fds=(opened.fileno(),),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    children = [web]
    if worker:
        children.append(_Child(["worker"], settings, stdin=subprocess.DEVNULL))
    stack.callback(_stop_children, children)
    web.start()
    if postgres is not None:
        postgres.start()
    hint = _let_go(web)
    _wait_until_ready(settings, web)
    for child in children[1:]:
        child.start()
    address = settings.base_url or f"http://{_reachable(settings.host)}:{port}"
    say(f"Maskwright is running at {address}" + (f" - {hint}" if hint else ""))
    _watch(children, postgres)


def _stop_children(children: list[_Child]) -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    deadline = time.monotonic() + CHILDREN_STOP_SECONDS
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.wait_or_kill(deadline)


def _let_go(web: _Child) -> str:
    """Let the web process open the database, and hear how to sign in, if that is new."""
    process = web.process
    if process is None or process.stdin is None or process.stdout is None:
        raise ServeError("The web process was not started.")
    with contextlib.suppress(BrokenPipeError):
        # When it has died, the end of its output says so.
        process.stdin.write(b"go\n")
        process.stdin.flush()
    said = process.stdout.readline()
    if not said:
        raise ServeError(f"The web process could not start (exit code {process.wait()}).")
    report: dict[str, str] = json.loads(said)
    if "error" in report:
        raise ServeError(report["error"])
    return report["hint"]


def _reachable(host: str) -> str:
    """A name for browsers on this machine when `host` means all addresses."""
    named = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - only compared
    return f"[{named}]" if ":" in named and not named.startswith("[") else named


def _wait_until_ready(settings: Settings, web: _Child) -> None:
    deadline = time.monotonic() + WEB_START_SECONDS
    host = _reachable(settings.host).strip("[]")
    while time.monotonic() < deadline:
        code = web.ended()
        if code is not None:
            raise ServeError(f"The web process could not start (exit code {code}).")
        connection = http.client.HTTPConnection(host, settings.port, timeout=0.5)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)
        finally:
            connection.close()
    raise ServeError(f"The web process did not answer within {WEB_START_SECONDS:.0f} seconds.")


def _watch(children: list[_Child], postgres: EmbeddedPostgres | None) -> None:
    """Until a signal: end when the web process or PostgreSQL ends, start the worker again."""
    web, *workers = children
    pause, start_at = FIRST_PAUSE_SECONDS, 0.0
    while True:
        time.sleep(0.25)
        code = web.ended()
        if code is not None:
            raise ServeError(f"The web process ended unexpectedly (exit code {code}).")
        if postgres is not None and postgres.poll() is not None:
            raise ServeError("PostgreSQL ended unexpectedly; postgres.log in DATA_DIR tells why.")
        for worker in workers:
            if worker.ended() is None:
                continue
            now = time.monotonic()
            if not start_at:
                if now - worker.started_at > WELL_AFTER_SECONDS:
                    pause = FIRST_PAUSE_SECONDS
                start_at, told = now + pause, worker.ended()
                _log.warning("the worker ended (exit code %s); next try in %.0f s", told, pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            elif now >= start_at:
                start_at = 0.0
                worker.start()
