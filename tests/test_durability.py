"""Whatever was answered with success is there after the whole process tree was killed."""

import contextlib
import threading
import time
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil

from tests.build.pictures import make_picture
from tests.running import Server, maskwright

EMAIL, PASSWORD = "root@example.org", "correct horse"
SAVERS = 4
# So many of each are saved before the end.
SAVED = 5


def client_of(server: Server) -> httpx.Client:
    made = maskwright(server.data_dir, "token", "create", "--email", EMAIL)
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    return httpx.Client(base_url=server.url, headers=headers, timeout=60)


def arrange(client: httpx.Client) -> tuple[str, int]:
    """A dataset with an image: the path of its annotations, and a category."""
    dataset = client.post("/api/datasets", json={"name": "kept"}).json()["id"]
    path = f"/api/datasets/{dataset}"
    category = client.post(f"{path}/categories", json={"name": "thing"}).json()["id"]
    files = {"files": ("a.png", make_picture(), "image/png")}
    image = client.post(f"{path}/images", files=files).json()["images"][0]["id"]
    return f"/api/images/{image}/annotations", category


class Saver(threading.Thread):
    """Makes annotations, changes each once, and notes what the server said, until it is gone."""

    def __init__(self, server: Server, client: httpx.Client, path: str, category: int) -> None:
        super().__init__()
        self._client = httpx.Client(
            base_url=server.url, headers=client.headers, timeout=60, trust_env=False
        )
        self._path, self._category = path, category
        self.saved: dict[int, dict[str, Any]] = {}

    def run(self) -> None:
        with self._client, contextlib.suppress(httpx.TransportError):
            for number in range(1, 100_000):
                body = {"category_id": self._category, "bbox": [1, 1, number, 5]}
                made = self._client.post(self._path, json=body).raise_for_status().json()
                self.saved[made["id"]] = made
                changed = self._client.patch(
                    f"/api/annotations/{made['id']}",
                    json={"bbox": [2, 2, number, 5]},
                    headers={"If-Match": '"1"'},
                )
                self.saved[made["id"]] = changed.raise_for_status().json()


def kill_the_whole_tree(server: Server) -> None:
    for process in [psutil.Process(server.process.pid), *server.tree()]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    server.process.wait()


def everything(client: httpx.Client, path: str) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    cursor = ""
    while cursor is not None:
        page = client.get(path, params={"limit": 500, "cursor": cursor or None}).json()
        found |= {item["id"]: item for item in page["items"]}
        cursor = page["next_cursor"]
    return found


def test_every_annotation_that_was_saved_survives_a_kill(tmp_path: Path) -> None:
    admin = {"admin_email": EMAIL, "admin_password": PASSWORD}
    with Server(tmp_path / "data", "--no-worker", **admin) as server, client_of(server) as client:
        path, category = arrange(client)
        savers = [Saver(server, client, path, category) for _ in range(SAVERS)]
        for saver in savers:
            saver.start()
        deadline = time.monotonic() + 60
        while min(len(saver.saved) for saver in savers) < SAVED:
            assert time.monotonic() < deadline, "next to nothing is saved"
            time.sleep(0.02)
        kill_the_whole_tree(server)
        for saver in savers:
            saver.join()
    saved = {key: item for saver in savers for key, item in saver.saved.items()}
    with Server(tmp_path / "data", "--no-worker") as again, client_of(again) as client:
        found = everything(client, path)
        image = client.get(path.removesuffix("/annotations")).json()
        dataset = client.get(f"/api/datasets/{image['dataset_id']}").json()
        for key, item in saved.items():
            # A change whose answer was never heard may have been made.
            assert found[key]["version"] >= item["version"]
            assert found[key] == item or found[key]["version"] == item["version"] + 1
    assert image["annotation_count"] == dataset["annotation_count"] == len(found)
    assert len(found) - len(saved) <= SAVERS, "more than each saver's last try"
