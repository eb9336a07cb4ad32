"""Holds rows that something new is about to refer to, so that nobody deletes them meanwhile.

Without it, a row that was read is gone by the time the new row's foreign key looks for it, and the
whole transaction fails. Held rows may be edited by others; who deletes one waits for our commit.
"""

from collections.abc import Collection

from sqlalchemy import ARRAY, BigInteger, any_, literal, select
from sqlalchemy.orm import Session

from app.models import Category, Image
from app.services.datasets import categories

__all__ = ["hold", "hold_categories"]


def hold(session: Session, model: type[Image] | type[Category], ids: Collection[int]) -> set[int]:
    """Those of these rows that are still there, locked by id against deletion until the commit."""
    if not ids:
        return set()
    there = select(model.id).where(model.id == any_(literal(sorted(ids), ARRAY(BigInteger))))
    return set(session.scalars(there.order_by(model.id).with_for_update(read=True, key_share=True)))


def hold_categories(session: Session, *, dataset_id: int) -> list[Category]:
    """The categories of a dataset, in their order, held."""
    rows = categories.list_categories(session, dataset_id=dataset_id)
    held = hold(session, Category, [row.id for row in rows])
    return [row for row in rows if row.id in held]
