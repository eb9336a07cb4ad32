"""What a transaction tells the editors that are open on its images.

A note is written with PostgreSQL's NOTIFY on the session's own connection: it reaches every server
process when the transaction commits, in the order of the commits, and never when it does not.
Notes are small: they say what to look at, not what is there. Whoever writes calls one of these:

`annotation_changed`   one annotation of an image; carries the image's new `revision`
`images_changed`       anything else about images: status, pixels, predictions, deletion
`dataset_changed`      categories, imports, decisions about many predictions, members
`user_changed`         whether a user may still be here: sessions, tokens, the account

app/services/live/hub.py hears them.
"""

import json
from collections.abc import Iterable
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.models import Annotation

__all__ = [
    "CHANNEL",
    "AnnotationChange",
    "annotation_changed",
    "dataset_changed",
    "images_changed",
    "user_changed",
]

CHANNEL = "maskwright_live"

AnnotationChange = Literal["created", "changed", "deleted"]

# More than this in one transaction, and one look at the whole costs less.
_MOST_IMAGES = 100
_NOTIFY = text(
    "select pg_notify(:channel, note) from unnest(cast(:notes as text[])) as notes (note)"
)


def annotation_changed(
    session: Session, annotation: Annotation, change: AnnotationChange, *, revision: int
) -> None:
    """`revision` is the one that the change gave the image, whose row is locked."""
    note = {
        "about": "annotation",
        "image": annotation.image_id,
        "id": annotation.id,
        "version": annotation.version,
        "change": change,
        "by": annotation.updated_by,
        "revision": revision,
    }
    _notify(session, [note])


def images_changed(session: Session, image_ids: Iterable[int], *, dataset_id: int) -> None:
    ids = sorted(set(image_ids))
    if len(ids) > _MOST_IMAGES:
        dataset_changed(session, dataset_id)
    else:
        _notify(session, [{"about": "image", "image": key} for key in ids])


def dataset_changed(session: Session, dataset_id: int) -> None:
    _notify(session, [{"about": "dataset", "dataset": dataset_id}])


def user_changed(session: Session, user_id: int) -> None:
    _notify(session, [{"about": "user", "user": user_id}])


def _notify(session: Session, notes: list[dict[str, Any]]) -> None:
    if notes:
        texts = [json.dumps(note, separators=(",", ":")) for note in notes]
        session.execute(_NOTIFY, {"channel": CHANNEL, "notes": texts})
