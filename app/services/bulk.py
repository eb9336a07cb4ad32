"""Many rows at once, through PostgreSQL's COPY.

COPY's text format doubles every backslash, and JSON is full of them; its csv format does not when
the quote is a character that the data never has. JSON cannot hold control characters, so the quote
is the byte 1 and the separator the byte 2.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec
from psycopg import Connection, sql
from sqlalchemy import text
from sqlalchemy.orm import Session

__all__ = ["CopyBehind", "array", "coco_id", "copy", "quoted", "take_keys"]

_QUOTE, _SEPARATOR = "\x01", "\x02"
_BLOCK_CHARS = 1 << 18


def quoted(value: str | None) -> str:
    """A text as a field; null is a field without quotes."""
    return "" if value is None else f"{_QUOTE}{value}{_QUOTE}"


def array(numbers: Sequence[float]) -> str:
    """An array of floats as a field."""
    return "{" + msgspec.json.encode(numbers)[1:-1].decode() + "}"


def coco_id(value: Any) -> str:
    """A COCO id as a jsonb field."""
    # Nearly all of them are integers, and the encoder is slow for those.
    return quoted(str(value) if type(value) is int else json.dumps(value, ensure_ascii=False))


def copy(
    session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Add rows to a table; each field is the text of a number or made by the functions above."""
    session.flush()
    _send(_connection(session), table, columns, _blocks(rows))


class CopyBehind:
    """`copy` that goes on in a thread: PostgreSQL takes rows in while the next ones are made.

    A connection does one thing at a time, so whoever wants the session takes it from here, which
    waits for what is under way; so does `wait`, which a transaction that is given up needs, too:
    rows that are still to be sent would come in behind its back.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="copy")
        self._under_way: Future[None] | None = None

    @property
    def session(self) -> Session:
        """The session, free to be used until the next `copy`."""
        self.wait()
        return self._session

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Add rows to a table; what is wrong with them is raised when somebody waits."""
        blocks = list(_blocks(rows))
        self.session.flush()
        connection = _connection(self._session)
        self._under_way = self._thread.submit(_send, connection, table, columns, blocks)

    def wait(self) -> None:
        """Come back when all rows are in the table."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()


def _connection(session: Session) -> Connection[Any]:
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, Connection):
        raise TypeError("COPY needs a psycopg connection.")
    return connection


def _blocks(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The rows as COPY reads them, many at a time."""
    lines: list[str] = []
    size = 0
    for row in rows:
        line = _SEPARATOR.join(row)
        lines.append(line)
        size += len(line)
        if size >= _BLOCK_CHARS:
            yield "\n".join(lines) + "\n"
            lines, size = [], 0
    if lines:
        yield "\n".join(lines) + "\n"


def _send(
    connection: Connection[Any], table: str, columns: Sequence[str], blocks: Iterable[str]
) -> None:
    command = sql.SQL(
        "copy {} ({}) from stdin (format csv, delimiter E'\\x02', quote E'\\x01')"
    ).format(sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)))
    with connection.cursor() as cursor, cursor.copy(command) as writer:
        for block in blocks:
            writer.write(block)


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
