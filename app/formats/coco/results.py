"""Reads results files, as COCO's ``loadRes`` takes them: a list of what a model found.

::

    [{"image_id": 42, "category_id": 18, "bbox": [258.15, 41.29, 348.26, 243.78], "score": 0.236},
     {"image_id": 42, "caption": "a black dog"}]

Each result says by itself what it is, and a list may mix kinds. From the first member that it has
of these follows what ``loadRes`` derives:

================  ===============================================================================
``caption``       nothing
``bbox``          `area` is width x height; without a segmentation its four corners are one
``segmentation``  `area` in pixels, and without a `bbox` the box around it
``keypoints``     `area` and `bbox` of all points, also of those with v = 0
================  ===============================================================================

Images and categories are those of the dataset: see `Known`. Only values are derived, the text of a
result stays as it is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Generic, NamedTuple, TypeVar

from app.formats.coco import geometry, rawjson, values
from app.formats.coco.encoding import as_utf8
from app.formats.coco.geometry import Rejected
from app.formats.coco.head import read_record, shown_id
from app.formats.coco.stream import Stream
from app.formats.issues import ISSUES
from app.formats.records import FileError, Report, Size
from app.masks import MAX_COORDINATE

__all__ = [
    "KINDS",
    "Known",
    "KnownCategory",
    "KnownImage",
    "ResultRecord",
    "ResultsReader",
    "corners",
    "is_results",
    "open_results",
]

KINDS = ("caption", "bbox", "segmentation", "keypoints")
"""What a result may be, by the member that says so; the first one counts."""


class KnownImage(NamedTuple):
    """An image of the dataset: its key there and its size."""

    key: int
    size: Size


class KnownCategory(NamedTuple):
    """A category of the dataset: its key there and how many keypoints it names."""

    key: int
    keypoints: int


Thing = TypeVar("Thing", KnownImage, KnownCategory)


class Known(Generic[Thing]):
    """The images or categories of a dataset by their ids in COCO files."""

    def __init__(self, things: Iterable[tuple[Any, Thing]]) -> None:
        self._things: dict[Any, list[Thing]] = {}
        for coco_id, thing in things:
            self._things.setdefault(values.id_key(coco_id), []).append(thing)

    def find(self, coco_id: Any) -> tuple[Sequence[Thing], bool]:
        """All that have the id, and whether they have it as another type only: "1" for 1."""
        if isinstance(coco_id, list | dict):
            return (), False
        found = self._things.get(values.id_key(coco_id))
        if found is not None:
            return found, False
        other = values.other_type(coco_id)
        return (self._things.get(other, ()), True) if other is not None else ((), False)


@dataclass(slots=True)
class ResultRecord:
    """One result for the image and of the category with these keys; a caption has no category.

    `shape` is set where the segmentation was read generously: the text of
    ``{"segmentation": …, "holes": []}``.
    """

    path: str
    place: int
    text: str
    image: int
    category: int | None
    kind: str
    score: float | None
    area: float = 0.0
    bbox: Sequence[float] = (0.0, 0.0, 0.0, 0.0)
    shape: str | None = None


def corners(bbox: Sequence[Any]) -> list[Any]:
    """The polygon that ``loadRes`` makes of a box [x, y, w, h]."""
    x, y, width, height = bbox
    return [x, y, x, y + height, x + width, y + height, x + width, y]


def is_results(file: BinaryIO) -> bool:
    """Whether a file is a list whose first record looks like a result."""
    try:
        with as_utf8(file) as text:
            return Stream(text).is_results()
    except FileError:
        return False
    finally:
        file.seek(0)


@contextmanager
def open_results(
    file: BinaryIO,
    *,
    images: Known[KnownImage],
    categories: Known[KnownCategory],
    report: Report,
) -> Iterator["ResultsReader"]:
    """Read a results file; UTF-8, or what its byte order mark says."""
    with as_utf8(file) as text:
        yield ResultsReader(text, images, categories, report)


class ResultsReader:
    """One opened results file; `position` is how many results were looked at so far."""

    def __init__(
        self,
        file: BinaryIO,
        images: Known[KnownImage],
        categories: Known[KnownCategory],
        report: Report,
    ) -> None:
        self._file = file
        self._images = images
        self._categories = categories
        self._report = report
        self.position = 0

    def batches(self) -> Iterator[list[ResultRecord]]:
        """The results that can be used, some hundreds at a time, in the order of the file."""
        stream = Stream(self._file)
        for part in stream.read_list():
            batch = _Batch(self._images, self._categories, self._report)
            for place, record in enumerate(part.records, start=part.start):
                path = f"[{place}]"
                members = read_record(record, path, self._report, problem=stream.problem(record))
                if members is not None:
                    batch.add(path, place, record.decode(), members)
            self.position = part.start + len(part.records)
            yield batch.finish()


class _Batch:
    """Some results, whose masks are checked and measured together."""

    def __init__(
        self, images: Known[KnownImage], categories: Known[KnownCategory], report: Report
    ) -> None:
        self._images = images
        self._categories = categories
        self._report = report
        self._found: list[ResultRecord] = []
        # Places in the list above, and what has to be measured or only checked there.
        self._rles: list[tuple[int, dict[str, Any]]] = []
        self._polygons: list[tuple[int, list[list[float]], Size]] = []
        self._has_box: set[int] = set()

    def add(self, path: str, place: int, text: str, members: dict[str, Any]) -> None:
        """One result; one that cannot be used is reported."""
        named = shown_id(members)

        def note(code: str, member: str, message: str) -> None:
            self._report.add(code, f"{path}.{member}", message, id=named)

        try:
            self._found.append(self._read(path, place, text, members, note))
        except Rejected as error:
            where = f"{path}.{error.member}" if error.member else path
            self._report.add(error.code, where, error.message, id=named)

    def _read(
        self, path: str, place: int, text: str, members: dict[str, Any], note: geometry.Note
    ) -> ResultRecord:
        image = _refer(members, "image", self._images, note)
        score = _score(members, note)
        if "caption" in members:
            if not isinstance(members["caption"], str):
                raise Rejected("caption_missing", "caption is no text.", "caption")
            return ResultRecord(path, place, text, image.key, None, "caption", score)
        category = _refer(members, "category", self._categories, note)
        result = ResultRecord(path, place, text, image.key, category.key, "", score)
        self._measure(result, members, image.size, category.keypoints, note)
        return result

    def _measure(
        self,
        result: ResultRecord,
        members: Mapping[str, Any],
        size: Size,
        names: int,
        note: geometry.Note,
    ) -> None:
        """What follows from the geometry; masks have to wait for the end of the batch."""
        given = members.get("segmentation")
        drawn = geometry.read_segmentation(given, size, note)
        points = geometry.keypoints(members.get("keypoints"), names, note)
        box = geometry.read_bbox(dict(members), note)
        if box is not None:
            result.kind, result.bbox, result.area = "bbox", box, box[2] * box[3]
        elif drawn is not None:
            result.kind = "segmentation"
        elif points is not None:
            result.kind = "keypoints"
            result.bbox = _extent(points)
            result.area = result.bbox[2] * result.bbox[3]
        else:
            raise Rejected("geometry_missing", "No caption, bbox, segmentation or keypoints.")
        at = len(self._found)
        if box is not None:
            self._has_box.add(at)
        if isinstance(drawn, dict):
            self._rles.append((at, drawn))
            if drawn["size"] != members["segmentation"]["size"]:
                result.shape = _shape_text(drawn)
            return
        if drawn is not None and box is None:
            self._polygons.append((at, drawn, size))
            result.bbox = geometry.polygons_extent(drawn)
        if given and not _is_same(drawn, given):
            result.shape = _shape_text(drawn)

    def finish(self) -> list[ResultRecord]:
        """The results, their masks checked and what they lacked computed."""
        rejected = self._check_masks()
        if self._polygons:
            areas = geometry.polygon_areas([(drawn, size) for _, drawn, size in self._polygons])
            for (at, _, _), area in zip(self._polygons, areas, strict=True):
                self._found[at].area = area
        return [result for at, result in enumerate(self._found) if at not in rejected]

    def _check_masks(self) -> set[int]:
        rejected: set[int] = set()
        lacking: list[tuple[int, dict[str, Any]]] = []
        checked = geometry.check_rles([rle for _, rle in self._rles])
        for (at, rle), outcome in zip(self._rles, checked, strict=True):
            result = self._found[at]
            if isinstance(outcome, Rejected):
                code = outcome.code if outcome.code in ISSUES else "rle_invalid"
                self._report.add(code, f"{result.path}.{outcome.member}", outcome.message)
                rejected.add(at)
                continue
            if outcome is not rle:
                told = "The counts were written by Python's repr or escaped twice."
                self._report.add("rle_repaired", f"{result.path}.segmentation.counts", told)
                result.shape = _shape_text(outcome)
            if at not in self._has_box:
                lacking.append((at, outcome))
        if lacking:
            measures = geometry.mask_measures([rle for _, rle in lacking])
            for (at, _), (area, box) in zip(lacking, measures, strict=True):
                self._found[at].area, self._found[at].bbox = area, box
        return rejected


def _refer(members: dict[str, Any], kind: str, known: Known[Thing], note: geometry.Note) -> Thing:
    """The image or category that a result names; Rejected unless exactly one fits."""
    member = f"{kind}_id"
    wanted = members.get(member)
    found, mistyped = known.find(wanted)
    if not found or member not in members:
        told = f"The dataset has no {kind} {wanted!r:.60}."
        raise Rejected(f"{kind}_unknown", told if member in members else "It is missing.", member)
    if len(found) > 1:
        told = f"{len(found)} of the dataset have the id {wanted!r:.60}."
        raise Rejected(f"{kind}_ambiguous", told, member)
    if mistyped:
        note("id_type_mismatch", member, f"{wanted!r:.60} is of another type than the id.")
    return found[0]


def _score(members: Mapping[str, Any], note: geometry.Note) -> float | None:
    value = members.get("score")
    number = values.finite(value)
    if number is None and value is not None:
        note("score_invalid", "score", f"score is {value!r:.60}.")
    return number


def _extent(points: Sequence[float]) -> list[float]:
    """The box around all points, as ``loadRes`` has it, those that are not labelled included."""
    numbers = [number for at in range(0, len(points), 3) for number in points[at : at + 2]]
    if max(map(abs, numbers)) > MAX_COORDINATE:
        raise Rejected("polygon_too_large", "A keypoint is beyond any image.", "keypoints")
    return geometry.polygons_extent([numbers])


def _is_same(drawn: Any, given: Any) -> bool:
    if drawn is None or len(drawn) != len(given):
        return False
    return all(a is b for a, b in zip(drawn, given, strict=True))


def _shape_text(segmentation: Any) -> str:
    return rawjson.dumps({"segmentation": segmentation, "holes": []})
