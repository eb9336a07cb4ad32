"""YOLO's tasks as members of the family of formats, called as Ultralytics calls them."""

from app.formats.folders import FolderFormat
from app.formats.yolo.reader import YoloReader
from app.formats.yolo.writer import YoloWriter

__all__ = ["YOLO_DETECT", "YOLO_POSE", "YOLO_SEGMENT"]

_PAGE = "formats/yolo.md"

YOLO_DETECT = FolderFormat(
    name="yolo-detect",
    title="YOLO detection",
    page=_PAGE,
    tasks=("instances",),
    reader=YoloReader("detect"),
    writer=YoloWriter("detect"),
)
YOLO_SEGMENT = FolderFormat(
    name="yolo-segment",
    title="YOLO segmentation",
    page=_PAGE,
    tasks=("instances",),
    reader=YoloReader("segment"),
    writer=YoloWriter("segment"),
)
YOLO_POSE = FolderFormat(
    name="yolo-pose",
    title="YOLO pose",
    page=_PAGE,
    tasks=("person_keypoints",),
    reader=YoloReader("pose"),
    writer=YoloWriter("pose"),
)
