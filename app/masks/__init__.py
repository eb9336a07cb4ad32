"""The mask engine: everything COCO's Mask API can do, exact and safe, in NumPy alone.

One type and free functions over it. `Masks` is a ragged batch: N masks of their own sizes in flat
arrays; one mask is a batch of one. Hand over as many as there are: the functions cut the work into
pieces that fit the cache. `app.masks.rle` teaches the encoding.

==================  ==========================================================================
from outside        `from_dicts` (RLE objects), `from_polygons`, `from_boxes`,
                    `from_segmentations` (polygons or RLE), `from_strokes` (the brush),
                    `encode`, `encode_labels`, `background`
to outside          `to_dicts`, `to_lists`, `decode`, `decode_stack`, `decode_labels`,
                    `to_polygons`
measures            `area`, `bbox`, `iou`, `iou_boxes`, `iou_pairs`
sets                `merge` (union, intersection), `difference`, `components`
outlines            `to_polygons`, `simplify`
batches             `Masks`: len, index, slice, iterate, compare; `concatenate`
==================  ==========================================================================

Coordinates are pixels, the origin at the top left; pixel (c, r) covers [c, c + 1) x [r, r + 1).
Sizes are (height, width), and one size stands for a whole batch where all are the same.

Whatever is wrong with the input raises a `MaskError`, whose ``code`` is stable and whose ``index``
and ``path`` say where. Errors come before anything is allocated that is larger than the input.

On valid input the answers are those of pycocotools 2.0.11, to the last bit. It differs on purpose
where pycocotools crashes, hangs, reads foreign memory or answers nonsense: polygons of fewer than
three points, an x without its y, counts that do not add up, masks of different sizes in one merge
or IoU and a merge of nothing are errors; runs of length zero are merged away before anything is
computed; and every pixel of a bitmap that is not zero is foreground. It is right where pycocotools
is not: that draws in images of no columns, and misreads strings of counts that are more than 2^29
below the ones before.

>>> from app import masks
>>> square = [1, 1, 3, 1, 3, 3, 1, 3]
>>> batch = masks.from_polygons([[square]], [4, 4])
>>> masks.to_dicts(batch), masks.area(batch).tolist(), masks.bbox(batch).tolist()
([{'size': [4, 4], 'counts': '52203'}], [4], [[1.0, 1.0, 2.0, 2.0]])
"""

from app.masks.batch import MAX_COORDINATE, MAX_PIXELS, Masks, background, concatenate
from app.masks.bitmaps import (
    MAX_DECODED_PIXELS,
    decode,
    decode_stack,
    encode,
    encode_labels,
)
from app.masks.contours import Outline, to_polygons
from app.masks.errors import MaskError
from app.masks.labels import components, decode_labels
from app.masks.ops import area, bbox, difference, iou, iou_boxes, iou_pairs, merge
from app.masks.raster import from_boxes, from_polygons
from app.masks.rle import Rle, from_dicts, to_dicts, to_lists
from app.masks.segmentation import from_segmentations
from app.masks.simplify import simplify
from app.masks.stroke import from_strokes

__all__ = [
    "MAX_COORDINATE",
    "MAX_DECODED_PIXELS",
    "MAX_PIXELS",
    "MaskError",
    "Masks",
    "Outline",
    "Rle",
    "area",
    "background",
    "bbox",
    "components",
    "concatenate",
    "decode",
    "decode_labels",
    "decode_stack",
    "difference",
    "encode",
    "encode_labels",
    "from_boxes",
    "from_dicts",
    "from_polygons",
    "from_segmentations",
    "from_strokes",
    "iou",
    "iou_boxes",
    "iou_pairs",
    "merge",
    "simplify",
    "to_dicts",
    "to_lists",
    "to_polygons",
]
