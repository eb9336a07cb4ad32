"""Masks as pictures: a PNG for each image whose pixels are numbers. Written only.

=========  =====================================================================================
semantic   the pixel's class: 0 for background, from 1 on the categories in order; 8 bits with the
           categories' colours as palette or, for more than 255 of them, 16 bits of grey
instances  the pixel's annotation, numbered from 1 in each image; 16 bits of grey, and a JSON that
           tells what each number is
=========  =====================================================================================

Where annotations overlap, the smaller one is on top, so that what lies on something larger stays
to be seen; of two that are equally large, the later one.
"""

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from app.formats.folders import FolderFormat, without_suffix
from app.formats.outgoing import (
    Losses,
    OutAnnotation,
    OutCategory,
    OutDataset,
    OutFile,
    OutImage,
    Paths,
)
from app.formats.outlines import left_over, pixels
from app.formats.records import Size
from app.masks import Masks, area, concatenate, decode_labels, encode_labels

__all__ = ["INSTANCE_MASKS", "SEMANTIC_MASKS"]

_Labels = npt.NDArray[np.uint16]
_PALETTE_SIZE = 255
_MOST_VALUES = 65535
_CATEGORY_KEYS = frozenset({"id", "name", "supercategory", "color"})


class _Writer:
    """What both kinds share."""

    def paths(self, image: OutImage) -> Paths:
        name = f"{image.subset}/{image.file_name}"
        return Paths(f"images/{name}", f"masks/{without_suffix(name)}.png")

    def classes(self, dataset: OutDataset, losses: Losses) -> OutFile:
        """What each value of a class means."""
        for category in dataset.categories:
            if category.record.keys() - _CATEGORY_KEYS:
                losses.note("category_detail_left_out", category.coco_id)
        return OutFile("classes.json", _json(_classes(dataset.categories)))


class _Semantic(_Writer):
    def files(self, dataset: OutDataset, losses: Losses) -> Iterator[OutFile]:
        yield self.classes(dataset, losses)
        small = len(dataset.categories) <= _PALETTE_SIZE
        palette = _palette(dataset.categories) if small else None
        for image in dataset.images():
            drawn = [(one, (one.category or 0) + 1) for one in _drawable(image, losses)]
            labels, _ = _paint(drawn, image.size, losses)
            yield OutFile(self.paths(image).labels, _png(labels, palette))


class _Instances(_Writer):
    def files(self, dataset: OutDataset, losses: Losses) -> Iterator[OutFile]:
        yield self.classes(dataset, losses)
        for image in dataset.images():
            found = _drawable(image, losses)
            for one in found[_MOST_VALUES:]:
                losses.note("too_many_values", one.coco_id)
            drawn = [(one, value) for value, one in enumerate(found[:_MOST_VALUES], 1)]
            labels, shown = _paint(drawn, image.size, losses)
            path = self.paths(image).labels
            told = {
                "image": image.file_name,
                "image_id": image.coco_id,
                "width": image.size[1],
                "height": image.size[0],
                "instances": [
                    _instance(one, value, dataset.categories, shown) for one, value in drawn
                ],
            }
            yield OutFile(path, _png(labels, None))
            yield OutFile(f"{without_suffix(path)}.json", _json(told))


def _instance(
    one: OutAnnotation, value: int, categories: Sequence[OutCategory], shown: dict[int, int]
) -> dict[str, Any]:
    category = categories[one.category or 0]
    return {
        "value": value,
        "annotation_id": one.coco_id,
        "category_id": category.coco_id,
        "category": category.name,
        "iscrowd": int(one.iscrowd),
        "pixels": shown.get(value, 0),
    }


def _classes(categories: Sequence[OutCategory]) -> list[dict[str, Any]]:
    background: list[dict[str, Any]] = [{"value": 0, "name": "background", "color": "#000000"}]
    return background + [
        {
            "value": value,
            "name": one.name,
            "color": one.color,
            "category_id": one.coco_id,
            "supercategory": one.record.get("supercategory"),
        }
        for value, one in enumerate(categories, 1)
    ]


def _json(value: Any) -> bytes:
    return f"{json.dumps(value, indent=1, ensure_ascii=False)}\n".encode(errors="replace")


def _drawable(image: OutImage, losses: Losses) -> list[OutAnnotation]:
    """The annotations that have a category; what of them is no mask is noted."""
    found = []
    for one in image.annotations:
        if one.category is None:
            losses.note("annotation_unclassified", one.coco_id)
            continue
        found.append(one)
    return found


def _paint(
    drawn: Sequence[tuple[OutAnnotation, int]], size: Size, losses: Losses
) -> tuple[_Labels, dict[int, int]]:
    """The picture, (h, w), and how many pixels of each value are to be seen."""
    found: list[tuple[OutAnnotation, int, Masks]] = []
    for one, value in drawn:
        mask = pixels(one, size, losses)
        if mask is None:
            continue
        if one.keypoints:
            losses.note("keypoints_left_out", one.coco_id)
        if left_over(one):
            losses.note("attributes_left_out", one.coco_id)
        found.append((one, value, mask))
    if not found:
        return np.zeros(size, np.uint16), {}
    drawn_masks = concatenate(mask for _, _, mask in found)
    covered = area(drawn_masks)
    order = np.argsort(-covered.astype(np.int64), kind="stable")
    # Which annotation each pixel shows, for several may have one value; 0 is none.
    places = np.arange(1, len(found) + 1, dtype=np.min_scalar_type(len(found)))[order]
    top = decode_labels(drawn_masks[order], places, max_pixels=size[0] * size[1])
    seen = np.zeros(len(found) + 1, np.int64)
    present, visible = encode_labels(top)
    seen[present] = area(visible)
    for place, (one, _, _) in enumerate(found, 1):
        if seen[place] < covered[place - 1]:
            losses.note("overlap_hidden", one.coco_id)
    values = np.array([0, *(value for _, value, _ in found)], np.uint16)
    shown = {value: int(seen[place]) for place, (_, value, _) in enumerate(found, 1)}
    return values[top], shown


def _palette(categories: Sequence[OutCategory]) -> list[int]:
    colors = [0, 0, 0]
    for one in categories:
        colors += bytes.fromhex(one.color.removeprefix("#"))
    return colors


def _png(labels: _Labels, palette: list[int] | None) -> bytes:
    buffer = io.BytesIO()
    if palette is None:
        picture = Pillow.fromarray(labels)
    else:
        picture = Pillow.fromarray(labels.astype(np.uint8))
        picture.putpalette(palette)
    picture.save(buffer, "PNG")
    return buffer.getvalue()


_PAGE = "formats/masks.md"

SEMANTIC_MASKS = FolderFormat(
    name="semantic-masks",
    title="Semantic masks (PNG)",
    page=_PAGE,
    tasks=("instances",),
    writer=_Semantic(),
)
INSTANCE_MASKS = FolderFormat(
    name="instance-masks",
    title="Instance masks (PNG)",
    page=_PAGE,
    tasks=("instances",),
    writer=_Instances(),
)
