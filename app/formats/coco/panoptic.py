"""Panoptic files: every pixel of an image belongs to one segment, or to none.

Such a file lists one record for each image, ``{"image_id", "file_name", "segments_info": [...]}``,
and beside the file stands a folder of PNGs. The colour of a pixel is the id of its segment:

    id = R + 256 G + 65536 B          0 is void: no segment

Ids count for each image alone. Here a segment is an annotation like any other: its record is the
segment's own, with the ``image_id`` and the ``segmentation`` (an RLE) that the PNG gives it behind.
What stands around the segments of an image is kept as a `FrameRecord`.

>>> colors_of([1, 256, 3_937_500]).tolist()
[[1, 0, 0], [0, 1, 0], [220, 20, 60]]
>>> ids_of(np.array([[[220, 20, 60]]], np.uint8)).tolist()
[[3937500]]
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from app import masks
from app.formats.coco import geometry, rawjson, values
from app.formats.coco.geometry import Rejected
from app.formats.coco.head import Catalog, shown_id
from app.formats.records import AnnotationRecord, FrameRecord, PngError, Pngs, Report, Size
from app.masks import Masks

__all__ = [
    "HIGHEST_ID",
    "Frames",
    "colors_of",
    "count_segments",
    "free_ids",
    "ids_of",
    "seen",
    "segment_text",
]

HIGHEST_ID = 2**24 - 1
"""Three bytes of colour hold no more."""

# What the PNG says of a segment, and its place in our records; a panoptic file never has these.
_FROM_PNG = ("image_id", "segmentation")
_MOST_UNLISTED_TOLD = 20
_segments = msgspec.json.Decoder(dict[str, msgspec.Raw])


# Colours and ids --------------------------------------------------------------------------------


def ids_of(colors: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """(h, w) int32 ids of the pixels of an RGB picture (h, w, 3), uint8."""
    wide = colors.astype(np.int32)
    ids: npt.NDArray[np.int32] = wide[..., 0] | wide[..., 1] << 8 | wide[..., 2] << 16
    return ids


def colors_of(ids: Sequence[int]) -> npt.NDArray[np.uint8]:
    """(N, 3) uint8: the colour of each id."""
    wide = np.asarray(ids, np.int64).reshape(-1, 1)
    colors: npt.NDArray[np.uint8] = (wide >> np.array([0, 8, 16]) & 255).astype(np.uint8)
    return colors


def free_ids(wanted: Sequence[Any]) -> list[int]:
    """An id for each segment of an image: the wanted one where it can be one and is not taken.

    >>> free_ids([7, 7, 900100000001, "x", 0])
    [7, 8, 9, 10, 11]
    """
    numbers = [values.whole(one) for one in wanted]
    usable = [n if n is not None and 1 <= n <= HIGHEST_ID else None for n in numbers]
    taken = {n for n in usable if n is not None}
    used: set[int] = set()
    chosen, free = [], max(taken, default=0)
    for number in usable:
        if number is None or number in used:
            free = free + 1 if free < HIGHEST_ID else 1
            while free in taken:
                free = free + 1 if free < HIGHEST_ID else 1
            number = free
            taken.add(number)
        used.add(number)
        chosen.append(number)
    return chosen


def seen(batch: Masks, order: Sequence[int]) -> Masks:
    """What is seen of each of the masks of one size when they are drawn in this order.

    The one drawn last lies on top. Masks that do not overlap come back as they are.
    """
    if not len(batch) or masks.area(batch).sum() == masks.area(masks.merge(batch)).sum():
        return batch
    drawn = batch[list(order)]
    places = np.array(order, np.int32)
    labels, found = masks.encode_labels(masks.decode_labels(drawn, places + 1))
    hidden = masks.background(batch.sizes)
    whole = masks.concatenate([hidden, found])
    which = np.arange(len(batch))
    shown = labels > 0
    which[labels[shown] - 1] = len(batch) + np.flatnonzero(shown)
    return whole[which]


# Records ----------------------------------------------------------------------------------------


def segment_text(record: str, *, pixels: Masks | None = None, **ids: Any) -> str:
    """The segment of a record as a panoptic file has it.

    With `pixels` (a batch of one) its area and box are those of these pixels; `ids` are members
    that are numbered anew.

    >>> segment_text('{"id":7,"area":1.0,"image_id":3,"segmentation":{}}')
    '{"id":7,"area":1.0}'
    """
    parts = rawjson.members(record)
    for name in _FROM_PNG:
        parts.pop(name, None)
    if pixels is not None:
        parts["area"] = str(int(masks.area(pixels)[0]))
        parts["bbox"] = rawjson.dumps(_box(pixels))
    return rawjson.join(parts | {name: rawjson.dumps(value) for name, value in ids.items()})


def _box(pixels: Masks) -> list[int]:
    return [int(number) for number in masks.bbox(pixels)[0]]


def count_segments(records: Sequence[bytes]) -> int:
    """How many segments these records of a panoptic file list."""
    number = 0
    for record in records:
        try:
            raw = _segments.decode(record).get("segments_info", msgspec.Raw(b"[]"))
            number += len(rawjson.elements(bytes(raw)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return number


class Frames:
    """The records of a panoptic file; whatever cannot be used goes into the report."""

    def __init__(
        self,
        report: Report,
        sizes: Sequence[Size | None],
        image_ids: Catalog,
        category_ids: Catalog,
        pngs: Pngs,
    ) -> None:
        self._report = report
        self._sizes = sizes
        self._image_ids = image_ids
        self._category_ids = category_ids
        self._pngs = pngs
        self._images: set[int] = set()

    def read(
        self, path: str, text: str, members: Mapping[str, Any]
    ) -> tuple[FrameRecord, list[AnnotationRecord]] | None:
        """An image's record and its segments; None when it is rejected."""
        try:
            return self._read(path, text, members)
        except Rejected as rejected:
            where = f"{path}.{rejected.member}" if rejected.member else path
            told = members.get("image_id")
            known = told if isinstance(told, str | int | float) else None
            self._report.add(rejected.code, where, rejected.message, id=known)
            return None

    def _read(
        self, path: str, text: str, members: Mapping[str, Any]
    ) -> tuple[FrameRecord, list[AnnotationRecord]]:
        listed = members.get("segments_info")
        if not isinstance(listed, list):
            raise Rejected("segments_invalid", "segments_info is no list.", "segments_info")

        def note(code: str, member: str, message: str) -> None:
            self._report.add(code, f"{path}.{member}", message, id=members["image_id"])

        image = self._image_ids.refer(members, note)
        size = self._sizes[image]
        if size is None:
            raise Rejected("image_rejected", "The image was rejected: it has no size.", "image_id")
        if image in self._images:
            raise Rejected("panoptic_image_duplicate", "The image has a record already.")
        ids = self._pixels(members.get("file_name"), size)
        self._images.add(image)
        raw = rawjson.members(text)
        work = _Segments(self._report, path, image, raw["image_id"], ids, self._category_ids)
        found = work.read(listed, rawjson.elements(raw["segments_info"]))
        frame = rawjson.join(raw | {"segments_info": "[]"})
        return FrameRecord(path=path, text=frame, image=image), found

    def _pixels(self, file_name: Any, size: Size) -> npt.NDArray[np.int32]:
        if not isinstance(file_name, str) or not file_name.strip():
            raise Rejected("panoptic_png_missing", "There is no file_name.", "file_name")
        try:
            return ids_of(self._pngs.colors(values.match_name(file_name), size))
        except PngError as error:
            raise Rejected(error.code, error.detail, "file_name") from None


