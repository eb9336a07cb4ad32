"""Many rows at once, through PostgreSQL's COPY.

COPY's text format doubles every backslash, and JSON is full of them; its csv format does not when
the quote is a character that the data never has. JSON cannot hold control characters, so the quote
is the byte 1 and the separator the byte 2.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import Connection, sql
from sqlalchemy import text
from sqlalchemy.orm import Session

__all__ = ["array", "coco_id", "copy", "quoted", "take_keys"]

_QUOTE, _SEPARATOR = "\x01", "\x02"
_BLOCK_CHARS = 1 << 18


def quoted(value: str | None) -> str:
    """A text as a field; null is a field without quotes."""
    return "" if value is None else f"{_QUOTE}{value}{_QUOTE}"


def array(numbers: Sequence[float]) -> str:
    """An array of floats as a field."""
    return "{" + ",".join(map(repr, numbers)) + "}"


def coco_id(value: Any) -> str:
    """A COCO id as a jsonb field."""
    # Nearly all of them are integers, and the encoder is slow for those.
    return quoted(str(value) if type(value) is int else json.dumps(value, ensure_ascii=False))


def copy(
    session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Add rows to a table; each field is the text of a number or made by the functions above."""
    session.flush()
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, Connection):
        raise TypeError("COPY needs a psycopg connection.")
    command = sql.SQL(
        "copy {} ({}) from stdin (format csv, delimiter E'\\x02', quote E'\\x01')"
    ).format(sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)))
    with connection.cursor() as cursor, cursor.copy(command) as writer:
        block: list[str] = []
        size = 0
        for row in rows:
            line = _SEPARATOR.join(row)
            block.append(line)
            size += len(line)
            if size >= _BLOCK_CHARS:
                writer.write("\n".join(block) + "\n")
                block, size = [], 0
        if block:
            writer.write("\n".join(block) + "\n")


def take_keys(session: Session, table: str, count: int) -> Sequence[int]:
    """So many new primary keys of a table, ascending."""
    if not count:
        return []
    found = session.scalars(
        text(
            "select nextval(pg_get_serial_sequence(:table, 'id')) from generate_series(1, :count)"
        ),
        {"table": table, "count": count},
    ).all()
    return sorted(found)
