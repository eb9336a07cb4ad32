"""The mask engine over HTTP, in batches; every answer has its items in the order of the question.

An RLE goes in as ``{"size": [h, w], "counts": string or list}`` and comes out with string counts.
What cannot be computed fails the request and is named: ``["body", "items", 3, "counts"]``. What
would take more than five seconds or a gigabyte and a half is refused; the limits stand below, and
in docs/masks-http.md.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
import numpy as np
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, FailFast, Field, WithJsonSchema

from app import masks
from app.api import deps, problems, sent, wire
from app.errors import Invalid, TooLarge
from app.services.annotations import mask_png, mask_rows, shapes

__all__ = ["router"]

router = APIRouter(
    prefix="/masks",
    tags=["masks"],
    responses=problems.responses(400, 401, 403, 413, 415, 422, 503),
    route_class=sent.LongBodyRoute,
    dependencies=[Depends(deps.get_user)],
)

MAX_ITEMS = 10_000
MAX_MASKS = 500_000
MAX_POLYGONS = 500_000
MAX_ROWS = 1_000_000
# Characters, or numbers, of all counts of a request: about as many runs, 16 bytes each at a time.
# As many coordinates, and as many runs of what is encoded.
MAX_NUMBERS = 8_000_000
# A pixel is two characters in rows, and one byte while it is a picture.
MAX_ROW_PIXELS = 1 << 24
MAX_PNG_PIXELS = 1 << 26
# Runs looked at for all pairs of an IoU together: up to half a second.
MAX_IOU_RUNS = 100_000_000
MAX_IOU_PAIRS = 4_000_000
MAX_IOU_ITEMS = 2_000
# Masks are traced together where they are traced alike, and each time anew where they are not.
MAX_TOLERANCES = 100

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

    items: Annotated[list[Item], FailFast(), Field(max_length=MAX_ITEMS)]


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


_RLE = {"$ref": "#/components/schemas/RleIn"}


class MergeIn(wire.Model):
    """Masks of one size, to be united or intersected."""

    masks: Annotated[list[Any], WithJsonSchema({"type": "array", "items": _RLE})]
    intersect: Annotated[bool, Field(strict=True)] = False


_SIDE = {
    "type": "array",
    "items": {"anyOf": [_RLE, {**_NUMBERS, "minItems": 4}]},
}
Side = Annotated[list[Any], WithJsonSchema(_SIDE)]


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


def _limit(number: int, most: int, what: str) -> None:
    if number > most:
        raise TooLarge(f"There are more than {most:,} {what} altogether.")


def _check_counts(given: Iterable[Any]) -> None:
    total = sum(len(counts) for counts in given if isinstance(counts, str | list))
    _limit(total, MAX_NUMBERS, "counts, or characters of them,")


def _read(given: Sequence[RleIn]) -> masks.Masks:
    _check_counts(item.counts for item in given)
    with _errors_in():
        return masks.from_dicts([{"size": item.size, "counts": item.counts} for item in given])


class _Lists:
    """Lists of several items laid out as one, so that the engine has to be asked only once."""

    def __init__(self, lists: Sequence[tuple[int, str, list[Any]]]) -> None:
        """Each list comes with the number of its item and its name there."""
        self._lists = lists
        self.flat = [one for _, _, given in lists for one in given]
        _limit(len(self.flat), MAX_MASKS, "masks")
        _check_counts(one.get("counts") for one in self.flat if isinstance(one, dict))
        self.ends: list[int] = np.cumsum([0, *(len(given) for _, _, given in lists)]).tolist()

    def read(self) -> masks.Masks:
        with self.errors():
            return masks.from_dicts(self.flat)

    @contextmanager
    def errors(self, first: int = 0) -> Iterator[None]:
        """Say in which list what the engine found is; it was given all from the first one on."""
        try:
            yield
        except masks.MaskError as error:
            place = first + (error.index or 0)
            which = bisect_right(self.ends, place) - 1
            item, name, _ = self._lists[which]
            index = place - self.ends[which]
            raise shapes.refused(error, "body", "items", item, name, index, *error.path) from None


def _answer(items: list[Any]) -> Response:
    return Response(msgspec.json.encode({"items": items}), media_type="application/json")


def _rles(found: masks.Masks) -> Response:
    return _answer(masks.to_dicts(found))


# Routes -----------------------------------------------------------------------------------------

Route = TypeVar("Route", bound=Callable[..., Any])
_MASKS = f"{MAX_MASKS:,} masks"
_COUNTS = f"{MAX_NUMBERS:,} counts, or characters of them"
_COLUMNS = f"{shapes.MAX_CROSSINGS:,} crossings of an edge with a pixel column"


def _at_most(*limits: str, items: int = MAX_ITEMS) -> Callable[[Route], Route]:
    """Say in the API's description how much a request may ask."""

    def tell(route: Route) -> Route:
        told = "; ".join((f"{items:,} items", *limits))
        route.__doc__ = f"{route.__doc__}\n\nAt most, altogether: {told}."
        return route

    return tell


