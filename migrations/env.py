"""Runs the migrations; one process at a time, and never waiting long for a table lock."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from app.models import Base

# Any number will do, as long as nothing else in the database takes it.
MIGRATION_LOCK = 7_227_001


def include_object(
    _object: object, name: str | None, kind: str, _reflected: bool, _compared: object
) -> bool:
    """The job queue's own tables are made by its own SQL and are not ours to compare."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def run() -> None:
    url = context.config.attributes["url"]
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("set lock_timeout = '60s'"))
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()
        connection.execute(text("set lock_timeout = '5s'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=include_object,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    engine.dispose()


run()
