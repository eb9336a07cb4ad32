"""What may be made again: how much of it is kept, and what goes first."""

import hashlib
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.context import AppContext
from app.errors import NotFound
from app.models import Blob, CachedFile, Dataset, Image
from app.services.files import blobs
from app.services.files.blobs import NewBlob
from app.services.files.storage import blob_key, cache_key
from app.services.pictures.cache import Cache
from tests.build import make_image

MB = 1_000_000
Keep = Callable[..., str]


@pytest.fixture
def cache(context: AppContext) -> Cache:
    """One that keeps three megabytes."""
    return Cache(context.sessions, context.storage, most_mb=3)


@pytest.fixture
def blob(session: Session, context: AppContext, dataset: Dataset) -> str:
    """The hash of a stored file that an image uses."""
    content = b"a picture"
    file = NewBlob(_file(context, content), hashlib.sha256(content).hexdigest(), 9, "image/png")
    blobs.note(session, files=[file])
    blobs.keep(session, context.storage, files=[file])
    make_image(session, dataset=dataset).blob_sha256 = file.sha256
    session.commit()
    return file.sha256


@pytest.fixture
def keep(cache: Cache, context: AppContext, blob: str) -> Keep:
    """Keeps a file of one megabyte under a name, and returns its key."""

    def store(name: str, *, by: Cache = cache, content: bytes = b"x" * MB) -> str:
        key = cache_key(blob, name)
        by.keep(blob, key, _file(context, content))
        return key

    return store


def _file(context: AppContext, content: bytes) -> Path:
    path = context.storage.scratch.draft()
    path.write_bytes(content)
    return path


def _age(session: Session, **minutes: float) -> None:
    """Let these have been used so many minutes ago."""
    for name, ago in minutes.items():
        row = update(CachedFile).where(CachedFile.key.endswith(f"/{name}"))
        session.execute(row.values(used_at=CachedFile.used_at - timedelta(minutes=ago)))
    session.commit()


def _names(context: AppContext, session: Session) -> list[str]:
    """What is there, by the files; the rows say the same."""
    folder = context.settings.data_dir / "cache"
    found = sorted(path.name for path in folder.glob("*/*/*"))
    keys = session.scalars(select(CachedFile.key)).all()
    session.rollback()
    assert sorted(key.rpartition("/")[2] for key in keys) == found
    return found


def test_the_least_recently_used_go_first(
    keep: Keep, cache: Cache, context: AppContext, session: Session, blob: str
) -> None:
    for name in "abcd":
        keep(name)
    # All of them are in use: more than the limit stays.
    assert cache.make_room() == 0
    assert _names(context, session) == ["a", "b", "c", "d"]
    _age(session, a=60, b=120, c=30, d=90)
    keep("e")
    assert _names(context, session) == ["a", "c", "e"]
    assert [cache.use(blob, cache_key(blob, name)) for name in "ac"] == [True, True]
    keep("f")
    assert _names(context, session) == ["a", "c", "e", "f"]


def test_what_is_used_stays(
    keep: Keep, cache: Cache, context: AppContext, session: Session, blob: str
) -> None:
    """Also when another process says so, and however long ago it was made."""
    for name in "abcd":
        keep(name)
    _age(session, a=60, b=50, c=40)
    other = Cache(context.sessions, context.storage, most_mb=3)
    assert other.use(blob, cache_key(blob, "a"))
    assert cache.make_room() == 1
    assert _names(context, session) == ["a", "c", "d"]


