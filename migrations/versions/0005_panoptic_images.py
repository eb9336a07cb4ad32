"""What panoptic files say of each image; their segments are annotations."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "panoptic_images",
        sa.Column("image_id", sa.BigInteger(), nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"],
            ["images.id"],
            name=op.f("fk_panoptic_images_image_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_panoptic_images")),
    )
    op.create_index(
        "uq_panoptic_images_dataset_id_place",
        "panoptic_images",
        ["dataset_id", "place"],
        unique=True,
    )


def downgrade() -> None:
    op.drop_table("panoptic_images")
