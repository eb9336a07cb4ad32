"""What tests of imports share."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

__all__ = ["Import", "numbers", "only"]

Import = Callable[..., dict[str, Any]]
"""Imports a file into the test's dataset, commits, and returns the report."""


def numbers(created: int = 0, updated: int = 0, unchanged: int = 0) -> dict[str, int]:
    return {"created": created, "updated": updated, "unchanged": unchanged}


def only(session: Session, model: type[Any]) -> Any:
    return session.scalars(select(model)).one()
