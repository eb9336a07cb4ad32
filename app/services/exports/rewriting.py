"""Annotations whose segmentations are exported in another form than they are kept in.

=============  ================================================================================
``stored``     as it is
``polygons``   polygons; the outline of a mask is traced along its pixels, holes cut by seams,
               so that the polygons drawn again are the same pixels; ``iscrowd`` is 0
``mask``       an RLE; ``iscrowd`` is 1
``guess``      an RLE for a crowd, polygons for others; where nothing says whether it is a
               crowd, whatever it is; a region of stuff is an RLE, and its ``iscrowd`` stays
=============  ================================================================================

These are Datumaro's and CVAT's meanings. A bare box stays a box in each of them. What has the
wanted form already keeps its text, and no other member changes: the pixels are the same, so
``area`` and ``bbox`` still are what they were. Only `crop_covered`, which takes pixels away, counts
``area`` anew; ``bbox`` stays that of the whole thing.

Whatever is too intricate for the mask engine's limits stays as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from sqlalchemy import ARRAY, BigInteger, any_, literal, select
from sqlalchemy.orm import Session

from app import masks
from app.formats.coco import rawjson, repair
from app.models import Image
from app.services.annotations import shapes
from app.services.exports import covering

__all__ = ["SEGMENTATIONS", "Rewriting", "rewrite"]

SEGMENTATIONS = ("stored", "guess", "polygons", "mask")
_TASKS = ("instances", "person_keypoints", "stuff")
# Runs that are traced at a time: some ten megabytes of outlines.
_RUNS = 1 << 18
_NOTHING = msgspec.Raw(b"")

_Sizes = Mapping[int, shapes.Size]


@dataclass(frozen=True)
class Rewriting:
    """What an export changes in annotations besides their ids."""

    task: str
    segmentation: str = "stored"
    crop_covered: bool = False
    allow_attributes: bool = True
    fill: bool = False

    @property
    def is_needed(self) -> bool:
        return self.draws or not self.allow_attributes or self.fills

    @property
    def fills(self) -> bool:
        """Whether `area`, `bbox` and `iscrowd` are added where an annotation has none."""
        return self.fill and self.task in _TASKS

    @property
    def draws(self) -> bool:
        """Whether segmentations are looked at."""
        return self.task in _TASKS and (self.segmentation != "stored" or self.crop_covered)


class _Members(msgspec.Struct):
    """What a record says about its form, as texts; nothing where it has no such member."""

    segmentation: msgspec.Raw = _NOTHING
    attributes: msgspec.Raw = _NOTHING
    iscrowd: msgspec.Raw = _NOTHING
    is_crowd: msgspec.Raw = _NOTHING


_members = msgspec.json.Decoder(_Members)


@dataclass(slots=True)
class _Item:
    """An annotation with a segmentation: polygons or an RLE.

    `given` says that the record's own text is just that. `members` are those of the record that
    say so, and `changes` the texts of those that an export replaces.
    """

    members: _Members
    image: int
    value: Any
    given: bool
    crowd: bool | None
    is_cut: bool = False
    changes: dict[str, str] = field(default_factory=dict)

    @property
    def is_mask(self) -> bool:
        return isinstance(self.value, dict)

    def size(self, sizes: _Sizes) -> tuple[int, ...]:
        return tuple(self.value["size"]) if self.is_mask else sizes[self.image]


def rewrite(
    session: Session, rows: Sequence[Any], texts: Sequence[str], how: Rewriting
) -> Iterator[str]:
    """The texts of some annotations, rewritten.

    To crop, `rows` hold all annotations of their images, those of an image beside each other.
    """
    items = [_item(*pair) if how.draws else None for pair in zip(rows, texts, strict=True)]
    drawn = [item for item in items if item is not None]
    if drawn:
        _draw(drawn, _sizes(session, {item.image for item in drawn}), how)
    for row, item, text in zip(rows, items, texts, strict=True):
        new = rawjson.replace(text, raw=item.changes) if item and item.changes else text
        if how.fills:
            new = _filled(new, row)
        yield new if how.allow_attributes else _without_attributes(new)


def _filled(text: str, row: Any) -> str:
    """The record with what it lacks of what is computed for its display."""
    lacking = repair.absent(
        rawjson.members(text), area=row.area, bbox=row.bbox, iscrowd=row.iscrowd
    )
    return rawjson.replace(text, raw=lacking) if lacking else text


def _without_attributes(text: str) -> str:
    if '"attributes"' not in text:
        return text
    members = rawjson.members(text)
    return text if members.pop("attributes", None) is None else rawjson.join(members)


# Reading ---------------------------------------------------------------------------------------


def _item(row: Any, text: str) -> _Item | None:
    """The annotation as it is drawn; None for one that has nothing to draw."""
    members = _members.decode(text)
    value, given = rawjson.decode(members.segmentation or b"null"), True
    if row.shape is not None:
        shape = rawjson.decode(row.shape)
        # Holes are in the record already: it has their RLE.
        if not shape["holes"]:
            value, given = shape["segmentation"], False
    if isinstance(value, list):
        value = [polygon for polygon in value if polygon]
    return _Item(members, row.image_id, value, given, _crowd(members, row)) if value else None


def _crowd(members: _Members, row: Any) -> bool | None:
    """Whether it is a crowd; None where nothing says so."""
    if b'"is_crowd"' in bytes(members.attributes):
        attributes = rawjson.decode(members.attributes)
        if isinstance(attributes, dict) and "is_crowd" in attributes:
            return bool(attributes["is_crowd"] == 1)
    told = members.iscrowd or members.is_crowd
    return bool(row.iscrowd) if told else None


def _sizes(session: Session, keys: set[int]) -> dict[int, shapes.Size]:
    chosen = Image.id == any_(literal(sorted(keys), ARRAY(BigInteger)))
    query = select(Image.id, Image.height, Image.width).where(chosen)
    return {key: (height, width) for key, height, width in session.execute(query)}


# Drawing ---------------------------------------------------------------------------------------


def _draw(items: Sequence[_Item], sizes: _Sizes, how: Rewriting) -> None:
    """Say in each item what changes."""
    cut, pixels = _cut(items, sizes) if how.crop_covered else _pixels([], sizes)
    for item, area in zip(cut, masks.area(pixels).tolist(), strict=True):
        item.is_cut = True
        item.changes["area"] = str(area)
    others = []
    for item in items:
        if item.is_cut:
            continue
        if _wants_mask(item, how) != item.is_mask:
            others.append(item)
        elif how.segmentation != "stored":
            if not item.given:
                item.changes["segmentation"] = rawjson.dumps(item.value)
            _say_crowd(item, how)
    able, more = _pixels(others, sizes)
    _write([*cut, *able], masks.concatenate([pixels, more]), how)


def _wants_mask(item: _Item, how: Rewriting) -> bool:
    if how.segmentation == "guess":
        if how.task == "stuff":
            return True
        return item.is_mask if item.crowd is None else item.crowd
    return item.is_mask if how.segmentation == "stored" else how.segmentation == "mask"


def _pixels(items: Sequence[_Item], sizes: _Sizes) -> tuple[list[_Item], masks.Masks]:
    """The masks of the items, and which items have one: what is too intricate has none."""
    try:
        return list(items), _rasterise(items, sizes)
    except masks.MaskError:
        able, drawn = [], [masks.background(np.zeros((0, 2), np.int64))]
        for item in items:
            try:
                drawn.append(_rasterise([item], sizes))
            except masks.MaskError:
                continue
            able.append(item)
        return able, masks.concatenate(drawn)


def _rasterise(items: Sequence[_Item], sizes: _Sizes) -> masks.Masks:
    return masks.from_segmentations(
        [item.value for item in items],
        np.array([item.size(sizes) for item in items], np.int64).reshape(-1, 2),
        max_crossings=shapes.MAX_CROSSINGS,
    )


def _cut(items: Sequence[_Item], sizes: _Sizes) -> tuple[list[_Item], masks.Masks]:
    """What loses something to what lies above it, and what is left of it."""
    able, pixels = _pixels(items, sizes)
    fits = [place for place, item in enumerate(able) if item.size(sizes) == sizes[item.image]]
    able = [able[place] for place in fits]
    images = np.array([item.image for item in able], np.int64)
    places, left = covering.cut_covered(pixels[np.array(fits, np.int64)], images)
    return [able[place] for place in places.tolist()], left


# Writing ---------------------------------------------------------------------------------------


def _write(items: Sequence[_Item], pixels: masks.Masks, how: Rewriting) -> None:
    coded = np.array([_wants_mask(item, how) for item in items], bool)
    places = np.flatnonzero(coded)
    for place, rle in zip(places.tolist(), masks.to_dicts(pixels[places]), strict=True):
        items[place].changes["segmentation"] = msgspec.json.encode(rle).decode()
        _say_crowd(items[place], how)
    traced = np.flatnonzero(~coded)
    for place, polygons in _trace(pixels, traced):
        items[place].changes["segmentation"] = polygons
        _say_crowd(items[place], how)
    for place in traced.tolist():
        if "segmentation" not in items[place].changes:
            items[place].changes.clear()


def _trace(pixels: masks.Masks, places: npt.NDArray[np.int64]) -> Iterator[tuple[int, str]]:
    """Outlines as texts, some masks at a time; none for masks too ragged to be traced."""
    places = places[pixels.runs[places] <= shapes.MAX_TRACED_RUNS]
    group = np.cumsum(pixels.runs[places]) // _RUNS
    for some in np.split(places, np.flatnonzero(np.diff(group)) + 1):
        try:
            outlines = masks.to_polygons(pixels[some])
        except masks.MaskError:
            continue
        for place, outline in zip(some.tolist(), outlines, strict=True):
            yield place, msgspec.json.encode(outline.polygons).decode()


def _say_crowd(item: _Item, how: Rewriting) -> None:
    """Have ``iscrowd`` say what form the segmentation has; a text that does so already stays."""
    if how.segmentation == "stored" or (how.segmentation == "guess" and how.task == "stuff"):
        return
    if how.segmentation == "guess" and item.crowd is None:
        return
    wanted = _wants_mask(item, how)
    told = {"iscrowd": item.members.iscrowd}
    if item.members.is_crowd:
        told["is_crowd"] = item.members.is_crowd
    for name, text in told.items():
        if rawjson.decode(text or b"0") != wanted:
            item.changes[name] = str(int(wanted))
