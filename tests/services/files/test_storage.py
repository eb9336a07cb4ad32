"""Files by key: the same promises in a local folder and in object storage."""

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from app.config import Settings
from app.errors import NotFound, Unavailable
from app.services.files.scratch import Scratch
from app.services.files.storage import (
    LocalStorage,
    ObjectStorage,
    Storage,
    blob_key,
    cache_folder,
    cache_key,
    job_key,
    open_storage,
)

CONTENT = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["local", "object"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return LocalStorage(tmp_path / "data")
    return ObjectStorage(MemoryStore(), tmp_path / "data" / "tmp")


def put(storage: Storage, content: bytes = CONTENT) -> str:
    key = blob_key(hashlib.sha256(content).hexdigest())
    path = storage.scratch.draft()
    path.write_bytes(content)
    storage.put(key, path)
    assert not path.exists()
    return key


def test_what_goes_in_comes_out(storage: Storage) -> None:
    key = put(storage)
    assert storage.size(key) == len(CONTENT)
    assert b"".join(storage.chunks(key)) == CONTENT
    with storage.open(key) as file:
        file.seek(300)
        assert file.read(5) == CONTENT[300:305]


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 0), (0, 1), (5, 10), (5, 5), (1_000_000, None), (0, len(CONTENT))]
)
def test_a_part(storage: Storage, start: int, stop: int | None) -> None:
    assert b"".join(storage.chunks(put(storage), start, stop)) == CONTENT[start:stop]


def test_putting_twice_is_putting_once(storage: Storage) -> None:
    assert put(storage) == put(storage)
    assert b"".join(storage.chunks(put(storage))) == CONTENT


def test_an_empty_file(storage: Storage) -> None:
    assert b"".join(storage.chunks(put(storage, b""))) == b""


def test_larger_than_one_request(storage: Storage) -> None:
    content = os.urandom(1024) * (17 * 1024)
    assert b"".join(storage.chunks(put(storage, content))) == content
    assert put(storage, content)


def test_delete(storage: Storage) -> None:
    key = put(storage)
    storage.delete(key)
    storage.delete(key)
    for ask in (storage.size, storage.open, lambda missing: list(storage.chunks(missing))):
        with pytest.raises(NotFound) as caught:
            ask(key)
        assert caught.value.code == "file_missing"


def test_derived_files_go_together(storage: Storage) -> None:
    key = put(storage)
    other = cache_key("ab" * 32, "thumbnail-64")
    for derived in (cache_key(SHA256, "thumbnail-64"), cache_key(SHA256, "thumbnail-128"), other):
        storage.put_bytes(derived, b"first")
        storage.put_bytes(derived, b"second")
    storage.delete_folder(cache_folder(SHA256))
    storage.delete_folder(cache_folder(SHA256))
    with pytest.raises(NotFound):
        storage.size(cache_key(SHA256, "thumbnail-64"))
    assert b"".join(storage.chunks(other)) == b"second"
    assert storage.size(key) == len(CONTENT)


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "blobs/../../x", "blobs//x", ".hidden", "a/.b", "A", "a\0b", "a/"]
)
def test_only_keys_of_our_own(storage: Storage, key: str) -> None:
    for ask in (storage.size, storage.open, storage.delete, storage.delete_folder):
        with pytest.raises(ValueError, match="key"):
            ask(key)


@pytest.mark.parametrize("sha256", ["", "../x", "AB" * 32, "ab" * 31])
def test_only_hashes_name_blobs(sha256: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        blob_key(sha256)


def test_job_keys_differ() -> None:
    assert job_key() != job_key()


def test_nothing_is_left_in_the_temporary_folder(storage: Storage, tmp_path: Path) -> None:
    put(storage)
    storage.put_bytes(cache_key(SHA256, "x"), b"x")
    with storage.open(blob_key(SHA256)) as file, storage.scratch.folder() as folder:
        (folder / "a").write_bytes(file.read(1))
    left = [path for path in (tmp_path / "data" / "tmp").rglob("[!.]*") if path.is_file()]
    assert left == []


def test_a_full_disk_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = LocalStorage(tmp_path)

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable) as caught:
        put(storage)
    assert caught.value.code == "disk_full"
    with pytest.raises(NotFound):
        storage.size(blob_key(SHA256))


def test_unreachable_object_storage_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None, data_dir=tmp_path, storage_url="s3://bucket/some/prefix")
    storage = open_storage(settings)
    with pytest.raises(Unavailable) as caught:
        storage.size(blob_key(SHA256))
    assert caught.value.code == "storage_unavailable"


@pytest.mark.parametrize("url", ["file:///tmp", "s3://", "bucket", "s3:///x"])
def test_other_addresses_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket"):
        open_storage(Settings(_env_file=None, data_dir=tmp_path, storage_url=url))


_LEAVE_SOMETHING = """
import os, sys
from pathlib import Path
from app.services.files.scratch import Scratch
scratch = Scratch(Path(sys.argv[1]))
scratch.draft().write_text("left over")
print("ready", flush=True)
sys.stdin.read()
"""


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _LEAVE_SOMETHING, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        mine = Scratch(tmp_path)
        draft = mine.draft()
        assert Scratch(tmp_path).remove_leftovers() == 0
        assert len(list(tmp_path.glob("p-*/d-*"))) == 2
        process.kill()
    assert Scratch(tmp_path).remove_leftovers() == 1
    assert list(tmp_path.glob("p-*/d-*")) == [draft]
