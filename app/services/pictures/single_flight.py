"""Single flight: work that takes a while is done once for everybody who waits for its result.

Whoever asks for what is under way already waits for the same flight. What failed is not tried
again for a while, so that a picture nobody can decode takes a part of a thread's time at most.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.errors import AppError, Invalid, Unavailable

__all__ = ["SingleFlight"]

Result = TypeVar("Result")
# How long nobody tries again what failed, as a multiple of the time that the failure took.
_REST = 4


class SingleFlight(Generic[Result]):
    """What one process works at, by keys."""

    def __init__(self, name: str, *, at_once: int) -> None:
        # A flight that is called off says so at once, to whoever holds the lock.
        self._lock = threading.RLock()
        self._underway: dict[str, Future[Result]] = {}
        self._waiting: Counter[str] = Counter()
        self._failures: dict[str, _Failure] = {}
        # Threads of its own, which live as long as the process: a child ends with the thread that
        # started it, and requests would lack the ones that wait here.
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix=name)

    def do(self, key: str, work: Callable[[], Result]) -> Future[Result]:
        """The result of `work`, unless it is on its way.

        What failed as Invalid or Unavailable fails at once for a while. Who does not wait to the
        end says so with `leave`.
        """
        with self._lock:
            failure = self._failures.get(key)
            if failure is not None and time.monotonic() < failure.until:
                failed: Future[Result] = Future()
                failed.set_exception(failure.error.with_traceback(None))
                return failed
            future = self._underway.get(key)
            if future is None:
                future = self._pool.submit(self._work, key, work)
                self._underway[key] = future
                # Counted before: what has ended already is taken off by the callback at once.
                self._waiting[key] += 1
                future.add_done_callback(lambda _: self._done(key))
            else:
                self._waiting[key] += 1
            return future

    def leave(self, future: Future[Result]) -> None:
        """One of those who wait went away: what nobody waits for is not begun."""
        with self._lock:
            key = next((key for key, other in self._underway.items() if other is future), None)
            if key is not None:
                self._waiting[key] -= 1
                if not self._waiting[key]:
                    future.cancel()

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _work(self, key: str, work: Callable[[], Result]) -> Result:
        begin = time.monotonic()
        try:
            return work()
        except (Invalid, Unavailable) as error:
            self._note_failure(key, error, time.monotonic() - begin)
            raise

    def _note_failure(self, key: str, error: AppError, seconds: float) -> None:
        now = time.monotonic()
        with self._lock:
            kept = {k: failure for k, failure in self._failures.items() if now < failure.until}
            self._failures = kept | {key: _Failure(error, now + _REST * seconds)}

    def _done(self, key: str) -> None:
        with self._lock:
            self._underway.pop(key, None)
            self._waiting.pop(key, None)


@dataclass(frozen=True)
class _Failure:
    """Why there is nothing, and until when that is the answer, on the monotonic clock."""

    error: AppError
    until: float
