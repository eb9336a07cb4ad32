"""Reads YOLO folders: a text file for each image, a line for each object, numbers from 0 to 1.

=====================  =======================================================================
``c x y w h``          a box: class, middle, width and height
``c x1 y1 x2 y2 …``    a polygon of three points or more; four are also an oriented box
``c x y w h (px py v)…``  a box and keypoints, where data.yaml has a kpt_shape; v may be absent
=====================  =======================================================================

Positions become pixels of the image, rounded to a thousandth.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.formats.coco import geometry, rawjson, values
from app.formats.folders import (
    EMPTY_ENVELOPE,
    Folder,
    FolderSource,
    as_text,
    new_category,
    new_image,
)
from app.formats.records import AnnotationRecord, FileError, Head, Report, Size
from app.formats.yolo.config import Config, find_config, read_config
from app.formats.yolo.layout import Item, label_names, pair

__all__ = ["YoloReader", "format_name"]

DECIMALS = 3
_LOOKED_AT = 20
# Files of images without objects are empty; among so many there is one with objects.
_SEARCHED = 200
# A class and four numbers or more.
_LINE = re.compile(r"\s*\d+(?:\.0*)?(?:\s+[-+.\deE]+){4,}\s*", re.ASCII)
_MOST_CLASSES = 100_000
# Beyond the image by more than its own size a number is no position.
_FARTHEST = 2.0


class YoloReader:
    """Reads all kinds: ``detect``, ``segment`` and ``pose``; each understands lines of the others.

    The formats are called after their kinds, as `format_name` has it.
    """

    def recognise(self, folder: Folder) -> str | None:
        labels, config = label_names(folder), read_config(folder)
        is_told = bool(config.names or config.keypoints)
        if any(name.lower().endswith(".json") for name in folder.names):
            # Texts beside pictures may be anything where there is another annotation file.
            is_yolo = is_told and _has_lines(folder, labels)
        else:
            has_images = any("images" in name.split("/") for name in folder.names)
            is_yolo = (is_told and has_images) or _has_lines(folder, labels)
        return format_name(_kind(folder, labels, config)) if is_yolo else None

    def open(self, folder: Folder, *, name: str, report: Report) -> "YoloSource":
        return YoloSource(folder, report, is_pose=name == format_name("pose"))


def format_name(kind: str) -> str:
    """What the format of a kind is called."""
    return f"yolo-{kind}"


def _has_lines(folder: Folder, labels: Sequence[str]) -> bool:
    """Whether one of the first files that are not empty is one of labels."""
    for name in labels[:_SEARCHED]:
        try:
            lines = as_text(folder, name).split("\n", _LOOKED_AT)
        except FileError:
            continue
        found = [line for line in lines[:_LOOKED_AT] if line.strip()]
        if found and all(map(_LINE.fullmatch, found)):
            return True
    return False


def _kind(folder: Folder, labels: Sequence[str], config: Config) -> str:
    if config.keypoints:
        return "pose"
    for name in labels[:_LOOKED_AT]:
        try:
            lines = as_text(folder, name).splitlines()
        except FileError:
            continue
        if any(len(line.split()) > 6 for line in lines[:_LOOKED_AT]):
            return "segment"
    return "detect"


@dataclass(frozen=True, slots=True)
class _Line:
    """A line: its class, and its numbers as they are."""

    number: int
    numbers: list[float]


class YoloSource(FolderSource[str]):
    """An opened folder; objects are lines of text."""

    def __init__(self, folder: Folder, report: Report, *, is_pose: bool) -> None:
        super().__init__(folder, report)
        self._config = read_config(folder, report)
        if is_pose and not self._config.keypoints:
            raise FileError("label_file_invalid", "data.yaml has no kpt_shape.")
        if not is_pose:
            self._config.keypoints = 0
        self._items: list[Item] = []

    def _read_head(self) -> Head:
        self._items = pair(self._folder, self._config)
        images = []
        for index, item in enumerate(self._items):
            path = item.picture or item.labels or ""
            record = new_image(index, path, item.name, None, item.subset)
            picture = item.picture and self._folder.picture(item.picture, record)
            if picture:
                record.height, record.width = picture.shown
            images.append(record)
        count, highest = self._look_through()
        return Head(
            task="person_keypoints" if self._config.keypoints else "instances",
            images=images,
            categories=self._categories(highest),
            envelope=EMPTY_ENVELOPE,
            annotation_count=count,
            has_ids=False,
        )

    def _look_through(self) -> tuple[int, int]:
        """How many lines there are, and the highest class of them."""
        count, highest = 0, -1
        for item in self._items:
            try:
                lines = self._lines(item)
            except FileError as error:
                self._report.add(error.code, item.labels or "", error.detail)
                continue
            for _, line in lines:
                count += 1
                first = line.split(None, 1)[0]
                if first.isdecimal() and len(first) < 8:
                    highest = max(highest, int(first))
        return count, highest

    def _lines(self, item: Item) -> list[tuple[int, str]]:
        """The lines that are not empty, with their numbers."""
        if item.labels is None:
            return []
        lines = as_text(self._folder, item.labels).splitlines()
        return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]

    def _categories(self, highest: int) -> list[Any]:
        """One for each class, in order. Classes that have no name are called by their number."""
        config = self._config
        path = find_config(self._folder) or ""
        nameless = not config.names and highest >= 0
        if nameless:
            told = "No data.yaml or list of classes says what the classes are called."
            self._report.add("class_names_missing", path, told)
        known = range(min(highest + 1, _MOST_CLASSES)) if nameless else sorted(config.names)
        points = [f"{number}" for number in range(1, config.keypoints + 1)]
        self._classes = {number: place for place, number in enumerate(known)}
        return [
            new_category(
                place,
                f"{path}:names[{number}]",
                values.shown_name(config.names.get(number, "")).strip() or f"class_{number}",
                [values.shown_name(n) for n in config.keypoint_names.get(number, points)],
                config.skeletons.get(number, ()),
            )
            for number, place in self._classes.items()
        ]

    def annotations(self, sizes: Sequence[Size | None]) -> Iterator[list[AnnotationRecord]]:
        for batch in super().annotations(sizes):
            yield _measured(batch, sizes)

    def _objects(self) -> Iterator[tuple[int, str, str]]:
        for image, item in enumerate(self._items):
            try:
                lines = self._lines(item)
            except FileError:
                # It was reported when all files were looked through.
                continue
            for number, line in lines:
                yield image, f"{item.labels}:{number}", line

    def _annotation(self, image: int, path: str, given: str, size: Size) -> AnnotationRecord | None:
        parsed = self._parse(given)
        category = self._classes.get(parsed.number)
        if category is None:
            told = f"There is no class {parsed.number}."
            self._report.add("category_unknown", path, told)
            return None
        if any(not 0 <= n <= 1 for n in self._positions(parsed.numbers)):
            self._report.add("position_outside", path, "A position is not between 0 and 1.")
        return self._record(path, image, category, self._members(parsed.numbers, size))

    def _parse(self, line: str) -> _Line:
        parts = line.split()
        try:
            numbers = [float(part) for part in parts]
        except ValueError:
            raise ValueError(f"{line.strip()!r:.60} is not a list of numbers.") from None
        first, rest = numbers[0], numbers[1:]
        if not 0 <= first < _MOST_CLASSES or first != int(first):
            raise ValueError(f"The class {parts[0]!r:.60} is not a whole number of at least 0.")
        config = self._config
        pose = 4 + config.keypoints * config.dims
        fits = len(rest) in (4, pose) if config.keypoints else len(rest) == 4 or len(rest) >= 6
        if not fits or (not config.keypoints and len(rest) % 2):
            wanted = f"4 or {pose}" if config.keypoints else "4, or 6 and more in pairs"
            raise ValueError(f"{len(rest)} numbers follow the class, not {wanted}.")
        if not all(math.isfinite(n) and abs(n) <= _FARTHEST for n in self._positions(rest)):
            raise ValueError("A position is not a number, or far outside of the image.")
        if len(rest) == 4 or config.keypoints:
            if rest[2] < 0 or rest[3] < 0:
                raise ValueError("The width or height of the box is below 0.")
            self._check_visibility(rest)
        return _Line(int(first), rest)

    def _check_visibility(self, rest: list[float]) -> None:
        if self._config.dims == 3 and any(v not in (0, 1, 2) for v in rest[6::3]):
            raise ValueError("The visibility of a keypoint is none of 0, 1 and 2.")

    def _positions(self, rest: list[float]) -> list[float]:
        """The numbers without the visibilities of keypoints."""
        if not self._config.keypoints or self._config.dims == 2:
            return rest
        return rest[:4] + [n for place, n in enumerate(rest[4:]) if place % 3 != 2]

    def _members(self, numbers: list[float], size: Size) -> dict[str, Any]:
        """The geometry of an annotation, in pixels."""
        height, width = size
        members: dict[str, Any] = {}
        if self._config.keypoints or len(numbers) == 4:
            x, y, w, h = numbers[:4]
            box = [(x - w / 2) * width, (y - h / 2) * height, w * width, h * height]
            box = [round(n, DECIMALS) for n in box]
        else:
            sides = (width, height) * len(numbers)
            scaled = (n * side for n, side in zip(numbers, sides, strict=False))
            polygon = [round(n, DECIMALS) for n in scaled]
            members["segmentation"] = [polygon]
            box = [round(n, DECIMALS) for n in geometry.polygons_extent([polygon])]
        members |= {"bbox": box, "area": round(box[2] * box[3], DECIMALS), "iscrowd": 0}
        if self._config.keypoints:
            points = self._keypoints(numbers[4:], size)
            members["keypoints"] = points
            members["num_keypoints"] = sum(v > 0 for v in points[2::3])
        return members

    def _keypoints(self, numbers: list[float], size: Size) -> list[float]:
        """x, y, v for each keypoint; one that is not labelled is 0, 0, 0."""
        height, width = size
        dims = self._config.dims
        points: list[float] = []
        for place in range(0, self._config.keypoints * dims, dims):
            x, y, *v = numbers[place : place + dims] or (0.0, 0.0)
            seen = int(v[0]) if v else 2 * (x != 0 or y != 0)
            points += [round(x * width, DECIMALS), round(y * height, DECIMALS), seen]
        return points


def _measured(
    batch: list[AnnotationRecord], sizes: Sequence[Size | None]
) -> list[AnnotationRecord]:
    """The records, the areas of polygons counted in pixels."""
    drawn = [record for record in batch if '"segmentation"' in record.text]
    items = [
        (rawjson.decode(record.text)["segmentation"], sizes[record.image] or (0, 0))
        for record in drawn
    ]
    for record, area in zip(drawn, geometry.polygon_areas(items) if items else [], strict=True):
        record.area = area
        record.text = rawjson.replace(record.text, {"area": area})
    return batch
