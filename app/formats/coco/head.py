"""Images and categories of a COCO file, each kept as its text."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.formats.coco import values
from app.formats.coco.geometry import Note, Rejected
from app.formats.records import CategoryRecord, ImageRecord, Report, Size

__all__ = ["Catalog", "read_category", "read_image", "read_record"]

_MOST_PIXELS = 2**32
_LONGEST_NAME = 4000


def read_record(
    record: bytes, path: str, report: Report, *, problem: tuple[str, str] | None = None
) -> dict[str, Any] | None:
    """The members of one record, or None (and an issue) when it cannot be used at all.

    `problem` is what the stream knows against it: a code and a sentence.
    """
    if problem is not None:
        report.add(problem[0], path, problem[1])
        return None
    try:
        value = values.decode(record)
    except UnicodeDecodeError as error:
        report.add("text_invalid", path, f"Byte {error.start} of the text is not UTF-8.")
        return None
    except values.NumberTooLarge as error:
        report.add("number_too_large", path, f"The number {error} is too large.")
        return None
    except (ValueError, RecursionError):
        report.add("record_unreadable", path, "The record cannot be read.")
        return None
    if not isinstance(value, dict):
        report.add("record_not_object", path, "The record is not an object.")
        return None
    if values.has_duplicate_keys(record, value):
        report.add("duplicate_key", path, "An object has the same key twice.", id=shown_id(value))
    return value


def shown_id(record: dict[str, Any]) -> Any:
    """The id for a report: anything but a single value would only confuse."""
    value = record.get("id")
    return value if isinstance(value, str | int | float) else None


def _usable_id(record: dict[str, Any], path: str, report: Report) -> bool:
    if "id" not in record:
        report.add("id_missing", path, "There is no id.")
        return False
    problem = values.id_problem(record["id"])
    if problem is not None:
        report.add("id_invalid", f"{path}.id", f"The id {problem}.")
    return problem is None


def read_image(
    record: dict[str, Any], text: str, index: int, path: str, report: Report
) -> ImageRecord | None:
    """One image, or None (and an issue) when it must be rejected."""
    if not _usable_id(record, path, report):
        return None
    coco_id = record["id"]
    name = record.get("file_name")
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME:
        report.add("file_name_missing", f"{path}.file_name", "There is no name.", id=coco_id)
        name = f"image {coco_id}"[:200]
    elif values.is_unsafe(name):
        report.add(
            "file_name_unsafe", f"{path}.file_name", f"{values.shown_name(name)!r:.200}", id=coco_id
        )
    size = _size(record, path, report)
    if size is not None and size[0] * size[1] >= _MOST_PIXELS:
        report.add(
            "image_too_large", path, f"The image is {size[1]} x {size[0]} pixels.", id=coco_id
        )
        return None
    return ImageRecord(
        index=index,
        path=path,
        text=text,
        coco_id=coco_id,
        file_name=values.shown_name(name),
        match_name=values.match_name(name),
        width=size[1] if size else None,
        height=size[0] if size else None,
    )


def _size(record: dict[str, Any], path: str, report: Report) -> Size | None:
    numbers = []
    for member in ("height", "width"):
        value = record.get(member)
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
            report.add(
                "image_size_text",
                f"{path}.{member}",
                f"{member} is the text {value!r:.40}.",
                id=record["id"],
            )
            value = int(value.strip()[:12])
        number = values.whole(value)
        numbers.append(number if number is not None and number > 0 else None)
    height, width = numbers
    return None if height is None or width is None else (height, width)


def read_category(
    record: dict[str, Any], text: str, index: int, path: str, report: Report
) -> CategoryRecord | None:
    """One category, or None (and an issue) when it must be rejected."""
    if not _usable_id(record, path, report):
        return None
    coco_id, name = record["id"], record.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME:
        report.add("category_name_missing", f"{path}.name", "There is no name.", id=coco_id)
        name = f"category {coco_id}"[:200]
    parent = record.get("supercategory")
    keypoints, skeleton = _keypoints(record, path, report)
    return CategoryRecord(
        index=index,
        path=path,
        text=text,
        coco_id=coco_id,
        name=values.shown_name(name),
        supercategory=values.shown_name(parent) if isinstance(parent, str) else None,
        color=values.color_of(record.get("color")),
        isthing=record.get("isthing") not in (0, "0"),
        keypoints=keypoints,
        skeleton=skeleton,
    )


def _keypoints(
    record: dict[str, Any], path: str, report: Report
) -> tuple[list[str], list[list[int]]]:
    names, edges = record.get("keypoints"), record.get("skeleton")
    good_names = names if isinstance(names, list) else []
    good_edges = edges if isinstance(edges, list) else []
    if not all(isinstance(name, str) and values.id_problem(name) is None for name in good_names):
        good_names = []
    if not all(_is_edge(edge, len(good_names)) for edge in good_edges):
        good_edges = []
    if good_names != (names or []) or good_edges != (edges or []):
        report.add(
            "category_keypoints_invalid",
            path,
            "keypoints are not texts, or skeleton does not name pairs of them.",
            id=record["id"],
        )
    return good_names, [[int(end) for end in edge] for edge in good_edges]


def _is_edge(edge: Any, most: int) -> bool:
    if not isinstance(edge, list) or len(edge) != 2:
        return False
    ends = [values.whole(end) for end in edge]
    return all(end is not None and 1 <= end <= most for end in ends)


class Catalog:
    """Finds the images or categories that annotations refer to, by id."""

    def __init__(self, kind: str, report: Report) -> None:
        self._kind = kind
        self._member = f"{kind}_id"
        self._report = report
        self._places: dict[Any, int | None] = {}

    def add(self, coco_id: Any, index: int | None, path: str) -> None:
        """Enter a record; `index` is None for one that was rejected."""
        key = values.id_key(coco_id)
        if key in self._places:
            self._report.add(
                f"{self._kind}_id_duplicate",
                path,
                f"Another {self._kind} has the id {coco_id!r:.60}, too.",
                id=coco_id,
            )
            if self._places[key] is not None:
                return
        self._places[key] = index

    def find(self, coco_id: Any) -> tuple[bool, int | None, bool]:
        """Whether the id is known, its place, and whether only its other type was."""
        if isinstance(coco_id, list | dict):
            return False, None, False
        key = values.id_key(coco_id)
        if key in self._places:
            return True, self._places[key], False
        other = values.other_type(coco_id)
        if other is not None and other in self._places:
            return True, self._places[other], True
        return False, None, False

    def refer(self, members: Mapping[str, Any], note: Note) -> int:
        """The place of the image or category that an annotation names; Rejected for none."""
        kind, member = self._kind, self._member
        wanted = members.get(member)
        if type(wanted) is int:
            # Nearly all of them, and each record has two.
            usual = self._places.get(wanted)
            if usual is not None:
                return usual
        known, place, mistyped = self.find(wanted)
        if not known or member not in members:
            told = f"There is no {kind} {wanted!r:.60}." if member in members else "It is missing."
            raise Rejected(f"{kind}_unknown", told, member)
        if place is None:
            raise Rejected("image_rejected", f"The {kind} {wanted!r:.60} was rejected.", member)
        if mistyped:
            note("id_type_mismatch", member, f"{wanted!r:.60} is of another type than the id.")
        return place


def note_equal_names(categories: Iterable[CategoryRecord], report: Report) -> None:
    """Report categories with the name of an earlier one."""
    seen: set[str] = set()
    for category in categories:
        if category.name in seen:
            report.add(
                "category_name_duplicate",
                f"{category.path}.name",
                f"Another category is called {category.name!r:.80}, too.",
                id=category.coco_id,
            )
        seen.add(category.name)
