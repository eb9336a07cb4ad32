"""Waiting for what is being made, without a thread, and no longer than the caller is there."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from fastapi import Request

from app.errors import Unavailable

__all__ = ["wait_for"]

Made = TypeVar("Made")
# How often it is looked whether the one who waits is still there.
_LOOK_SECONDS = 1


async def wait_for(
    request: Request,
    making: Future[Made],
    *,
    leave: Callable[[Future[Made]], None],
    gone: Unavailable,
) -> Made:
    """What was made. Who goes away leaves it to the others, by `leave`; nobody hears of `gone`."""
    made = asyncio.wrap_future(making)
    try:
        while not made.done() and not await request.is_disconnected():
            await asyncio.wait([made], timeout=_LOOK_SECONDS)
    finally:
        if not made.done():
            # Nobody asks how it ended.
            made.add_done_callback(lambda end: end.cancelled() or end.exception())
            leave(making)
    if not made.done():
        raise gone
    return made.result()
