"""Annotations on matplotlib's current axes, which need it to be installed.

Polygons, masks and boxes are filled with one colour per category, the category's own where its
record has one; keypoints are joined as its skeleton says.
"""

import colorsys
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from app import masks
from app.client import pixels
from app.formats.coco import values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from app.client.coco import COCO

__all__ = ["show"]

Color = tuple[float, float, float]

_CROWD: Color = (0.1, 0.6, 0.5)
# Hues this far apart stay distinct however many there are.
_GOLDEN_TURN = 0.618033988749895


def show(annotations: Sequence[Mapping[str, Any]], *, coco: "COCO", draw_bbox: bool) -> None:
    """Draw annotations of any kind; print captions."""
    drawn = [a for a in annotations if a.keys() & {"segmentation", "keypoints", "bbox"}]
    if drawn:
        axes = _current_axes()
        axes.set_autoscale_on(False)
        for annotation in drawn:
            _show(axes, annotation, coco, draw_bbox=draw_bbox)
    for annotation in annotations:
        if "caption" in annotation:
            sys.stdout.write(f"{annotation['caption']}\n")


def _current_axes() -> "Axes":
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError("showAnns draws with matplotlib: pip install matplotlib.") from error
    return pyplot.gca()


def _show(axes: "Axes", annotation: Mapping[str, Any], coco: "COCO", *, draw_bbox: bool) -> None:
    category = coco.cats.get(annotation.get("category_id"), {})
    color = _color(category, annotation.get("category_id"))
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, list) and segmentation:
        _fill(axes, segmentation, color)
    elif segmentation:
        image = coco.imgs.get(annotation.get("image_id"))
        crowd = annotation.get("iscrowd") == 1
        _overlay(axes, pixels.of(annotation, image), _CROWD if crowd else color)
    if isinstance(annotation.get("keypoints"), list):
        _join(axes, np.array(annotation["keypoints"], float), category.get("skeleton"), color)
    if draw_bbox and annotation.get("bbox"):
        x, y, width, height = annotation["bbox"]
        corners = [x, y, x, y + height, x + width, y + height, x + width, y]
        _fill(axes, [corners], color)


def _color(category: Mapping[str, Any], category_id: Any) -> Color:
    own = values.color_of(category.get("color"))
    if own is not None:
        red, green, blue = bytes.fromhex(own[1:])
        return red / 255, green / 255, blue / 255
    number = category_id if isinstance(category_id, int) else len(str(category_id))
    return colorsys.hsv_to_rgb(number * _GOLDEN_TURN % 1, 0.65, 0.95)


def _fill(axes: "Axes", polygons: Sequence[Any], color: Color) -> None:
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Polygon

    patches = [Polygon(np.reshape(points, (-1, 2))) for points in polygons]
    axes.add_collection(PatchCollection(patches, facecolor=color, linewidths=0, alpha=0.4))
    axes.add_collection(PatchCollection(patches, facecolor="none", edgecolor=color, linewidths=2))


def _overlay(axes: "Axes", mask: masks.Masks, color: Color) -> None:
    bitmap = masks.decode(mask)[0]
    tint = np.broadcast_to(np.array(color), (*bitmap.shape, 3))
    axes.imshow(np.dstack([tint, bitmap * 0.5]))


def _join(axes: "Axes", keypoints: Any, skeleton: Any, color: Color) -> None:
    xs, ys, visible = keypoints[0::3], keypoints[1::3], keypoints[2::3]
    for ends in np.array(skeleton or [], int).reshape(-1, 2) - 1:
        if (visible[ends] > 0).all():
            axes.plot(xs[ends], ys[ends], linewidth=3, color=color)
    for least, edge in ((1, "black"), (2, color)):
        shown = visible >= least
        axes.plot(
            xs[shown], ys[shown], "o",
            markersize=8, markerfacecolor=color, markeredgecolor=edge, markeredgewidth=2,
        )  # fmt: skip
