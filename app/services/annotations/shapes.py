"""The geometry of an annotation: what a client sends, its pixels, and its place in the record.

A shape is a segmentation (polygons, an RLE, or nothing) and the holes that are cut out of the
union of its polygons. COCO has no holes, so such an annotation has two forms: its ``record``, the
text that is exported, carries the RLE, and its ``shape`` the polygons and holes as they were
drawn. Without holes the record alone says everything:

>>> square = Json.of([[0, 0, 4, 0, 4, 4, 0, 4]])
>>> plain = draw(square, EMPTY, (4, 4))
>>> plain.record_text, plain.shape_text
('[[0,0,4,0,4,4,0,4]]', None)
>>> ring = draw(square, Json.of([[1, 1, 3, 1, 3, 3, 1, 3]]), (4, 4))
>>> ring.area, ring.bbox
(12, [0, 0, 4, 4])
>>> ring.record_text
'{"size":[4,4],"counts":"052M03"}'

Every value travels with its text, because the text is what is kept: 12.50 stays 12.50.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from app import masks
from app.errors import Invalid, TooLarge
from app.formats.coco import rawjson

__all__ = [
    "EMPTY",
    "MAX_CROSSINGS",
    "MAX_TRACED_RUNS",
    "NOTHING",
    "Json",
    "Shape",
    "Size",
    "check_bbox",
    "check_keypoints",
    "check_traceable",
    "count_labelled",
    "draw",
    "extent",
    "labelled",
    "refused",
    "same",
]

Size = tuple[int, int]
"""Height and width of the image, in pixels."""

# Seventeen million crossings of an edge with a pixel column take about a second.
MAX_CROSSINGS = 1 << 24

# Tracing a million runs of noise takes about four seconds and half a gigabyte.
MAX_TRACED_RUNS = 1_000_000

_RLE_MEMBERS = {"size", "counts"}


class Json(NamedTuple):
    """A JSON value and the very text that it came in."""

    value: Any
    text: str

    @classmethod
    def of(cls, value: Any) -> "Json":
        """A value that has no text yet."""
        return cls(value, rawjson.dumps(value))


NOTHING = Json(None, "null")
EMPTY = Json([], "[]")


@dataclass(frozen=True)
class Shape:
    """A segmentation with its holes, checked and drawn: `pixels` is a batch of one mask."""

    segmentation: Json
    holes: Json
    pixels: masks.Masks

    @property
    def is_polygons(self) -> bool:
        return isinstance(self.segmentation.value, list)

    @property
    def area(self) -> int:
        """How many pixels it covers."""
        return int(masks.area(self.pixels)[0])

    @property
    def bbox(self) -> list[float]:
        """The extent of its polygons, as they were drawn, or the box around its mask."""
        if self.is_polygons:
            return extent([n for ring in self.segmentation.value for n in ring])
        box: list[float] = masks.bbox(self.pixels)[0].tolist()
        return box

    @property
    def record_text(self) -> str:
        """What the COCO record's ``segmentation`` is."""
        if self.segmentation.value is None:
            return "[]"
        if self.holes.value:
            return rawjson.dumps(masks.to_dicts(self.pixels)[0])
        return self.segmentation.text

    @property
    def shape_text(self) -> str | None:
        """What the column ``shape`` is: set only where the record cannot say it."""
        if not self.holes.value:
            return None
        return f'{{"segmentation":{self.segmentation.text},"holes":{self.holes.text}}}'


def draw(segmentation: Json, holes: Json, size: Size) -> Shape:
    """Check a segmentation against the image and compute its pixels; Invalid says what is wrong."""
    if segmentation.value is None:
        if holes.value:
            raise _holes_alone()
        return Shape(NOTHING, EMPTY, masks.background([list(size)]))
    value = segmentation.value
    if isinstance(value, dict):
        if holes.value:
            raise _holes_alone()
        for name in value.keys() - _RLE_MEMBERS:
            loc = ("body", "segmentation", name)
            raise Invalid(
                "An RLE has a size and counts, nothing else.", code="rle_invalid", loc=loc
            )
    try:
        pixels = masks.from_segmentations(
            [value], list(size), [holes.value], max_crossings=MAX_CROSSINGS
        )
    except masks.MaskError as error:
        path = error.path if error.path[:1] == ("holes",) else ("segmentation", *_inner(error.path))
        raise refused(error, "body", *path) from None
    return Shape(segmentation, holes, pixels)


