"""The migrations make exactly the tables that the models describe."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

from app.db import is_migrated, migrate
from app.models import Base


def _ours(_object: object, name: str | None, kind: str, _reflected: bool, _to: object) -> bool:
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


def test_models_and_migrations_agree(engine: Engine) -> None:
    with engine.connect() as connection:
        options = {"include_object": _ours, "compare_server_default": True}
        migrations = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(migrations, Base.metadata) == []


def test_an_empty_database_becomes_a_migrated_one(engine: Engine) -> None:
    """The session's database began empty."""
    tables = set(inspect(engine).get_table_names())
    assert {"users", "annotations", "procrastinate_jobs"} <= tables
    assert is_migrated(engine)


def test_migrating_twice_changes_nothing(database_url: str, engine: Engine) -> None:
    before = sorted(inspect(engine).get_table_names())
    migrate(database_url)
    assert sorted(inspect(engine).get_table_names()) == before
