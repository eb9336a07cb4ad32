"""COCO as a member of the family of formats."""

from contextlib import AbstractContextManager
from typing import BinaryIO

from app.formats.coco.reader import open_coco
from app.formats.records import TASKS, Reading, Source

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

    def open(self, file: BinaryIO, reading: Reading) -> AbstractContextManager[Source]:
        return open_coco(file, reading)


COCO = _Coco()