def _holes_alone() -> Invalid:
    return Invalid(
        "Holes are cut out of polygons: give the segmentation as polygons.",
        code="holes_without_polygons",
        loc=("body", "holes"),
    )


def _inner(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return path[1:] if path[:1] == ("polygons",) else path


def refused(error: masks.MaskError, *loc: str | int) -> Invalid:
    """What the mask engine refused, as an answer that names the place in the request."""
    detail = error.detail[:1].upper() + error.detail[1:] + "."
    return Invalid(detail, code=error.code, loc=loc)


def extent(points: list[float]) -> list[float]:
    """The box x, y, w, h around points given as x, y, x, y, …"""
    xs, ys = points[0::2], points[1::2]
    left, top = min(xs), min(ys)
    return [left, top, max(xs) - left, max(ys) - top]


def check_traceable(pixels: masks.Masks) -> None:
    """Refuse masks too ragged to be traced in the time of a request."""
    if int(pixels.runs.sum()) > MAX_TRACED_RUNS:
        raise TooLarge(f"There are more than {MAX_TRACED_RUNS:,} runs to trace.")


def check_bbox(
    box: list[float], *, alone: bool, loc: tuple[str | int, ...] = ("body", "bbox")
) -> None:
    """Refuse a box of negative extent, and one of none when it is all that there is to see."""
    try:
        masks.from_boxes([box], [1, 1])
    except masks.MaskError as error:
        raise refused(error, *loc) from None
    if box[2] < 0 or box[3] < 0:
        raise Invalid("Width and height are not negative.", code="bbox_negative", loc=loc)
    if alone and not (box[2] and box[3]):
        raise Invalid("The box has no extent.", code="bbox_empty", loc=loc)


def check_keypoints(keypoints: list[float], names: list[str] | None) -> None:
    """Refuse keypoints that do not fit these names, lie out of reach, or have no visibility."""
    loc = ("body", "keypoints")
    if not names:
        raise Invalid("The category has no keypoints.", code="keypoints_unknown", loc=loc)
    if len(keypoints) != 3 * len(names):
        raise Invalid(
            f"The category has {len(names)} keypoints, each with x, y and v: "
            f"{3 * len(names)} numbers, not {len(keypoints)}.",
            code="keypoints_length",
            loc=loc,
        )
    for place, number in enumerate(keypoints):
        if place % 3 < 2 and abs(number) > masks.MAX_COORDINATE:
            raise Invalid(
                f"A keypoint is farther than {masks.MAX_COORDINATE:.0f} from the origin.",
                code="keypoints_too_large",
                loc=(*loc, place),
            )
    for place, visibility in enumerate(keypoints[2::3]):
        if visibility not in (0, 1, 2):
            raise Invalid(
                "v is 0 (not labelled), 1 (labelled, not visible) or 2 (visible).",
                code="keypoints_visibility",
                loc=(*loc, 3 * place + 2),
            )


def labelled(keypoints: list[float]) -> list[float]:
    """The points x, y, x, y, … of those keypoints that are labelled."""
    points = []
    for x, y, visibility in zip(keypoints[0::3], keypoints[1::3], keypoints[2::3], strict=False):
        if visibility > 0:
            points += [x, y]
    return points


def count_labelled(keypoints: list[float]) -> int:
    """COCO's ``num_keypoints``."""
    return len(labelled(keypoints)) // 2


def same(a: Any, b: Any) -> bool:
    """Whether two JSON values are equal: 1 equals 1.0, but true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)
