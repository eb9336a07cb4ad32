"""What all tables share: naming of constraints, key and time columns."""

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Identity, MetaData, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

__all__ = ["Base", "CocoId", "Created", "PrimaryKey", "Timestamp", "Updated"]

PrimaryKey = Annotated[int, mapped_column(BigInteger, Identity(always=False), primary_key=True)]
Timestamp = Annotated[datetime, mapped_column(DateTime(timezone=True))]
# Of the statement, not of the clock as each column is filled: a new row was changed last when it
# was made, to the microsecond. Nor of the transaction, which may have waited for others.
Created = Annotated[
    datetime, mapped_column(DateTime(timezone=True), server_default=func.statement_timestamp())
]
Updated = Annotated[
    datetime, mapped_column(DateTime(timezone=True), server_default=func.statement_timestamp())
]
# An id from a COCO file may be any JSON scalar. jsonb compares numbers by value (1 = 1.0), keeps
# "1" apart from 1, sorts numbers above strings and holds integers of any length.
CocoId = Annotated[Any, mapped_column(JSONB(none_as_null=False))]


class Base(DeclarativeBase):
    """The registry of tables. Relations are never loaded behind one's back (``lazy="raise"``)."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own name for it
        int: BigInteger,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }
