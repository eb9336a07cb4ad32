"""What models say about images: kept apart from the annotations until a person accepts it."""

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, Double, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Created, PrimaryKey, Updated

__all__ = ["PREDICTION_STATES", "Prediction", "PredictionSet"]

PREDICTION_STATES = ("open", "accepted", "rejected")


class PredictionSet(Base):
    """The results of one model or run, which come in with one file and can be deleted as a whole.

    `updated_at` is when a file last changed it.
    """

    __tablename__ = "prediction_sets"
    __table_args__ = (
        Index("uq_prediction_sets_dataset_id_name", "dataset_id", "name", unique=True),
    )

    id: Mapped[PrimaryKey]
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    name: Mapped[str]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class Prediction(Base):
    """One result: a box, a mask, keypoints or a caption, with its score.

    `record` is its text in the results file, verbatim, and `place` its place there. `kind` says
    which member makes it what it is (app/formats/coco/results.py); `area`, `bbox` ([x, y, w, h],
    pixels) and `shape` are read from it, for display and queries. An accepted one knows the
    annotation that it became, which may be gone by now.
    """

    __tablename__ = "predictions"
    __table_args__ = (
        CheckConstraint("state in ('open', 'accepted', 'rejected')", name="state"),
        # With the state, so that counting a set's reads no records.
        Index("ix_predictions_set_id_place", "set_id", "place", postgresql_include=["state"]),
        Index("ix_predictions_image_id_id", "image_id", "id"),
        Index("ix_predictions_category_id", "category_id"),
        Index(
            "ix_predictions_annotation_id",
            "annotation_id",
            postgresql_where=text("annotation_id is not null"),
        ),
    )

    id: Mapped[PrimaryKey]
    set_id: Mapped[int] = mapped_column(ForeignKey("prediction_sets.id", ondelete="CASCADE"))
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"))
    category_id: Mapped[int | None] = mapped_column(
        ForeignKey("categories.id", ondelete="SET NULL")
    )
    place: Mapped[int]
    kind: Mapped[str]
    record: Mapped[str]
    shape: Mapped[str | None]
    score: Mapped[float | None] = mapped_column(Double)
    area: Mapped[float] = mapped_column(Double)
    bbox: Mapped[list[float]] = mapped_column(ARRAY(Double))
    state: Mapped[str] = mapped_column(server_default="open")
    annotation_id: Mapped[int | None] = mapped_column(
        ForeignKey("annotations.id", ondelete="SET NULL")
    )
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None]
