"""ASGI's messages between two processes: each in msgpack, after its length in four bytes."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

__all__ = ["read", "write"]


async def read(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next message; None when the other side has ended."""
    try:
        length = int.from_bytes(await reader.readexactly(4), "big")
        message: dict[str, Any] = msgspec.msgpack.decode(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return message


async def write(writer: asyncio.StreamWriter, message: Mapping[str, Any]) -> None:
    """Send a message, and wait while the other side is slow to take them."""
    text = msgspec.msgpack.encode(dict(message))
    writer.write(len(text).to_bytes(4, "big") + text)
    await writer.drain()
