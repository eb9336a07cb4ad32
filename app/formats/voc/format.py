"""Pascal VOC as a member of the family of formats."""

from app.formats.folders import FolderFormat
from app.formats.voc.reader import VocReader
from app.formats.voc.writer import VocWriter

__all__ = ["VOC"]

VOC = FolderFormat(
    name="voc",
    title="Pascal VOC",
    page="formats/voc.md",
    tasks=("instances",),
    reader=VocReader(),
    writer=VocWriter(),
)
