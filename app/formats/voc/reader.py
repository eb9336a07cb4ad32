"""Reads Pascal VOC folders: an XML file for each image, and lists of the images of each subset.

::

    Annotations/{stem}.xml
    JPEGImages/{stem}.jpg                with any ending of a picture
    ImageSets/Main/{subset}.txt          a stem in each line; lists of one class are not read

Coordinates count from 1 and include both ends, as the challenges define them: the box that covers
the top left pixel alone has xmin = ymin = xmax = ymax = 1, and becomes [0, 0, 1, 1]. Whatever else
an object has is kept in its ``attributes``.
"""

import math
from collections.abc import Iterator
from typing import Any

from app.formats.coco import values
from app.formats.folders import (
    EMPTY_ENVELOPE,
    PICTURES,
    Folder,
    FolderSource,
    PictureSize,
    as_text,
    new_category,
    new_image,
    without_suffix,
)
from app.formats.records import AnnotationRecord, FileError, Head, ImageRecord, Report, Size
from app.formats.voc.xml import Node, parse

__all__ = ["VocReader"]

_DECIMALS = 3
_FARTHEST = 1e7
_FLAGS = frozenset({"difficult", "truncated", "occluded"})
_JOINED_LISTS = frozenset({"trainval", "all", "default_all"})


class VocReader:
    """Reads detection as the challenges have it."""

    def recognise(self, folder: Folder) -> str | None:
        return "voc" if any(map(_is_annotation, folder.names)) else None

    def open(self, folder: Folder, *, name: str, report: Report) -> "VocSource":
        del name
        return VocSource(folder, report)


def _is_annotation(name: str) -> bool:
    return name.lower().endswith(".xml") and "Annotations" in name.split("/")[:-1]


def _split(name: str, folder: str) -> tuple[str, str]:
    """What is above the last folder of this name, and the path below it without its ending."""
    steps = without_suffix(name).split("/")
    place = len(steps) - 2 - steps[-2::-1].index(folder)
    return "/".join(steps[:place]), "/".join(steps[place + 1 :])


def _stem(name: str, folder: str) -> str:
    return "/".join(filter(None, _split(name, folder)))


class VocSource(FolderSource[Node]):
    """An opened folder; objects are elements of XML."""

    def __init__(self, folder: Folder, report: Report) -> None:
        super().__init__(folder, report)
        # The XML files of the images that have one, by place.
        self._files: dict[int, str] = {}
        self._classes: dict[str, int] = {}

    def _read_head(self) -> Head:
        names = self._folder.names
        files = {_stem(name, "Annotations"): name for name in names if _is_annotation(name)}
        pictures = {
            _stem(name, "JPEGImages"): name
            for name in names
            if "JPEGImages" in name.split("/")[:-1]
            and "." + name.rpartition(".")[2].lower() in PICTURES
        }
        subsets = self._subsets()
        # Several years in one zip are told apart by the folders above; one alone has no need to.
        tops = {_split(name, "Annotations")[0] for name in files.values()}
        top = next(iter(tops)) if len(tops) == 1 else ""
        images: list[ImageRecord] = []
        count, found = 0, set[str]()
        for stem in sorted(files.keys() | pictures.keys()):
            root = self._root(files.get(stem))
            objects = [] if root is None else _objects(root)
            count += len(objects)
            found.update(_class_of(node) for node in objects)
            if root is not None:
                self._files[len(images)] = files[stem]
            picture = pictures.get(stem)
            called = stem.removeprefix(f"{top}/" if top else "")
            subset = subsets.get(stem)
            images.append(self._image(len(images), called, root, files.get(stem), picture, subset))
        found.discard("")
        self._classes = {name: place for place, name in enumerate(sorted(found))}
        return Head(
            task="instances",
            images=images,
            categories=[new_category(n, name, name) for name, n in self._classes.items()],
            envelope=EMPTY_ENVELOPE,
            annotation_count=count,
            has_ids=False,
        )

    def _root(self, name: str | None) -> Node | None:
        """The XML of an image; None, reported, where there is none that can be read."""
        if name is None:
            return None
        try:
            return parse(self._folder.read(name))
        except FileError as error:
            self._report.add(error.code, name, error.detail)
            return None

    def _image(
        self,
        index: int,
        stem: str,
        root: Node | None,
        file: str | None,
        picture: str | None,
        subset: str | None,
    ) -> ImageRecord:
        """The image: its size is that of its picture; without one, what the XML says."""
        stated = None if root is None else _size(root)
        name = stem
        if picture is not None:
            name += picture[picture.rfind(".") :]
        elif root is not None:
            told = (root.value("filename") or "").replace("\\", "/").rpartition("/")[2]
            ending = told[told.rfind(".") :] if "." in told else ""
            name += ending if ending.lower() in PICTURES else ""
        record = new_image(index, file or picture or stem, values.shown_name(name), stated, subset)
        found = None if picture is None else self._folder.picture(picture, record)
        if found is not None:
            self._settle(record, stated, found)
        return record

    def _settle(self, record: ImageRecord, stated: Size | None, found: PictureSize) -> None:
        """The size that counts; one that is turned by EXIF is shown as the XML means it."""
        if stated in (found.shown, found.raw):
            return
        record.height, record.width = found.shown
        if stated is not None:
            told = f"The XML says {stated[1]} x {stated[0]}, the picture is {record.width} x "
            action = "the picture's counts"
            self._report.add(
                "image_size_mismatch",
                record.path,
                f"{told}{record.height} (width x height).",
                action=action,
            )

    def _subsets(self) -> dict[str, str]:
        """The subset of each image by its stem; what is in two lists is in the first."""
        found: dict[str, str] = {}
        for name in self._folder.names:
            steps = name.split("/")
            if "ImageSets" not in steps[:-2] or steps[-2] != "Main" or not name.endswith(".txt"):
                continue
            subset = without_suffix(steps[-1])
            try:
                lines = [line.split() for line in as_text(self._folder, name).splitlines()]
            except FileError as error:
                self._report.add(error.code, name, error.detail)
                continue
            # A second column says whether a class is in the image: that is a list of a class.
            if subset in _JOINED_LISTS or any(len(line) > 1 and _is_flag(line) for line in lines):
                continue
            top = "".join(f"{step}/" for step in steps[: steps.index("ImageSets")])
            for line in lines:
                if line:
                    found.setdefault(top + " ".join(line), subset)
        return found

    def _objects(self) -> Iterator[tuple[int, str, Node]]:
        for image, name in self._files.items():
            for node in _objects(parse(self._folder.read(name))):
                yield image, f"{name}:{node.line}", node

    def _annotation(self, image: int, path: str, given: Node, size: Size) -> AnnotationRecord:
        name = _class_of(given)
        if not name:
            raise ValueError("The object has no name.")
        box = _box(given)
        attributes = _attributes(given)
        x, y, w, h = box
        if x < 0 or y < 0 or x + w > size[1] or y + h > size[0]:
            self._report.add("position_outside", path, "The box is not within the image.")
        members = {"bbox": box, "area": round(w * h, _DECIMALS), "iscrowd": 0}
        if attributes:
            members["attributes"] = attributes
        return self._record(path, image, self._classes[name], members)


