"""Annotation file formats, which know nothing of HTTP or SQL.

Adding a format is one module with an object that satisfies `Format`, and one line in FORMATS.
"""

from app.formats.coco.format import COCO
from app.formats.label_pictures import INSTANCE_MASKS, SEMANTIC_MASKS
from app.formats.records import MODES, TASKS, Format
from app.formats.voc.format import VOC
from app.formats.yolo.format import YOLO_DETECT, YOLO_POSE, YOLO_SEGMENT

__all__ = ["FORMATS", "MODES", "TASKS", "Format"]

FORMATS: tuple[Format, ...] = (
    COCO,
    VOC,
    YOLO_DETECT,
    YOLO_SEGMENT,
    YOLO_POSE,
    SEMANTIC_MASKS,
    INSTANCE_MASKS,
)
