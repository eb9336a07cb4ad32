"""The database: engine, sessions and migrations.

One request or one job is one transaction, and only its edge commits: the request's dependency
(`app.api.deps.get_session`) or ``with sessions.begin() as session`` in jobs and commands.

Rows are locked in one order everywhere, so that two transactions never wait for each other:
images (by id), their annotations, categories, the dataset, its counters. Whoever adds a row also
locks, weakly, the rows that it refers to: a new annotation holds its category until the commit.
Imports and uploads, which lock much, first take the dataset's turn (app/services/turns.py).
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

__all__ = [
    "DOWNLOADS_AT_ONCE",
    "TRANSACTIONS_AT_ONCE",
    "SessionFactory",
    "connect",
    "is_migrated",
    "migrate",
    "migrations_dir",
    "session_factory",
]

SessionFactory = sessionmaker[Session]

TRANSACTIONS_AT_ONCE = 15
"""Requests of a web process that may hold a connection at the same time; the others wait.

Fewer than the threads that run requests (40), so that whoever holds a connection gets a thread.
"""

DOWNLOADS_AT_ONCE = 10
"""Exports that a web process may stream at the same time; each holds a connection to its end."""


def connect(url: str, *, pool_size: int = 15) -> Engine:
    """An engine for the PostgreSQL at `url` (``postgresql+psycopg://…``).

    It keeps `pool_size` connections, and opens as many more for a while as requests and downloads
    may hold at once: nobody waits for them to end.
    """
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=TRANSACTIONS_AT_ONCE + DOWNLOADS_AT_ONCE,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 10, "application_name": "maskwright"},
    )


def session_factory(engine: Engine) -> SessionFactory:
    """Sessions whose objects stay readable after the commit, for answers built from them."""
    return sessionmaker(engine, expire_on_commit=False)


def migrations_dir() -> Path:
    """The Alembic folder: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).parent
    inside = package / "_migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def _alembic(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_dir()).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to `revision`; waits for another migration to end."""
    command.upgrade(_alembic(url), revision)


def is_migrated(engine: Engine) -> bool:
    """Whether the database is at the newest revision that this program knows."""
    head = ScriptDirectory(str(migrations_dir())).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head
