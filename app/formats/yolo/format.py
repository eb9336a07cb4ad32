"""YOLO's tasks as members of the family of formats, called as Ultralytics calls them."""

from app.formats.folders import FolderFormat
from app.formats.yolo.reader import YoloReader, format_name
from app.formats.yolo.writer import YoloWriter

__all__ = ["YOLO_DETECT", "YOLO_POSE", "YOLO_SEGMENT"]

_READER = YoloReader()


def _format(kind: str, title: str, task: str = "instances") -> FolderFormat:
    return FolderFormat(
        name=format_name(kind),
        title=title,
        page="formats/yolo.md",
        tasks=(task,),
        reader=_READER,
        writer=YoloWriter(kind),
    )


YOLO_DETECT = _format("detect", "YOLO detection")
YOLO_SEGMENT = _format("segment", "YOLO segmentation")
YOLO_POSE = _format("pose", "YOLO pose", "person_keypoints")
