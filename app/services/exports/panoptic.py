"""Panoptic exports: the segments of each image, the pixels that each has, and the PNG of both.

A dataset with panoptic segments exports these. While nobody edits them they do not overlap, and
come out as they went in. Where edited masks overlap, the one that was drawn last lies on top; a
segment that loses pixels by it gets their area and box, and one that loses all of them is left out.

A dataset without any has them composed from its instances and stuff, from the bottom to the top:

1. stuff, of which the annotations of one category are one segment: what lies behind the things
2. crowds: one region around many things, some of which are annotated alone
3. things, the larger ones first: whatever is on or before something larger would vanish otherwise

Bare boxes, keypoints and annotations without a category have no pixels of their own. A pixel of no
segment is void in both cases. JSON and PNGs are made from the same segments, so they agree.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Text, cast, exists, select
from sqlalchemy.orm import Session

from app import masks
from app.errors import Invalid
from app.formats.coco import panoptic, rawjson, values
from app.masks import MaskError, Masks
from app.models import Annotation, AnnotationVersion, Category, DatasetTask, Image, PanopticImage
from app.services.annotations.shapes import MAX_CROSSINGS
from app.services.images.images import ImageFilter
from app.services.imports import panoptic_pngs

__all__ = ["Frame", "category_text", "check_sizes", "frames", "png_name"]

_OBJECTS = ("instances", "person_keypoints", "stuff")
_IMAGES_AT_ONCE = 50
_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)
_LIVE = Annotation.deleted_at.is_(None)


@dataclass(frozen=True)
class Frame:
    """One image: its record in the JSON file, and what its PNG shows."""

    record: str
    file_name: str
    size: tuple[int, int]
    ids: Sequence[int]
    pixels: Sequence[Masks]

    def png(self) -> bytes:
        """The picture in which each pixel has the colour of its segment."""
        colors = np.zeros((*self.size, 3), np.uint8)
        if self.ids:
            # One channel after the other: ids of all pixels would take more than the picture does.
            batch = masks.concatenate(self.pixels)
            for channel, labels in enumerate(panoptic.colors_of(self.ids).T):
                colors[..., channel] = masks.decode_labels(batch, labels)
        return panoptic_pngs.encode(colors)


@dataclass
class _Segment:
    """A segment of an image with its pixels, of which `visible` many have nothing above them.

    `exact` is one whose record tells the box of its pixels.
    """

    row: Any
    pixels: Masks
    area: int
    exact: bool
    visible: int = 0


def png_name(frame: str) -> str:
    """What the PNG of an imported record is called; it never climbs."""
    return values.match_name(rawjson.decode(frame)["file_name"])


def category_text(text: str, *, isthing: bool, color: str) -> str:
    """A category that no panoptic file describes, with what such files say of each."""
    missing = {
        "isthing": int(isthing),
        "color": [int(color[at : at + 2], 16) for at in (1, 3, 5)],
    }
    present = rawjson.members(text)
    return rawjson.replace(text, {k: value for k, value in missing.items() if k not in present})


def check_sizes(session: Session, *, dataset_id: int, filters: ImageFilter) -> None:
    """Refuse images that are too large to be drawn as a PNG."""
    large = exists().where(
        *filters.conditions(dataset_id),
        Image.width * Image.height > masks.MAX_DECODED_PIXELS,
    )
    if session.scalar(select(large)):
        most = masks.MAX_DECODED_PIXELS
        raise Invalid(
            f"A panoptic PNG has at most {most:,} pixels, and an image has more.",
            code="image_too_large",
        )


def frames(
    session: Session,
    *,
    dataset_id: int,
    filters: ImageFilter,
    image_numbers: Mapping[int, int] | None = None,
    category_ids: Mapping[int, int] | None = None,
) -> Iterator[Frame]:
    """The images of a panoptic export, in the order of their file.

    `image_numbers` and `category_ids` have new ids by primary key, where ids are not kept.
    """
    work = _Frames(session, dataset_id, filters, image_numbers or {}, category_ids or {})
    return work.read()


class _Frames:
    def __init__(
        self,
        session: Session,
        dataset_id: int,
        filters: ImageFilter,
        image_numbers: Mapping[int, int],
        category_ids: Mapping[int, int],
    ) -> None:
        self._session = session
        self._dataset_id = dataset_id
        self._filters = filters
        self._image_numbers = image_numbers
        self._category_ids = category_ids
        self._is_composed = not self._has_segments()
        self._names: set[str] = set()
        query = select(Category.id).where(Category.dataset_id == dataset_id, ~Category.isthing)
        self._stuff = set(session.scalars(query))

    def _has_segments(self) -> bool:
        file = exists().where(
            DatasetTask.dataset_id == self._dataset_id, DatasetTask.task == "panoptic"
        )
        drawn = exists().where(
            Annotation.dataset_id == self._dataset_id, Annotation.task == "panoptic", _LIVE
        )
        return bool(self._session.scalar(select(file | drawn)))

    def read(self) -> Iterator[Frame]:
        query = (
            select(
                Image.id,
                Image.height,
                Image.width,
                Image.file_name,
                Image.record,
                cast(Image.coco_id, Text).label("coco_id"),
                PanopticImage.record.label("frame"),
            )
            .outerjoin(PanopticImage, PanopticImage.image_id == Image.id)
            .where(*self._filters.conditions(self._dataset_id))
            .order_by(PanopticImage.place.nulls_last(), Image.id)
            .execution_options(stream_results=True, yield_per=_IMAGES_AT_ONCE)
        )
        with self._session.execute(query) as result:
            for images in result.partitions():
                yield from self._some(images)

    def _some(self, images: Sequence[Any]) -> Iterator[Frame]:
        sizes = {image.id: (image.height, image.width) for image in images}
        by_image: dict[int, list[_Segment]] = {}
        for segment in _drawn(self._rows(list(sizes)), sizes):
            by_image.setdefault(segment.row.image_id, []).append(segment)
        if not self._is_composed:
            self._settle(by_image)
        for image in images:
            segments = by_image.get(image.id, [])
            if self._is_composed:
                yield self._composed(image, segments)
            elif image.frame is not None or segments:
                yield self._own(image, segments)

    def _rows(self, image_ids: Sequence[int]) -> Sequence[Any]:
        tasks = _OBJECTS if self._is_composed else ("panoptic",)
        chosen: list[ColumnElement[bool]] = [
            Annotation.image_id.in_(image_ids),
            Annotation.task.in_(tasks),
            Annotation.category_id.is_not(None),
            _LIVE,
        ]
        if self._filters.categories:
            chosen.append(Annotation.category_id.in_(self._filters.categories))
        query = select(
            Annotation.id,
            Annotation.image_id,
            Annotation.category_id,
            Annotation.coco_id,
            Annotation.record,
            Annotation.shape,
            Annotation.iscrowd,
            Annotation.version,
            Annotation.updated_by,
            Annotation.updated_at,
        )
        return self._session.execute(query.where(*chosen).order_by(Annotation.id)).all()

    def _frame(
        self, image: Any, segments: Sequence[tuple[int, str]], pixels: Sequence[Masks]
    ) -> Frame:
        """The image's record around these segments: their ids and texts."""
        record = image.frame
        if record is None:
            name = self._new_name(image)
            image_id = rawjson.members(image.record)["id"] if image.record else image.coco_id
            empty = {"image_id": image_id, "file_name": rawjson.dumps(name), "segments_info": "[]"}
            record = rawjson.join(empty)
        else:
            name = png_name(record)
        self._names.add(name)
        changed = {"segments_info": "[" + ",".join(text for _, text in segments) + "]"}
        if image.id in self._image_numbers:
            changed["image_id"] = str(self._image_numbers[image.id])
        return Frame(
            record=rawjson.replace(record, raw=changed),
            file_name=name,
            size=(image.height, image.width),
            ids=[number for number, _ in segments],
            pixels=pixels,
        )

    def _new_name(self, image: Any) -> str:
        """The image's name, as a PNG; with its key where another one is called so already."""
        path = PurePosixPath(values.match_name(image.file_name)).with_suffix(".png")
        return str(
            path if str(path) not in self._names else path.with_stem(f"{path.stem}_{image.id}")
        )

    # Segments as they are -----------------------------------------------------------------------

    def _settle(self, by_image: Mapping[int, list[_Segment]]) -> None:
        """Take away what others lie above, where masks overlap."""
        groups = list(by_image.values())
        if not groups:
            return
        whole = masks.concatenate(one.pixels for segments in groups for one in segments)
        union = masks.area(masks.merge(whole, [len(segments) for segments in groups])).tolist()
        overlapping = []
        for segments, area in zip(groups, union, strict=True):
            for one in segments:
                one.visible = one.area
            if sum(one.area for one in segments) != area:
                overlapping.append(segments)
        if not overlapping:
            return
        drawn_at = self._times(one.row for segments in overlapping for one in segments)
        for segments in overlapping:
            order = sorted(range(len(segments)), key=lambda i: drawn_at[segments[i].row.id])
            seen = panoptic.seen(masks.concatenate(one.pixels for one in segments), order)
            for one, pixels, area in zip(segments, seen, masks.area(seen).tolist(), strict=True):
                one.pixels, one.visible = pixels, area

    def _times(self, rows: Iterable[Any]) -> dict[int, tuple[datetime, int]]:
        """When the present masks were drawn; those of files before all others."""
        found = {row.id: row for row in rows}
        times = {
            key: row.updated_at if row.updated_by is not None else _BEFORE_ALL
            for key, row in found.items()
        }
        present = {key: _mask_text(row) for key, row in found.items()}
        older = (
            select(AnnotationVersion)
            .where(AnnotationVersion.annotation_id.in_(found))
            .order_by(AnnotationVersion.annotation_id, AnnotationVersion.version.desc())
        )
        done: set[int] = set()
        for version in self._session.scalars(older):
            key = version.annotation_id
            if _mask_text(version) != present[key]:
                done.add(key)
            elif key not in done:
                by_hand = version.author_id is not None
                times[key] = version.created_at if by_hand else _BEFORE_ALL
        return {key: (time, key) for key, time in times.items()}

    def _own(self, image: Any, segments: Sequence[_Segment]) -> Frame:
        visible = [one for one in segments if one.visible]
        ids = panoptic.free_ids([one.row.coco_id for one in visible])
        texts = []
        for number, one in zip(ids, visible, strict=True):
            new = {} if number == values.whole(one.row.coco_id) else {"id": number}
            if one.row.category_id in self._category_ids:
                new["category_id"] = self._category_ids[one.row.category_id]
            as_it_is = one.exact and one.visible == one.area
            pixels = None if as_it_is else one.pixels
            texts.append((number, panoptic.segment_text(one.row.record, pixels=pixels, **new)))
        return self._frame(image, texts, [one.pixels for one in visible])

    # Segments that are composed -----------------------------------------------------------------

    def _composed(self, image: Any, found: Sequence[_Segment]) -> Frame:
        segments = list(_joined(found, self._stuff))
        if not segments:
            return self._frame(image, [], [])
        batch = masks.concatenate(segment.pixels for segment in segments)
        order = sorted(range(len(segments)), key=lambda i: self._height(segments[i]))
        seen = panoptic.seen(batch, order)
        visible = [i for i, area in enumerate(masks.area(seen).tolist()) if area]
        ids = panoptic.free_ids([segments[i].row.coco_id for i in visible])
        texts = []
        for number, place in zip(ids, visible, strict=True):
            row = segments[place].row
            category = self._category_ids.get(row.category_id)
            known = rawjson.members(row.record)["category_id"]
            parts = {
                "id": str(number),
                "category_id": known if category is None else str(category),
                "iscrowd": str(int(row.iscrowd)),
            }
            text = panoptic.segment_text(rawjson.join(parts), pixels=seen[place])
            texts.append((number, text))
        return self._frame(image, texts, [seen[i] for i in visible])

    def _height(self, segment: _Segment) -> tuple[int, int, int]:
        """How far above the ground a segment lies, for sorting."""
        row = segment.row
        layer = 0 if row.category_id in self._stuff else 1 if row.iscrowd else 2
        return layer, -segment.area, row.id


