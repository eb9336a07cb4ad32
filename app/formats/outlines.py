"""The geometry of annotations for formats that can hold less than COCO: boxes, one ring, pixels."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.formats.coco import geometry
from app.formats.outgoing import Losses, OutAnnotation
from app.formats.records import Size
from app.masks import (
    MaskError,
    Masks,
    area,
    from_boxes,
    from_polygons,
    from_segmentations,
    merge,
    to_polygons,
)

__all__ = ["NOTHING_ELSE", "clipped_box", "left_over", "pixels", "ring", "tight_box"]

Ring = list[float]
_MOST_CROSSINGS = 1 << 24

NOTHING_ELSE = frozenset(
    {
        "id",
        "image_id",
        "category_id",
        "bbox",
        "area",
        "iscrowd",
        "is_crowd",
        "segmentation",
        "keypoints",
        "num_keypoints",
        "caption",
    }
)
"""Members of annotations that COCO defines; all others are somebody's own."""


def left_over(annotation: OutAnnotation, also: Sequence[str] = ()) -> bool:
    """Whether a record has members beyond COCO's and these."""
    return bool(annotation.record.keys() - NOTHING_ELSE - set(also))


def tight_box(annotation: OutAnnotation) -> list[float] | None:
    """The box [x, y, w, h] of the record or, without one, around its geometry."""
    if annotation.bbox is not None:
        x, y, w, h = annotation.bbox
        return [min(x, x + w), min(y, y + h), abs(w), abs(h)]
    if annotation.keypoints:
        return geometry.labelled_extent(annotation.keypoints)
    return None


def clipped_box(
    annotation: OutAnnotation, size: Size, losses: Losses, decimals: int = 6
) -> list[float] | None:
    """The box within its image; None, noted, when there is none or it lies outside."""
    box = tight_box(annotation)
    if box is None:
        losses.note("geometry_missing", annotation.coco_id)
        return None
    height, width = size
    left, top = max(box[0], 0.0), max(box[1], 0.0)
    right, bottom = min(box[0] + box[2], width), min(box[1] + box[3], height)
    if right < left or bottom < top:
        losses.note("outside_left_out", annotation.coco_id)
        return None
    found = [round(n, decimals) for n in (left, top, right - left, bottom - top)]
    if any(abs(a - b) > 10.0**-decimals for a, b in zip(found, box, strict=True)):
        losses.note("box_clipped", annotation.coco_id)
        return found
    return box


def pixels(annotation: OutAnnotation, size: Size, losses: Losses) -> Masks | None:
    """The mask of an annotation, its box where it has no segmentation; None, noted, for none."""
    try:
        if annotation.segmentation:
            return from_segmentations(
                [annotation.segmentation],
                [size],
                [annotation.holes or None],
                max_crossings=_MOST_CROSSINGS,
            )
        box = tight_box(annotation)
        if box is not None:
            losses.note("box_drawn", annotation.coco_id)
            return from_boxes([box], [size])
    except MaskError:
        pass
    losses.note("geometry_missing", annotation.coco_id)
    return None


def ring(annotation: OutAnnotation, size: Size, losses: Losses) -> Ring | None:
    """One polygon x, y, x, y, … for the annotation; None, noted, when there is nothing to draw.

    One polygon within the image is written as it is. Several that do not overlap are joined by
    lines of no width, there and back. Masks, holes, parts that overlap and what sticks out of the
    image are traced along the edges of their pixels, so the pixels stay the same.
    """
    shape = annotation.segmentation
    if not shape:
        return _box_ring(annotation, size, losses)
    is_polygons = isinstance(shape, list)
    if is_polygons and not annotation.holes and _is_inside(shape, size):
        if len(shape) == 1:
            return [float(n) for n in shape[0]]
        if not _overlap(shape, size):
            losses.note("parts_joined", annotation.coco_id)
            return _joined([[float(n) for n in part] for part in shape])
    mask = pixels(annotation, size, losses)
    if mask is None:
        return None
    traced = to_polygons(mask)[0].polygons
    if not traced:
        losses.note("outside_left_out" if is_polygons else "geometry_missing", annotation.coco_id)
        return None
    losses.note("polygons_traced" if is_polygons else "mask_traced", annotation.coco_id)
    if _has_holes(mask):
        losses.note("hole_by_seam", annotation.coco_id)
    if len(traced) > 1:
        losses.note("parts_joined", annotation.coco_id)
    return _joined([[float(n) for n in part] for part in traced])


