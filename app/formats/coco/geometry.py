"""The geometry of imported annotations, read generously and checked by the mask engine.

A segmentation is polygons, an RLE or nothing. What real files get wrong but mean clearly (a flat
list, nested points, a part of two points) is read as what it means and noted; the record stays as
it is. What cannot be drawn is rejected with a code.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from app.formats.coco import values
from app.formats.records import Size
from app.masks import MAX_COORDINATE, MaskError, Masks, area, bbox, from_dicts, from_polygons

__all__ = [
    "Note",
    "Rejected",
    "check_rles",
    "keypoints",
    "mask_measures",
    "polygon_areas",
    "polygons_extent",
    "read_bbox",
    "read_crowd",
    "read_segmentation",
]

Note = Callable[[str, str, str], None]
"""Notes an issue: its code, the member that it is about, and a sentence."""

Polygon = list[float]
_NUMBERS = frozenset((int, float))
_FLOAT = frozenset((float,))
_MOST_CROSSINGS = 1 << 24
_REPR = re.compile(r"^b(['\"])(.*)\1$", re.DOTALL)


class Rejected(Exception):
    """An annotation that cannot be imported."""

    def __init__(self, code: str, message: str, member: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.member = member


def read_segmentation(value: Any, size: Size | None, note: Note) -> Any:
    """Polygons, an RLE object (counts unchecked), or None when there is only a box."""
    if value is None or value == []:
        return None
    if isinstance(value, dict):
        return _rle(value, size, note)
    if isinstance(value, list):
        return _polygons(value, note)
    raise Rejected("segmentation_invalid", "It is neither a list nor an object.", "segmentation")


def _polygons(value: list[Any], note: Note) -> list[Polygon] | None:
    kinds = set(map(type, value))
    if kinds <= _NUMBERS or (kinds <= _NUMBERS | {str} and _is_number_text(value)):
        note("segmentation_flat", "segmentation", "The segmentation is a flat list of numbers.")
        value = [value]
    elif kinds == {list} and len(value) >= 3 and all(_is_point(part) for part in value):
        note("segmentation_nested", "segmentation", "The polygon is a list of points.")
        value = [[number for point in value for number in point]]
    parts = []
    for index, part in enumerate(value):
        polygon = _polygon(part, f"segmentation[{index}]", note)
        if polygon is not None:
            parts.append(polygon)
    return parts or None


def _is_point(part: Any) -> bool:
    return isinstance(part, list) and len(part) == 2 and set(map(type, part)) <= _NUMBERS


def _is_number_text(part: Sequence[Any]) -> bool:
    try:
        return all(values.finite(float(number)) is not None for number in part)
    except (ValueError, OverflowError):
        return False


def _polygon(part: Any, path: str, note: Note) -> Polygon | None:
    """One part as numbers; None when nothing can be drawn of it."""
    if not isinstance(part, list):
        raise Rejected("segmentation_invalid", "A polygon is not a list.", path)
    if not part:
        return None
    if not set(map(type, part)) <= _NUMBERS:
        part = _as_numbers(part, path, note)
    if max(part) > MAX_COORDINATE or min(part) < -MAX_COORDINATE:
        raise Rejected(
            "polygon_too_large", f"A coordinate is beyond {MAX_COORDINATE:,.0f} pixels.", path
        )
    if len(part) < 6:
        note("polygon_too_short", path, f"The polygon has {len(part)} numbers, not 6 or more.")
        return None
    if len(part) % 2:
        note("polygon_odd", path, f"The polygon has {len(part)} numbers, an odd number.")
        part = part[:-1]
    polygon: Polygon = part
    return polygon


def _as_numbers(part: list[Any], path: str, note: Note) -> Polygon:
    """The numbers of a polygon that is written in another way."""
    if all(_is_point(point) for point in part):
        note("segmentation_nested", path, "The polygon is a list of points.")
        return [number for point in part for number in point]
    if not set(map(type, part)) <= _NUMBERS | {str} or not _is_number_text(part):
        raise Rejected("segmentation_invalid", "A coordinate is not a number.", path)
    note("number_text", path, "Coordinates are written as texts.")
    return [float(number) for number in part]


def _rle(value: dict[str, Any], size: Size | None, note: Note) -> dict[str, Any]:
    """An RLE whose size fits the image; its counts are checked later, many at a time."""
    counts, stated = value.get("counts"), value.get("size")
    if not isinstance(counts, str | list) or not isinstance(stated, list):
        raise Rejected("rle_invalid", "An RLE has a list size and counts.", "segmentation")
    if len(stated) == 2 and any(isinstance(number, str) for number in stated):
        numbers = [values.whole(_number(number)) for number in stated]
        if None not in numbers:
            note("rle_size_text", "segmentation.size", "The size is written as texts.")
            stated = numbers
    whole = [values.whole(number) for number in stated]
    if len(whole) != 2 or any(number is None or number < 0 for number in whole):
        raise Rejected(
            "rle_size_invalid", "The size is not two whole numbers.", "segmentation.size"
        )
    height, width = whole
    if size is not None and (height, width) != size:
        told = f"The mask is {width} x {height}, the image {size[1]} x {size[0]} (width x height)."
        code = "rle_size_swapped" if (width, height) == size else "rle_size_mismatch"
        raise Rejected(code, told, "segmentation.size")
    return {"size": [height, width], "counts": counts}


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return None


def check_rles(rles: Sequence[dict[str, Any]]) -> list[dict[str, Any] | Rejected]:
    """Each RLE as it is, repaired (another object), or the reason why it cannot be read."""
    try:
        from_dicts(rles)
    except MaskError:
        return [_check_rle(rle) for rle in rles]
    return list(rles)


def _check_rle(rle: dict[str, Any]) -> dict[str, Any] | Rejected:
    try:
        from_dicts([rle])
    except MaskError as error:
        repaired = _repaired(rle)
        if repaired is not None:
            return repaired
        code = "image_too_large" if error.code == "image_too_large" else error.code
        return Rejected(code, error.detail, "segmentation.counts")
    return rle


def _repaired(rle: dict[str, Any]) -> dict[str, Any] | None:
    """Counts that went through Python's repr or were escaped twice, if that explains them."""
    counts = rle["counts"]
    if not isinstance(counts, str):
        return None
    match = _REPR.match(counts)
    inner = match[2] if match else counts
    for candidate in (inner, inner.replace("\\\\", "\\"), inner.replace("\\'", "'")):
        if candidate == counts:
            continue
        try:
            from_dicts([{"size": rle["size"], "counts": candidate}])
        except MaskError:
            continue
        return {"size": rle["size"], "counts": candidate}
    return None


