"""``maskwright serve`` as a process: how it starts and ends, and that it leaves nothing."""

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import psutil
import pytest

from app.supervisor import CHILDREN_STOP_SECONDS, POSTGRES_STOP_SECONDS
from tests.api.access_world import a_picture
from tests.running import MASKWRIGHT, SOON, Server, environment, maskwright

ADMIN = {"admin_email": "root@example.org", "admin_password": "chosen by me"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for the tests that leave it running."""
    with Server(tmp_path_factory.mktemp("serve") / "data", "--demo", **ADMIN) as started:
        yield started


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a migrated database, for servers that are stopped or killed."""
    folder = tmp_path_factory.mktemp("serve") / "data"
    assert maskwright(folder, "user", "add", "first@example.org", "--admin").returncode == 0
    return folder


def sign_in(url: str, email: str, password: str) -> int:
    return httpx.post(f"{url}/api/session", json={"email": email, "password": password}).status_code


# Starting


def test_the_first_start_says_how_to_sign_in_and_the_next_one_does_not(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as first:
        said = re.fullmatch(
            r"Maskwright is running at (http://127\.0\.0\.1:\d+) - "
            r"sign in as (admin@localhost) with password (\S+)",
            first.line,
        )
        assert said is not None
        url, email, password = said.groups()
        assert httpx.get(f"{url}/readyz").json() == {"status": "ok"}
        assert sign_in(url, email, password) == 200
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "secret_key").stat().st_mode) == 0o600
    with Server(tmp_path / "data") as second:
        assert second.line == f"Maskwright is running at {second.url}"
        assert sign_in(second.url, email, password) == 200


def test_settings_name_the_first_administrator(server: Server) -> None:
    assert server.line.endswith(" - sign in as root@example.org")
    assert sign_in(server.url, ADMIN["admin_email"], ADMIN["admin_password"]) == 200


def test_a_demo_can_be_had(server: Server) -> None:
    with httpx.Client(base_url=server.url) as client:
        body = {"email": ADMIN["admin_email"], "password": ADMIN["admin_password"]}
        client.post("/api/session", json=body).raise_for_status()
        [shown] = client.get("/api/datasets").json()["items"]
        assert (shown["name"], shown["image_count"], shown["annotation_count"]) == ("Demo", 5, 54)


def test_a_password_in_the_settings_that_is_too_short_is_told(tmp_path: Path) -> None:
    done = maskwright(tmp_path / "data", "serve", "--port", "0", admin_password="short")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "maskwright: A password has 8 to 1000 characters.\n"


def test_it_serves_on_the_database_of_another_server(database_url: str, tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--no-worker", database_url=database_url) as server:
        assert httpx.get(f"{server.url}/readyz").status_code == 200
        assert {process.name() for process in server.tree()}.isdisjoint({"postgres"})
        assert (len(server.children("web")), server.children("worker")) == (1, [])
    assert not (tmp_path / "data" / "postgres").exists()


def test_a_database_that_does_not_answer_is_told_in_one_sentence(tmp_path: Path) -> None:
    nowhere = "postgresql://u@127.0.0.1:1/x"
    done = maskwright(tmp_path / "data", "serve", "--port", "0", database_url=nowhere)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"maskwright: The database cannot be used: [^\n]+\n", done.stderr)


# Running


def test_commands_work_while_it_runs(server: Server) -> None:
    maskwright(server.data_dir, "user", "add", "cli@example.org", "--admin")
    made = maskwright(server.data_dir, "token", "create", "--email", "CLI@example.org")
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    assert httpx.get(f"{server.url}/api/me", headers=headers).json()["email"] == "cli@example.org"
    maskwright(server.data_dir, "user", "disable", "cli@example.org")
    assert httpx.get(f"{server.url}/api/me", headers=headers).status_code == 401