@router.post("/from-polygons", response_model=Answers[RleOut])
@_at_most(f"{MAX_POLYGONS:,} polygons and holes", f"{MAX_NUMBERS:,} coordinates", _COLUMNS)
def from_polygons(body: Items[PolygonsIn]) -> Response:
    """Draw polygons, bit for bit as pycocotools does."""
    rings = [
        ring
        for item in body.items
        for given in (item.polygons, item.holes)
        if isinstance(given, list)
        for ring in given
    ]
    _limit(len(rings), MAX_POLYGONS, "polygons and holes")
    numbers = sum(len(ring) for ring in rings if isinstance(ring, list))
    _limit(numbers, MAX_NUMBERS, "coordinates")
    with _errors_in():
        found = masks.from_polygons(
            [item.polygons for item in body.items],
            [item.size for item in body.items],
            [item.holes for item in body.items],
            max_crossings=shapes.MAX_CROSSINGS,
        )
    return _rles(found)


@router.post("/from-bbox", response_model=Answers[RleOut])
@_at_most(_COLUMNS)
def from_bbox(body: Items[BboxIn]) -> Response:
    """Draw boxes."""
    with _errors_in():
        found = masks.from_boxes(
            [item.bbox for item in body.items],
            [item.size for item in body.items],
            max_crossings=shapes.MAX_CROSSINGS,
        )
    return _rles(found)


@router.post("/encode", response_model=Answers[RleOut])
@_at_most(f"{MAX_ROWS:,} rows", f"{MAX_PNG_PIXELS:,} pixels", f"{MAX_NUMBERS:,} runs")
def encode(body: Items[BitmapIn]) -> Response:
    """Encode bitmaps."""
    rows = sum(len(item.mask) for item in body.items if isinstance(item.mask, list))
    _limit(rows, MAX_ROWS, "rows")
    pixels = runs = 0
    found = []
    for index, item in enumerate(body.items):
        bitmap = _bitmap(item, index, MAX_PNG_PIXELS - pixels)
        pixels += bitmap.size
        runs += _most_runs(bitmap)
        _limit(runs, MAX_NUMBERS, "runs")
        with _errors_in(index, "mask", indexed=False):
            found.append(masks.encode(bitmap))
    return _rles(masks.concatenate(found))


def _bitmap(item: BitmapIn, index: int, max_pixels: int) -> Any:
    place = ("body", "items", index)
    if (item.mask is None) == (item.png is None):
        raise Invalid("Give either mask or png.", code="bitmap_invalid", loc=place)
    if item.png is not None:
        return mask_png.read(item.png, max_pixels=max_pixels, loc=(*place, "png"))
    return mask_rows.read(item.mask, loc=(*place, "mask"))


def _most_runs(bitmap: Any) -> int:
    """How many runs the mask has at most: one column may go on where the one before ended."""
    filled = bitmap != 0
    return int(np.count_nonzero(filled[1:] != filled[:-1])) + int(filled.shape[1]) + 1


@router.post("/decode", response_model=Answers[BitmapOut], response_model_exclude_none=True)
@_at_most(_COUNTS, f"{MAX_ROW_PIXELS:,} pixels in rows", f"{MAX_PNG_PIXELS:,} pixels as PNG")
def decode(
    body: Items[RleIn],
    form: Annotated[Literal["rows", "png"], Query(alias="as")] = "rows",
) -> Response:
    """Decode masks to rows of 0 and 1, or to PNG pictures."""
    found = _read(body.items)
    # A row without pixels is written, too.
    pixels = int(np.maximum(found.sizes, 1).prod(axis=1).sum())
    _limit(pixels, MAX_ROW_PIXELS if form == "rows" else MAX_PNG_PIXELS, "pixels")
    if form == "png":
        return _answer([{"png": _png(mask, i)} for i, mask in enumerate(found)])
    return _answer(
        [{"mask": msgspec.Raw(mask_rows.write(masks.decode(mask)[0]))} for mask in found]
    )


def _png(mask: masks.Masks, index: int) -> str:
    try:
        return mask_png.write(masks.decode(mask)[0])
    except Invalid as error:
        raise Invalid(error.detail, code=error.code, loc=("body", "items", index)) from None


