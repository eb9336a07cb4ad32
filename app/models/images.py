"""Images and the bytes behind them."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, CocoId, Created, PrimaryKey, Updated

__all__ = ["STATUSES", "Blob", "CachedFile", "Image"]

STATUSES = ("new", "in_progress", "done", "empty")


class Blob(Base):
    """A file in the storage, named by the SHA-256 of its content."""

    __tablename__ = "blobs"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    media_type: Mapped[str]
    created_at: Mapped[Created]


class CachedFile(Base):
    """A file that was made from a blob and may be made again (app/services/pictures/cache.py)."""

    __tablename__ = "cached_files"
    __table_args__ = (
        Index("ix_cached_files_blob_sha256", "blob_sha256"),
        Index("ix_cached_files_used_at", "used_at"),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    blob_sha256: Mapped[str] = mapped_column(ForeignKey("blobs.sha256", ondelete="CASCADE"))
    size: Mapped[int]
    used_at: Mapped[Created]


class Image(Base):
    """An image record, with pixels (`blob_sha256`) or still without.

    `width` and `height` are those of the picture as shown: the EXIF `orientation` (1 to 8) is
    applied. `record` is the imported COCO JSON text, verbatim, or null for an image that was only
    uploaded; `variants` tells what the files of several tasks say differently
    (app/formats/coco/variants.py). `match_name` is `file_name` in Unicode NFC with forward slashes,
    for comparing. `revision` grows with every change of its annotations: it makes drawn overlays
    cacheable.
    """

    __tablename__ = "images"
    __table_args__ = (
        CheckConstraint("status in ('new', 'in_progress', 'done', 'empty')", name="status"),
        CheckConstraint("width > 0 and height > 0", name="size"),
        Index("ix_images_dataset_id_coco_id", "dataset_id", "coco_id"),
        Index("ix_images_dataset_id_id", "dataset_id", "id"),
        Index("ix_images_dataset_id_file_name", "dataset_id", "file_name", "id"),
        Index("ix_images_dataset_id_match_name", "dataset_id", "match_name"),
        Index("ix_images_dataset_id_created_at", "dataset_id", "created_at", "id"),
        Index("ix_images_dataset_id_annotation_count", "dataset_id", "annotation_count", "id"),
        Index("ix_images_dataset_id_status", "dataset_id", "status", "id"),
        Index("ix_images_dataset_id_subset", "dataset_id", "subset", "id"),
        Index("ix_images_blob_sha256", "blob_sha256"),
    )

    id: Mapped[PrimaryKey]
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    coco_id: Mapped[CocoId]
    file_name: Mapped[str]
    match_name: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    subset: Mapped[str] = mapped_column(server_default="default")
    status: Mapped[str] = mapped_column(server_default="new")
    annotation_count: Mapped[int] = mapped_column(server_default=text("0"))
    revision: Mapped[int] = mapped_column(server_default=text("0"))
    blob_sha256: Mapped[str | None] = mapped_column(ForeignKey("blobs.sha256"))
    orientation: Mapped[int] = mapped_column(server_default=text("1"))
    record: Mapped[str | None]
    variants: Mapped[str | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]
