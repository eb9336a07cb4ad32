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

__all__ = ["image_size", "of", "of_all", "stored_rle"]

_NUMBERS = frozenset((int, float))


def _ignore(_code: str, _member: str, _message: str) -> None:
    """What was read generously is a matter for ``maskwright check``."""


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


def _read(annotation: Mapping[str, Any]) -> Any:
    """The segmentation as polygons or a checked RLE; None when there is none."""
    try:
        drawn = geometry.read_segmentation(_plain(annotation.get("segmentation")), None, _ignore)
        if isinstance(drawn, dict):
            drawn = geometry.check_rles([drawn])[0]
        if isinstance(drawn, geometry.Rejected):
            raise drawn
    except geometry.Rejected as rejected:
        raise BadGeometry(rejected.message, rejected.code) from None
    return drawn


def stored_rle(annotation: Mapping[str, Any]) -> dict[str, Any] | None:
    """The annotation's own compressed RLE; None when it has another form or is damaged."""
    given = annotation.get("segmentation")
    if not isinstance(given, dict) or not isinstance(given.get("counts"), str | bytes):
        return None
    try:
        masks.from_dicts([given])
    except masks.MaskError:
        return None
    return given


def of(annotation: Mapping[str, Any], image: Mapping[str, Any] | None) -> masks.Masks:
    """The annotation's pixels, a batch of one; an RLE has its own size, whatever the image's.

    Raises BadGeometry.
    """
    drawn = _read(annotation)
    try:
        if isinstance(drawn, dict):
            return masks.from_dicts([drawn])
        if drawn is not None:
            return masks.from_polygons([drawn], image_size(image))
        box = geometry.read_bbox({"bbox": _plain(annotation.get("bbox"))}, _ignore)
        if box is None or annotation.get("keypoints"):
            raise BadGeometry("The annotation has no segmentation.", "geometry_missing")
        return masks.from_boxes([box], image_size(image))
    except masks.MaskError as error:
        raise BadGeometry(error.detail, error.code) from None


def of_all(
    annotations: Sequence[Mapping[str, Any]], images: Sequence[Mapping[str, Any] | None]
) -> masks.Masks:
    """The same for many at a time, images beside them."""
    try:
        # Results are compressed RLEs, which are read a hundred times faster together.
        return masks.from_dicts([annotation["segmentation"] for annotation in annotations])
    except (masks.MaskError, KeyError):
        return masks.concatenate(
            [of(annotation, image) for annotation, image in zip(annotations, images, strict=True)]
        )
