"""Results of a model as annotations: ids, and what area, box and shape follow from them.

Each result says what it is by what it has, in this order:

==============  =================================================================================
``caption``     an id
``bbox``        a box that is not empty: `area` is width x height, `iscrowd` 0, and without a
                `segmentation` the box's four corners are one
``segmentation``  `area` in pixels, `iscrowd` 0, and without a `bbox` the box around its pixels
``keypoints``   `area` and `bbox` of all points, also of those with v = 0
==============  =================================================================================

Ids count from 1 in the order of the list. These are pycocotools' values. Unlike there, the list may
mix kinds, masks may be polygons or uncompressed, the caller's records stay as they are, and what is
computed is plain numbers that JSON can write.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from app import masks
from app.client import pixels
from app.client.errors import BadResults

__all__ = ["derive", "from_array"]

# More of them together fall out of the processor's cache.
_MASKS_AT_ONCE = 100


def from_array(data: Any) -> list[dict[str, Any]]:
    """Results in an array (N, 7) of image id, x, y, width, height, score and category id."""
    array = np.asarray(data)
    if array.ndim != 2 or array.shape[1] != 7:
        raise BadResults(f"An array of results is (N, 7), not {array.shape}.")
    return [
        {
            "image_id": int(image_id),
            "bbox": box,
            "score": score,
            "category_id": int(category_id),
        }
        for image_id, *box, score, category_id in array.tolist()
    ]


def derive(
    results: Iterable[Mapping[str, Any]], images: Mapping[Any, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The results as annotations of these images, by id; copies, the given ones stay as they are.

    Raises BadResults, naming the place of the one that cannot be read; BadGeometry for a mask that
    is none.
    """
    annotations: list[dict[str, Any]] = []
    with_masks: list[dict[str, Any]] = []
    for place, result in enumerate(results):
        if not isinstance(result, Mapping):
            raise BadResults(f"Result {place} is not an object.")
        annotation = dict(result)
        image_id = annotation.get("image_id")
        if not isinstance(image_id, Hashable) or image_id not in images:
            raise BadResults(f"Result {place} is for an image that is not here: {image_id!r:.60}.")
        try:
            if _kind(annotation) == "segmentation":
                with_masks.append(annotation)
            else:
                _derive_plain(annotation)
        except (TypeError, ValueError, IndexError) as error:
            raise BadResults(f"Result {place} cannot be read: {error}.") from None
        annotation["id"] = place + 1
        annotations.append(annotation)
    _derive_masks(with_masks, images)
    return annotations


def _kind(result: Mapping[str, Any]) -> str:
    for kind in ("caption", "bbox", "segmentation", "keypoints"):
        if kind in result and not (kind == "bbox" and len(result["bbox"]) == 0):
            return kind
    raise ValueError("it has no caption, bbox, segmentation or keypoints")


def _derive_plain(annotation: dict[str, Any]) -> None:
    if "caption" in annotation:
        return
    if "bbox" in annotation and len(annotation["bbox"]):
        x, y, width, height = annotation["bbox"]
        right, bottom = x + width, y + height
        corners = [x, y, x, bottom, right, bottom, right, y]
        annotation.setdefault("segmentation", [corners])
        annotation["area"] = _number(width * height)
        annotation["iscrowd"] = 0
        return
    points: Sequence[Any] = annotation["keypoints"]
    xs, ys = points[0::3], points[1::3]
    x, y = min(xs), min(ys)
    width, height = max(xs) - x, max(ys) - y
    annotation["area"] = _number(width * height)
    annotation["bbox"] = [_number(n) for n in (x, y, width, height)]


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _derive_masks(
    annotations: Sequence[dict[str, Any]], images: Mapping[Any, Mapping[str, Any]]
) -> None:
    for start in range(0, len(annotations), _MASKS_AT_ONCE):
        some = annotations[start : start + _MASKS_AT_ONCE]
        drawn = pixels.of_all(some, [images[annotation["image_id"]] for annotation in some])
        areas, boxes = masks.area(drawn).tolist(), masks.bbox(drawn).tolist()
        for annotation, area, box in zip(some, areas, boxes, strict=True):
            annotation["area"] = int(area)
            annotation["iscrowd"] = 0
            annotation.setdefault("bbox", box)
