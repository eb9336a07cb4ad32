"""Which tasks of COCO (instances, captions, ...) a dataset's records belong to, and in what order.

A file is of one task. What it lists belongs to that task, at the place that it has there; `place`
comes from the sequence of the listed things' own keys, so that places and keys can be compared.
What was made here is in no list: an export asks what it is.
"""

from sqlalchemy import ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base

__all__ = ["AnnotationTask", "CategoryTask", "DatasetTask", "ImageTask", "PanopticImage"]


class DatasetTask(Base):
    """A task of which the dataset has a file.

    `envelope` is the JSON text of that file's top-level object with its lists of records emptied:
    it keeps ``info``, ``licenses``, unknown members and the order of the keys.
    """

    __tablename__ = "dataset_tasks"

    dataset_id: Mapped[int] = mapped_column(
        ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True
    )
    task: Mapped[str] = mapped_column(primary_key=True)
    envelope: Mapped[str]


class ImageTask(Base):
    """An image that a file of the task lists."""

    __tablename__ = "image_tasks"
    __table_args__ = (Index("uq_image_tasks_image_id_task", "image_id", "task", unique=True),)

    dataset_id: Mapped[int] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"))


class CategoryTask(Base):
    """A category that a file of the task lists."""

    __tablename__ = "category_tasks"
    __table_args__ = (
        Index("uq_category_tasks_category_id_task", "category_id", "task", unique=True),
    )

    dataset_id: Mapped[int] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id", ondelete="CASCADE"))


class AnnotationTask(Base):
    """An annotation that a file of another task than its own lists, too.

    Its own task is `Annotation.task`, and its place there the annotation's key: most annotations
    are of one task, and cost no row here.
    """

    __tablename__ = "annotation_tasks"
    __table_args__ = (
        Index("uq_annotation_tasks_annotation_id_task", "annotation_id", "task", unique=True),
    )

    dataset_id: Mapped[int] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    annotation_id: Mapped[int] = mapped_column(ForeignKey("annotations.id", ondelete="CASCADE"))


class PanopticImage(Base):
    """What a panoptic file says of an image, and its place there among the others.

    `record` is the JSON text of its object with ``segments_info`` emptied; the segments are
    annotations of the task ``panoptic``.
    """

    __tablename__ = "panoptic_images"
    __table_args__ = (
        Index("uq_panoptic_images_dataset_id_place", "dataset_id", "place", unique=True),
    )

    image_id: Mapped[int] = mapped_column(
        ForeignKey("images.id", ondelete="CASCADE"), primary_key=True
    )
    dataset_id: Mapped[int]
    place: Mapped[int] = mapped_column(Identity(always=True))
    record: Mapped[str]
