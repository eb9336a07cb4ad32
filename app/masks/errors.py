"""Everything that can be wrong with a mask, as one tree of errors.

    MaskError                      mask_invalid
    ├── SizeError                  size_invalid
    │   ├── ImageTooLargeError     image_too_large
    │   └── SizeMismatchError      size_mismatch
    ├── RleError                   rle_invalid
    │   ├── RleEmptyError          rle_empty
    │   ├── RleCharsetError        rle_charset
    │   ├── RleTruncatedError      rle_truncated
    │   ├── RleOverlongError       rle_overlong
    │   ├── RleTooManyRunsError    rle_too_many_runs
    │   ├── RleNegativeError       rle_negative
    │   ├── RleOverrunError        rle_overrun
    │   └── RleShortError          rle_short
    ├── PolygonError               polygon_invalid
    │   ├── PolygonMissingError    polygon_missing
    │   ├── PolygonTooFewPointsError   polygon_too_few_points
    │   ├── PolygonOddNumbersError     polygon_odd_numbers
    │   ├── PolygonNotFiniteError      polygon_not_finite
    │   ├── PolygonTooLargeError       polygon_too_large
    │   └── PolygonTooComplexError     polygon_too_complex
    ├── BboxError                  bbox_invalid
    │   ├── BboxNotFiniteError     bbox_not_finite
    │   └── BboxTooLargeError      bbox_too_large
    ├── StrokeError                stroke_invalid
    │   ├── StrokeNotFiniteError   stroke_not_finite
    │   ├── StrokeTooLargeError    stroke_too_large
    │   └── StrokeTooComplexError  stroke_too_complex
    ├── BitmapError                bitmap_invalid
    │   └── DecodeTooLargeError    decode_too_large
    ├── MergeError                 merge_invalid
    ├── IscrowdError               iscrowd_invalid
    ├── OutlineError               outline_invalid
    └── ConnectivityError          connectivity_invalid

The ``code`` of a class is part of the outside contract: it never changes.
"""

from __future__ import annotations

from typing import ClassVar


class MaskError(ValueError):
    """A mask that cannot be computed with, and where in the batch it stands.

    ``index`` is the item's place in the batch (None where the batch as a whole is wrong) and
    ``path`` leads to the faulty member inside the item, such as ``("counts",)`` or
    ``("polygons", 2)``.
    """

    code: ClassVar[str] = "mask_invalid"

    def __init__(
        self, detail: str, *, index: int | None = None, path: tuple[str | int, ...] = ()
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.index = index
        self.path = path


class SizeError(MaskError):
    """A size that is not two whole numbers of at least zero."""

    code = "size_invalid"


class ImageTooLargeError(SizeError):
    """A height times width of 2^32 pixels or more."""

    code = "image_too_large"


class SizeMismatchError(SizeError):
    """Masks of different sizes where one size is needed."""

    code = "size_mismatch"


class RleError(MaskError):
    """Something that is not an RLE at all: a wrong type or a missing member."""

    code = "rle_invalid"


class RleEmptyError(RleError):
    """Counts without a single run."""

    code = "rle_empty"


class RleCharsetError(RleError):
    """A character outside of the 64 that encode counts; ``position`` says which."""

    code = "rle_charset"

    def __init__(
        self, detail: str, *, position: int, index: int | None, path: tuple[str | int, ...]
    ) -> None:
        super().__init__(detail, index=index, path=path)
        self.position = position


class RleTruncatedError(RleError):
    """Counts whose last character announces another one."""

    code = "rle_truncated"


class RleOverlongError(RleError):
    """A count written with more characters than any image can need."""

    code = "rle_overlong"


class RleTooManyRunsError(RleError):
    """More runs than the image has pixels."""

    code = "rle_too_many_runs"


class RleNegativeError(RleError):
    """A run of negative length."""

    code = "rle_negative"


class RleOverrunError(RleError):
    """Runs that add up to more pixels than the image has."""

    code = "rle_overrun"


class RleShortError(RleError):
    """Runs that add up to fewer pixels than the image has."""

    code = "rle_short"


class PolygonError(MaskError):
    """Something that is not a list of lists of numbers."""

    code = "polygon_invalid"


class PolygonMissingError(PolygonError):
    """A segmentation without a single polygon."""

    code = "polygon_missing"


class PolygonTooFewPointsError(PolygonError):
    """Fewer than three points."""

    code = "polygon_too_few_points"


class PolygonOddNumbersError(PolygonError):
    """An x without its y."""

    code = "polygon_odd_numbers"


class PolygonNotFiniteError(PolygonError):
    """A coordinate that is NaN or infinite."""

    code = "polygon_not_finite"


class PolygonTooLargeError(PolygonError):
    """A coordinate farther than 1e7 from the origin."""

    code = "polygon_too_large"


class PolygonTooComplexError(PolygonError):
    """A polygon whose edges cross more pixel columns than can be computed in good time."""

    code = "polygon_too_complex"


class BboxError(MaskError):
    """Something that is not four numbers."""

    code = "bbox_invalid"


class BboxNotFiniteError(BboxError):
    """A box with a number that is NaN or infinite."""

    code = "bbox_not_finite"


class BboxTooLargeError(BboxError):
    """A box that reaches farther than 1e7 from the origin."""

    code = "bbox_too_large"


class StrokeError(MaskError):
    """A brush stroke without points, or with a radius that is not positive."""

    code = "stroke_invalid"


class StrokeNotFiniteError(StrokeError):
    """A stroke with a number that is NaN or infinite."""

    code = "stroke_not_finite"


class StrokeTooLargeError(StrokeError):
    """A stroke that reaches farther than 1e7 from the origin."""

    code = "stroke_too_large"


class StrokeTooComplexError(StrokeError):
    """A stroke that covers more pixel columns, counted anew for each of its segments, than can
    be computed in good time."""

    code = "stroke_too_complex"


class BitmapError(MaskError):
    """An array that is not a two- or three-dimensional array of numbers."""

    code = "bitmap_invalid"


class DecodeTooLargeError(BitmapError):
    """A mask whose bitmap would need more memory than the caller allows."""

    code = "decode_too_large"


class MergeError(MaskError):
    """A merge of no masks, or of groups that do not cover the batch."""

    code = "merge_invalid"


class IscrowdError(MaskError):
    """Crowd flags that are not one 0 or 1 for each ground truth."""

    code = "iscrowd_invalid"


class OutlineError(MaskError):
    """A way to trace outlines that does not exist, or an image too large to trace."""

    code = "outline_invalid"


class ConnectivityError(MaskError):
    """Neighbours that are neither the 4 at the edges of a pixel nor all 8 around it."""

    code = "connectivity_invalid"
