"""Writes YOLO folders in Ultralytics' layout; see `app.formats.yolo.reader` for the lines.

::

    data.yaml
    images/{subset}/{name}
    labels/{subset}/{name without its ending}.txt     also for images without objects, then empty
"""

from collections.abc import Iterator, Sequence

from app.formats.folders import without_suffix
from app.formats.outgoing import (
    Losses,
    OutAnnotation,
    OutCategory,
    OutDataset,
    OutFile,
    OutImage,
    Paths,
)
from app.formats.outlines import clipped_box, left_over, ring
from app.formats.records import Size
from app.formats.yolo.config import RESERVED, lists, quoted

__all__ = ["YoloWriter"]

# A millionth of a pixel in images of ten thousand, so that positions come back as they were.
_DECIMALS = 10
_CATEGORY_KEYS = frozenset({"id", "name", "keypoints", "skeleton"})


class YoloWriter:
    """Writes one kind: ``detect``, ``segment`` or ``pose``."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def paths(self, image: OutImage) -> Paths:
        name = f"{image.subset}/{image.file_name}"
        return Paths(f"images/{name}", f"labels/{without_suffix(name)}.txt")

    def files(self, dataset: OutDataset, losses: Losses) -> Iterator[OutFile]:
        points = 0
        if self._kind == "pose":
            points = max((len(one.keypoints) for one in dataset.categories), default=0)
        kept = _CATEGORY_KEYS if points else _CATEGORY_KEYS - {"keypoints", "skeleton"}
        for category in dataset.categories:
            if category.record.keys() - kept:
                losses.note("category_detail_left_out", category.coco_id)
        for subset in RESERVED.intersection(dataset.subsets):
            losses.note("subset_renamed", subset)
        yield OutFile("data.yaml", _config(dataset, points).encode())
        for image in dataset.images():
            lines = (self._line(one, image.size, points, losses) for one in image.annotations)
            text = "".join(f"{line}\n" for line in lines if line is not None)
            yield OutFile(self.paths(image).labels, text.encode())

    def _line(
        self, annotation: OutAnnotation, size: Size, points: int, losses: Losses
    ) -> str | None:
        if annotation.category is None:
            losses.note("annotation_unclassified", annotation.coco_id)
            return None
        if annotation.iscrowd:
            losses.note("crowd_left_out", annotation.coco_id)
            return None
        height, width = size
        if self._kind == "segment":
            numbers = ring(annotation, size, losses)
            scaled = _scaled(numbers, width, height)
        else:
            numbers = clipped_box(annotation, size, losses)
            scaled = _middle(numbers, width, height)
        if numbers is None:
            return None
        self._note(annotation, losses)
        if points:
            scaled += _keypoints(annotation, size, points, losses)
        return " ".join([str(annotation.category), *map(_shown, scaled)])

    def _note(self, annotation: OutAnnotation, losses: Losses) -> None:
        """What of an annotation that is written has no place in its line."""
        if self._kind != "pose" and annotation.keypoints:
            losses.note("keypoints_left_out", annotation.coco_id)
        if self._kind != "segment" and annotation.segmentation:
            losses.note("segmentation_left_out", annotation.coco_id)
        if left_over(annotation):
            losses.note("attributes_left_out", annotation.coco_id)


def _shown(number: float) -> str:
    return f"{number:.{_DECIMALS}f}".rstrip("0").rstrip(".") or "0"


def _scaled(numbers: Sequence[float] | None, width: int, height: int) -> list[float]:
    return [n / (height if place % 2 else width) for place, n in enumerate(numbers or ())]


def _middle(box: Sequence[float] | None, width: int, height: int) -> list[float]:
    if box is None:
        return []
    x, y, w, h = box
    return [(x + w / 2) / width, (y + h / 2) / height, w / width, h / height]


def _keypoints(annotation: OutAnnotation, size: Size, points: int, losses: Losses) -> list[float]:
    """x, y, v for each keypoint of the format; 0, 0, 0 where there is none."""
    height, width = size
    given = annotation.keypoints or []
    found: list[float] = []
    for place in range(points):
        x, y, v = given[3 * place : 3 * place + 3] or (0.0, 0.0, 0.0)
        inside = 0 <= x <= width and 0 <= y <= height and v in (1, 2)
        if not inside and v:
            losses.note("keypoint_outside", annotation.coco_id)
        found += [x / width, y / height, v] if inside else [0.0, 0.0, 0.0]
    if len(given) < 3 * points:
        losses.note("keypoints_padded", annotation.coco_id)
    return found


def _config(dataset: OutDataset, points: int) -> str:
    lines = [f"# {quoted(dataset.name)}", *_subset_lines(dataset.subsets), "", "names:"]
    lines += [f"  {n}: {quoted(one.name)}" for n, one in enumerate(dataset.categories)]
    if not dataset.categories:
        lines[-1] = "names: {}"
    if points:
        lines += ["", f"kpt_shape: [{points}, 3]", *_keypoint_lines(dataset.categories, points)]
    return "\n".join(lines) + "\n"


def _subset_lines(subsets: Sequence[str]) -> list[str]:
    """Each subset by its name. Training asks for train and val, so these are always there."""
    folders = {subset: f"images/{subset}" for subset in subsets}
    rest = [path for subset, path in folders.items() if subset not in ("val", "test")]
    every = list(folders.values())
    train = folders.get("train") or rest or every
    lines = [f"train: {_shown_paths(train)}", f"val: {_shown_paths(folders.get('val') or train)}"]
    lines += [
        f"{quoted(subset + '_' if subset in RESERVED else subset)}: {quoted(path)}"
        for subset, path in folders.items()
        if subset not in ("train", "val")
    ]
    return lines


def _shown_paths(paths: str | list[str]) -> str:
    return quoted(paths) if isinstance(paths, str) else lists(paths)


def _keypoint_lines(categories: Sequence[OutCategory], points: int) -> list[str]:
    lines = []
    flips = {_flips(one.keypoints) for one in categories if len(one.keypoints) == points}
    if len(flips) == 1 and (flip := flips.pop()) is not None:
        lines.append(f"flip_idx: {lists(flip)}")
    named = [(n, one) for n, one in enumerate(categories) if len(one.keypoints) == points]
    if named:
        lines += ["kpt_names:", *(f"  {n}: {lists(one.keypoints)}" for n, one in named)]
    if any(one.skeleton for _, one in named):
        edges = ((n, ", ".join(lists(edge) for edge in one.skeleton)) for n, one in named)
        lines += ["skeleton:", *(f"  {n}: [{shown}]" for n, shown in edges)]
    return lines


def _flips(names: Sequence[str]) -> tuple[int, ...] | None:
    """Where each keypoint is when left and right change places; None when names do not tell."""
    places = {name: place for place, name in enumerate(names)}
    found = []
    for name in names:
        other = name
        for one, two in (("left", "right"), ("right", "left")):
            if one in name:
                other = name.replace(one, two)
                break
        found.append(places.get(other))
    if None in found or len(places) < len(names):
        return None
    return tuple(place for place in found if place is not None)