def _is_flag(line: list[str]) -> bool:
    return line[-1] in ("-1", "0", "1")


def _objects(root: Node) -> list[Node]:
    return [child for child in root.children if child.tag == "object"]


def _class_of(node: Node) -> str:
    return values.shown_name(node.value("name") or "")


def _size(root: Node) -> Size | None:
    """Height and width; None where the file has none, or the 0 that some tools write."""
    node = root.find("size")
    if node is None:
        return None
    found = [_number(node.value(tag)) for tag in ("height", "width")]
    whole = [int(n) for n in found if n is not None and n == int(n) and 0 < n < _FARTHEST]
    return (whole[0], whole[1]) if len(whole) == 2 and whole[0] * whole[1] < 2**32 else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) <= _FARTHEST else None


def _box(node: Node) -> list[float]:
    """[x, y, w, h] of an object or a part; ValueError when it has no box."""
    bounds = node.find("bndbox")
    if bounds is None:
        raise ValueError("There is no bndbox.")
    found = [_number(bounds.value(tag)) for tag in ("xmin", "ymin", "xmax", "ymax")]
    numbers = [n for n in found if n is not None]
    if len(numbers) != 4:
        raise ValueError("xmin, ymin, xmax and ymax are not four numbers that an image can have.")
    left, top, right, bottom = numbers
    box = [left - 1, top - 1, right - left + 1, bottom - top + 1]
    if box[2] < 0 or box[3] < 0:
        raise ValueError("The box ends before it begins.")
    return [round(n, _DECIMALS) for n in box]


def _attributes(node: Node) -> dict[str, Any]:
    """All that an object has beside its name and box."""
    found: dict[str, Any] = {}
    parts: list[dict[str, Any]] = []
    for child in node.children:
        tag = values.shown_name(child.tag)
        if tag in ("name", "bndbox"):
            continue
        if tag == "part":
            parts.append({"name": _class_of(child), "bbox": _box(child)})
        elif tag == "attributes":
            # As Datumaro and CVAT write what VOC has no element for.
            for one in child.children:
                name = values.shown_name(one.value("name") or "")
                if name:
                    found[name] = values.shown_name(one.value("value") or "")
        elif child.children:
            found[tag] = {values.shown_name(c.tag): _leaf(c) for c in child.children}
        else:
            found[tag] = _leaf(child)
    return found | {"parts": parts} if parts else found


def _leaf(node: Node) -> Any:
    text = values.shown_name(node.text.strip())
    return int(text) if node.tag in _FLAGS and text in ("0", "1") else text
