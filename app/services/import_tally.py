"""How many records of each kind an import created, changed and found as they are."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Tally"]


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
