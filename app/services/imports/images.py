"""The images of a file in a dataset: found by id and name, or by name, or made.

A record finds its image in this order, each step for all records before the next, and no image
twice:

1. an image with the same id and the same name: it was imported before;
2. an uploaded image that no file described yet, with the same name: it takes the record, id
   included;
3. an image that another file described, with the same name: the annotations join it, and its own
   record stays;
4. an uploaded image as in 2 whose name is the end of the record's path, or the other way round, or
   which has the same base name, when exactly one image and one record fit.

Where the file tells a record's subset, as folders do, images of other subsets are not its own. What
finds none becomes a new image without pixels. Names are compared, and never used as paths.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from app.formats.coco import rawjson, values
from app.formats.records import ImageRecord, Report, Size
from app.models import Image, ImageTask
from app.services import bulk
from app.services.files.names import base_name, share_an_end
from app.services.holding import hold
from app.services.imports import records as import_records
from app.services.imports.records import Kept
from app.services.imports.tally import Tally

__all__ = [
    "Beside",
    "Found",
    "IdChanges",
    "Match",
    "find_id_changes",
    "find_images",
    "write_images",
]

_COLUMNS = (
    "id",
    "dataset_id",
    "coco_id",
    "file_name",
    "match_name",
    "width",
    "height",
    "subset",
    "record",
)
_TASK_COLUMNS = ("dataset_id", "task", "place", "image_id")
NO_SUBSET = "default"
_MOST_NAMED = 5


@dataclass(slots=True)
class Found:
    """An image of the dataset, as it was when the import began."""

    id: int
    coco_id: Any
    file_name: str
    match_name: str
    width: int
    height: int
    orientation: int
    has_file: bool
    record: str | None
    variants: str | None
    subset: str
    status: str
    annotation_count: int
    tasks: Sequence[str] = field(default_factory=list)

    @property
    def kept(self) -> Kept:
        return Kept(self.record or "{}", self.variants, self.tasks)


@dataclass(slots=True)
class Match:
    """A record and its image: `found` is None for a new one, whose `id` comes later.

    `adopts` says that the image takes the record; `joins` that it keeps its own, with another id;
    `turned` that it will be shown as it is in its file.
    """

    record: ImageRecord
    found: Found | None = None
    adopts: bool = False
    joins: bool = False
    turned: bool = False
    id: int = 0

    @property
    def status(self) -> str:
        return self.found.status if self.found else "new"


@dataclass(frozen=True)
class Beside:
    """An annotation file among others: images that these brought in other subsets, with keys from
    `since` on, are others than its own."""

    subset: str
    since: int

    def parts(self, image: Found) -> bool:
        return image.id >= self.since and image.subset != self.subset


def _load(session: Session, dataset_id: int) -> list[Found]:
    rows = session.execute(
        select(
            Image.id,
            Image.coco_id,
            Image.file_name,
            Image.match_name,
            Image.width,
            Image.height,
            Image.orientation,
            Image.blob_sha256.is_not(None),
            Image.record,
            Image.variants,
            Image.subset,
            Image.status,
            Image.annotation_count,
        )
        .where(Image.dataset_id == dataset_id)
        .order_by(Image.id)
    )
    images = [Found(*row) for row in rows]
    by_id = {image.id: image for image in images}
    listed = select(ImageTask.image_id, ImageTask.task).where(ImageTask.dataset_id == dataset_id)
    for image_id, task in session.execute(listed) if images else ():
        by_id[image_id].tasks = [*by_id[image_id].tasks, task]
    return images


def find_images(
    session: Session,
    *,
    dataset_id: int,
    records: list[ImageRecord],
    report: Report,
    beside: Beside | None = None,
) -> tuple[list[Match], list[Found]]:
    """The match of each record, and all images of the dataset; nobody deletes found ones now."""
    images = _load(session, dataset_id)
    matches = [Match(record) for record in records]
    subset = None if beside is None else beside.subset
    known = [image for image in images if beside is None or not beside.parts(image)]
    finder = _Finder(known, matches, report, subset)
    if known:
        finder.run()
    found = {match.id for match in matches if match.found is not None}
    gone = found - hold(session, Image, found)
    for match in matches:
        if match.id in gone:
            # Somebody deleted it just now: for this file it was never there.
            match.found, match.id, match.adopts, match.joins = None, 0, False, False
    return matches, [image for image in images if image.id not in gone]


class _Finder:
    """The four steps; `_open` are the matches without an image.

    Of several that fit, an image of the file's own `subset` is preferred.
    """

    def __init__(
        self, images: list[Found], matches: list[Match], report: Report, subset: str | None
    ) -> None:
        self._subset = subset
        self._images = images
        self._open = matches
        self._report = report
        self._taken: set[int] = set()

    def run(self) -> None:
        described = [image for image in self._images if image.record is not None]
        uploaded = [image for image in self._images if image.record is None]
        self._step(
            described,
            lambda image: (values.id_key(image.coco_id), image.match_name),
            lambda record: (values.id_key(record.coco_id), record.match_name),
        )
        self._step(uploaded, _name_of_image, _name_of_record, adopts=True)
        self._step(described, _name_of_image, _name_of_record, joins=True)
        self._by_ending([image for image in uploaded if image.id not in self._taken])

    def _step(
        self,
        images: Iterable[Found],
        key_of_image: Callable[[Found], Any],
        key_of_record: Callable[[ImageRecord], Any],
        *,
        adopts: bool = False,
        joins: bool = False,
    ) -> None:
        waiting: dict[Any, list[Found]] = {}
        for image in images:
            if image.id not in self._taken:
                waiting.setdefault(key_of_image(image), []).append(image)
        still_open = []
        for match in self._open:
            same = waiting.get(key_of_record(match.record), [])
            fitting = [place for place, image in enumerate(same) if _in_its_subset(match, image)]
            if fitting:
                own = (place for place in fitting if same[place].subset == self._subset)
                place = next(own, fitting[0])
                self._take(match, same.pop(place), adopts=adopts, joins=joins)
            else:
                still_open.append(match)
        self._open = still_open

    def _take(self, match: Match, image: Found, *, adopts: bool, joins: bool) -> None:
        self._taken.add(image.id)
        match.found, match.id = image, image.id
        match.adopts, match.joins = adopts, joins
        if joins:
            self._report.add(
                "image_joined_by_name",
                match.record.path,
                f"The dataset has it with the id {image.coco_id!r:.60}.",
                id=match.record.coco_id,
            )

    def _by_ending(self, images: list[Found]) -> None:
        """The fourth step: paths of which one is the end of the other, or equal base names."""
        by_base: dict[str, list[Found]] = {}
        for image in images:
            by_base.setdefault(base_name(image.match_name), []).append(image)
        wanted = [match for match in self._open if base_name(match.record.match_name) in by_base]
        records_by_base = Counter(base_name(match.record.match_name) for match in wanted)
        claims: dict[int, list[Match]] = {}
        for match in wanted:
            name = match.record.match_name
            candidates = [i for i in by_base[base_name(name)] if _in_its_subset(match, i)]
            fitting = [image for image in candidates if share_an_end(image.match_name, name)]
            if not fitting and records_by_base[base_name(name)] == 1:
                fitting = candidates
            if len(fitting) == 1:
                claims.setdefault(fitting[0].id, []).append(match)
            elif fitting:
                self._ambiguous(match, f"{len(fitting)} uploaded images fit its name.")
        by_id = {image.id: image for image in images}
        for image_id, claimants in claims.items():
            if len(claimants) == 1:
                self._take(claimants[0], by_id[image_id], adopts=True, joins=False)
                continue
            for match in claimants:
                self._ambiguous(match, f"{len(claimants)} records fit one uploaded image.")

    def _ambiguous(self, match: Match, message: str) -> None:
        path = f"{match.record.path}.file_name"
        self._report.add("file_name_ambiguous", path, message, id=match.record.coco_id)


def _in_its_subset(match: Match, image: Found) -> bool:
    """Whether the image can be in the subset that the file tells for the record, if it does."""
    return match.record.subset in (None, image.subset) or image.subset == NO_SUBSET


def _name_of_image(image: Found) -> str:
    return image.match_name


def _name_of_record(record: ImageRecord) -> str:
    return record.match_name


def write_images(
    session: Session,
    *,
    dataset_id: int,
    matches: list[Match],
    sizes: list[Size | None],
    task: str,
    subset: str | None,
    report: Report,
    tally: Tally,
) -> None:
    """Create the new images and change the found ones; those without a size are left out.

    `subset` is that of the new ones, and of found ones that are in none; where the file tells it
    for each image, that counts.
    """
    wanted = [match for match in matches if match.found is not None or sizes[match.record.index]]
    places = dict(
        zip(
            (match.record.index for match in wanted),
            bulk.take_keys(session, "images", len(wanted)),
            strict=True,
        )
    )
    new = [match for match in wanted if match.found is None]
    for match in new:
        match.id = places[match.record.index]
    bulk.copy(
        session,
        "images",
        _COLUMNS,
        (
            _row(
                match,
                dataset_id,
                sizes[match.record.index] or (0, 0),
                match.record.subset or subset or NO_SUBSET,
            )
            for match in new
        ),
    )
    bulk.copy(
        session,
        "image_tasks",
        _TASK_COLUMNS,
        (
            [str(dataset_id), task, str(places[match.record.index]), str(match.id)]
            for match in wanted
            if match.found is None or task not in match.found.tasks
        ),
    )
    tally.images["created"] += len(new)
    changes = [
        change
        for match in matches
        if match.found is not None
        and (change := _change(match, match.found, sizes, task, subset, report)) is not None
    ]
    _tell_other_subsets(matches, subset, report)
    matched = sum(match.found is not None for match in matches)
    tally.images["updated"] += len(changes)
    tally.images["unchanged"] += matched - len(changes)
    if changes:
        session.execute(_UPDATE, sorted(changes, key=lambda change: int(change["key"])))


def _row(match: Match, dataset_id: int, size: Size, subset: str) -> list[str]:
    record = match.record
    return [
        str(match.id),
        str(dataset_id),
        bulk.coco_id(record.coco_id),
        bulk.quoted(record.file_name),
        bulk.quoted(record.match_name),
        str(size[1]),
        str(size[0]),
        bulk.quoted(subset),
        bulk.quoted(record.text),
    ]


_table = Image.__table__
_UPDATE = (
    update(_table)  # type: ignore[arg-type]
    .where(_table.c.id == bindparam("key"))
    .values(
        coco_id=bindparam("coco_id"),
        file_name=bindparam("file_name"),
        match_name=bindparam("match_name"),
        width=bindparam("width"),
        height=bindparam("height"),
        orientation=bindparam("orientation"),
        subset=bindparam("subset"),
        record=bindparam("record"),
        variants=bindparam("variants"),
        updated_at=func.clock_timestamp(),
    )
)


def _change(
    match: Match,
    image: Found,
    sizes: list[Size | None],
    task: str,
    subset: str | None,
    report: Report,
) -> dict[str, Any] | None:
    """What becomes of a found image; None when it stays as it is."""
    record = match.record
    subset = record.subset or subset or NO_SUBSET
    content = _content(match, image, task, report)
    moves = image.subset == NO_SUBSET != subset
    if content is None and not match.turned and not moves:
        return None
    size = sizes[record.index]
    if image.has_file or match.joins or size is None:
        size = (image.height, image.width)
    values_of_image = {
        "key": image.id,
        "coco_id": image.coco_id,
        "file_name": image.file_name,
        "match_name": image.match_name,
        "width": size[1],
        "height": size[0],
        "orientation": image.orientation,
        "subset": subset if moves else image.subset,
        "record": image.record,
        "variants": image.variants,
    }
    if match.adopts:
        values_of_image |= {
            "coco_id": record.coco_id,
            "file_name": record.file_name,
            "match_name": record.match_name,
        }
    return values_of_image | (content or {})


def _tell_other_subsets(matches: Iterable[Match], subset: str | None, report: Report) -> None:
    """Report, once for a file, that images are in other subsets than it or its sender says."""
    elsewhere = [
        image.subset
        for match in matches
        if (image := match.found) is not None
        and (told := match.record.subset or subset) is not None
        and image.subset not in (NO_SUBSET, told)
    ]
    if elsewhere:
        known = ", ".join(repr(name)[:60] for name in sorted(set(elsewhere))[:_MOST_NAMED])
        wanted = "what their file says" if subset is None else f"{subset!r:.60}"
        told = f"Images in {known} instead of {wanted}: {len(elsewhere):,}."
        report.add("subset_differs", "images", told)


def _content(match: Match, image: Found, task: str, report: Report) -> dict[str, Any] | None:
    """Record and variants of a found image where they change."""
    text = match.record.text
    if match.adopts:
        return {"record": text, "variants": None}
    if match.joins:
        # Its annotations name it by the dataset's id, so the task's own record does, too.
        text = rawjson.replace(text, raw={"id": rawjson.members(image.record or "{}")["id"]})
    listed = task in image.tasks
    if listed and (match.joins or import_records.contains(image.kept.text(task), text)):
        return None
    merged = import_records.merge(image.kept, task, text)
    if merged.differing:
        told = f"{', '.join(merged.differing)} differ from what the dataset has."
        report.add("image_differs", match.record.path, told, id=match.record.coco_id)
    if not merged.changed and merged.variants == image.variants:
        return None
    return {"record": merged.record, "variants": merged.variants}


@dataclass
class IdChanges:
    """Images that get another COCO id: those that adopted a record, and those that made way."""

    adopted: dict[int, str]
    displaced: list[Found]


def find_id_changes(
    images: list[Found], matches: list[Match], sizes: list[Size | None], report: Report
) -> IdChanges:
    """Which images of the dataset change their COCO id, given what the file brings.

    An uploaded image's id was given by us and makes way for an imported one. An id that another
    file gave stays, and the dataset has it twice then.
    """
    adopted = {
        match.id: rawjson.members(match.record.text)["id"] for match in matches if match.adopts
    }
    bringing = {
        values.id_key(match.record.coco_id): match
        for match in matches
        if (match.found is None and sizes[match.record.index]) or match.adopts
    }
    matched = {match.id for match in matches if match.found is not None}
    displaced = []
    for image in images:
        match = bringing.get(values.id_key(image.coco_id))
        if match is None or image.id in matched:
            continue
        record = match.record
        told = f"{image.file_name!r:.200} had this id."
        if image.record is None:
            displaced.append(image)
            report.add("image_id_changed", record.path, told, id=record.coco_id)
        else:
            report.add("image_id_taken", record.path, told, id=record.coco_id)
    return IdChanges(adopted, displaced)
