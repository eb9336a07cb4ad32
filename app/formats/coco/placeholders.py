"""Images and categories that annotations name and the file lacks, made where that is asked for.

A placeholder has the id that the annotations name and is called after it. An image is as large as
the first mask that is drawn on it says; without one, as small as may be to hold all that is drawn.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.formats.coco import geometry, rawjson, values
from app.formats.coco.geometry import Rejected
from app.formats.coco.head import Catalog
from app.formats.records import CategoryRecord, ImageRecord, Size

__all__ = ["Placeholders"]

_MOST_PIXELS = 2**32


@dataclass
class _Named:
    """What annotations name: by which member first, and how far they reach, in pixels."""

    coco_id: Any
    path: str
    mask: Size | None = None
    right: float = 0.0
    bottom: float = 0.0

    def reach(self, members: dict[str, Any]) -> None:
        """Have room for an annotation."""
        for box in _boxes(members):
            self.right = max(self.right, box[0], box[0] + box[2])
            self.bottom = max(self.bottom, box[1], box[1] + box[3])
        segmentation = members.get("segmentation")
        if self.mask is None and isinstance(segmentation, dict):
            size = segmentation.get("size")
            found = [values.whole(n) for n in size] if isinstance(size, list) else []
            whole = [n for n in found if n is not None and n > 0]
            self.mask = (whole[0], whole[1]) if len(whole) == len(found) == 2 else None

    @property
    def size(self) -> Size | None:
        """Height and width; None where nothing that is drawn tells them."""
        height, width = self.mask or (math.ceil(self.bottom), math.ceil(self.right))
        return (height, width) if height > 0 < width and height * width < _MOST_PIXELS else None


def _boxes(members: dict[str, Any]) -> Iterator[list[float]]:
    """The boxes around what can be read of an annotation's geometry."""
    box = geometry.read_bbox(members, _silent)
    if box is not None:
        yield box
    try:
        drawn = geometry.read_segmentation(members.get("segmentation"), None, _silent)
        if isinstance(drawn, list):
            yield geometry.polygons_extent(drawn)
        points = geometry.keypoints(members.get("keypoints"), 0, _silent)
        extent = None if points is None else geometry.labelled_extent(points)
        if extent is not None:
            yield extent
    except Rejected:
        pass


def _silent(code: str, member: str, message: str) -> None:
    """What is odd is told when the annotation is read."""
    del code, member, message


class Placeholders:
    """Looks at all annotations first, since images and categories may stand behind them."""

    def __init__(self, images: Catalog, categories: Catalog) -> None:
        self._image_ids = images
        self._category_ids = categories
        self._images: dict[Any, _Named] = {}
        self._categories: dict[Any, _Named] = {}

    def look(self, path: str, record: bytes) -> None:
        """Note what an annotation names."""
        try:
            members = values.decode(record)
        except (ValueError, RecursionError):
            return
        if not isinstance(members, dict):
            return
        image = _note(self._images, self._image_ids, members, "image_id", path)
        if image is not None:
            image.reach(members)
        _note(self._categories, self._category_ids, members, "category_id", path)

    def images(self, start: int) -> Iterator[ImageRecord]:
        """Those that the file lacks, entered among its own; `start` is the place of the first."""
        missing = [one for one in self._images.values() if not self._image_ids.find(one.coco_id)[0]]
        for index, one in enumerate(missing, start):
            name, size = f"image {one.coco_id}"[:200], one.size
            sides = {} if size is None else {"width": size[1], "height": size[0]}
            self._image_ids.add(one.coco_id, index, one.path)
            yield ImageRecord(
                index=index,
                path=one.path,
                text=rawjson.dumps({"id": one.coco_id, "file_name": name, **sides}),
                coco_id=one.coco_id,
                file_name=values.shown_name(name),
                match_name=values.match_name(name),
                width=sides.get("width"),
                height=sides.get("height"),
                placeholder=True,
            )

    def categories(self, start: int) -> Iterator[CategoryRecord]:
        """The same for categories."""
        ids = self._category_ids
        missing = [one for one in self._categories.values() if not ids.find(one.coco_id)[0]]
        for index, one in enumerate(missing, start):
            name = f"category {one.coco_id}"[:200]
            ids.add(one.coco_id, index, one.path)
            yield CategoryRecord(
                index=index,
                path=one.path,
                text=rawjson.dumps({"id": one.coco_id, "name": name}),
                coco_id=one.coco_id,
                name=values.shown_name(name),
                placeholder=True,
            )


def _note(
    noted: dict[Any, _Named], known: Catalog, members: dict[str, Any], member: str, path: str
) -> _Named | None:
    """What this member names; None for what no placeholder can be made of, or is known already."""
    coco_id = members.get(member)
    if coco_id is None or values.id_problem(coco_id) is not None or known.find(coco_id)[0]:
        return None
    return noted.setdefault(values.id_key(coco_id), _Named(coco_id, f"{path}.{member}"))