def test_what_was_removed_is_not_there(
    keep: Keep,
    cache: Cache,
    session: Session,
    blob: str,
    context: AppContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.services.pictures.cache._NOTED_SECONDS", 3600)
    key = keep("a")
    other = Cache(context.sessions, context.storage, most_mb=3)
    assert cache.use(blob, key)
    for name in "bcd":
        keep(name)
    _age(session, a=60)
    assert other.make_room() == 1
    assert not other.use(blob, key)
    # It asks again after a while, long before what it saw may be removed.
    assert cache.use(blob, key)
    cache.forget(key)
    assert not cache.use(blob, key)
    keep("a")
    assert cache.use(blob, key)


def test_a_lower_limit_after_a_restart(keep: Keep, context: AppContext, session: Session) -> None:
    for name in "abc":
        keep(name)
    _age(session, a=10, b=20, c=30)
    assert Cache(context.sessions, context.storage, most_mb=1).make_room() == 2
    assert _names(context, session) == ["a"]
    assert Cache(context.sessions, context.storage, most_mb=1).make_room() == 0


def test_what_was_made_before_there_was_a_limit(
    keep: Keep, cache: Cache, context: AppContext, session: Session, blob: str
) -> None:
    """It is counted from when it is used."""
    key = keep("a")
    session.execute(text("delete from cached_files"))
    session.commit()
    assert cache.use(blob, key)
    assert session.scalars(select(CachedFile.size)).all() == [MB]


def test_emptied_by_hand(
    keep: Keep, cache: Cache, context: AppContext, session: Session, blob: str
) -> None:
    key = keep("a")
    (context.settings.data_dir / key).unlink()
    assert not cache.use(blob, key)
    assert _names(context, session) == []
    keep("a")
    assert cache.use(blob, key)


def test_gone_with_the_image(
    keep: Keep, cache: Cache, context: AppContext, session: Session, blob: str
) -> None:
    key = keep("a")
    session.execute(update(Image).values(blob_sha256=None))
    session.commit()
    with context.sessions.begin() as own:
        assert blobs.remove_unused(own, context.storage, sha256s=[blob]) == 1
    assert _names(context, session) == []
    assert not cache.use(blob, key)
    # Whoever made something meanwhile leaves nothing behind.
    assert keep("b")
    assert _names(context, session) == []
    assert session.get(Blob, blob) is None
    with pytest.raises(NotFound):
        context.storage.size(blob_key(blob))


def test_many_processes_at_once(
    keep: Keep, context: AppContext, session: Session, blob: str
) -> None:
    """They make, use and remove side by side; none removes more than is too much."""
    for number in range(12):
        keep(f"old-{number}")
    _age(session, **{f"old-{number}": 10 + number for number in range(12)})
    others = [Cache(context.sessions, context.storage, most_mb=8) for _ in range(4)]
    used = [cache_key(blob, f"old-{number}") for number in (10, 11)]
    start = threading.Barrier(len(others))

    def work(number: int) -> None:
        start.wait()
        for key in used:
            others[number].use(blob, key)
        keep(f"new-{number}", by=others[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = _names(context, session)
    assert len(found) == 8
    assert {f"new-{number}" for number in range(4)} <= set(found)


def test_no_row_no_file_while_one_is_being_kept(
    keep: Keep, cache: Cache, context: AppContext, session: Session, blob: str
) -> None:
    """Whoever makes room leaves alone what somebody else is at."""
    for name in "abcd":
        keep(name)
    _age(session, a=60, b=50)
    with context.sessions.begin() as other:
        other.execute(
            update(CachedFile).where(CachedFile.key == cache_key(blob, "a")).values(size=MB)
        )
        assert cache.make_room() == 1
    assert _names(context, session) == ["a", "c", "d"]


def test_trouble_is_told_to_the_log_alone(
    keep: Keep,
    cache: Cache,
    context: AppContext,
    session: Session,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in "abcd":
        keep(name)
    _age(session, a=60)

    class Broken(type(context.storage)):  # type: ignore[misc]
        def delete(self, key: str) -> None:
            raise PermissionError(key)

    broken = Broken(context.settings.data_dir)
    assert Cache(context.sessions, broken, most_mb=3).make_room() == 0
    assert "no room was made" in caplog.text
    assert _names(context, session) == ["a", "b", "c", "d"]
    assert cache.make_room() == 1
