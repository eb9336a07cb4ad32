"""The job queue's own tables, as the installed procrastinate defines them.

The SQL comes from the library, whose version the lock file fixes. When a later version changes
its schema, a new migration applies that version's own migration scripts.
"""

from contextlib import closing

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The script has percent signs and colons of its own: it goes to the driver as it is.
    driver = op.get_bind().connection.dbapi_connection
    if driver is None:
        raise RuntimeError("The migration has no connection.")
    with closing(driver.cursor()) as cursor:
        cursor.execute(SchemaManager.get_schema())


def downgrade() -> None:
    raise NotImplementedError("The queue is not taken away; restore a backup instead.")
