"""How many records of each kind an import created, changed and found as they are.

What an import that was done came to is its `outcome`:

============  =================================================================================
``complete``  everything is in the dataset
``partial``   something was rejected, as the report says
``nothing``   all annotations (or predictions, or images, of a file without any) were rejected
============  =================================================================================
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.formats.records import Report

__all__ = ["Tally", "outcome_of", "result_of", "told_of"]


def _three() -> dict[str, int]:
    return {"created": 0, "updated": 0, "unchanged": 0}


@dataclass
class Tally:
    """The numbers of an import's report."""

    task: str | None = None
    images: dict[str, int] = field(default_factory=_three)
    categories: dict[str, int] = field(default_factory=_three)
    annotations: dict[str, int] = field(default_factory=lambda: _three() | {"rejected": 0})

    # Only of results.
    prediction_set: dict[str, Any] | None = None
    predictions: dict[str, int] | None = None

    def add(self, other: "Tally") -> None:
        """Count what another file brought, too."""
        for name in ("images", "categories", "annotations"):
            numbers = getattr(self, name)
            for key, number in getattr(other, name).items():
                numbers[key] += number

    def as_dict(self) -> dict[str, Any]:
        results = {"prediction_set": self.prediction_set, "predictions": self.predictions}
        return {
            "task": self.task,
            "images": dict(self.images),
            "categories": dict(self.categories),
            "annotations": dict(self.annotations),
            **(results if self.predictions is not None else {}),
        }


def result_of(tally: Tally, report: Report, *, dry_run: bool, done: bool) -> dict[str, Any]:
    """The report of an import as a job's result, without the outcome."""
    return {
        **tally.as_dict(),
        **report.as_dict(),
        "mode": report.mode,
        "dry_run": dry_run,
        "imported": done,
    }


def _taken(numbers: Mapping[str, int]) -> int:
    return sum(numbers.get(name, 0) for name in ("created", "updated", "unchanged"))


def outcome_of(report: Mapping[str, Any], *, errors: int) -> str:
    """The outcome that these numbers and this many errors tell."""
    found: Mapping[str, int] = report.get("predictions") or report["annotations"]
    if not errors:
        return "complete"
    alone = not found["rejected"] and not _taken(report["images"])
    return "partial" if _taken(found) or not (found["rejected"] or alone) else "nothing"


def told_of(report: Mapping[str, Any]) -> str:
    """The report of an import that was done, in a sentence."""
    kind = "predictions" if report.get("predictions") else "annotations"
    rejected = report[kind]["rejected"]
    if report["outcome"] == "nothing":
        told = f"No {kind[:-1]} was imported; rejected: {rejected:,}."
        return told if rejected else "Nothing was imported: see the errors."
    if report["outcome"] == "partial":
        return f"Done; {kind} rejected: {rejected:,}." if rejected else "Done, with errors."
    return "Done."
