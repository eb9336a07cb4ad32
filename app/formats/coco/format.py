"""COCO as a member of the family of formats."""

from contextlib import AbstractContextManager
from pathlib import Path

from app.formats.coco.reader import IMPORT_TASKS, open_coco
from app.formats.records import Report, Source

__all__ = ["COCO"]


class _Coco:
    """COCO JSON."""

    name = "coco"
    title = "COCO JSON"
    extensions = (".json",)
    import_tasks = IMPORT_TASKS
    export_tasks = ("instances",)

    def open(self, path: Path, *, task: str, report: Report) -> AbstractContextManager[Source]:
        return open_coco(path, task=task, report=report)


COCO = _Coco()
