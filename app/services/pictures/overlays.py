"""Annotations drawn on a small picture, for grids and previews.

Everything is drawn at the size of the small picture, twice as fine and then halved, which smooths
the edges. The work follows the picture shown, not the image: of an RLE only the pixels that will
be seen are looked up in its runs, so a mask of a hundred megapixels costs what a small one does.

The look is the editor's: filled with 28 % of the category's colour, a thin outline, small shapes
above big ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFilter
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import masks
from app.models import Annotation, Category
from app.services.annotations import view as annotation_view

__all__ = ["GROUND", "Drawn", "draw", "load"]

GROUND = "#8b93a0"
"""Behind the annotations of an image without pixels: neither light nor dark."""

_UNCATEGORISED = "#c3cad5"
_FILL_ALPHA = round(0.28 * 255)
_OUTLINE_PIXELS = 1.5
_DOT_PIXELS = 2.5
_FINE = 2
_MARGIN = 3
# Beyond this the picture is fine enough as it is.
_LARGEST_HALVED = 1024

Points = npt.NDArray[np.float64]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Drawn:
    """What is drawn of one annotation, in pixels of the image."""

    color: str
    area: float = 0.0
    polygons: Sequence[Sequence[float]] = ()
    holes: Sequence[Sequence[float]] = ()
    rle: dict[str, Any] | None = None
    bbox: Sequence[float] | None = None
    keypoints: Sequence[float] = ()
    skeleton: Sequence[Sequence[int]] = field(default=())


def load(session: Session, *, image_id: int, dataset_id: int) -> list[Drawn]:
    """What is to be drawn of an image's annotations."""
    categories = {
        row.id: row
        for row in session.execute(
            select(Category.id, Category.color, Category.skeleton).where(
                Category.dataset_id == dataset_id
            )
        )
    }
    rows = session.execute(
        select(
            Annotation.category_id,
            Annotation.record,
            Annotation.shape,
            Annotation.area,
            Annotation.bbox,
            Annotation.iscrowd,
        ).where(Annotation.image_id == image_id, Annotation.deleted_at.is_(None))
    )
    return [_drawn(row, categories.get(row.category_id)) for row in rows]


def _drawn(row: Any, category: Any) -> Drawn:
    found = annotation_view.members(row)
    decode = msgspec.json.decode
    segmentation = decode(found["segmentation"])
    polygons = segmentation if isinstance(segmentation, list) else []
    return Drawn(
        color=category.color if category else _UNCATEGORISED,
        area=row.area,
        polygons=polygons,
        holes=decode(found["holes"]) if polygons else [],
        rle=segmentation if isinstance(segmentation, dict) else None,
        bbox=None if segmentation else row.bbox,
        keypoints=decode(found["keypoints"]) or [],
        skeleton=category.skeleton if category else [],
    )


def draw(
    drawn: Iterable[Drawn], *, image_size: tuple[int, int], size: tuple[int, int]
) -> Pillow.Image:
    """A transparent layer of `size` (width, height) with everything on it."""
    fine = _FINE if max(size) <= _LARGEST_HALVED else 1
    canvas = _Canvas(image_size, (size[0] * fine, size[1] * fine), fine)
    # Big ones first: the small ones come to lie above them.
    ordered = sorted(drawn, key=lambda one: -one.area)
    for one in ordered:
        canvas.shape(one)
    for one in ordered:
        canvas.keypoints(one)
    return canvas.layer if fine == 1 else canvas.layer.reduce(fine)


