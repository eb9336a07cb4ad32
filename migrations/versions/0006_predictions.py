"""What models say about images, apart from the annotations."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "prediction_sets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_prediction_sets_dataset_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["users.id"],
            name=op.f("fk_prediction_sets_created_by"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prediction_sets")),
    )
    op.create_index(
        "uq_prediction_sets_dataset_id_name", "prediction_sets", ["dataset_id", "name"], unique=True
    )
    _create_predictions()


def _create_predictions() -> None:
    op.create_table(
        "predictions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("set_id", sa.BigInteger(), nullable=False),
        sa.Column("image_id", sa.BigInteger(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("shape", sa.String(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("area", sa.Double(), nullable=False),
        sa.Column("bbox", sa.ARRAY(sa.Double()), nullable=False),
        sa.Column("state", sa.String(), server_default="open", nullable=False),
        sa.Column("annotation_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('open', 'accepted', 'rejected')", name=op.f("ck_predictions_state")
        ),
        *(
            sa.ForeignKeyConstraint(
                [column],
                [f"{table}.id"],
                name=op.f(f"fk_predictions_{column}"),
                ondelete=ending,
            )
            for column, table, ending in (
                ("set_id", "prediction_sets", "CASCADE"),
                ("image_id", "images", "CASCADE"),
                ("category_id", "categories", "SET NULL"),
                ("annotation_id", "annotations", "SET NULL"),
                ("decided_by", "users", "SET NULL"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_predictions")),
    )
    op.create_index(
        "ix_predictions_set_id_place",
        "predictions",
        ["set_id", "place"],
        postgresql_include=["state"],
    )
    op.create_index("ix_predictions_image_id_id", "predictions", ["image_id", "id"])
    op.create_index("ix_predictions_category_id", "predictions", ["category_id"])
    op.create_index(
        "ix_predictions_annotation_id",
        "predictions",
        ["annotation_id"],
        postgresql_where=sa.text("annotation_id is not null"),
    )


def downgrade() -> None:
    op.drop_table("predictions")
    op.drop_table("prediction_sets")
