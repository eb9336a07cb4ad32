"""Writes a migration from the difference between the models and the migrations so far.

``make migration m="Add a table of teams"``. Read what it wrote before you commit it.
"""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from app import db
from app.embedded_postgres import EmbeddedPostgres


def main() -> None:
    """The first argument says what the migration does."""
    message = " ".join(sys.argv[1:]).strip()
    if not message:
        sys.exit('Say what it does: make migration m="Add a table of teams"')
    number = len(list((db.migrations_dir() / "versions").glob("[0-9]*.py"))) + 1
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder), settings={"fsync": "off"}) as postgres,
    ):
        db.migrate(postgres.url)
        config = Config()
        config.set_main_option("script_location", str(db.migrations_dir()).replace("%", "%%"))
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        config.attributes["url"] = postgres.url
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    main()