class _Canvas:
    def __init__(self, image_size: tuple[int, int], size: tuple[int, int], fine: int) -> None:
        self.layer = Pillow.new("RGBA", size)
        self._draw = ImageDraw.Draw(self.layer)
        self._image_size, self._size = image_size, size
        self._scale = np.array(size, np.float64) / image_size
        self._line = max(1, round(_OUTLINE_PIXELS * fine))
        self._dot = _DOT_PIXELS * fine

    def shape(self, one: Drawn) -> None:
        if one.rle is not None:
            self._mask(one.rle, one.color)
            return
        rings = [self._points(ring) for ring in one.polygons if len(ring) >= 6]
        if not rings and one.bbox is not None and (one.bbox[2] or one.bbox[3]):
            x, y, w, h = one.bbox
            rings = [self._points([x, y, x + w, y, x + w, y + h, x, y + h])]
        if rings:
            self._area(rings, [self._points(ring) for ring in one.holes], one.color)

    def _points(self, flat: Sequence[float]) -> Points:
        points = np.asarray(flat[: len(flat) // 2 * 2], np.float64).reshape(-1, 2) * self._scale
        # What lies far outside is not seen, and must not overflow the drawing.
        return np.clip(points, -2.0 * max(self._size), 3.0 * max(self._size))

    def _area(self, rings: list[Points], holes: list[Points], color: str) -> None:
        box = self._box(np.concatenate(rings))
        if box is not None:
            inside = Pillow.new("L", (box[2] - box[0], box[3] - box[1]))
            pen = ImageDraw.Draw(inside)
            for ring, value in [(ring, _FILL_ALPHA) for ring in rings] + [(h, 0) for h in holes]:
                pen.polygon((ring - box[:2]).ravel().tolist(), fill=value)
            self._fill(inside, box, color)
        for ring in rings + holes:
            closed = np.concatenate([ring, ring[:1]]).ravel().tolist()
            self._draw.line(closed, fill=color, width=self._line)

    def _box(self, points: Points) -> Box | None:
        """The pixels around these points that are on the canvas; None when there are none."""
        low = np.maximum(np.floor(points.min(axis=0)), 0).astype(int)
        high = np.minimum(np.floor(points.max(axis=0)) + 1, self._size).astype(int)
        if (low >= high).any():
            return None
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])

    def _fill(self, alpha: Pillow.Image, box: Box, color: str) -> None:
        patch = Pillow.new("RGBA", alpha.size, color)
        patch.putalpha(alpha)
        self.layer.alpha_composite(patch, box[:2])

    def _mask(self, rle: dict[str, Any], color: str) -> None:
        try:
            mask = masks.from_dicts([rle])
        except masks.MaskError:
            return
        x, y, w, h = masks.bbox(mask)[0].tolist()
        # With a margin, in which the rim can be found.
        corners = np.array([[x, y], [x + w, y + h]]) * self._scale + [[-_MARGIN], [_MARGIN]]
        box = self._box(corners) if w and h else None
        if box is None:
            return
        inside = Pillow.fromarray(self._sample(mask, box))
        self._fill(inside.point([0] + [_FILL_ALPHA] * 255), box, color)
        rim = inside.filter(ImageFilter.MinFilter(2 * (self._line // 2) + 1))
        edge = np.asarray(inside) & ~np.asarray(rim)
        self._fill(Pillow.fromarray(edge), box, color)

    def _sample(self, mask: masks.Masks, box: Box) -> npt.NDArray[np.uint8]:
        """Whether the mask covers the middle of each pixel of the canvas in this box: 0 or 255."""
        height, width = mask.sizes[0].tolist()
        columns = _middles(box[0], box[2], self._size[0], width)
        rows = _middles(box[1], box[3], self._size[1], height)
        # RLE runs down the columns; an odd number of ends before a pixel means foreground.
        ends = np.cumsum(mask.counts)
        places = (columns[:, None] * height + rows[None, :]).ravel()
        inside = np.searchsorted(ends, places, side="right") & 1
        return np.ascontiguousarray(
            (inside.reshape(len(columns), len(rows)).T * 255).astype(np.uint8)
        )

    def keypoints(self, one: Drawn) -> None:
        """Labelled keypoints as dots, hollow when they cannot be seen, and the limbs between."""
        flat = one.keypoints[: len(one.keypoints) // 3 * 3]
        if not any(flat[2::3]):
            return
        places = self._points([n for i, n in enumerate(flat) if i % 3 < 2])
        seen = flat[2::3]
        labelled = {i for i, v in enumerate(seen) if v > 0}
        for edge in one.skeleton:
            a, b = (end - 1 for end in edge[:2])
            if a in labelled and b in labelled:
                ends = [*places[a].tolist(), *places[b].tolist()]
                self._draw.line(ends, fill=one.color, width=self._line)
        for index in sorted(labelled):
            x, y = places[index].tolist()
            around = (x - self._dot, y - self._dot, x + self._dot, y + self._dot)
            fill = "white" if seen[index] == 1 else one.color
            rim = one.color if seen[index] == 1 else "white"
            self._draw.ellipse(around, fill=fill, outline=rim, width=max(1, self._line // 2))


def _middles(start: int, stop: int, fine: int, coarse: int) -> npt.NDArray[np.int64]:
    """The pixel of `coarse` under the middle of each pixel from `start` to `stop` of `fine`."""
    return ((np.arange(start, stop) * 2 + 1) * coarse // (2 * fine)).astype(np.int64)
