"""PostgreSQL as a child process, for a server that was given no database.

The programs come from a wheel on PyPI (or from a folder of one's choice); this launcher makes a
cluster in ``DATA_DIR/postgres`` and runs ``postgres`` on it::

    with EmbeddedPostgres(Path("data")) as postgres:
        engine = connect(postgres.url)

- **Nobody else gets in.** The server listens on no network address, only on a Unix socket inside
  the cluster's own folder, which has mode 700.
- **Root never runs it.** PostgreSQL refuses to run as root, so then an unprivileged user does.
  That user need not reach the folder by its path: it inherits the opened folder and calls it
  ``/proc/self/fd/N``, so that no parent folder has to be opened to anybody.
- **It never outlives us.** On Linux the kernel stops it when the process that started it ends,
  however that ends.
- **One owner at a time.** A lock file, which the kernel frees when its holder dies, keeps a
  second server off the data. `borrowed` lets commands use the server that runs, or start one
  for as long as they need it.
"""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import psycopg

from app.child_process import die_with_parent
from app.postgres_programs import (
    Account,
    PostgresError,
    account_for,
    find_bin,
    hand_over,
    major,
    runnable_bin,
)

__all__ = ["EmbeddedPostgres", "PostgresError", "borrowed"]

DATABASE = "maskwright"
USER = "maskwright"
# The kernel keeps a socket's address in 108 bytes, the last of which is a zero.
LONGEST_SOCKET_PATH = 107
SOCKET_NAME = ".s.PGSQL.5432"
LOG_LIMIT_BYTES = 1_000_000
# Recovery after a crash replays at most a few minutes of writing.
START_SECONDS = 60.0
STOP_SECONDS = 4.0
BORROW_SECONDS = 10.0

SERVER_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Errors of single statements are the application's to report; the log keeps the server's own.
    "log_min_messages": "log",
    "log_checkpoints": "off",
}


class DataInUseError(PostgresError):
    """Another process holds the data folder."""


def _answers(conninfo: str) -> bool:
    try:
        with psycopg.connect(conninfo, connect_timeout=5):
            return True
    except psycopg.errors.InvalidCatalogName:
        return True
    except psycopg.OperationalError:
        return False


