"""Repairs of single records: what is wrong and clear in meaning, written as it should be.

`REPAIRS` has one for each issue code that can be repaired. A repair works on a record's members as
texts, so numbers keep their digits and everything that it does not touch stays as it is:

>>> parts = {"id": "7", "segmentation": "[1.50,1,5,1,5,4]"}
>>> repair("segmentation_flat", parts, "segmentation", itertools.count(100))
True
>>> parts
{'id': '7', 'segmentation': '[[1.50,1,5,1,5,4]]'}
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import masks
from app.formats.coco import geometry, rawjson, values
from app.masks import MAX_COORDINATE

__all__ = ["REPAIRS", "SWAPPED", "Repair", "absent", "repair"]

Parts = dict[str, str]
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# A mask is drawn whole, a byte for each pixel.
_MOST_PIXELS = 1 << 28
_CLEAR_FLAGS = {"0": 0, "1": 1, "false": 0, "true": 1}


@dataclass(frozen=True)
class Repair:
    """How one code is repaired.

    `apply` changes the members (JSON texts by name) and says whether it did; it is told the member
    that the issue is about, such as ``segmentation[0]``, and an endless supply of new ids.
    """

    done: str
    apply: Callable[[Parts, str, Iterator[int]], bool]


def repair(
    code: str,
    parts: Parts,
    member: str,
    new_ids: Iterator[int],
    repairs: Mapping[str, Repair] | None = None,
) -> bool:
    """Repair what an issue of this code says about these members; whether anything changed."""
    known = (REPAIRS if repairs is None else repairs).get(code)
    return known is not None and known.apply(parts, member, new_ids)


def absent(parts: Mapping[str, str], *, area: float, bbox: Sequence[float], iscrowd: bool) -> Parts:
    """What an annotation with a geometry lacks, of what is computed for its display.

    >>> absent({"bbox": "[1,2,3,4]"}, area=12.0, bbox=[1, 2, 3, 4], iscrowd=False)
    {'area': '12.0', 'iscrowd': '0'}
    """
    if not parts.keys() & {"segmentation", "bbox", "keypoints"}:
        return {}
    computed = {
        "area": rawjson.dumps(area),
        "bbox": rawjson.dumps(bbox),
        "iscrowd": str(int(iscrowd)),
    }
    if "is_crowd" in parts:
        del computed["iscrowd"]
    return {
        name: text for name, text in computed.items() if parts.get(name, "null") in ("null", "[]")
    }


# Numbers ---------------------------------------------------------------------------------------


def _number(text: str) -> str | None:
    """A JSON value that is a number, or a text that reads as one, as the text of a number."""
    if not text.startswith('"'):
        return text if _JSON_NUMBER.fullmatch(text) else None
    inner = json.loads(text).strip()
    if _JSON_NUMBER.fullmatch(inner):
        return str(inner)
    try:
        number = values.finite(float(inner))
    except ValueError:
        return None
    return None if number is None else rawjson.dumps(number)


def _number_member(parts: Parts, member: str, _ids: Iterator[int]) -> bool:
    """`area`, `width` or `height`."""
    number = _number(parts[member])
    if number is None or number == parts[member] or float(number) < 0:
        return False
    if member in ("width", "height"):
        number = str(int(float(number)))
    parts[member] = number
    return True


def _bbox(parts: Parts, member: str, _ids: Iterator[int]) -> bool:
    if not parts[member].startswith("["):
        return False
    given = rawjson.elements(parts[member])
    numbers = [_number(text) for text in given]
    if len(numbers) != 4 or numbers == given:
        return False
    if any(number is None or abs(float(number)) > MAX_COORDINATE for number in numbers):
        return False
    parts[member] = _list([number for number in numbers if number is not None])
    return True


def _list(texts: list[str]) -> str:
    return "[" + ",".join(texts) + "]"


# Ids -------------------------------------------------------------------------------------------


def _new_id(parts: Parts, _member: str, ids: Iterator[int]) -> bool:
    parts["id"] = str(next(ids))
    return True


def _reference(parts: Parts, member: str, _ids: Iterator[int]) -> bool:
    other = values.other_type(rawjson.decode(parts[member]))
    if other is None:
        return False
    parts[member] = rawjson.dumps(other)
    return True


# Polygons --------------------------------------------------------------------------------------


def _polygons(parts: Parts, _member: str, _ids: Iterator[int]) -> bool:
    """All that can be wrong with polygons at once: wrap, flatten, unquote, cut, leave out."""
    before = parts["segmentation"]
    elements = rawjson.elements(before)
    if not any(text.startswith("[") for text in elements):
        elements = [before]
    elif len(elements) > 2 and all(_is_point(text) for text in elements):
        elements = [_list([number for text in elements for number in rawjson.elements(text)])]
    kept = [part for part in map(_polygon, elements) if part is not None]
    parts["segmentation"] = before if kept == rawjson.elements(before) else _list(kept)
    return parts["segmentation"] != before


def _is_point(text: str) -> bool:
    point = rawjson.decode(text)
    return isinstance(point, list) and len(point) == 2 and set(map(type, point)) <= {int, float}


def _polygon(text: str) -> str | None:
    """One part as a flat list of numbers; None when nothing can be drawn of it."""
    if not text.startswith("["):
        return text
    flat = given = rawjson.elements(text)
    if given and all(map(_is_point, given)):
        flat = [number for point in given for number in rawjson.elements(point)]
    read = [_number(one) for one in flat]
    numbers = [number for number in read if number is not None]
    if len(numbers) < len(read):
        # What is no number in it has to be mended by hand first.
        return text
    numbers = numbers[: len(numbers) // 2 * 2]
    if len(given) > 0 and len(numbers) < 6:
        return None
    return text if numbers == given else _list(numbers)


def _no_segmentation(parts: Parts, member: str, _ids: Iterator[int]) -> bool:
    parts[member] = "[]"
    return True


# RLEs ------------------------------------------------------------------------------------------


def _rle_size(parts: Parts, _member: str, _ids: Iterator[int]) -> bool:
    rle = rawjson.members(parts["segmentation"])
    numbers = [_number(text) for text in rawjson.elements(rle["size"])]
    whole = [values.whole(float(number)) for number in numbers if number is not None]
    if len(whole) != 2:
        return False
    rle["size"] = rawjson.dumps(whole)
    parts["segmentation"] = rawjson.join(rle)
    return True


def _counts(parts: Parts, _member: str, ids: Iterator[int]) -> bool:
    _rle_size(parts, "", ids)
    rle: dict[str, Any] = rawjson.decode(parts["segmentation"])
    size = [values.whole(number) for number in rle["size"]]
    read = geometry.check_rles([{"size": size, "counts": rle["counts"]}])[0]
    if isinstance(read, geometry.Rejected) or read["counts"] == rle["counts"]:
        return False
    parts["segmentation"] = rawjson.replace(parts["segmentation"], {"counts": read["counts"]})
    return True


def _swap_size(parts: Parts, _member: str, _ids: Iterator[int]) -> bool:
    """The size alone was written the wrong way round."""
    rle = rawjson.members(parts["segmentation"])
    width, height = rawjson.elements(rle["size"])
    rle["size"] = _list([height, width])
    parts["segmentation"] = rawjson.join(rle)
    return True


def _transpose(parts: Parts, _member: str, _ids: Iterator[int]) -> bool:
    """The mask was encoded with rows for columns: it is drawn, turned over and encoded again."""
    rle: dict[str, Any] = rawjson.decode(parts["segmentation"])
    size = [values.whole(number) for number in rle["size"]]
    read = geometry.check_rles([{"size": size, "counts": rle["counts"]}])[0]
    if isinstance(read, geometry.Rejected) or math.prod(read["size"]) > _MOST_PIXELS:
        return False
    turned = masks.encode(masks.decode(masks.from_dicts([read]))[0].T)
    [drawn] = masks.to_dicts(turned)
    if isinstance(rle["counts"], list):
        drawn["counts"] = turned.counts.tolist()
    parts["segmentation"] = rawjson.replace(parts["segmentation"], drawn)
    return True


# Crowds ----------------------------------------------------------------------------------------


def _iscrowd(parts: Parts, member: str, _ids: Iterator[int]) -> bool:
    value = rawjson.decode(parts[member])
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    flag = _CLEAR_FLAGS.get(str(value).strip().lower())
    if flag is None:
        return False
    # Under its right name, and in the place where it stood.
    renamed = {("iscrowd" if key == member else key): text for key, text in parts.items()}
    renamed["iscrowd"] = str(flag)
    parts.clear()
    parts.update(renamed)
    return True


# Segments --------------------------------------------------------------------------------------


def _with_others(_parts: Parts, _member: str, _ids: Iterator[int]) -> bool:
    """What needs all segments of an image, and is done in `app.formats.coco.fix`."""
    return False


REPAIRS: dict[str, Repair] = {
    "id_missing": Repair("given a new id", _new_id),
    "id_type_mismatch": Repair("written like the id that it means", _reference),
    "image_id_duplicate": Repair("given a new id", _new_id),
    "image_size_text": Repair("written as a number", _number_member),
    "category_id_duplicate": Repair("given a new id", _new_id),
    "annotation_id_missing": Repair("given a new id", _new_id),
    "annotation_id_duplicate": Repair("given a new id", _new_id),
    "segmentation_null": Repair("written as an empty list", _no_segmentation),
    "segmentation_flat": Repair("wrapped in a list", _polygons),
    "segmentation_nested": Repair("points written one after the other", _polygons),
    "polygon_too_short": Repair("left out", _polygons),
    "polygon_odd": Repair("last number left out", _polygons),
    "number_text": Repair("written as numbers", _polygons),
    "rle_size_text": Repair("written as numbers", _rle_size),
    "rle_repaired": Repair("counts written without b'…' and doubled backslashes", _counts),
    "bbox_invalid": Repair("written as numbers", _bbox),
    "area_invalid": Repair("written as a number", _number_member),
    "iscrowd_unusual": Repair("written as 0 or 1", _iscrowd),
    "segment_id_duplicate": Repair("left out where it says the same again", _with_others),
}

SWAPPED: dict[str, Repair] = {
    "size": Repair("its size written as [height, width]", _swap_size),
    "mask": Repair("its mask transposed", _transpose),
}
"""What an RLE of the size [width, height] may be meant as; nobody but its author can tell."""