@router.post("/area", response_model=Answers[int])
@_at_most(_COUNTS)
def area(body: Items[RleIn]) -> Response:
    """How many pixels each mask covers."""
    return _answer(masks.area(_read(body.items)).tolist())


@router.post("/bbox", response_model=Answers[list[float]])
@_at_most(_COUNTS)
def bbox(body: Items[RleIn]) -> Response:
    """The box x, y, width, height around each mask."""
    return _answer(masks.bbox(_read(body.items)).tolist())


@router.post("/merge", response_model=Answers[RleOut])
@_at_most(_MASKS, _COUNTS)
def merge(body: Items[MergeIn]) -> Response:
    """Unite or intersect the masks of each item."""
    for index, item in enumerate(body.items):
        if not item.masks:
            loc = ("body", "items", index, "masks")
            raise Invalid("There is no mask to merge.", code="merge_invalid", loc=loc)
    # The unions first, then the intersections, each in one go.
    order = sorted(range(len(body.items)), key=lambda i: body.items[i].intersect)
    unions = sum(not item.intersect for item in body.items)
    lists = _Lists([(i, "masks", body.items[i].masks) for i in order])
    given = lists.read()
    groups, first = np.diff(lists.ends), lists.ends[unions]
    with lists.errors():
        united = masks.merge(given[:first], groups[:unions])
    with lists.errors(first):
        common = masks.merge(given[first:], groups[unions:], intersect=True)
    return _rles(masks.concatenate([united, common])[np.argsort(order)])


@router.post("/iou", response_model=Answers[list[list[float]]])
@_at_most(
    f"{MAX_IOU_PAIRS:,} pairs",
    f"{MAX_IOU_RUNS:,} runs of all pairs",
    _MASKS,
    _COUNTS,
    items=MAX_IOU_ITEMS,
)
def iou(body: Items[IouIn]) -> Response:
    """Intersection over union: a matrix for each item, with a row for each of its `dt`."""
    _limit(len(body.items), MAX_IOU_ITEMS, "items")
    pairs = sum(len(item.dt) * len(item.gt) for item in body.items)
    _limit(pairs, MAX_IOU_PAIRS, "pairs to compare")
    has_boxes = [any(isinstance(one, list) for one in (*i.dt, *i.gt)) for i in body.items]
    sides = [
        (i, name, side)
        for i, item in enumerate(body.items)
        for name, side in (("dt", item.dt), ("gt", item.gt))
    ]
    boxes = _Lists([side for side in sides if has_boxes[side[0]]])
    with boxes.errors():
        masks.from_boxes(boxes.flat, [1, 1])
    rles = _Lists([side for side in sides if not has_boxes[side[0]]])
    read = rles.read()
    parts = (read[a:b] for a, b in pairwise(rles.ends))
    coded = [None if boxed else (next(parts), next(parts)) for boxed in has_boxes]
    looked_at = sum(
        len(gt) * int(dt.runs.sum()) + len(dt) * int(gt.runs.sum())
        for dt, gt in filter(None, coded)
    )
    _limit(looked_at, MAX_IOU_RUNS, "runs to compare")
    found = []
    for index, (item, pair) in enumerate(zip(body.items, coded, strict=True)):
        with _errors_in(index, indexed=False):
            if pair is None:
                found.append(masks.iou_boxes(item.dt, item.gt, item.iscrowd).tolist())
            else:
                found.append(masks.iou(*pair, item.iscrowd).tolist())
    return _answer(found)


@router.post("/to-polygons", response_model=Answers[TraceOut])
@_at_most(
    f"{shapes.MAX_TRACED_RUNS:,} runs",
    f"{MAX_TOLERANCES} tolerances",
    f"{shapes.MAX_CROSSINGS // 2:,} columns under masks with a tolerance",
)
def to_polygons(body: Items[TraceIn]) -> Response:
    """Trace masks along the edges of their pixels: drawn again, the polygons are the same mask."""
    found = _read(body.items)
    shapes.check_traceable(found)
    groups: dict[tuple[Literal["seams", "apart"], float], list[int]] = {}
    for index, item in enumerate(body.items):
        groups.setdefault((item.holes, item.tolerance), []).append(index)
    _limit(len(groups), MAX_TOLERANCES, "tolerances and ways to treat holes")
    # What is simplified is drawn again: as many crossings as it has upper and lower edges.
    simplified = [index for index, item in enumerate(body.items) if item.tolerance]
    columns = int(masks.bbox(found[simplified])[:, 2].sum())
    _limit(2 * columns, shapes.MAX_CROSSINGS, "columns to draw again")
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