class _Segments:
    """The segments of one image."""

    def __init__(
        self,
        report: Report,
        path: str,
        image: int,
        image_id: str,
        ids: npt.NDArray[np.int32],
        category_ids: Catalog,
    ) -> None:
        self._report = report
        self._path = path
        self._image = image
        self._image_id = image_id
        self._category_ids = category_ids
        labels, self._drawn = masks.encode_labels(ids)
        self._places = {label: place for place, label in enumerate(labels.tolist()) if label}
        self._areas = masks.area(self._drawn).tolist()
        self._boxes = masks.bbox(self._drawn).tolist()
        self._rles = masks.to_dicts(self._drawn)

    def read(self, listed: Sequence[Any], texts: Sequence[str]) -> list[AnnotationRecord]:
        numbers = [values.whole(one.get("id")) if isinstance(one, dict) else None for one in listed]
        often = Counter(numbers)
        self._note_unlisted(often)
        found = []
        for index, (one, text) in enumerate(zip(listed, texts, strict=True)):
            path = f"{self._path}.segments_info[{index}]"
            try:
                found.append(self._segment(path, one, text, numbers[index], often))
            except Rejected as rejected:
                where = f"{path}.{rejected.member}" if rejected.member else path
                told = shown_id(one) if isinstance(one, dict) else None
                self._report.add(rejected.code, where, rejected.message, id=told)
        return found

    def _note_unlisted(self, often: Mapping[int | None, int]) -> None:
        missing = [label for label in self._places if label not in often]
        for label in missing[:_MOST_UNLISTED_TOLD]:
            told = f"{self._areas[self._places[label]]:,} pixels have the id {label}."
            self._report.add("segment_unlisted", f"{self._path}.file_name", told, id=label)
        if len(missing) > _MOST_UNLISTED_TOLD:
            told = f"{len(missing) - _MOST_UNLISTED_TOLD:,} further ids are not listed."
            self._report.add("segment_unlisted", f"{self._path}.file_name", told)

    def _segment(
        self, path: str, one: Any, text: str, number: int | None, often: Mapping[int | None, int]
    ) -> AnnotationRecord:
        if not isinstance(one, dict):
            raise Rejected("record_not_object", "The segment is not an object.")
        if number is None or not 1 <= number <= HIGHEST_ID:
            told = f"The id is {one.get('id')!r:.60}."
            raise Rejected("segment_id_invalid", told, "id")
        if often[number] > 1:
            told = f"{often[number]} segments of the image have the id {number}."
            raise Rejected("segment_id_duplicate", told, "id")

        def note(code: str, member: str, message: str) -> None:
            self._report.add(code, f"{path}.{member}", message, id=number)

        category = self._category_ids.refer(one, note)
        place = self._places.get(number)
        if place is None:
            raise Rejected("segment_missing", f"No pixel of the PNG has the id {number}.", "id")
        crowd = geometry.read_crowd(one, note)
        area, box = self._measures(one, place, note)
        parts = rawjson.members(text)
        for name in _FROM_PNG:
            if name in parts:
                note("segment_member_taken", name, f"The PNG says what the {name} is.")
                del parts[name]
        rle = rawjson.dumps(self._rles[place])
        parts |= {"image_id": self._image_id, "segmentation": rle}
        return AnnotationRecord(
            path=path,
            text=rawjson.join(parts),
            coco_id=one["id"],
            image=self._image,
            category=category,
            iscrowd=crowd,
            area=area,
            bbox=box,
        )

    def _measures(
        self, one: Mapping[str, Any], place: int, note: geometry.Note
    ) -> tuple[float, list[float]]:
        """Area and box as the file says them, or as the pixels do; noted where both differ."""
        area, box = float(self._areas[place]), self._boxes[place]
        told_area = values.finite(one.get("area", area))
        told_box = geometry.read_bbox(dict(one), note) if "bbox" in one else box
        if told_area is None or told_area < 0:
            note("area_invalid", "area", f"area is {one['area']!r:.60}.")
            told_area = area
        if told_area != area:
            note("segment_area_differs", "area", f"Its pixels are {int(area):,}.")
        if told_box is not None and told_box != box:
            note("segment_area_differs", "bbox", f"The box of its pixels is {_whole(box)}.")
        return told_area, told_box or box


def _whole(box: Sequence[float]) -> list[int]:
    return [int(number) for number in box]
