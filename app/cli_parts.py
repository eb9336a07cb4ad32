"""What commands need: the settings, a log on stderr, and the application on a running database."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from app.config import Settings
    from app.context import AppContext

__all__ = ["load_settings", "log_to_stderr", "running_parts"]


def load_settings(**given: Any) -> "Settings":
    """The settings, with those given on the command line over those of the environment."""
    from pydantic import ValidationError

    from app.config import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise click.ClickException(
            f"MASKWRIGHT_{name} is not right: {first['msg'].removeprefix('Value error, ')}."
        ) from error


def log_to_stderr(level: str) -> None:
    """Log from `level` on, in lines that begin with the time."""
    logging.basicConfig(
        stream=sys.stderr,
        level=level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )


@contextlib.contextmanager
def running_parts() -> Iterator["AppContext"]:
    """The parts of the application on the database, which is started if it does not run."""
    from app import db
    from app.context import make_context
    from app.embedded_postgres import borrowed

    settings = load_settings()
    log_to_stderr(settings.log_level)
    with contextlib.ExitStack() as stack:
        embedded = settings.database_url is None
        if embedded:
            new = not (settings.data_dir / "postgres" / "PG_VERSION").exists()
            url = stack.enter_context(borrowed(settings.data_dir, settings.postgres_bin))
            if new:
                # Whoever meant a server that exists called from another folder than it runs in.
                folder = settings.data_dir.resolve()
                click.echo(f"maskwright: {folder} is a new data folder.", err=True)
            settings = settings.model_copy(update={"database_url": url})
        context = make_context(settings)
        stack.callback(context.close)
        if not db.is_migrated(context.engine):
            if not embedded:
                raise click.ClickException(
                    "The database is not up to date: run `maskwright migrate` first."
                )
            db.migrate(str(settings.database_url))
        yield context
