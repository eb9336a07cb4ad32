"""COCO as a member of the family of formats."""

from contextlib import AbstractContextManager
from typing import BinaryIO

from app.formats.coco.reader import open_coco
from app.formats.records import TASKS, Pngs, Report, Source

__all__ = ["COCO"]


class _Coco:
    """COCO JSON."""

    name = "coco"
    title = "COCO JSON"
    extensions = (".json",)
    import_tasks = TASKS
    export_tasks = TASKS
    page = "imports.md"
    # All of it is in one file, zipped or not; exports send the text that is stored.
    reader = None
    writer = None

    def open(
        self,
        file: BinaryIO,
        *,
        task: str,
        report: Report,
        name: str = "",
        pngs: Pngs | None = None,
        placeholders: bool = False,
    ) -> AbstractContextManager[Source]:
        return open_coco(
            file, task=task, report=report, name=name, pngs=pngs, placeholders=placeholders
        )


COCO = _Coco()
