"""What a running process needs: made once by the wiring, handed to requests and jobs."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from app.config import Settings
from app.db import SessionFactory, connect, session_factory
from app.services.files.storage import Storage, open_storage

__all__ = ["AppContext", "make_context", "secret_key"]


@dataclass(frozen=True)
class AppContext:
    """The parts that live as long as the process does."""

    settings: Settings
    engine: Engine
    sessions: SessionFactory
    storage: Storage
    secret_key: str

    def close(self) -> None:
        """Give the database connections back."""
        self.engine.dispose()


def make_context(settings: Settings) -> AppContext:
    """The parts of one process; `settings.database_url` must be known by now."""
    if settings.database_url is None:
        raise ValueError("The address of the database is not known: start the embedded one first.")
    engine = connect(settings.database_url, pool_size=settings.database_pool_size)
    return AppContext(
        settings=settings,
        engine=engine,
        sessions=session_factory(engine),
        storage=open_storage(settings),
        secret_key=secret_key(settings),
    )


def secret_key(settings: Settings) -> str:
    """The key from the settings, or the one in DATA_DIR, made on first use (mode 600)."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path = settings.data_dir / "secret_key"
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _create_secret(path)
    return path.read_text().strip()


def _create_secret(path: Path) -> None:
    """Write a new key unless there is one; two processes may try at the same moment."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
        file.flush()
        os.fsync(file.fileno())
    # A link fails when the other process was first, where a rename would replace its key.
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
