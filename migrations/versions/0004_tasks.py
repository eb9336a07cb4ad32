"""Which tasks the records of a dataset belong to, and what the files of several say differently."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_LISTED = ("image", "category", "annotation")
_TABLES = {"image": "images", "category": "categories", "annotation": "annotations"}
# Until now every file was read as instances. Captions made here have neither category nor extent.
_FILL = (
    """
    insert into dataset_tasks (dataset_id, task, envelope)
    select id, 'instances', envelope from datasets where envelope is not null
    """,
    """
    insert into image_tasks (dataset_id, task, place, image_id)
    select image.dataset_id, 'instances', image.id, image.id
    from images image join dataset_tasks using (dataset_id)
    where image.record is not null
    """,
    """
    insert into category_tasks (dataset_id, task, place, category_id)
    select category.dataset_id, 'instances', category.id, category.id
    from categories category join dataset_tasks using (dataset_id)
    """,
    """
    update annotations set task = 'captions'
    where category_id is null and bbox = '{0,0,0,0}' and record like '%"caption"%'
    """,
)


def upgrade() -> None:
    op.create_table(
        "dataset_tasks",
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("envelope", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_dataset_tasks_dataset_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("dataset_id", "task", name=op.f("pk_dataset_tasks")),
    )
    for kind in _LISTED:
        _create_list(kind)
    for table in ("images", "categories", "annotations", "annotation_versions"):
        op.add_column(table, sa.Column("variants", sa.String(), nullable=True))
    op.add_column(
        "annotations", sa.Column("task", sa.String(), server_default="instances", nullable=False)
    )
    for statement in _FILL:
        op.execute(statement)
    op.drop_column("datasets", "envelope")
    op.drop_index("ix_annotations_dataset_id_id", table_name="annotations")
    op.create_index(
        "ix_annotations_dataset_id_task_id", "annotations", ["dataset_id", "task", "id"]
    )
    op.create_index(
        "ix_annotations_by_hand",
        "annotations",
        ["dataset_id", "task", "category_id"],
        postgresql_where=sa.text("updated_by is not null and deleted_at is null"),
    )


def _create_list(kind: str) -> None:
    table, column = f"{kind}_tasks", f"{kind}_id"
    op.create_table(
        table,
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column(column, sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            [column], [f"{_TABLES[kind]}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dataset_id", "task", "place", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"uq_{table}_{column}_task", table, [column, "task"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_annotations_by_hand", table_name="annotations")
    op.drop_index("ix_annotations_dataset_id_task_id", table_name="annotations")
    op.create_index("ix_annotations_dataset_id_id", "annotations", ["dataset_id", "id"])
    op.add_column("datasets", sa.Column("envelope", sa.String(), nullable=True))
    op.execute(
        "update datasets set envelope = dataset_tasks.envelope from dataset_tasks "
        "where dataset_tasks.dataset_id = datasets.id and dataset_tasks.task = 'instances'"
    )
    op.drop_column("annotations", "task")
    for table in ("annotation_versions", "annotations", "categories", "images"):
        op.drop_column(table, "variants")
    for kind in reversed(_LISTED):
        op.drop_table(f"{kind}_tasks")
    op.drop_table("dataset_tasks")
