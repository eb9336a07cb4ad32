"""Waiting for what is being made, without a thread, and no longer than the caller is there.

What was made may vanish before it is read (`app.services.pictures.cache`): `read_or_remake` makes
it again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from app.errors import NotFound, Unavailable

__all__ = ["read_or_remake", "wait_for"]

Made = TypeVar("Made")
Content = TypeVar("Content")
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


async def read_or_remake(
    made: Made,
    read: Callable[[Made], Content],
    *,
    make: Callable[[], Awaitable[Made]],
    forget: Callable[[], None],
    lost: Unavailable,
) -> Content:
    """What `read`, in a thread, finds in what was made; on NotFound it is made once more.

    `forget` is called when nothing can be read, so that it is looked anew whether it is there.
    `lost` is raised when it cannot be read even then.
    """
    try:
        return await run_in_threadpool(read, made)
    except NotFound:
        # Somebody emptied the cache, or the disk has spoilt it.
        forget()
        made = await make()
    try:
        return await run_in_threadpool(read, made)
    except NotFound:
        forget()
        raise lost from None
