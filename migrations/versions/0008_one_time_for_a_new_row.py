"""The times of a new row are read from the clock once: it was changed last when it was made."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TIMES = (
    ("annotations", "created_at"),
    ("annotations", "updated_at"),
    ("api_tokens", "created_at"),
    ("blobs", "created_at"),
    ("cached_files", "used_at"),
    ("categories", "created_at"),
    ("dataset_members", "created_at"),
    ("datasets", "created_at"),
    ("datasets", "updated_at"),
    ("images", "created_at"),
    ("images", "updated_at"),
    ("jobs", "created_at"),
    ("prediction_sets", "created_at"),
    ("prediction_sets", "updated_at"),
    ("sign_in_failures", "at"),
    ("user_sessions", "created_at"),
    ("user_sessions", "last_seen_at"),
    ("users", "created_at"),
)


def upgrade() -> None:
    for table, column in _TIMES:
        op.alter_column(table, column, server_default=sa.text("statement_timestamp()"))


def downgrade() -> None:
    for table, column in _TIMES:
        op.alter_column(table, column, server_default=sa.text("clock_timestamp()"))
