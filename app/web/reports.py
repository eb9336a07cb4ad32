"""A finished job's result, arranged for reading.

An import's result lists its issues one by one; a person acts on kinds of them. `report_of` groups
them by code, the gravest first, with what was done and some examples of each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.formats.issues import FIXES, ISSUES
from app.models import Job

__all__ = ["Example", "Group", "Report", "groups_of", "report_of"]

_GRAVITY = {"error": 0, "warning": 1, "info": 2}
_COLUMNS = ("created", "updated", "unchanged", "removed", "rejected")
_MAX_EXAMPLES = 50
_IMPORTS = ("import", "import_masks")
_SAID_OTHERWISE = {"issues", "issue_counts", "dry_run", "imported", "mode", "outcome"}


@dataclass(frozen=True)
class Example:
    """One issue: where in the file, and what it is."""

    where: str
    message: str


@dataclass
class Group:
    """All issues of one code."""

    code: str
    severity: str
    count: int = 0
    actions: list[str] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What the code means."""
        known = ISSUES.get(self.code)
        return known.meaning if known else self.code.replace("_", " ").capitalize()

    @property
    def fix(self) -> str:
        """What to do about it."""
        return FIXES.get(self.code, "")


@dataclass(frozen=True)
class File:
    """One annotation file of a zip."""

    name: str
    task: str | None
    subset: str | None
    imported: bool
    annotations: Mapping[str, int]
    issue_count: int


@dataclass(frozen=True)
class Report:
    """What a page shows of a job's result."""

    is_import: bool
    advice: str
    columns: list[str]
    totals: list[tuple[str, Mapping[str, int]]]
    facts: list[tuple[str, Any]]
    groups: list[Group]
    files: list[File]

    @property
    def issue_count(self) -> int:
        return sum(group.count for group in self.groups)


def _advice(job: Job, result: Mapping[str, Any]) -> str:
    if result.get("dry_run") and job.state == "succeeded":
        return "This was only a try: nothing was changed. Import the file again without “Only try”."
    if job.state == "failed" and job.kind in _IMPORTS:
        return (
            "The dataset is as it was before. Mend what is named below and import the file again, "
            "or choose to leave wrong records out."
        )
    if job.state == "cancelled":
        return "The dataset is as it was before."
    if job.state == "succeeded" and result.get("outcome") == "nothing":
        return (
            "Nothing that the file annotates is in the dataset. Mend what is named below and "
            "import the file again."
        )
    if job.state == "succeeded" and _rejected(result):
        return (
            "What was rejected is not in the dataset. Mend it in the file and import the file "
            "again: what is here already stays as it is."
        )
    return ""


def _rejected(result: Mapping[str, Any]) -> int:
    records = result.get("predictions", result.get("annotations"))
    found = records.get("rejected", 0) if isinstance(records, Mapping) else 0
    return found if isinstance(found, int) else 0


def groups_of(result: Mapping[str, Any]) -> list[Group]:
    """The issues of a report by code, the gravest first."""
    groups: dict[str, Group] = {}
    for issue in result.get("issues", ()):
        code, severity = str(issue.get("code", "")), str(issue.get("severity", "info"))
        group = groups.setdefault(code, Group(code, severity))
        group.severity = min(group.severity, severity, key=lambda name: _GRAVITY.get(name, 9))
        group.count += 1
        action = str(issue.get("action") or "")
        if action and action not in group.actions:
            group.actions.append(action)
        if len(group.examples) < _MAX_EXAMPLES:
            group.examples.append(Example(_where(issue), str(issue.get("message", ""))))
    # The list of issues may be cut for a very wrong file; the counts are always whole.
    for code, count in result.get("issue_counts", {}).items():
        known = ISSUES.get(code)
        severity = known.severity if known else "info"
        groups.setdefault(code, Group(code, severity)).count = int(count)
    return sorted(groups.values(), key=lambda g: (_GRAVITY.get(g.severity, 9), -g.count, g.code))


def _where(issue: Mapping[str, Any]) -> str:
    path, identity = issue.get("path"), issue.get("id")
    parts = [str(part) for part in (issue.get("file"), path) if part]
    if identity is not None:
        parts.append(f"id {identity}")
    return ", ".join(parts)


def _is_total(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and bool(value)
        and set(value) <= set(_COLUMNS)
        and all(isinstance(number, int) for number in value.values())
    )


def report_of(job: Job) -> Report:
    """The job's result as a report; an empty one while there is none."""
    result: Mapping[str, Any] = job.result or {}
    # Results bring predictions and nothing else.
    kinds = {"predictions"} if "predictions" in result else result.keys()
    totals = [(k, result[k]) for k in result if k in kinds and _is_total(result[k])]
    shown = {name for name, _ in totals} | _SAID_OTHERWISE
    facts = [
        (name, value)
        for name, value in result.items()
        if name not in shown
        and isinstance(value, str | int | float)
        and not isinstance(value, bool)
    ]
    return Report(
        is_import=job.kind in _IMPORTS,
        advice=_advice(job, result),
        columns=[name for name in _COLUMNS if any(name in value for _, value in totals)],
        totals=totals,
        facts=facts,
        groups=groups_of(result),
        files=[_file(told) for told in result.get("files", ())],
    )


def _file(told: Mapping[str, Any]) -> File:
    issues = sum(told["issue_counts"].values())
    return File(
        told["file"], told["task"], told["subset"], told["imported"], told["annotations"], issues
    )
