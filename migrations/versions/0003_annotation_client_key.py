"""A key that the client chose for an annotation it makes, so that a second try makes no twin."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("annotations", sa.Column("client_key", sa.String(), nullable=True))
    op.create_index(
        "uq_annotations_image_id_client_key",
        "annotations",
        ["image_id", "client_key"],
        unique=True,
        postgresql_where=sa.text("client_key is not null"),
    )


def downgrade() -> None:
    op.drop_index("uq_annotations_image_id_client_key", table_name="annotations")
    op.drop_column("annotations", "client_key")
