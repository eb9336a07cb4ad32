"""The database: engine, sessions and migrations.

One request or one job is one transaction, and only its edge commits: the request's dependency
(`app.api.deps.get_session`) or ``with sessions.begin() as session`` in jobs and commands.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

__all__ = [
    "SessionFactory",
    "connect",
    "is_migrated",
    "migrate",
    "migrations_dir",
    "session_factory",
]

SessionFactory = sessionmaker[Session]


def connect(url: str, *, pool_size: int = 15) -> Engine:
    """An engine for the PostgreSQL at `url` (``postgresql+psycopg://…``)."""
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
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