class EmbeddedPostgres:
    """A PostgreSQL of our own on the data in `data_dir`.

    `bin_dir` is the folder with ``initdb`` and ``postgres``; None takes those of the wheel, or
    the system's. `settings` are further server settings, such as ``{"fsync": "off"}`` for tests.
    `patience` is how many seconds to wait for another process that uses the data.
    """

    def __init__(
        self,
        data_dir: Path,
        bin_dir: Path | None = None,
        *,
        settings: Mapping[str, str] | None = None,
        patience: float = 5.0,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.cluster = self.data_dir / "postgres"
        self.patience = patience
        self._chosen_bin = bin_dir
        self._settings = {**SERVER_SETTINGS, **(settings or {})}
        self._account: Account | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._short_path: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The SQLAlchemy address of the database."""
        folder = quote(str(self._socket_dir()), safe="/")
        return f"postgresql+psycopg://{USER}@/{DATABASE}?host={folder}&port=5432"

    @property
    def pid(self) -> int | None:
        """The server's process, while it runs as our child."""
        return self._process.pid if self._process else None

    def poll(self) -> int | None:
        """The exit code when our server has ended on its own, else None."""
        return self._process.poll() if self._process else None

    def running(self) -> bool:
        """Whether a server, ours or another process's, answers on these data."""
        return (self.cluster / SOCKET_NAME).exists() and _answers(self._conninfo(DATABASE))

    def start(self) -> None:
        """Start the server; make the cluster and the database when there are none."""
        try:
            self.make_data_dir()
            self._lock = self._take_lock()
            self._start_server(stale_pid=self._wait_for_predecessor())
        except PostgresError:
            self.stop()
            raise
        except OSError as error:
            self.stop()
            raise PostgresError(
                f"PostgreSQL cannot use the data folder {self.data_dir}: {error.strerror}."
            ) from error
        except BaseException:
            self.stop()
            raise

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Stop the server and let go of the data.

        A fast shutdown that takes longer than `seconds` becomes an immediate one, from which the
        next start recovers.
        """
        if self._process is not None:
            self._end(self._process, seconds)
            self._process = None
        self.forget()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def forget(self) -> None:
        """Remove what this process made to reach the server's socket."""
        if self._short_path is not None:
            self._short_path.cleanup()
            self._short_path = None

    @staticmethod
    def _end(process: subprocess.Popen[bytes], seconds: float) -> None:
        for sent, limit in ((signal.SIGINT, seconds), (signal.SIGQUIT, 0.5)):
            if process.poll() is None:
                process.send_signal(sent)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(limit)
                return
        process.kill()
        process.wait()

    def _socket_dir(self) -> Path:
        """The folder by which clients reach the socket: a short link when its path is too long."""
        if len(os.fsencode(self.cluster / SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
            return self.cluster
        if self._short_path is None:
            parent = tempfile.gettempdir()
            self._short_path = tempfile.TemporaryDirectory(
                prefix="maskwright-",
                dir=parent if len(parent) < 60 else "/tmp",  # noqa: S108
            )
            Path(self._short_path.name, "pg").symlink_to(self.cluster)
        return Path(self._short_path.name, "pg")

    def _conninfo(self, database: str) -> str:
        return psycopg.conninfo.make_conninfo(
            host=str(self._socket_dir()), port=5432, user=USER, dbname=database
        )

    def make_data_dir(self) -> None:
        """Make the data folder, for its owner only, when there is none."""
        if not self.data_dir.exists():
            self.data_dir.mkdir(parents=True)
            self.data_dir.chmod(0o700)

    def _take_lock(self) -> int:
        """Lock the data for this process, or say who has them."""
        lock = os.open(self.data_dir / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + self.patience
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(lock, 20, 0).decode(errors="replace").strip()
                if time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                os.close(lock)
                raise DataInUseError(
                    f"The data folder {self.data_dir} is in use by process {holder or 'unknown'}; "
                    "stop it first, or set MASKWRIGHT_DATA_DIR to another folder."
                ) from None
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
            return lock

    def _wait_for_predecessor(self) -> int | None:
        """Let a server whose owner was killed finish its shutdown.

        We hold the lock, so no living process owns it. Returns the process id in a file left
        behind by a crash when that is by now a stranger's (or nobody's): PostgreSQL would believe
        that the stranger still serves these data. Where there is no /proc to tell, its own check
        has to do.
        """
        pid_file = self.cluster / "postmaster.pid"
        deadline = time.monotonic() + START_SECONDS
        while sys.platform == "linux":
            try:
                pid = int(pid_file.read_text().split("\n", 1)[0])
            except (FileNotFoundError, ValueError):
                break
            if not _is_postgres_of(pid, self.cluster):
                return pid
            if time.monotonic() > deadline:
                raise DataInUseError(
                    f"Another PostgreSQL (process {pid}) still uses {self.cluster}."
                )
            time.sleep(0.02)
        return None

    def _start_server(self, *, stale_pid: int | None) -> None:
        made = self.cluster / "PG_VERSION"
        wanted = major(made.read_text().strip()) if made.exists() else None
        found, version = find_bin(self._chosen_bin, wanted)
        self._account = account_for(self.cluster)
        programs = runnable_bin(found, version, self._account)
        if wanted is None:
            self._initialise(programs, major(version))
        elif self._account:
            hand_over(self.cluster, self._account)
        self._launch(programs, stale_pid)
        self._ensure_database()

    def _initialise(self, programs: Path, major_version: int) -> None:
        """Make the cluster beside its place and move it there when it is whole."""
        draft = self.cluster.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self._account:
            os.chown(draft, self._account.uid, self._account.gid)
        locale = ["--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"]
        if major_version >= 17:
            # Built in: text sorts the same on every machine, whatever its C library.
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        flags = ["--auth=trust", "--encoding=UTF8", "--data-checksums", f"--username={USER}"]
        if self._settings.get("fsync") == "off":
            flags.append("--no-sync")
        process = self._popen([programs / "initdb", *flags, *locale], draft)
        if process.wait() != 0:
            raise PostgresError(f"PostgreSQL could not make its data: {self._last_log_line()}")
        draft.rename(self.cluster)

    def _launch(self, programs: Path, stale_pid: int | None) -> None:
        options = [part for pair in self._settings.items() for part in ("-c", "=".join(pair))]
        # The one way to tell PostgreSQL that this number in its pid file means nobody.
        stale = {} if stale_pid is None else {"PG_GRANDPARENT_PID": str(stale_pid)}
        deadline = time.monotonic() + START_SECONDS
        self._process = self._popen([programs / "postgres", *options], self.cluster, stale)
        while not self._is_ready(self._process.pid):
            if self._process.poll() is not None:
                reason = self._last_log_line()
                # Sessions of a killed server notice its death within moments.
                if "shared memory block" not in reason or time.monotonic() > deadline:
                    raise PostgresError(f"PostgreSQL did not start: {reason}")
                time.sleep(0.1)
                self._process = self._popen([programs / "postgres", *options], self.cluster, stale)
            if time.monotonic() > deadline:
                raise PostgresError(f"PostgreSQL was not ready after {START_SECONDS:.0f} seconds.")
            time.sleep(0.005)

    def _is_ready(self, pid: int) -> bool:
        """A file left behind by a crash says "ready" too: the first line must name our child."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _popen(
        self, command: list[Any], folder: Path, extra: Mapping[str, str] = MappingProxyType({})
    ) -> subprocess.Popen[bytes]:
        opened, log = os.open(folder, os.O_RDONLY), self._open_log()
        as_user = self._account.popen if self._account else {}
        # As another user the path may be closed to it; the opened folder never is.
        by_number = self._account is not None and sys.platform == "linux"
        place = f"/proc/self/fd/{opened}" if by_number else str(folder)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_"))}
        try:
            with warnings.catch_warnings():
                # Newer Pythons warn of any fork in a program with threads; the child only calls
                # prctl before it becomes PostgreSQL.
                warnings.simplefilter("ignore", DeprecationWarning)
                return subprocess.Popen(  # noqa: S603 - our own list of arguments
                    [*command, "-D", place],
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(opened,) if by_number else (),
                    env={**environment, "LC_ALL": "C", **extra},
                    # Out of the terminal's group: Ctrl-C is for the owner, who stops us in order.
                    start_new_session=True,
                    preexec_fn=die_with_parent(signal.SIGINT),
                    **as_user,
                )
        finally:
            os.close(opened)
            os.close(log)

    def _open_log(self) -> int:
        """The server's own log, begun anew when it has grown long."""
        path = self.data_dir / "postgres.log"
        too_long = path.exists() and path.stat().st_size > LOG_LIMIT_BYTES
        kept = os.O_TRUNC if too_long else os.O_APPEND
        return os.open(path, os.O_WRONLY | os.O_CREAT | kept, 0o600)

    def _last_log_line(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self.data_dir / "postgres.log").read_text(errors="replace").splitlines()
            telling = [line for line in lines if re.search(r"FATAL|PANIC|error:|ERROR", line)]
            return (telling or lines or ["no reason given"])[-1]
        return "no reason given"

    def _ensure_database(self) -> None:
        try:
            with psycopg.connect(self._conninfo(DATABASE)):
                return
        except psycopg.errors.InvalidCatalogName:
            pass
        except psycopg.OperationalError as error:
            if f'database "{DATABASE}" does not exist' not in str(error):
                raise PostgresError(f"PostgreSQL does not answer: {error}") from error
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {DATABASE}")


def _is_postgres_of(pid: int, cluster: Path) -> bool:
    """Whether process `pid` may be a PostgreSQL that runs on `cluster`."""
    try:
        if Path(f"/proc/{pid}/comm").read_text().strip() not in ("postgres", "postmaster"):
            return False
        return Path(f"/proc/{pid}/cwd").readlink() == cluster.resolve()
    except FileNotFoundError:
        return False
    except PermissionError:
        # Another user's process, which PostgreSQL knows how to judge.
        return True


@contextlib.contextmanager
def borrowed(data_dir: Path, bin_dir: Path | None = None) -> Iterator[str]:
    """The address of the database on `data_dir`, for a command.

    Uses the server that runs. Without one, starts it, and stops it again when nobody else who
    borrowed it still works with it.
    """
    postgres = EmbeddedPostgres(data_dir, bin_dir, patience=0)
    with _users_lock(postgres) as users:
        _start_unless_running(postgres)
        try:
            yield postgres.url
        finally:
            if postgres.pid is not None:
                # Others may be using the server that we started: wait until they are done.
                fcntl.flock(users, fcntl.LOCK_UN)
                fcntl.flock(users, fcntl.LOCK_EX)
            postgres.stop()


@contextlib.contextmanager
def _users_lock(postgres: EmbeddedPostgres) -> Iterator[int]:
    """A lock that everybody who borrows the server shares."""
    try:
        postgres.make_data_dir()
        users = os.open(postgres.data_dir / "postgres.users", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise PostgresError(
            f"The data folder {postgres.data_dir} cannot be used: {error.strerror}."
        ) from error
    try:
        fcntl.flock(users, fcntl.LOCK_SH)
        yield users
    finally:
        os.close(users)


def _start_unless_running(postgres: EmbeddedPostgres) -> None:
    deadline = time.monotonic() + BORROW_SECONDS
    while not postgres.running():
        try:
            postgres.start()
            return
        except DataInUseError:
            # Its owner may just be starting it.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