def _joined(found: Sequence[_Segment], stuff: set[int]) -> Iterator[_Segment]:
    """The segments, all of one category of stuff as one, where its first one stands."""
    of_stuff: dict[int, list[_Segment]] = {}
    for one in found:
        if one.row.category_id in stuff:
            of_stuff.setdefault(one.row.category_id, []).append(one)
    for one in found:
        same = of_stuff.get(one.row.category_id, [one])
        if one is same[0]:
            pixels = masks.merge(masks.concatenate(part.pixels for part in same))
            yield _Segment(one.row, pixels, int(masks.area(pixels)[0]), exact=False)


def _mask_text(row: Any) -> str | None:
    return str(row.shape) if row.shape else rawjson.members(row.record).get("segmentation")


def _drawn(rows: Sequence[Any], sizes: Mapping[int, tuple[int, int]]) -> Iterator[_Segment]:
    """The rows that have a mask, with it."""
    found = []
    for row in rows:
        shown = rawjson.decode(row.shape or row.record)
        if shown.get("segmentation"):
            found.append((row, shown["segmentation"], shown.get("holes") or []))
    try:
        yield from _draw(found, sizes)
    except MaskError:
        # A record of a file that was read generously may hold what nobody can draw.
        for one in found:
            try:
                yield from _draw([one], sizes)
            except MaskError:
                continue


def _draw(found: Sequence[Any], sizes: Mapping[int, tuple[int, int]]) -> list[_Segment]:
    if not found:
        return []
    batch = masks.from_segmentations(
        [segmentation for _, segmentation, _ in found],
        [list(sizes[row.image_id]) for row, _, _ in found],
        [holes for _, _, holes in found],
        max_crossings=MAX_CROSSINGS,
    )
    areas = masks.area(batch).tolist()
    return [
        _Segment(row, pixels, area, exact=isinstance(segmentation, dict))
        for (row, segmentation, _), pixels, area in zip(found, batch, areas, strict=True)
    ]
