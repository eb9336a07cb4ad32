"""The mask engine over HTTP, in batches; every answer has its items in the order of the question.

An RLE goes in as ``{"size": [h, w], "counts": string or list}`` and comes out with string counts.
What cannot be computed fails the request and is named: ``["body", "items", 3, "counts"]``. What
would take too long or too much memory is refused before it is begun; the limits stand below.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
import numpy as np
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field, WithJsonSchema

from app import masks
from app.api import deps, problems, wire
from app.errors import Invalid, TooLarge
from app.services import mask_png, shapes

__all__ = ["router"]

router = APIRouter(
    prefix="/masks",
    tags=["masks"],
    responses=problems.responses(400, 401, 403, 413, 415, 422, 503),
    dependencies=[Depends(deps.get_user)],
)

MAX_ITEMS = 10_000
# Characters, or numbers, of all counts of a request: about as many runs, 16 bytes each at a time.
MAX_COUNTS = 8_000_000
# A pixel is two characters in rows, and one byte while it is a picture.
MAX_ROW_PIXELS = 1 << 24
MAX_PNG_PIXELS = 1 << 26
# Runs looked at for all pairs of an IoU together: five seconds.
MAX_IOU_RUNS = 100_000_000
MAX_IOU_PAIRS = 4_000_000

# Bodies -----------------------------------------------------------------------------------------

_NUMBERS: dict[str, Any] = {"type": "array", "items": {"type": "number"}}
Size = Annotated[
    list[Any],
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "integer", "minimum": 0},
            "minItems": 2,
            "maxItems": 2,
            "description": "Height and width in pixels.",
        }
    ),
]
Counts = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "integer", "minimum": 0}},
            ]
        }
    ),
]
Rings = Annotated[Any, WithJsonSchema({"type": "array", "items": {**_NUMBERS, "minItems": 6}})]
Box = Annotated[Any, WithJsonSchema({**_NUMBERS, "minItems": 4, "maxItems": 4})]
Rows = Annotated[
    Any,
    WithJsonSchema({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}),
]

Item = TypeVar("Item")


class Items(wire.Model, Generic[Item]):
    """A batch of questions."""

    items: Annotated[list[Item], Field(max_length=MAX_ITEMS)]


class Answers(BaseModel, Generic[Item]):
    """Their answers, in the same order."""

    items: list[Item]


class RleIn(wire.Model):
    """A mask, run-length encoded column by column, background first."""

    size: Size
    counts: Counts


class RleOut(BaseModel):
    """A mask with string counts."""

    size: Annotated[list[int], Field(min_length=2, max_length=2)]
    counts: str


class PolygonsIn(wire.Model):
    """Polygons, united, and rings that are cut out of them."""

    size: Size
    polygons: Rings
    holes: Annotated[Any, Rings.__metadata__[0]] = None


class BboxIn(wire.Model):
    """A box x, y, width, height."""

    size: Size
    bbox: Box


class BitmapIn(wire.Model):
    """A mask as rows of numbers (0 is background), or as a PNG in base64; one of the two."""

    mask: Rows = None
    png: str | None = None


class BitmapOut(BaseModel):
    """A mask as rows of 0 and 1, or as a PNG in base64 with 0 and 255."""

    mask: list[list[int]] | None = None
    png: str | None = None


class MergeIn(wire.Model):
    """Masks of one size, to be united or intersected."""

    masks: Annotated[list[RleIn], Field(max_length=MAX_ITEMS)]
    intersect: Annotated[bool, Field(strict=True)] = False


_SIDE = {
    "type": "array",
    "items": {"anyOf": [{"$ref": "#/components/schemas/RleIn"}, {**_NUMBERS, "minItems": 4}]},
}
Side = Annotated[list[Any], Field(max_length=MAX_ITEMS), WithJsonSchema(_SIDE)]


class IouIn(wire.Model):
    """Detections and ground truths, all RLE or all boxes; `iscrowd` has a flag for each of `gt`."""

    dt: Side
    gt: Side
    iscrowd: Annotated[
        list[Any] | None, WithJsonSchema({**_NUMBERS, "items": {"enum": [0, 1]}})
    ] = None


class TraceIn(RleIn):
    """A mask to trace; `tolerance` is how far, in pixels, an outline may stray from it."""

    tolerance: Annotated[float, Field(strict=True, ge=0, le=10_000)] = 0
    holes: Literal["seams", "apart"] = "seams"


class TraceOut(BaseModel):
    """The outline of a mask; `iou` tells how well it agrees with it (1 without a tolerance)."""

    polygons: list[list[float]]
    holes: list[list[float]]
    iou: float


# Errors and limits ------------------------------------------------------------------------------


@contextmanager
def _errors_in(*place: str | int, indexed: bool = True) -> Iterator[None]:
    """Say where in the request the mask engine found something wrong.

    `place` leads to the list that the engine works on, from the items on; `indexed` tells whether
    the engine's index counts that list's members.
    """
    try:
        yield
    except masks.MaskError as error:
        index = () if error.index is None or not indexed else (error.index,)
        raise shapes.refused(error, "body", "items", *place, *index, *error.path) from None


def _check_counts(given: Iterable[Any]) -> None:
    total = sum(len(counts) for counts in given if isinstance(counts, str | list))
    if total > MAX_COUNTS:
        raise TooLarge(f"The counts are longer than {MAX_COUNTS:,} altogether.")


def _read(given: Sequence[RleIn], *place: str | int) -> masks.Masks:
    with _errors_in(*place):
        return masks.from_dicts([{"size": item.size, "counts": item.counts} for item in given])


def _answer(items: list[Any]) -> Response:
    return Response(msgspec.json.encode({"items": items}), media_type="application/json")


def _rles(found: masks.Masks) -> Response:
    return _answer(masks.to_dicts(found))


# Routes -----------------------------------------------------------------------------------------


@router.post("/from-polygons", response_model=Answers[RleOut])
def from_polygons(body: Items[PolygonsIn]) -> Response:
    """Draw polygons, bit for bit as pycocotools does."""
    with _errors_in():
        found = masks.from_polygons(
            [item.polygons for item in body.items],
            [item.size for item in body.items],
            [item.holes for item in body.items],
            max_crossings=shapes.MAX_CROSSINGS,
        )
    return _rles(found)


@router.post("/from-bbox", response_model=Answers[RleOut])
def from_bbox(body: Items[BboxIn]) -> Response:
    """Draw boxes."""
    with _errors_in():
        found = masks.from_boxes(
            [item.bbox for item in body.items], [item.size for item in body.items]
        )
    return _rles(found)


@router.post("/encode", response_model=Answers[RleOut])
def encode(body: Items[BitmapIn]) -> Response:
    """Encode bitmaps."""
    left, found = MAX_PNG_PIXELS, []
    for index, item in enumerate(body.items):
        bitmap = _bitmap(item, index, left)
        left -= bitmap.size
        with _errors_in(index, "mask", indexed=False):
            found.append(masks.encode(bitmap))
    return _rles(masks.concatenate(found))


def _bitmap(item: BitmapIn, index: int, max_pixels: int) -> Any:
    place = ("body", "items", index)
    if (item.mask is None) == (item.png is None):
        raise Invalid("Give either mask or png.", code="bitmap_invalid", loc=place)
    if item.png is not None:
        return mask_png.read(item.png, max_pixels=max_pixels, loc=(*place, "png"))
    try:
        array = np.asarray(item.mask)
    except (ValueError, OverflowError):
        array = np.zeros(0)
    if array.ndim != 2:
        detail = "A mask is a list of rows of the same length."
        raise Invalid(detail, code="bitmap_invalid", loc=(*place, "mask"))
    return array


@router.post("/decode", response_model=Answers[BitmapOut], response_model_exclude_none=True)
def decode(
    body: Items[RleIn],
    form: Annotated[Literal["rows", "png"], Query(alias="as")] = "rows",
) -> Response:
    """Decode masks to rows of 0 and 1, or to PNG pictures."""
    _check_counts(item.counts for item in body.items)
    found = _read(body.items)
    limit = MAX_ROW_PIXELS if form == "rows" else MAX_PNG_PIXELS
    if int(found.pixels.sum()) > limit:
        raise TooLarge(f"The masks have more than {limit:,} pixels altogether.")
    if form == "png":
        return _answer([{"png": _png(mask, i)} for i, mask in enumerate(found)])
    return _answer([{"mask": msgspec.Raw(_rows(mask))} for mask in found])


def _png(mask: masks.Masks, index: int) -> str:
    try:
        return mask_png.write(masks.decode(mask)[0])
    except Invalid as error:
        raise Invalid(error.detail, code=error.code, loc=("body", "items", index)) from None


def _rows(mask: masks.Masks) -> bytes:
    """The rows as JSON text, written as an array of characters: lists would be twenty times it."""
    bitmap = masks.decode(mask)[0]
    height, width = bitmap.shape
    if width == 0 or height == 0:
        return b"[" + b",".join([b"[]"] * height) + b"]"
    text = np.full((height, 2 * width + 2), ord(","), np.uint8)
    text[:, 0] = ord("[")
    text[:, 1:-2:2] = bitmap + ord("0")
    text[:, -2] = ord("]")
    return b"[" + text.tobytes()[:-1] + b"]"


@router.post("/area", response_model=Answers[int])
def area(body: Items[RleIn]) -> Response:
    """How many pixels each mask covers."""
    _check_counts(item.counts for item in body.items)
    return _answer(masks.area(_read(body.items)).tolist())


@router.post("/bbox", response_model=Answers[list[float]])
def bbox(body: Items[RleIn]) -> Response:
    """The box x, y, width, height around each mask."""
    _check_counts(item.counts for item in body.items)
    return _answer(masks.bbox(_read(body.items)).tolist())


@router.post("/merge", response_model=Answers[RleOut])
def merge(body: Items[MergeIn]) -> Response:
    """Unite or intersect the masks of each item."""
    _check_counts(mask.counts for item in body.items for mask in item.masks)
    found = []
    for index, item in enumerate(body.items):
        given = _read(item.masks, index, "masks")
        with _errors_in(index, "masks"):
            found.append(masks.merge(given, intersect=item.intersect))
    return _rles(masks.concatenate(found))


@router.post("/iou", response_model=Answers[list[list[float]]])
def iou(body: Items[IouIn]) -> Response:
    """Intersection over union: a matrix for each item, with a row for each of its `dt`."""
    if sum(len(item.dt) * len(item.gt) for item in body.items) > MAX_IOU_PAIRS:
        raise TooLarge(f"There are more than {MAX_IOU_PAIRS:,} pairs to compare.")
    sides = [side for item in body.items for side in (item.dt, item.gt)]
    _check_counts(one.get("counts") for side in sides for one in side if isinstance(one, dict))
    return _answer([_iou(item, index) for index, item in enumerate(body.items)])


def _iou(item: IouIn, index: int) -> list[list[float]]:
    is_boxes = any(isinstance(one, list) for one in (*item.dt, *item.gt))
    read: Callable[[list[Any]], Any] = _check_boxes if is_boxes else masks.from_dicts
    with _errors_in(index, "dt"):
        dt = read(item.dt)
    with _errors_in(index, "gt"):
        gt = read(item.gt)
    if not is_boxes:
        looked_at = len(gt) * int(dt.runs.sum()) + len(dt) * int(gt.runs.sum())
        if looked_at > MAX_IOU_RUNS:
            raise TooLarge(
                "The masks of an item have too many runs to compare all pairs.",
                loc=("body", "items", index),
            )
    compare = masks.iou_boxes if is_boxes else masks.iou
    with _errors_in(index, indexed=False):
        matrix: list[list[float]] = compare(dt, gt, item.iscrowd).tolist()
    return matrix


def _check_boxes(side: list[Any]) -> list[Any]:
    masks.from_boxes(side, [1, 1])
    return side


@router.post("/to-polygons", response_model=Answers[TraceOut])
def to_polygons(body: Items[TraceIn]) -> Response:
    """Trace masks along the edges of their pixels: drawn again, the polygons are the same mask."""
    _check_counts(item.counts for item in body.items)
    found = _read(body.items)
    shapes.check_traceable(found)
    groups: dict[tuple[Literal["seams", "apart"], float], list[int]] = {}
    for index, item in enumerate(body.items):
        groups.setdefault((item.holes, item.tolerance), []).append(index)
    outlines: list[Any] = [None] * len(body.items)
    for (holes, tolerance), indices in groups.items():
        for index, outline in zip(indices, _traced(found, indices, holes, tolerance), strict=True):
            outlines[index] = {
                "polygons": outline.polygons,
                "holes": outline.holes,
                "iou": outline.iou,
            }
    return _answer(outlines)


def _traced(
    found: masks.Masks, indices: list[int], holes: Literal["seams", "apart"], tolerance: float
) -> list[masks.Outline]:
    try:
        return masks.to_polygons(found[indices], holes=holes, tolerance=tolerance)
    except masks.MaskError as error:
        index = indices[error.index or 0]
        raise shapes.refused(error, "body", "items", index, *error.path) from None
