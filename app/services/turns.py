"""Whose turn it is to match names in a dataset: one import or upload at a time.

Two that run side by side would each find an image missing and make it, and there would be two.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

__all__ = ["try_turn"]

# Any number will do as the first half of the lock's name, as long as nothing else takes it.
_SPACE = 7_227_003
_TRY = text("select pg_try_advisory_xact_lock(:space, :id), pg_sleep(:pause)")


def try_turn(session: Session, *, dataset_id: int, pause_seconds: float = 0.0) -> bool:
    """Take the turn until the end of the transaction; False when somebody else has it.

    `pause_seconds` is waited after the try, for whoever asks again and again.
    """
    key = {"space": _SPACE, "id": dataset_id % 2**31, "pause": pause_seconds}
    return bool(session.execute(_TRY, key).one()[0])
