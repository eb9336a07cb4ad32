"""A COCO object's records by their ids.

Real files lack members and repeat ids; none of that keeps the rest from being found. As in
pycocotools, the last of several records with one id is the one that is found by it, while lists of
annotations have them all.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Index", "records"]

Record = dict[str, Any]


def records(dataset: Mapping[str, Any], kind: str) -> list[Record]:
    """The images, categories or annotations of a COCO object; empty where it has none."""
    found = dataset.get(kind)
    if not isinstance(found, list):
        return []
    return [record for record in found if isinstance(record, dict)]


@dataclass
class Index:
    """The dictionaries that pycocotools has as attributes of the same names."""

    anns: dict[Any, Record] = field(default_factory=dict)
    cats: dict[Any, Record] = field(default_factory=dict)
    imgs: dict[Any, Record] = field(default_factory=dict)
    img_to_anns: defaultdict[Any, list[Record]] = field(default_factory=lambda: defaultdict(list))
    cat_to_imgs: defaultdict[Any, list[Any]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, dataset: Mapping[str, Any]) -> "Index":
        """The index of a COCO object."""
        index = cls(
            cats=_by_id(dataset, "categories"),
            imgs=_by_id(dataset, "images"),
            anns=_by_id(dataset, "annotations"),
        )
        with_categories = "categories" in dataset
        for annotation in records(dataset, "annotations"):
            if not _has(annotation, "image_id"):
                continue
            image_id = annotation["image_id"]
            index.img_to_anns[image_id].append(annotation)
            if with_categories and _has(annotation, "category_id"):
                index.cat_to_imgs[annotation["category_id"]].append(image_id)
        return index


def _by_id(dataset: Mapping[str, Any], kind: str) -> dict[Any, Record]:
    return {record["id"]: record for record in records(dataset, kind) if _has(record, "id")}


def _has(record: Record, member: str) -> bool:
    """Whether a record has an id, or a reference to one, that can be looked up."""
    return member in record and isinstance(record[member], Hashable)