def _box_ring(annotation: OutAnnotation, size: Size, losses: Losses) -> Ring | None:
    box = clipped_box(annotation, size, losses)
    if box is None:
        return None
    losses.note("box_drawn", annotation.coco_id)
    x, y, w, h = box
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def _is_inside(shape: list[Ring], size: Size) -> bool:
    height, width = size
    return all(
        min(part) >= 0 and max(part[0::2]) <= width and max(part[1::2]) <= height for part in shape
    )


def _overlap(shape: list[Ring], size: Size) -> bool:
    """Whether parts share pixels: joined to one polygon, these would be outside of it."""
    try:
        parts = from_polygons([[part] for part in shape], [size] * len(shape))
        return bool(int(area(parts).sum()) != int(area(merge(parts))[0]))
    except MaskError:
        return True


def _has_holes(mask: Masks) -> bool:
    return bool(to_polygons(mask, holes="apart")[0].holes)


def _joined(parts: list[Ring]) -> Ring:
    """One ring through all parts: always on to the part that is nearest to those joined so far."""
    points = [np.asarray(part, np.float64).reshape(-1, 2) for part in parts]
    if len(points) > _MOST_COMPARED:
        return _chained(points)
    whole, waiting = points[0], points[1:]
    # Of each part that waits: how far it is, from which joined point and to which of its own.
    nearest = [_nearest(whole, part) for part in waiting]
    while waiting:
        place = min(range(len(waiting)), key=lambda one: nearest[one][0])
        part, (_, start, end) = waiting.pop(place), nearest.pop(place)
        at = int((whole == start).all(axis=1).argmax())
        first = int((part == end).all(axis=1).argmax())
        turned = np.roll(part, -first, axis=0)
        whole = np.concatenate([whole[: at + 1], turned, turned[:1], whole[at:]])
        for one, other in enumerate(waiting):
            nearest[one] = min(nearest[one], _nearest(part, other), key=lambda found: found[0])
    joined: Ring = whole.ravel().tolist()
    return joined


def _chained(parts: "Sequence[_Points]") -> Ring:
    """One ring through all parts in their order: from each to the next, and all the way back."""
    there: list[_Points] = []
    back: list[_Points] = []
    turned = parts[0]
    for following in parts[1:]:
        _, start, end = _nearest(turned, following)
        at = int((turned == start).all(axis=1).argmax())
        there.append(turned[: at + 1])
        back.append(np.concatenate([turned[at:], turned[:1]]))
        first = int((following == end).all(axis=1).argmax())
        turned = np.roll(following, -first, axis=0)
    there += [turned, turned[:1]]
    # The last point is the first one again.
    joined: Ring = np.concatenate([*there, *reversed(back)])[:-1].ravel().tolist()
    return joined


_Points = npt.NDArray[np.float64]
_ROWS = 1024
# Comparing each part with each takes the square of their number; noisy masks have thousands.
_MOST_COMPARED = 200


def _nearest(one: _Points, other: _Points) -> tuple[float, _Points, _Points]:
    """The squared distance of the nearest two points, and both; without a table of all."""
    best = (np.inf, one[0], other[0])
    for start in range(0, len(one), _ROWS):
        some = one[start : start + _ROWS]
        gaps = ((some[:, None, :] - other[None, :, :]) ** 2).sum(axis=2)
        place = int(gaps.argmin())
        row, column = divmod(place, len(other))
        if gaps[row, column] < best[0]:
            best = (float(gaps[row, column]), some[row], other[column])
    return best
