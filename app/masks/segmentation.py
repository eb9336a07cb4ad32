"""A segmentation as COCO writes it, polygons or RLE, to a mask.

>>> from app.masks import rle
>>> masks = from_segmentations(
...     [[[0, 0, 2, 0, 2, 2, 0, 2]], {"size": [4, 4], "counts": [0, 16]}], [4, 4]
... )
>>> rle.to_lists(masks)
[[0, 2, 2, 2, 10], [0, 16]]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from app.masks import raster, rle
from app.masks.batch import Masks, Sizes, check_sizes, concatenate
from app.masks.coordinates import Ring, check_holes
from app.masks.errors import MaskError, PolygonError, SizeMismatchError


def from_segmentations(
    segmentations: Sequence[object],
    size: Sizes,
    holes: Sequence[Sequence[Ring] | None] | None = None,
    *,
    max_crossings: int | None = None,
) -> Masks:
    """Draw each segmentation: a list of polygons, or an RLE object of the image's size.

    Parameters
    ----------
    segmentations : for each of N items ``[[x, y, ...], ...]`` or ``{"size", "counts"}``
    size : one (height, width) for all items, or (N, 2) of them
    holes : for each item a list of rings to cut out, or None
    max_crossings : as in `raster.from_polygons`

    Raises
    ------
    SizeError, RleError, PolygonError : naming the ``index`` of the faulty item

    >>> from_segmentations([{"size": [2, 2], "counts": [4]}], [4, 4])
    Traceback (most recent call last):
    app.masks.errors.SizeMismatchError: an RLE of size [2, 2] in an image of size [4, 4]
    """
    if not isinstance(segmentations, list | tuple):
        raise PolygonError("segmentations must be a list of polygons or RLE objects")
    n = len(segmentations)
    sizes = check_sizes(size, n)
    check_holes(holes, n)
    coded = [i for i, item in enumerate(segmentations) if isinstance(item, Mapping)]
    drawn = [i for i, item in enumerate(segmentations) if not isinstance(item, Mapping)]
    try:
        masks = rle.from_dicts(segmentations[i] for i in coded)
    except MaskError as error:
        error.index = None if error.index is None else coded[error.index]
        raise
    wrong = (masks.sizes != sizes[coded]).any(axis=1)
    if wrong.any():
        index = coded[place := int(wrong.argmax())]
        raise SizeMismatchError(
            f"an RLE of size {masks.sizes[place].tolist()} "
            f"in an image of size {sizes[index].tolist()}",
            index=index,
            path=("size",),
        )
    for index in coded:
        if holes is not None and holes[index]:
            raise PolygonError("an RLE has no holes beside it", index=index, path=("holes",))
    try:
        filled = raster.from_polygons(
            [_polygons(segmentations[i]) for i in drawn],
            sizes[drawn],
            None if holes is None else [holes[i] for i in drawn],
            max_crossings=max_crossings,
        )
    except MaskError as error:
        error.index = None if error.index is None else drawn[error.index]
        raise
    if not coded:
        return filled
    order = np.empty(n, np.int64)
    order[coded + drawn] = np.arange(n)
    return concatenate([masks, filled])[order]


def _polygons(segmentation: object) -> Sequence[Ring]:
    # Whatever else this is, drawing refuses it and says where it stands.
    return segmentation  # type: ignore[return-value]
