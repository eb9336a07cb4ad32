"""``make bench``: how fast it is, in one table.

One file per subject, each with a function that yields `Row`s; `SUBJECTS` in ``__main__`` lists
them. Figures from a shared machine are noisy: medians and percentiles are told, and comparisons
with a peer run side by side, as ratios.
"""

from dataclasses import dataclass

import psutil

__all__ = ["Row", "percentile", "processor_seconds"]


@dataclass(frozen=True)
class Row:
    """One measured figure; `target` is what it should stay below (or above, for a ratio)."""

    what: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def reached(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target

    def line(self) -> str:
        """The row of the table."""
        verdict = {True: "reached", False: "MISSED", None: ""}[self.reached]
        target = "" if self.target is None else f"{'>=' if self.at_least else '<='} {self.target:g}"
        digits = ",.0f" if self.value >= 1000 else ".3g"
        figure = f"{self.value:>10{digits}} {self.unit:<6}{target:>10}"
        return f"{self.what:<62}{figure}  {verdict:<8}{self.note}".rstrip()


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def processor_seconds(parent: psutil.Process) -> float:
    """The seconds of processor that a server's processes have taken so far.

    Beside other work a run takes longer by the clock, and hardly so by this.
    """
    seconds = 0.0
    for process in parent.children(recursive=True):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        seconds += times.user + times.system
    return seconds
