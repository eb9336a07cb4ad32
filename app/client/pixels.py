"""The pixels of an annotation, read like the importer reads it and drawn by the mask engine.

A segmentation is polygons (united), or an RLE, compressed or not. What real files get wrong but
mean clearly (a flat list of numbers, nested points, counts in Python's ``b'…'``) is read as what
it means. An annotation that is nothing but a box covers the pixels of its box.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app import masks
from app.client.errors import BadGeometry
from app.formats.coco import geometry, values

__all__ = ["image_size", "is_crowd", "is_sound", "of", "of_all"]

_NUMBERS = frozenset((int, float))


def _ignore(_code: str, _member: str, _message: str) -> None:
    """What was read generously is a matter for ``maskwright check``."""


def is_crowd(annotation: dict[str, Any]) -> bool:
    """Whether it is a crowd, however the record says so."""
    return geometry.read_crowd(annotation, _ignore)


def image_size(image: Mapping[str, Any] | None) -> tuple[int, int]:
    """Height and width that an image record states."""
    if image is None:
        raise BadGeometry("The annotation's image is not there.", "image_unknown")
    height, width = (_whole(image.get(member)) for member in ("height", "width"))
    if height is None or width is None:
        raise BadGeometry("The image's record has no width and height.", "image_size_missing")
    return height, width


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value.strip()[:12])
    return values.whole(_plain(value))


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays, tuples and bytes as what JSON would have."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        if set(map(type, value)) <= _NUMBERS:
            return list(value)
        return [_plain(item) for item in value]
    return value


def of(annotation: Mapping[str, Any], image: Mapping[str, Any] | None) -> masks.Masks:
    """The annotation's pixels, a batch of one; an RLE has its own size, whatever the image's.

    Raises BadGeometry.
    """
    return of_all([annotation], [image])


def of_all(
    annotations: Sequence[Mapping[str, Any]], images: Sequence[Mapping[str, Any] | None]
) -> masks.Masks:
    """The same for many, images beside them; a hundred at a time cost the least.

    Raises BadGeometry when one of them has no mask.
    """
    shapes = [_shape(annotation) for annotation in annotations]
    coded = [place for place, shape in enumerate(shapes) if isinstance(shape, dict)]
    drawn = [place for place, shape in enumerate(shapes) if not isinstance(shape, dict)]
    try:
        from_rles = _decoded([shapes[place] for place in coded])
        sizes = [image_size(images[place]) for place in drawn]
        from_polygons = masks.from_polygons([shapes[place] for place in drawn], sizes)
    except masks.MaskError as error:
        raise BadGeometry(error.detail, error.code) from None
    order = np.empty(len(shapes), np.int64)
    order[coded + drawn] = np.arange(len(shapes))
    return masks.concatenate([from_rles, from_polygons])[order]


def _shape(annotation: Mapping[str, Any]) -> Any:
    """An RLE, its counts unchecked, or polygons."""
    try:
        shape = geometry.read_segmentation(_plain(annotation.get("segmentation")), None, _ignore)
    except geometry.Rejected as rejected:
        raise BadGeometry(rejected.message, rejected.code) from None
    if shape is not None:
        return shape
    box = geometry.read_bbox({"bbox": _plain(annotation.get("bbox"))}, _ignore)
    if box is None or annotation.get("keypoints"):
        raise BadGeometry("The annotation has no segmentation.", "geometry_missing")
    x, y, width, height = box
    return [[x, y, x, y + height, x + width, y + height, x + width, y]]


def _decoded(rles: list[Any]) -> masks.Masks:
    try:
        return masks.from_dicts(rles)
    except masks.MaskError:
        checked = geometry.check_rles(rles)
    for rle in checked:
        if isinstance(rle, geometry.Rejected):
            raise BadGeometry(rle.message, rle.code)
    return masks.from_dicts(checked)


def is_sound(rle: Mapping[str, Any]) -> bool:
    """Whether an RLE can be handed on as it is."""
    try:
        masks.from_dicts([rle])
    except masks.MaskError:
        return False
    return True
