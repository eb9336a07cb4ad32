"""How large the files are that may be made again, and when they were used."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cached_files",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("blob_sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "used_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["blob_sha256"],
            ["blobs.sha256"],
            name=op.f("fk_cached_files_blob_sha256"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_cached_files")),
    )
    op.create_index("ix_cached_files_blob_sha256", "cached_files", ["blob_sha256"])
    op.create_index("ix_cached_files_used_at", "cached_files", ["used_at"])


def downgrade() -> None:
    op.drop_table("cached_files")
