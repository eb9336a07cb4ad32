"""A real server for browser tests and measurements: ``maskwright serve`` on its own data folder."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2 as httpx

__all__ = ["EMAIL", "PASSWORD", "Server", "first_page_seconds", "running", "stored"]

EMAIL, PASSWORD = "owner@example.org", "correct horse battery"


@dataclass(frozen=True)
class Server:
    """A running server and an administrator's client for it."""

    address: str
    client: httpx.Client
    data_dir: Path
    pid: int

    def finish(self, job_id: int) -> float:
        """Wait for a job to succeed; returns the seconds that it ran, by its own row."""
        while job := self.client.get(f"/api/jobs/{job_id}").raise_for_status().json():
            if job["state"] not in ("queued", "running"):
                break
            time.sleep(0.05)
        assert job["state"] == "succeeded", job
        started, finished = (
            datetime.fromisoformat(job[key]) for key in ("started_at", "finished_at")
        )
        return (finished - started).total_seconds()

    def import_coco(
        self, dataset_id: int, coco: dict[str, Any] | list[Any], **fields: str
    ) -> dict[str, Any]:
        """Import a COCO file or results and wait for the job's end; returns the job."""
        files = {"file": ("instances.json", json.dumps(coco), "application/json")}
        path = f"/api/datasets/{dataset_id}/imports"
        answer = self.client.post(path, files=files, data=fields)
        path = f"/api/jobs/{answer.raise_for_status().json()['id']}"
        while (job := self.client.get(path).json())["state"] in ("queued", "running"):
            time.sleep(0.05)
        assert job["state"] == "succeeded", job
        return dict(job)


def _environment(data_dir: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MASKWRIGHT_")}
    return kept | {
        "MASKWRIGHT_DATA_DIR": str(data_dir),
        "MASKWRIGHT_PORT": "0",
        "MASKWRIGHT_ADMIN_EMAIL": EMAIL,
        "MASKWRIGHT_ADMIN_PASSWORD": PASSWORD,
    }


@contextmanager
def _process(data_dir: Path) -> Iterator[tuple[str, int]]:
    """The server's address and its process, while it runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve"],
        env=_environment(data_dir),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        address = next(word for word in line.split() if word.startswith("http"))
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


@contextmanager
def running() -> Iterator[Server]:
    """A server with an empty database."""
    with tempfile.TemporaryDirectory() as folder, _process(Path(folder)) as (address, pid):
        credentials = {"email": EMAIL, "password": PASSWORD}
        with httpx.Client(base_url=address, timeout=120) as client:
            client.post("/api/session", json=credentials).raise_for_status()
            client.headers["X-CSRF-Token"] = client.cookies["maskwright_csrf"]
            yield Server(address, client, Path(folder), pid)


def stored(server: Server, image_id: int) -> list[dict[str, Any]]:
    """The first annotations of an image, as the server has them."""
    answer = server.client.get(f"/api/images/{image_id}/annotations").raise_for_status()
    return list(answer.json()["items"])


def first_page_seconds() -> float:
    """From the start of a server that has run before until its first page is there."""
    with tempfile.TemporaryDirectory() as folder:
        with _process(Path(folder)):
            pass
        begun = time.perf_counter()
        with _process(Path(folder)) as (address, _):
            httpx.get(address + "/login").raise_for_status()
            return time.perf_counter() - begun