def mask_measures(rles: Sequence[dict[str, Any]]) -> list[tuple[float, list[float]]]:
    """Area and box of checked RLEs."""
    masks: Masks = from_dicts(rles)
    return list(zip(area(masks).astype(float).tolist(), bbox(masks).tolist(), strict=True))


def polygon_areas(items: Sequence[tuple[list[Polygon], Size]]) -> list[float]:
    """How many pixels each set of polygons covers in an image of its size."""
    try:
        masks = from_polygons(
            [polygons for polygons, _ in items],
            [size for _, size in items],
            max_crossings=_MOST_CROSSINGS,
        )
    except MaskError:
        return [_polygon_area(polygons, size) for polygons, size in items]
    areas: list[float] = area(masks).astype(float).tolist()
    return areas


def _polygon_area(polygons: list[Polygon], size: Size) -> float:
    try:
        masks = from_polygons([polygons], [size], max_crossings=_MOST_CROSSINGS)
    except MaskError:
        # Too intricate to draw while somebody waits: the area of its box is near enough.
        _, _, width, height = polygons_extent(polygons)
        return width * height
    return float(area(masks)[0])


def polygons_extent(polygons: Sequence[Polygon]) -> list[float]:
    """The box [x, y, w, h] around all points."""
    left = min(min(polygon[0::2]) for polygon in polygons)
    top = min(min(polygon[1::2]) for polygon in polygons)
    right = max(max(polygon[0::2]) for polygon in polygons)
    bottom = max(max(polygon[1::2]) for polygon in polygons)
    return [float(left), float(top), float(right - left), float(bottom - top)]


def read_bbox(record: dict[str, Any], note: Note) -> list[float] | None:
    """The record's box; None when it has none, or none that makes sense."""
    value = record.get("bbox")
    if value is None or value == []:
        return None
    if _is_box_of_floats(value):
        box: list[float] = value
        return box
    found = [values.finite(number) for number in value] if isinstance(value, list) else []
    numbers = [n for n in found if n is not None and abs(n) <= MAX_COORDINATE]
    if len(numbers) != 4 or len(found) != 4:
        # Beyond the limit, width x height may be more than any float.
        note("bbox_invalid", "bbox", "bbox is not four numbers that an image can have.")
        return None
    return numbers


def _is_box_of_floats(value: Any) -> bool:
    """Whether this is what nearly all files have, told without a look at each number."""
    return (
        isinstance(value, list)
        and len(value) == 4
        and set(map(type, value)) == _FLOAT
        and max(value) <= MAX_COORDINATE
        and min(value) >= -MAX_COORDINATE
    )


_CROWD = {"0": False, "1": True, "false": False, "true": True}


def read_crowd(record: dict[str, Any], note: Note) -> bool:
    """Whether the annotation is a crowd; the record keeps whatever it says."""
    name = "iscrowd" if "iscrowd" in record else "is_crowd"
    value = record.get(name)
    unusual = name == "is_crowd" and value is not None
    if isinstance(value, list) and len(value) == 1:
        value, unusual = value[0], True
    if isinstance(value, str) and value.strip().lower() in _CROWD:
        value, unusual = _CROWD[value.strip().lower()], True
    if isinstance(value, int | float):
        unusual = unusual or isinstance(value, bool) or value not in (0, 1)
        crowd = value == 1
    else:
        unusual = unusual or value is not None
        crowd = False
    if unusual:
        note("iscrowd_unusual", name, f"{name} is {record.get(name)!r:.60}.")
    return crowd


def keypoints(value: Any, names: int, note: Note) -> list[float] | None:
    """The keypoints as x, y, v, ...; None when there are none. `names`: the category's number."""
    if value is None or value == []:
        return None
    if not isinstance(value, list) or len(value) % 3 or not set(map(type, value)) <= _NUMBERS:
        raise Rejected(
            "keypoints_length", "The keypoints are not a list of triples of numbers.", "keypoints"
        )
    if any(v not in (0, 1, 2) for v in value[2::3]):
        note("keypoints_visibility", "keypoints", "A keypoint's v is none of 0, 1 and 2.")
    if names and len(value) > 3 * names:
        note(
            "keypoints_too_many",
            "keypoints",
            f"{len(value) // 3} keypoints, and the category names {names}.",
        )
    return value


def labelled_extent(points: list[float]) -> list[float] | None:
    """The box around the keypoints with v > 0; None also when one is beyond any image."""
    labelled = [points[i : i + 2] for i in range(0, len(points), 3) if points[i + 2] > 0]
    numbers = [n for point in labelled for n in point]
    if not numbers or max(map(abs, numbers)) > MAX_COORDINATE:
        return None
    return polygons_extent([numbers])
