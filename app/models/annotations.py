"""Annotations and every version they had."""

from datetime import datetime

from sqlalchemy import ARRAY, Double, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, CocoId, Created, PrimaryKey, Updated

__all__ = ["Annotation", "AnnotationVersion"]


class Annotation(Base):
    """One COCO instance: all its parts, holes, its box and its keypoints under one id.

    `record` is its COCO JSON text ready to send: the imported bytes, verbatim, with nothing but
    the edited members replaced. `shape` is set only where a client must see other geometry than
    `record` carries: ``{"segmentation": …, "holes": …}`` of polygons with holes (the record then
    holds their RLE) and of imported oddities, read generously. `area` and `bbox` ([x, y, w, h],
    pixels) are the given or the computed ones, for display and queries; an export shows only what
    the record has. A deleted annotation stays, with `deleted_at`, and can be restored. `client_key`
    is what the client that made it called it: a second try with the same key makes no twin.

    `task` is the task of the file that brought it or, of one made here, ``captions``, ``labels`` or
    ``instances``, by what it has. Files of other tasks may list it, too (`AnnotationTask`); what
    they say differently is told by `variants` (app/formats/coco/variants.py).
    """

    __tablename__ = "annotations"
    __table_args__ = (
        Index(
            "ix_annotations_image_id",
            "image_id",
            "id",
            postgresql_where=text("deleted_at is null"),
        ),
        Index("ix_annotations_dataset_id_coco_id", "dataset_id", "coco_id"),
        Index("ix_annotations_dataset_id_task_id", "dataset_id", "task", "id"),
        Index(
            "ix_annotations_by_hand",
            "dataset_id",
            "task",
            "category_id",
            postgresql_where=text("updated_by is not null and deleted_at is null"),
        ),
        Index("ix_annotations_image_id_all", "image_id"),
        Index("ix_annotations_category_id_image_id", "category_id", "image_id"),
        Index(
            "uq_annotations_image_id_client_key",
            "image_id",
            "client_key",
            unique=True,
            postgresql_where=text("client_key is not null"),
        ),
    )

    id: Mapped[PrimaryKey]
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"))
    category_id: Mapped[int | None] = mapped_column(
        ForeignKey("categories.id", ondelete="SET NULL")
    )
    coco_id: Mapped[CocoId]
    task: Mapped[str] = mapped_column(server_default="instances")
    version: Mapped[int] = mapped_column(server_default=text("1"))
    record: Mapped[str]
    variants: Mapped[str | None]
    shape: Mapped[str | None]
    area: Mapped[float] = mapped_column(Double)
    bbox: Mapped[list[float]] = mapped_column(ARRAY(Double))
    iscrowd: Mapped[bool] = mapped_column(server_default=text("false"))
    deleted_at: Mapped[datetime | None]
    client_key: Mapped[str | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    updated_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class AnnotationVersion(Base):
    """A state that an annotation had before its present one.

    The newest version is the row in ``annotations``: a change copies it here first, in the same
    transaction, so importing millions of annotations writes no history. `author_id` and
    `created_at` tell who made this version, and when. `category_id` may name a category that is
    gone by now.
    """

    __tablename__ = "annotation_versions"

    annotation_id: Mapped[int] = mapped_column(
        ForeignKey("annotations.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True)
    record: Mapped[str]
    variants: Mapped[str | None]
    shape: Mapped[str | None]
    category_id: Mapped[int | None]
    area: Mapped[float] = mapped_column(Double)
    bbox: Mapped[list[float]] = mapped_column(ARRAY(Double))
    iscrowd: Mapped[bool]
    deleted: Mapped[bool] = mapped_column(server_default=text("false"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
