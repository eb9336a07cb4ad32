"""Writes Pascal VOC folders; see `app.formats.voc.reader` for the layout and the coordinates."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.formats.coco import rawjson
from app.formats.folders import without_suffix
from app.formats.outgoing import Losses, OutAnnotation, OutDataset, OutFile, OutImage, Paths
from app.formats.outlines import clipped_box, left_over
from app.formats.voc.xml import element, is_name

__all__ = ["VocWriter"]

_DECIMALS = 3
# The challenges' own, in their order; readers ask for them.
_USUAL: Mapping[str, str] = {"pose": "Unspecified", "truncated": "0", "occluded": "0"}
_CATEGORY_KEYS = frozenset({"id", "name"})


class VocWriter:
    """Writes detection as the challenges have it."""

    def paths(self, image: OutImage) -> Paths:
        stem = without_suffix(image.file_name)
        return Paths(f"JPEGImages/{image.file_name}", f"Annotations/{stem}.xml")

    def files(self, dataset: OutDataset, losses: Losses) -> Iterator[OutFile]:
        for category in dataset.categories:
            if category.record.keys() - _CATEGORY_KEYS:
                losses.note("category_detail_left_out", category.coco_id)
        lists: dict[str, list[str]] = {subset: [] for subset in dataset.subsets}
        # A class is there with its objects alone.
        unused = dict(enumerate(dataset.categories))
        for image in dataset.images():
            for annotation in image.annotations:
                unused.pop(-1 if annotation.category is None else annotation.category, None)
            lists[image.subset].append(without_suffix(image.file_name))
            yield OutFile(self.paths(image).labels, _annotation(dataset, image, losses).encode())
        for subset, stems in lists.items():
            text = "".join(f"{stem}\n" for stem in stems)
            yield OutFile(f"ImageSets/Main/{subset}.txt", text.encode())
        for category in unused.values():
            losses.note("category_left_out", category.coco_id)


def _annotation(dataset: OutDataset, image: OutImage, losses: Losses) -> str:
    folder, _, name = image.file_name.rpartition("/")
    height, width = image.size
    sides = {"width": f"{width}", "height": f"{height}", "depth": "3"}
    lines = [
        *element("folder", folder or "JPEGImages", 1),
        *element("filename", name, 1),
        *element("source", element("database", dataset.name, 2), 1),
        *element("size", [line for k, v in sides.items() for line in element(k, v, 2)], 1),
        *element("segmented", "0", 1),
    ]
    for annotation in image.annotations:
        found = _object(dataset, annotation, image, losses)
        if found is not None:
            lines += element("object", found, 1)
    return "\n".join(element("annotation", lines, 0)) + "\n"


def _object(
    dataset: OutDataset, annotation: OutAnnotation, image: OutImage, losses: Losses
) -> list[str] | None:
    """The lines within an object; None, noted, for one that is left out."""
    if annotation.category is None:
        losses.note("annotation_unclassified", annotation.coco_id)
        return None
    box = clipped_box(annotation, image.size, losses)
    if box is None:
        return None
    given = annotation.record.get("attributes")
    attributes = dict(given) if isinstance(given, dict) else {}
    if annotation.iscrowd:
        losses.note("crowd_as_difficult", annotation.coco_id)
        attributes["difficult"] = 1
    if annotation.segmentation:
        losses.note("segmentation_left_out", annotation.coco_id)
    if annotation.keypoints:
        losses.note("keypoints_left_out", annotation.coco_id)
    difficult = _flag(attributes.pop("difficult", "0"))
    lines = element("name", dataset.categories[annotation.category].name, 2)
    for tag, usual in _USUAL.items():
        lines += element(tag, _flag(attributes.pop(tag, usual)), 2)
    lines += element("difficult", difficult, 2)
    lines += _bounds(box, 2)
    lines += _parts(attributes)
    lines += _rest(attributes)
    lost = attributes or left_over(annotation, ["attributes"])
    if lost or (given is not None and not isinstance(given, dict)):
        losses.note("attributes_left_out", annotation.coco_id)
    return lines


def _flag(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else _shown(value)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else rawjson.dumps(value)


def _bounds(box: list[float], depth: int) -> list[str]:
    x, y, w, h = box
    corners = {"xmin": x + 1, "ymin": y + 1, "xmax": x + w, "ymax": y + h}
    within = [line for k, v in corners.items() for line in element(k, _number(v), depth + 1)]
    return element("bndbox", within, depth)


def _number(value: float) -> str:
    return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")


def _is_part(part: Any) -> bool:
    return (
        isinstance(part, dict)
        and part.keys() == {"name", "bbox"}
        and isinstance(part["name"], str)
        and isinstance(part["bbox"], list)
        and len(part["bbox"]) == 4
        and all(isinstance(n, int | float) for n in part["bbox"])
    )


def _parts(attributes: dict[str, Any]) -> list[str]:
    """The parts of a body, taken from the attributes if they are such."""
    parts = attributes.get("parts")
    if not isinstance(parts, list) or not all(map(_is_part, parts)):
        return []
    del attributes["parts"]
    lines = []
    for part in parts:
        within = element("name", part["name"], 3) + _bounds(part["bbox"], 3)
        lines += element("part", within, 2)
    return lines


def _rest(attributes: dict[str, Any]) -> list[str]:
    """Single values as `attributes`, objects of them as elements; each is taken once written."""
    lines, pairs = [], []
    for name, value in list(attributes.items()):
        if isinstance(value, dict) and is_name(name) and name != "attributes" and value:
            if all(is_name(k) and not isinstance(v, dict | list) for k, v in value.items()):
                within = [line for k, v in value.items() for line in element(k, _shown(v), 3)]
                lines += element(name, within, 2)
                del attributes[name]
        elif not isinstance(value, dict | list):
            pair = element("name", name, 4) + element("value", _shown(value), 4)
            pairs += element("attribute", pair, 3)
            del attributes[name]
    return lines + (element("attributes", pairs, 2) if pairs else [])