def test_a_second_server_on_the_same_data_or_port_is_refused(
    server: Server, tmp_path: Path
) -> None:
    same_data = maskwright(server.data_dir, "serve", "--port", "0")
    assert same_data.returncode == 1
    assert f"in use by process {server.process.pid}; stop it first" in same_data.stderr
    port = server.url.rsplit(":", 1)[1]
    same_port = maskwright(tmp_path / "data", "serve", "--port", port)
    said = f"maskwright: Port {port} of 127.0.0.1 cannot be used: Address already in use.\n"
    assert (same_port.returncode, same_port.stdout, same_port.stderr) == (1, "", said)
    assert httpx.get(f"{server.url}/readyz").status_code == 200


def test_a_dead_worker_is_replaced(server: Server) -> None:
    [first] = server.children("worker")
    first.kill()
    deadline = time.monotonic() + 60
    while not [worker for worker in server.children("worker") if worker.pid != first.pid]:
        assert time.monotonic() < deadline, "no new worker"
        time.sleep(0.1)
    assert httpx.get(f"{server.url}/readyz").status_code == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_does_not_run_postgres(server: Server) -> None:
    found = [process for process in server.tree() if process.name() == "postgres"]
    assert found
    assert all(process.uids().effective != 0 for process in found)


# Ending


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything_soon(sent: signal.Signals, data_dir: Path) -> None:
    with Server(data_dir) as server:
        assert "postgres" in {process.name() for process in server.tree()}
        assert (len(server.children("web")), len(server.children("worker"))) == (1, 1)
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as waiting:
            # A request that never ends must not keep the server from ending.
            waiting.sendall(b"POST /api/session HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
            assert server.stop(sent) < SOON
            # It waits no longer than that for anybody, however busy the machine is.
            assert CHILDREN_STOP_SECONDS + POSTGRES_STOP_SECONDS < 5
        assert server.process.returncode == 0
        assert server.left_over() == []
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""
    assert not (data_dir / "postgres" / "postmaster.pid").exists()


def test_streams_that_are_open_end_with_it(data_dir: Path) -> None:
    """They are not cut, and nobody waits for them."""
    made = maskwright(data_dir, "token", "create", "--email", "first@example.org")
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    with Server(data_dir) as server, httpx.Client(base_url=server.url, headers=headers) as client:
        dataset = client.post("/api/datasets", json={"name": "streams"}).json()["id"]
        path = f"/api/datasets/{dataset}/images"
        image = client.post(path, files=a_picture()).json()["images"][0]["id"]
        with client.stream("GET", f"/api/images/{image}/events") as response:
            lines = response.iter_lines()
            assert "event: state" in (next(lines), next(lines), next(lines))
            assert server.stop() < SOON
            # A stream that was cut would raise.
            assert "event: end" not in list(lines)
        assert server.left_over() == []


def test_killing_it_leaves_no_process_and_loses_nothing(data_dir: Path) -> None:
    with Server(data_dir) as server:
        server.tree()
        assert maskwright(data_dir, "user", "add", "kept@example.org").returncode == 0
        server.process.kill()
        server.process.wait()
        assert server.left_over(within=SOON) == []
    assert "kept@example.org" in maskwright(data_dir, "user", "list").stdout


def test_killing_the_whole_tree_at_once_loses_nothing(data_dir: Path) -> None:
    with Server(data_dir) as server:
        maskwright(data_dir, "user", "add", "kept-too@example.org")
        for process in [psutil.Process(server.process.pid), *server.tree()]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        server.process.wait()
    assert "kept-too@example.org" in maskwright(data_dir, "user", "list").stdout


def test_it_ends_with_the_process_that_started_it(data_dir: Path) -> None:
    command = [str(MASKWRIGHT), "serve", "--port", "0", "--with-parent"]
    script = f"import subprocess, time; subprocess.Popen({command!r}); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(data_dir),
        cwd=data_dir.parent,
    ) as parent:
        assert parent.stdout is not None
        assert "is running at" in parent.stdout.readline()
        tree = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
        _, alive = psutil.wait_procs(tree, timeout=SOON)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def test_when_the_web_process_dies_it_ends_with_an_error(data_dir: Path) -> None:
    with Server(data_dir) as server:
        server.children("web")[0].kill()
        _, error = server.process.communicate(timeout=SOON)
        assert server.process.returncode == 1
        assert error == "maskwright: The web process ended unexpectedly (exit code -9).\n"
