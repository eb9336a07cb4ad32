"""Datasets, who may work in them, their categories and their counters."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, CocoId, Created, PrimaryKey, Updated
from app.models.users import User

__all__ = ["ROLES", "Category", "Dataset", "DatasetCount", "DatasetMember"]

ROLES = ("owner", "annotator", "viewer")


class Dataset(Base):
    """A set of images with their categories and annotations.

    The two ``next_…`` columns give ids to what is made here; imports raise them above every id
    that they bring.
    """

    __tablename__ = "datasets"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(server_default="")
    next_image_coco_id: Mapped[int] = mapped_column(server_default=text("1"))
    next_annotation_coco_id: Mapped[int] = mapped_column(server_default=text("1"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class DatasetMember(Base):
    """What a user may do in a dataset: see ROLES and app/services/access.py."""

    __tablename__ = "dataset_members"
    __table_args__ = (
        CheckConstraint("role in ('owner', 'annotator', 'viewer')", name="role"),
        Index("ix_dataset_members_user_id", "user_id"),
    )

    dataset_id: Mapped[int] = mapped_column(
        ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str]
    created_at: Mapped[Created]

    user: Mapped[User] = relationship(lazy="raise")


class DatasetCount(Base):
    """Images and annotations of a dataset by image status.

    Counting a hundred thousand rows for every page would make large datasets slow; the services
    add to these rows instead, as the last statement of a transaction
    (app/services/datasets/counts.py).
    """

    __tablename__ = "dataset_counts"

    dataset_id: Mapped[int] = mapped_column(
        ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True
    )
    status: Mapped[str] = mapped_column(primary_key=True)
    images: Mapped[int] = mapped_column(server_default=text("0"))
    annotations: Mapped[int] = mapped_column(server_default=text("0"))


class Category(Base):
    """What an annotation shows. `record` is its COCO JSON text, verbatim when it was imported.

    `variants` tells what the files of several tasks say differently: app/formats/coco/variants.py.
    """

    __tablename__ = "categories"
    __table_args__ = (Index("ix_categories_dataset_id_coco_id", "dataset_id", "coco_id"),)

    id: Mapped[PrimaryKey]
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    coco_id: Mapped[CocoId]
    name: Mapped[str]
    supercategory: Mapped[str | None]
    color: Mapped[str]
    isthing: Mapped[bool] = mapped_column(server_default=text("true"))
    keypoints: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    skeleton: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    record: Mapped[str]
    variants: Mapped[str | None]
    created_at: Mapped[Created]
