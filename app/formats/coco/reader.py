"""Reads COCO files: every record with its text, and a report of what is odd about it.

The file is read twice at constant memory (app/formats/coco/stream.py): first for images,
categories and everything else, then for the annotations, which may stand anywhere in it.
"""

import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, BinaryIO

from app.formats.coco import geometry, panoptic, rawjson, tasks, values
from app.formats.coco.encoding import as_utf8
from app.formats.coco.geometry import Rejected
from app.formats.coco.head import (
    Catalog,
    note_equal_names,
    read_category,
    read_image,
    read_record,
    shown_id,
)
from app.formats.coco.placeholders import Placeholders
from app.formats.coco.stream import RECORD_LISTS, Member, Records, Stream
from app.formats.issues import ISSUES
from app.formats.records import (
    AnnotationRecord,
    CategoryRecord,
    FileError,
    FrameRecord,
    Head,
    ImageRecord,
    Reading,
    Report,
    Size,
)

__all__ = ["CocoReader", "open_coco"]

# Each has a PNG to be read, which takes some milliseconds.
_FRAMES_AT_ONCE = 50


@contextmanager
def open_coco(file: BinaryIO, reading: Reading) -> Iterator["CocoReader"]:
    """Read a COCO file; UTF-8, or what its byte order mark says."""
    with as_utf8(file) as text:
        yield CocoReader(text, reading)


