"""What each frame cost, from Chromium's own trace and from the page's animation frames."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

__all__ = ["Frames", "recording"]

_CATEGORIES = ["toplevel", "devtools.timeline"]

# A frame is asked for all the time, so that a long interval always means that one came late.
_START = """() => {
  const times = (window.benchFrames = []);
  const note = (time) => {
    times.push(time);
    if (window.benchFrames === times) requestAnimationFrame(note);
  };
  requestAnimationFrame(note);
}"""
_STOP = "() => { const times = window.benchFrames; window.benchFrames = null; return times; }"


@dataclass
class Frames:
    """Filled when the recording ends."""

    main_ms: list[float] = field(default_factory=list)
    """Work of the main thread in each frame: scripts, layout, painting, everything."""
    interval_ms: list[float] = field(default_factory=list)
    """The time from each frame to the next."""


@contextmanager
def recording(page: Page) -> Iterator[Frames]:
    """Records what happens in the page until the end of the block."""
    found = Frames()
    browser = page.context.browser
    assert browser is not None
    page.evaluate(_START)
    browser.start_tracing(page=page, categories=_CATEGORIES)
    yield found
    trace = json.loads(browser.stop_tracing())
    times = page.evaluate(_STOP)
    found.interval_ms = [b - a for a, b in zip(times, times[1:], strict=False)]
    found.main_ms = _main_thread(trace["traceEvents"])


def _main_thread(events: list[dict[str, Any]]) -> list[float]:
    """Milliseconds of work between the animation frames of the page's own process."""
    frames = [e for e in events if e["name"] == "FireAnimationFrame" and e["ph"] == "X"]
    if not frames:
        return []
    thread = (frames[0]["pid"], frames[0]["tid"])
    begins = sorted({e["ts"] for e in frames if (e["pid"], e["tid"]) == thread})
    tasks = _outermost(e for e in events if (e["pid"], e["tid"]) == thread and e["ph"] == "X")
    costs = [0.0] * len(begins)
    at = 0
    for begin, duration in tasks:
        while at + 1 < len(begins) and begins[at + 1] <= begin + duration:
            at += 1
        costs[at] += duration / 1000
    return costs


def _outermost(events: Iterator[dict[str, Any]]) -> Iterator[tuple[float, float]]:
    """Begin and duration of the events that lie in no other, in microseconds."""
    end = 0.0
    for event in sorted(events, key=lambda e: (e["ts"], -e.get("dur", 0))):
        if event["name"] not in ("RunTask", "ThreadControllerImpl::RunTask"):
            continue
        begin, duration = event["ts"], event.get("dur", 0)
        if begin >= end:
            end = begin + duration
            yield begin, duration
