"""What mask images are for: the images and categories of a dataset, found by name, id or colour."""

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

import msgspec
from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from app.formats.coco import rawjson, values
from app.models import Category, Image
from app.services.datasets import categories, datasets
from app.services.files.names import base_name, share_an_end
from app.services.holding import hold_categories
from app.services.imports.label_images import LabelError, Value

__all__ = ["Categories", "Images", "Known", "TargetImage", "stem_of"]

_MOST_NEW_CATEGORIES = 256


class Known(msgspec.Struct, frozen=True):
    """A category; `coco_id` is JSON text."""

    id: int
    coco_id: str


def _known(category: Category) -> Known:
    known_id = rawjson.members(category.record).get("id")
    return Known(category.id, known_id or rawjson.dumps(category.coco_id))


class TargetImage(msgspec.Struct, frozen=True):
    """An image; `coco_id` is JSON text."""

    id: int
    file_name: str
    stem: str
    height: int
    width: int
    coco_id: str


def stem_of(match_name: str, suffix: str) -> str:
    """A name without its ending, and without what names of masks have behind those of images."""
    path = PurePosixPath(match_name)
    return str(path.with_name(path.stem.removesuffix(suffix) or path.stem))


class Images:
    """Finds images by their names without the ending."""

    def __init__(self, session: Session, dataset_id: int) -> None:
        query = select(
            Image.id,
            Image.file_name,
            Image.match_name,
            Image.height,
            Image.width,
            Image.record,
            cast(Image.coco_id, Text).label("known_id"),
        ).where(Image.dataset_id == dataset_id)
        self._by_base: dict[str, list[TargetImage]] = {}
        for row in session.execute(query.execution_options(yield_per=1000)):
            coco_id = rawjson.members(row.record)["id"] if row.record else row.known_id
            image = TargetImage(
                row.id, row.file_name, stem_of(row.match_name, ""), row.height, row.width, coco_id
            )
            self._by_base.setdefault(base_name(image.stem), []).append(image)

    def find(self, stem: str) -> TargetImage:
        """The image with this stem, or the only one with its end; LabelError for none."""
        candidates = self._by_base.get(base_name(stem), [])
        for fits in (
            [image for image in candidates if image.stem == stem],
            [image for image in candidates if share_an_end(image.stem, stem)],
            candidates,
        ):
            if len(fits) == 1:
                return fits[0]
            if fits:
                told = ", ".join(image.file_name for image in fits[:3])
                raise LabelError("mask_image_ambiguous", f"It could be of {told:.300}.")
        raise LabelError("mask_image_unknown", f"No image is called {stem!r:.200}.")


class Categories:
    """Finds categories by name, id or colour; those that are not there are made at the end.

    Until then they have keys below 0: making one locks the dataset, for which images come first.
    """

    def __init__(self, session: Session, dataset_id: int) -> None:
        self._by_name: dict[str, Known] = {}
        self._by_id: dict[Any, Known] = {}
        self._by_color: dict[str, list[Known]] = {}
        self._wanted: dict[int, tuple[str, str | None]] = {}
        self.used: set[int] = set()
        for category in hold_categories(session, dataset_id=dataset_id):
            known = _known(category)
            self._by_name.setdefault(category.name, known)
            self._by_id.setdefault(values.id_key(category.coco_id), known)
            self._by_color.setdefault(category.color, []).append(known)

    def named(self, target: str | int, color: str | None) -> Known | None:
        """The category of this name, which is made if need be, or the one with this id."""
        if isinstance(target, int):
            return self._by_id.get(target)
        if target not in self._by_name:
            if len(self._wanted) >= _MOST_NEW_CATEGORIES:
                told = f"More than {_MOST_NEW_CATEGORIES} new categories would be made."
                raise LabelError("mask_values_many", told)
            key = -1 - len(self._wanted)
            self._by_name[target] = Known(key, "null")
            self._wanted[key] = (target, color)
        return self._by_name[target]

    def of_value(self, value: Value) -> Known | None:
        """The category of the value's name or else, where there is just one, of its colour."""
        same = self._by_color.get(value.color or "", [])
        if len(same) == 1 and value.key not in self._by_name:
            return same[0]
        return self.named(value.key, value.color)

    def use(self, keys: Iterable[int]) -> None:
        """Note that annotations have these categories."""
        self.used.update(keys)

    def make(self, session: Session, dataset_id: int) -> dict[int, Known]:
        """Make those that are used and not there, by the keys that they had until now."""
        made = {}
        for key, (name, color) in self._wanted.items():
            if key in self.used:
                # Somebody may have made it meanwhile.
                datasets.lock_dataset(session, dataset_id=dataset_id)
                found = categories.list_categories(session, dataset_id=dataset_id, names=[name])
                made[key] = _known(
                    found[0]
                    if found
                    else categories.create_category(
                        session, dataset_id=dataset_id, name=name, color=color
                    )
                )
        return made
