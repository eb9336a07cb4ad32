"""``maskwright serve``: one process that starts the others and answers for them.

::

    serve ─┬─ postgres          unless DATABASE_URL names a server
           ├─ web               accepts on a socket that serve has opened
           └─ worker            started again when it dies, after a growing pause

The order saves time: the web process loads its code while PostgreSQL starts and the migrations
run, and waits for a line on its standard input before it opens the database. Whatever ends the
supervisor ends them all: a signal within a few seconds and in order; kill -9 by the kernel, which
is asked to kill the children (see `app.embedded_postgres.die_with_parent`).
"""

import contextlib
import http.client
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from app.config import Settings
from app.embedded_postgres import EmbeddedPostgres, die_with_parent

__all__ = ["ServeError", "ensure_administrator", "follow_parent", "run_web", "serve"]

# Together they stay below the five seconds that a stop may take.
CHILDREN_STOP_SECONDS = 2.5
POSTGRES_STOP_SECONDS = 1.5
WEB_START_SECONDS = 60.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
# A worker that lived this long was well: its next death is not the last one's sequel.
WELL_AFTER_SECONDS = 60.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DEFAULT_ADMIN = "admin@localhost"

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
        opened.bind((host, port))
        opened.listen(2048)
    except OSError as error:
        opened.close()
        raise ServeError(f"Port {port} of {host} cannot be used: {error.strerror}.") from error
    return opened


class _Child:
    """A process of ours that runs one of our own commands."""

    def __init__(self, command: list[str], settings: dict[str, str], **options: Any) -> None:
        self.command, self.settings, self.options = command, settings, options
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


def ensure_administrator(settings: Settings) -> str:
    """Make an administrator when nobody has an account yet; returns how to sign in, or ""."""
    from app.db import connect, session_factory
    from app.services import users

    email = settings.admin_email or DEFAULT_ADMIN
    given = settings.admin_password
    password = given.get_secret_value() if given else secrets.token_urlsafe(9)
    engine = connect(_database_url(settings), pool_size=1)
    try:
        with session_factory(engine).begin() as session:
            if users.any_user(session):
                return ""
            users.create_user(session, email=email, password=password, is_admin=True)
    finally:
        engine.dispose()
    return f"sign in as {email}" + ("" if given else f" with password {password}")


def _database_url(settings: Settings) -> str:
    if settings.database_url is None:
        raise ServeError("The address of the database is not known.")
    return settings.database_url


def serve(
    settings: Settings,
    *,
    worker: bool = True,
    prepare: Callable[[Settings], None] | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Run the server until a signal; `prepare` is called once, when the web process answers."""
    # Under nohup the end of the terminal is not meant for us.
    ours = [n for n in STOP_SIGNALS if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, _stop) for number in ours}
    try:
        with contextlib.ExitStack() as stack:
            _run(settings, stack, worker=worker, prepare=prepare, say=say)
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
    prepare: Callable[[Settings], None] | None,
    say: Callable[[str], None],
) -> None:
    opened = stack.enter_context(listen(settings.host, settings.port))
    port = opened.getsockname()[1]
    settings = settings.model_copy(update={"data_dir": settings.data_dir.absolute(), "port": port})
    postgres = None
    if settings.database_url is None:
        postgres = EmbeddedPostgres(settings.data_dir, settings.postgres_bin)
        settings = settings.model_copy(update={"database_url": postgres.url})
    children = stack.enter_context(_children(settings, opened, worker=worker, postgres=postgres))
    if postgres is not None:
        postgres.start()
    web = children[0]
    _migrate(settings)
    _go(web)
    for child in children[1:]:
        child.start()
    _wait_until_ready(settings, web)
    hint = ensure_administrator(settings)
    if prepare is not None:
        prepare(settings)
    address = settings.base_url or f"http://{_reachable(settings.host)}:{port}"
    say(f"Maskwright is running at {address}" + (f" - {hint}" if hint else ""))
    _watch(children, postgres)


@contextlib.contextmanager
def _children(
    settings: Settings,
    opened: socket.socket,
    *,
    worker: bool,
    postgres: EmbeddedPostgres | None,
) -> Iterator[list[_Child]]:
    """The processes, web first and started; on leaving, all are stopped, PostgreSQL last."""
    environment = {
        "MASKWRIGHT_DATABASE_URL": settings.database_url or "",
        "MASKWRIGHT_DATA_DIR": str(settings.data_dir),
        "MASKWRIGHT_PORT": str(settings.port),
        "MASKWRIGHT_HOST": settings.host,
    }
    web_command = ["web", "--socket", str(opened.fileno())]
    children = [
        _Child(web_command, environment, pass_fds=(opened.fileno(),), stdin=subprocess.PIPE)
    ]
    if worker:
        children.append(_Child(["worker"], environment, stdin=subprocess.DEVNULL))
    try:
        children[0].start()
        yield children
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        deadline = time.monotonic() + CHILDREN_STOP_SECONDS
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.wait_or_kill(deadline)
        if postgres is not None:
            postgres.stop(POSTGRES_STOP_SECONDS)


def _migrate(settings: Settings) -> None:
    # Loading the migrations' tools takes as long as PostgreSQL's start: not before it is needed.
    from sqlalchemy.exc import DBAPIError

    from app import db

    url = _database_url(settings)
    engine = db.connect(url, pool_size=1)
    try:
        if not db.is_migrated(engine):
            db.migrate(url)
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise ServeError(f"The database cannot be used: {reason}") from error
    finally:
        engine.dispose()


def _go(web: _Child) -> None:
    """Let the web process open the database."""
    if web.process is None or web.process.stdin is None:
        raise ServeError("The web process was not started.")
    with contextlib.suppress(BrokenPipeError):
        # When it has died, the wait for its first answer says so.
        web.process.stdin.write(b"go\n")
        web.process.stdin.flush()


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


def run_web(settings: Settings, descriptor: int) -> None:
    """The web process: load, wait for the word to go, then serve on the socket it was given."""
    import uvicorn

    from app.main import create_app

    with socket.socket(fileno=descriptor) as opened:
        if not sys.stdin.readline():
            # The supervisor has given up, or is gone.
            return
        config = uvicorn.Config(
            create_app(settings),
            log_config=None,
            log_level=settings.log_level,
            access_log=settings.log_level == "debug",
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        uvicorn.Server(config).run(sockets=[opened])
