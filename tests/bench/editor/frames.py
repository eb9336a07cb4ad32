"""What each frame cost, from Chromium's own trace and from the page's animation frames."""

import bisect
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

__all__ = ["Frames", "recording"]

_CATEGORIES = ["toplevel", "devtools.timeline", "cc"]

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
    """Processor time of the main thread for each frame: scripts, layout, painting, everything."""
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
    found.interval_ms = [b - a for a, b in itertools.pairwise(times)]
    found.main_ms = _main_thread(trace["traceEvents"])


def _main_thread(events: list[dict[str, Any]]) -> list[float]:
    """Milliseconds of processor time that the page's main thread spent on each frame it made.

    Processor time rather than time on the clock: other work on the same machine would count, too.
    """
    frames = [e for e in events if e["name"] == "FireAnimationFrame"]
    if not frames:
        return []
    thread = (frames[0]["pid"], frames[0]["tid"])
    own = [e for e in events if (e["pid"], e["tid"]) == thread and e["ph"] == "X"]
    begins = sorted(e["ts"] for e in own if e["name"] == "ProxyMain::BeginMainFrame")
    costs = [0.0] * (len(begins) + 1)
    for task in own:
        if task["name"] == "ThreadControllerImpl::RunTask":
            # What runs before a frame, such as the events of the pointer, belongs to that frame.
            costs[bisect.bisect_left(begins, task["ts"])] += task.get("tdur", 0) / 1000
    # A task that makes a frame begins before it; what follows the last frame is of none.
    return costs[:-1]
