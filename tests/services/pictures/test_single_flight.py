"""What is made once for everybody who waits for it."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from app.services.pictures import single_flight
from app.services.pictures.single_flight import SingleFlight


class AtOnce(Executor):
    """Its work has ended before anybody can wait for it."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work(*args, **more))
        return future


def test_what_ended_at_once_is_waited_for_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one of that name is called off when the only one who waits goes away."""
    with monkeypatch.context() as patch:
        patch.setattr(single_flight, "ThreadPoolExecutor", lambda *_, **_more: AtOnce())
        found: SingleFlight[int] = SingleFlight("test", at_once=1)
    assert found.do("a", lambda: 1).result() == 1
    go_on = Event()
    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(found, "_pool", pool)
        first = found.do("b", lambda: int(go_on.wait(60)))
        second = found.do("a", lambda: 2)
        found.leave(second)
        go_on.set()
        assert first.result() == 1
    assert second.cancelled()
