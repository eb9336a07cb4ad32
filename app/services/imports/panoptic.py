"""What a panoptic file says of each image, beside the segments, which are annotations."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.formats.coco import rawjson
from app.formats.records import FrameRecord
from app.models import PanopticImage
from app.services.imports.images import Match

__all__ = ["import_frames"]


def import_frames(
    session: Session, *, dataset_id: int, records: Sequence[FrameRecord], matches: Sequence[Match]
) -> None:
    """Keep what the file says of these images; of one that it said before, the newest counts."""
    rows = [_row(record, matches[record.image], dataset_id) for record in records]
    if not rows:
        return
    kept = select(PanopticImage.image_id, PanopticImage.record).where(
        PanopticImage.image_id.in_([row["image_id"] for row in rows])
    )
    present = {key: rawjson.decode(text) for key, text in session.execute(kept)}
    changed = [row for row in rows if present.get(row["image_id"]) != rawjson.decode(row["record"])]
    if changed:
        write = insert(PanopticImage)
        session.execute(
            write.on_conflict_do_update(
                index_elements=["image_id"], set_={"record": write.excluded.record}
            ),
            changed,
        )


def _row(record: FrameRecord, match: Match, dataset_id: int) -> dict[str, Any]:
    text = record.text
    if match.joins and match.found is not None:
        # Another file gave the image the id that it has here.
        known = rawjson.members(match.found.record or "{}")["id"]
        text = rawjson.replace(text, raw={"image_id": known})
    return {"image_id": match.id, "dataset_id": dataset_id, "record": text}
