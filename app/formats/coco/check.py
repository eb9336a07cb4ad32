"""The COCO doctor: what an import would say about a file, without a database."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.formats.coco.reader import open_coco
from app.formats.records import FileError, Pngs, Reading, Report
from app.formats.sizes import settle_sizes

__all__ = ["check_file"]

Progress = Callable[[int, int], None]
"""Is told how many of how many annotations were looked at."""


def _silent(_done: int, _total: int) -> None:
    """For whoever does not want to know."""


def check_file(
    path: Path,
    *,
    name: str | None = None,
    mode: str = "lenient",
    task: str = "auto",
    progress: Progress = _silent,
    pngs: Pngs | None = None,
) -> dict[str, Any]:
    """The report of a file: how much it holds, how much is rejected, and its issues.

    ``errors`` is the number of issues that are errors, so 0 means that all of it can be imported.
    `name` is what the file is called where it comes from, and `pngs` are those beside it there.
    """
    report = Report(mode)
    found: dict[str, Any] = {"task": None, "images": 0, "categories": 0, "annotations": 0}
    rejected = 0
    try:
        with (
            path.open("rb") as file,
            open_coco(file, Reading(report, task, name or path.name, pngs)) as reader,
        ):
            head = reader.head()
            found |= {
                "task": head.task,
                "images": len(head.images),
                "categories": len(head.categories),
            }
            sizes = settle_sizes(reader, head, report, {})
            for batch in reader.annotations(sizes):
                found["annotations"] += len(batch)
                progress(reader.position, head.annotation_count)
            rejected = head.annotation_count - found["annotations"]
    except FileError as error:
        report.add(error.code, "", error.detail)
    return {**found, "rejected": rejected, "errors": report.errors, **report.as_dict()}