class CocoReader:
    """One opened COCO file; see `app.formats.records.Source`."""

    def __init__(self, file: BinaryIO, reading: Reading) -> None:
        self._file = file
        self._start = file.tell()
        self._reading = reading
        self._report = reading.report
        self._images = Catalog("image", self._report)
        self._categories = Catalog("category", self._report)
        self._placeholders: Placeholders | None = None
        if reading.placeholders:
            self._placeholders = Placeholders(self._images, self._categories)
        self._head: Head | None = None
        self.position = 0
        self.frames: list[FrameRecord] = []

    def _read(self) -> Iterator[tuple[Stream, Member | Records]]:
        self._file.seek(self._start)
        stream = Stream(self._file)
        for part in stream.read():
            yield stream, part

    def head(self) -> Head:
        """Everything but the annotations, which are only counted."""
        images: list[ImageRecord] = []
        categories: list[CategoryRecord] = []
        envelope: dict[str, str] = {}
        count, first = 0, list[bytes]()
        for stream, part in self._read():
            if isinstance(part, Member):
                self._member(part, envelope, stream)
            elif part.key == "images":
                self._add_images(part, images, stream)
            elif part.key == "categories":
                self._add_categories(part, categories, stream)
            else:
                first += part.records[: tasks.MOST_LOOKED_AT - len(first)]
                count += self._count(part.records, first)
                self._look(part, stream)
        if not envelope.keys() & RECORD_LISTS:
            told = "The object has neither images nor annotations nor categories."
            raise FileError("top_level", told)
        if self._placeholders is not None:
            images += self._placeholders.images(len(images))
            categories += self._placeholders.categories(len(categories))
        note_equal_names(categories, self._report)
        task = self._task(first, envelope, categories)
        if task == "image_info" and count:
            told = f"{count:,} annotations are not read."
            self._report.add("annotations_ignored", "annotations", told)
        self._head = Head(
            task=task,
            images=images,
            categories=categories,
            envelope=rawjson.join(envelope),
            annotation_count=0 if task == "image_info" else count,
            subset=tasks.from_name(self._reading.name)[1],
        )
        return self._head

    def _look(self, part: Records, stream: Stream) -> None:
        """Note what annotations name, for whoever wants placeholders."""
        if self._placeholders is not None:
            for index, record in enumerate(part.records, part.start):
                if stream.problem(record) is None:
                    self._placeholders.look(f"{part.key}[{index}]", record)

    def _count(self, records: list[bytes], first: list[bytes]) -> int:
        """How many annotations these are; those of a panoptic file are its segments."""
        is_panoptic = self._reading.task == "panoptic" or (
            self._reading.task == "auto"
            and tasks.detect(first, self._reading.name).task == "panoptic"
        )
        return panoptic.count_segments(records) if is_panoptic else len(records)

    def _member(self, part: Member, envelope: dict[str, str], stream: Stream) -> None:
        """Keep a member of the top-level object as it is, lists of records emptied."""
        if part.key in envelope:
            self._report.add("duplicate_key", part.key, f"The file has {part.key!r:.80} twice.")
        if part.key in RECORD_LISTS:
            if part.text not in (b"", b"null"):
                raise FileError("list_expected", f"{part.key} is not a list.")
            envelope[part.key] = "[]"
        elif (problem := stream.problem(part.text)) is not None:
            self._report.add(problem[0], part.key, problem[1])
        else:
            try:
                envelope[part.key] = part.text.decode()
            except UnicodeDecodeError:
                self._report.add("text_invalid", part.key, "The text is not UTF-8.")

    def _records(self, part: Records, stream: Stream) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Path, text and members of each record that can be read."""
        for index, record in enumerate(part.records, start=part.start):
            path = f"{part.key}[{index}]"
            members = read_record(record, path, self._report, problem=stream.problem(record))
            if members is not None:
                yield path, record.decode(), members

    def _add_images(self, part: Records, images: list[ImageRecord], stream: Stream) -> None:
        for path, text, members in self._records(part, stream):
            image = read_image(members, text, len(images), path, self._report)
            if image is not None:
                images.append(image)
            if "id" in members and values.id_problem(members["id"]) is None:
                self._images.add(members["id"], image.index if image else None, path)

    def _add_categories(
        self, part: Records, categories: list[CategoryRecord], stream: Stream
    ) -> None:
        for path, text, members in self._records(part, stream):
            category = read_category(members, text, len(categories), path, self._report)
            if category is not None:
                categories.append(category)
                self._categories.add(category.coco_id, category.index, path)

    def _task(
        self,
        first: list[bytes],
        envelope: Mapping[str, str],
        categories: Sequence[CategoryRecord],
    ) -> str:
        """The task of the file; FileError for one that we cannot read."""
        task = self._reading.task
        if task == "auto":
            task, assumed = tasks.detect(first, self._reading.name, envelope, categories)
            if assumed:
                told = "Neither its name nor its categories tell whether these are objects."
                self._report.add("task_assumed", "annotations", told, action=f"read as {task}")
        if task == "panoptic" and self._reading.pngs is None:
            told = "The file speaks of PNGs that are not there: send a zip of the file and them."
            raise FileError("panoptic_pngs_missing", told)
        return task

    def sizes_from_masks(self, images: set[int]) -> Mapping[int, Size]:
        """Sizes of these images as the RLEs drawn on them say."""
        found: dict[int, Size] = {}
        for _, part in self._read():
            if not isinstance(part, Records) or part.key != "annotations":
                continue
            for record in part.records:
                if len(found) == len(images):
                    return found
                place, size = self._mask_size(record)
                if place in images and size is not None:
                    found.setdefault(place, size)
        return found

    def _mask_size(self, record: bytes) -> tuple[int | None, Size | None]:
        try:
            members = values.decode(record)
            _, place, _ = self._images.find(members["image_id"])
            height, width = members["segmentation"]["size"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None, None
        size = values.whole(height), values.whole(width)
        if size[0] is None or size[1] is None or size[0] < 1 or size[1] < 1:
            return None, None
        return place, (size[0], size[1]) if size[0] * size[1] < 2**32 else None

    def annotations(self, sizes: Sequence[Size | None]) -> Iterator[list[AnnotationRecord]]:
        """The annotations in batches, checked; `sizes` has one for each image of the head."""
        head = self._head or self.head()
        seen: set[Any] = set()
        self.position = 0
        if head.task == "image_info":
            return
        if head.task == "panoptic":
            yield from self._segments(sizes)
            return
        for stream, part in self._read():
            if isinstance(part, Records) and part.key == "annotations":
                batch = _Batch(self._report, sizes, head, self._images, self._categories)
                for path, text, members in self._records(part, stream):
                    batch.add(path, text, members, seen)
                self.position = part.start + len(part.records)
                yield batch.finish()

    def _segments(self, sizes: Sequence[Size | None]) -> Iterator[list[AnnotationRecord]]:
        """The segments of a panoptic file in batches, each with the `frames` that they are of."""
        if self._reading.pngs is None:
            raise ValueError("a panoptic file is read with its PNGs")
        reader = panoptic.Frames(
            self._report, sizes, self._images, self._categories, self._reading.pngs
        )
        for stream, part in self._read():
            if not isinstance(part, Records) or part.key != "annotations":
                continue
            records = self._records(part, stream)
            while some := list(islice(records, _FRAMES_AT_ONCE)):
                read = [found for one in some if (found := reader.read(*one)) is not None]
                self.frames = [frame for frame, _ in read]
                listed = (members.get("segments_info") for _, _, members in some)
                self.position += sum(len(one) for one in listed if isinstance(one, list))
                yield [segment for _, segments in read for segment in segments]


class _Batch:
    """Some annotations, whose masks and areas are computed together."""

    def __init__(
        self,
        report: Report,
        sizes: Sequence[Size | None],
        head: Head,
        image_ids: Catalog,
        category_ids: Catalog,
    ) -> None:
        self._report = report
        self._sizes = sizes
        self._task = head.task
        self._categories = head.categories
        self._image_ids = image_ids
        self._category_ids = category_ids
        self._found: list[AnnotationRecord] = []
        # By their place among the found ones: RLEs to check, and polygons whose area is wanted.
        self._rles: list[tuple[int, dict[str, Any]]] = []
        self._no_area: list[tuple[int, list[list[float]]]] = []
        self._lacking: dict[int, tuple[bool, bool]] = {}

    def add(self, path: str, text: str, members: dict[str, Any], seen: set[Any]) -> None:
        """Read one annotation; an issue says why when it is rejected."""

        def note(code: str, member: str, message: str) -> None:
            self._report.add(code, f"{path}.{member}", message, id=shown_id(members))

        try:
            self._found.append(self._read(path, text, members, note))
        except Rejected as rejected:
            where = f"{path}.{rejected.member}" if rejected.member else path
            code = _known(rejected.code)
            self._report.add(code, where, rejected.message, id=shown_id(members))
            return
        if "id" not in members:
            note("annotation_id_missing", "id", "The annotation has no id.")
            return
        key = values.id_key(members["id"])
        if key in seen:
            told = f"Another one has the id {shown_id(members)!r:.60}, too."
            note("annotation_id_duplicate", "id", told)
        seen.add(key)

    def _read(
        self, path: str, text: str, members: dict[str, Any], note: geometry.Note
    ) -> AnnotationRecord:
        problem = values.id_problem(members.get("id"))
        if problem is not None:
            raise Rejected("id_invalid", f"The id {problem}.", "id")
        image = self._image_ids.refer(members, note)
        size = self._sizes[image]
        if size is None:
            raise Rejected("image_rejected", "The image was rejected: it has no size.", "image_id")
        if self._task == "captions":
            return _caption(path, text, members, image)
        category = self._category_ids.refer(members, note)
        crowd = geometry.read_crowd(members, note)
        if "segmentation" in members and members["segmentation"] is None:
            note("segmentation_null", "segmentation", "segmentation is null.")
        given = members.get("segmentation")
        drawn = geometry.read_segmentation(given, size, note)
        points = geometry.keypoints(
            members.get("keypoints"), len(self._categories[category].keypoints), note
        )
        box = geometry.read_bbox(members, note)
        area = self._area(members, note)
        place = len(self._found)
        if drawn is None and box is None and (points is not None or self._task != "labels"):
            if points is None:
                raise Rejected("geometry_missing", "No segmentation, no bbox and no keypoints.")
            box = geometry.labelled_extent(points) or [0.0, 0.0, 0.0, 0.0]
        if isinstance(drawn, dict):
            self._rles.append((place, drawn))
            self._lacking[place] = (area is None, box is None)
        elif drawn is not None:
            if area is None:
                self._no_area.append((place, drawn))
            box = box or geometry.polygons_extent(drawn)
        elif area is None and box is not None:
            area = abs(box[2] * box[3])
        return AnnotationRecord(
            path=path,
            text=text,
            coco_id=members.get("id"),
            image=image,
            category=category,
            iscrowd=crowd,
            area=area or 0.0,
            bbox=box or [0.0, 0.0, 0.0, 0.0],
            shape=_shape(given, drawn),
            has_id="id" in members,
        )

    def _area(self, members: dict[str, Any], note: geometry.Note) -> float | None:
        value = members.get("area")
        if value is None:
            return None
        number = values.finite(value)
        if number is None or number < 0:
            note("area_invalid", "area", f"area is {value!r:.60}.")
            return None
        return number

    def finish(self) -> list[AnnotationRecord]:
        """The annotations, their masks checked and what they lacked computed."""
        rejected = self._check_masks()
        if self._no_area:
            items = [(polygons, self._size_of(place)) for place, polygons in self._no_area]
            areas = geometry.polygon_areas(items)
            for (place, _), area in zip(self._no_area, areas, strict=True):
                self._found[place].area = area
        return [record for place, record in enumerate(self._found) if place not in rejected]

    def _size_of(self, place: int) -> Size:
        size = self._sizes[self._found[place].image]
        return size or (0, 0)

    def _check_masks(self) -> set[int]:
        """Check all RLEs at once; returns the places of the annotations to reject."""
        rejected: set[int] = set()
        lacking: list[tuple[int, dict[str, Any]]] = []
        checked = geometry.check_rles([rle for _, rle in self._rles])
        for (place, rle), result in zip(self._rles, checked, strict=True):
            record = self._found[place]
            if isinstance(result, Rejected):
                where = f"{record.path}.{result.member}"
                self._report.add(_known(result.code), where, result.message, id=record.coco_id)
                rejected.add(place)
                continue
            if result is not rle:
                where = f"{record.path}.segmentation.counts"
                told = "The counts were written by Python's repr or escaped twice."
                self._report.add("rle_repaired", where, told, id=record.coco_id)
                record.shape = _shape_text(result)
            if any(self._lacking[place]):
                lacking.append((place, result))
        if lacking:
            measures = geometry.mask_measures([rle for _, rle in lacking])
            for (place, _), (area, box) in zip(lacking, measures, strict=True):
                no_area, no_box = self._lacking[place]
                if no_area:
                    self._found[place].area = area
                if no_box:
                    self._found[place].bbox = box
        return rejected


def _caption(path: str, text: str, members: dict[str, Any], image: int) -> AnnotationRecord:
    """A text about an image; whatever category the record names means nothing."""
    if not isinstance(members.get("caption"), str):
        raise Rejected("caption_missing", "caption is missing or no text.", "caption")
    return AnnotationRecord(
        path=path,
        text=text,
        coco_id=members.get("id"),
        image=image,
        category=None,
        iscrowd=False,
        area=0.0,
        bbox=[0.0, 0.0, 0.0, 0.0],
        has_id="id" in members,
    )


def _known(code: str) -> str:
    """Codes of the mask engine that the report does not list are RLEs that are none."""
    return code if code in ISSUES else "rle_invalid"


def _shape(given: Any, drawn: Any) -> str | None:
    """What is shown, where the record says it in a way that only a generous reader understands."""
    if drawn is None:
        return None if not given else _shape_text(None)
    if isinstance(drawn, dict):
        return None if drawn["size"] == given["size"] else _shape_text(drawn)
    same = len(drawn) == len(given) and all(map(operator.is_, drawn, given))
    return None if same else _shape_text(drawn)


def _shape_text(segmentation: Any) -> str:
    return rawjson.dumps({"segmentation": segmentation, "holes": []})
