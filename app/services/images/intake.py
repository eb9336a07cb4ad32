"""Uploads: files that arrived become images of a dataset.

An upload has two halves. While it arrives, each file is checked on its own in a temporary folder
(`Inbox`): zips are unpacked, pictures decoded, and what is not sound is refused with its reason.
When everything is there, `store` takes all sound files in within one transaction: all of an upload
is in the dataset afterwards, or nothing.
"""

import hashlib
import itertools
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    SQLColumnExpression,
    Text,
    any_,
    func,
    literal,
    select,
)
from sqlalchemy.orm import Session

from app.config import Settings
from app.errors import Conflict, Invalid, Unavailable
from app.formats.coco import values
from app.models import Image
from app.services.datasets import counts, datasets
from app.services.files import blobs, zips
from app.services.files import names as file_names
from app.services.files.blobs import NewBlob
from app.services.files.storage import Storage, disk_full_as_problem
from app.services.images import matching
from app.services.images.matching import Decision, Existing
from app.services.live import live
from app.services.pictures import pixels
from app.services.pictures.decoding import Decoder
from app.services.pictures.pixels import Picture

__all__ = ["Inbox", "Outcome", "Rejection", "SoundFile", "store", "told_name"]

_NAMES_AT_ONCE = 5000
_LONGEST_TOLD_NAME = 300


@dataclass(frozen=True)
class Rejection:
    """A file that was not taken, and why."""

    file_name: str
    code: str
    message: str


@dataclass(frozen=True)
class SoundFile:
    """A picture in the temporary folder that decodes."""

    file_name: str
    blob: NewBlob
    picture: Picture

    def as_arrival(self) -> matching.Arrival:
        picture = self.picture
        return matching.Arrival(
            match_name=values.match_name(self.file_name),
            sha256=self.blob.sha256,
            shown=(picture.width, picture.height),
            raw=(picture.raw_width, picture.raw_height),
            orientation=picture.orientation,
        )


class Inbox:
    """Files on their way in; `items` are what became of them, in the order in which they came."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        aside: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`aside` is entered while another process decodes a file."""
        self.items: list[SoundFile | Rejection] = []
        self._folder = folder
        self._settings = settings
        self._aside = aside
        self._decoder = Decoder(settings.decoder_memory_mb)
        self.allowance = zips.Allowance(settings.max_upload_mb * 1_000_000)
        self._numbers = itertools.count(1)

    @property
    def sound(self) -> list[SoundFile]:
        return [item for item in self.items if isinstance(item, SoundFile)]

    def new_path(self) -> Path:
        """Where the next file may be written; its own name has no say in this."""
        return self._folder / str(next(self._numbers))

    def take(self, name: str, path: Path, sha256: str) -> None:
        """A file that is complete: check it, and unpack it when it is a zip."""
        if zips.is_zip(_head(path)):
            self._take_zip(name, path)
            path.unlink()
        else:
            self._take_picture(name, path, sha256)

    def _take_picture(self, name: str, path: Path, sha256: str) -> None:
        try:
            clean = file_names.check_file_name(name)
            with path.open("rb") as file:
                picture = pixels.inspect(
                    file,
                    max_pixels=self._settings.max_image_pixels,
                    elsewhere=self._decode_elsewhere,
                )
        except Invalid as error:
            path.unlink()
            self._refuse(name, error)
            return
        blob = NewBlob(path, sha256, path.stat().st_size, picture.media_type)
        self.items.append(SoundFile(clean, blob, picture))

    def _decode_elsewhere(self, file: BinaryIO, media_type: str) -> None:
        trouble = Unavailable("The image could not be decoded.", code="picture_unavailable")
        with self._aside():
            self._decoder.run(
                "check", file, media_type=media_type, folder=self._folder, trouble=trouble
            )

    def _take_zip(self, name: str, path: Path) -> None:
        before = len(self.items)
        try:
            with zips.open_zip(path, max_files=self._settings.max_zip_files) as archive:
                for entry in zips.entries(archive):
                    self.take_entry(archive, entry)
        except Invalid as error:
            self._refuse(name, error)
        if len(self.items) == before:
            self._refuse(name, Invalid("The zip holds no files.", code="zip_empty"))

    def take_entry(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
        """A file of a zip."""
        name, path = entry.orig_filename, self.new_path()
        try:
            name = zips.entry_name(entry)
            sha256 = _write(path, zips.unpack(archive, entry, self.allowance))
            if zips.is_zip(_head(path)):
                raise Invalid("The entry is itself a zip.", code="zip_nested")
        except Invalid as error:
            path.unlink(missing_ok=True)
            self._refuse(name, error)
        else:
            self._take_picture(name, path, sha256)

    def _refuse(self, name: str, error: Invalid) -> None:
        self.items.append(Rejection(told_name(name), error.code, error.detail))


def told_name(name: str) -> str:
    """A name from outside as it is told back."""
    return values.shown_name(name)[:_LONGEST_TOLD_NAME]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def _write(path: Path, chunks: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    with disk_full_as_problem(), path.open("wb") as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


@dataclass
class Outcome:
    """What an upload brought: its images, new or as they are, and what was refused, in order."""

    images: list[Image]
    rejected: list[Rejection]
    created: int = 0
    updated: int = 0
    unchanged: int = 0


def store(
    session: Session,
    storage: Storage | None,
    *,
    dataset_id: int,
    items: Sequence[SoundFile | Rejection],
    subset: str,
    meant: Mapping[int, Collection[int]] | None = None,
) -> Outcome:
    """Take the sound files in. The caller has the dataset's turn (app/services/turns.py).

    `meant` has the images, by primary key, of sound files (by their place) that need not be looked
    for. Without a storage the caller only tries, and undoes it.
    """
    sound = [item for item in items if isinstance(item, SoundFile)]
    arrivals = [item.as_arrival() for item in sound]
    decisions = _decide(session, dataset_id, arrivals, meant or {})
    wanted = [
        file.blob
        for file, decision in zip(sound, decisions, strict=True)
        if decision.is_new or decision.fills
    ]
    blobs.keep(session, storage, files=wanted)
    images = _write_images(session, dataset_id, subset, sound, decisions)
    outcome = Outcome([], [])
    outcome.created = sum(decision.is_new for decision in decisions)
    outcome.updated = sum(len(decision.fills) for decision in decisions)
    outcome.unchanged = sum(len(decision.same) for decision in decisions)
    results = iter(zip(sound, decisions, images, strict=True))
    for item in items:
        if isinstance(item, Rejection):
            outcome.rejected.append(item)
            continue
        file, decision, found = next(results)
        outcome.images += found
        if decision.refusal is not None:
            outcome.rejected.append(
                Rejection(file.file_name, decision.refusal.code, decision.refusal.message)
            )
    return outcome


def _decide(
    session: Session,
    dataset_id: int,
    arrivals: Sequence[matching.Arrival],
    meant: Mapping[int, Collection[int]],
) -> list[Decision]:
    others = [arrival for place, arrival in enumerate(arrivals) if not meant.get(place)]
    planned = iter(matching.plan(others, _existing(session, dataset_id, others)))
    keys = {key for found in meant.values() for key in found}
    by_key = {image.id: image for image in _load(session, dataset_id, _has_key(keys))}
    return [
        matching.decide(arrival, [by_key[key] for key in sorted(meant[place])])
        if meant.get(place)
        else next(planned)
        for place, arrival in enumerate(arrivals)
    ]


def _existing(
    session: Session, dataset_id: int, arrivals: Sequence[matching.Arrival]
) -> list[Existing]:
    """The images of the dataset that any of these files could be."""
    found: dict[int, Existing] = {}
    for start in range(0, len(arrivals), _NAMES_AT_ONCE):
        some = arrivals[start : start + _NAMES_AT_ONCE]
        names = [arrival.match_name for arrival in some]
        exact = _load(session, dataset_id, _one_of(Image.match_name, names))
        equal = _load(
            session, dataset_id, _one_of(Image.blob_sha256, [arrival.sha256 for arrival in some])
        )
        known = {image.match_name for image in exact}
        unknown = {file_names.base_name(name) for name in names if name not in known}
        # Few images lack their pixels, or most names are equal: either way this is quick.
        last_step = func.substring(Image.match_name, "[^/]*$")
        similar = (
            _load(
                session,
                dataset_id,
                Image.blob_sha256.is_(None),
                _one_of(last_step, sorted(unknown)),
            )
            if unknown
            else []
        )
        found.update({image.id: image for image in (*exact, *equal, *similar)})
    return [found[key] for key in sorted(found)]


def _one_of(column: SQLColumnExpression[Any], texts: list[str]) -> ColumnElement[bool]:
    """One parameter for thousands of texts, where ``in`` would have as many."""
    return column == any_(literal(texts, ARRAY(Text)))


def _load(session: Session, dataset_id: int, *conditions: ColumnElement[bool]) -> list[Existing]:
    rows = session.execute(
        select(
            Image.id,
            Image.match_name,
            Image.width,
            Image.height,
            Image.blob_sha256,
            Image.record.is_not(None),
        ).where(Image.dataset_id == dataset_id, *conditions)
    )
    return [
        Existing(key, name, (width, height), sha256, described)
        for key, name, width, height, sha256, described in rows
    ]


def _write_images(
    session: Session,
    dataset_id: int,
    subset: str,
    files: Sequence[SoundFile],
    decisions: Sequence[Decision],
) -> list[list[Image]]:
    """Fill and make what the plan says; the images of each file, in order."""
    filled = {key for decision in decisions for key, _ in decision.fills}
    known = {key for decision in decisions for key in decision.same}
    by_id = {image.id: image for image in _lock(session, filled)}
    by_id |= {image.id: image for image in _get(session, known - filled)}
    images: list[list[Image]] = []
    for file, decision in zip(files, decisions, strict=True):
        for key, orientation in decision.fills:
            _fill(by_id[key], file, orientation)
        keys = [key for key, _ in decision.fills] + decision.same
        images.append([by_id[key] for key in keys])
        if decision.is_new:
            images[-1].append(_make(dataset_id, subset, file))
    new = [found[0] for found, decision in zip(images, decisions, strict=True) if decision.is_new]
    session.flush()
    if new:
        first = datasets.take_coco_ids(session, dataset_id=dataset_id, kind="image", count=len(new))
        for number, image in enumerate(new, start=first):
            image.coco_id = number
        session.add_all(new)
        session.flush()
        counts.add(session, dataset_id=dataset_id, status="new", images=len(new))
    live.images_changed(session, filled, dataset_id=dataset_id)
    return images


def _lock(session: Session, keys: set[int]) -> Sequence[Image]:
    """The rows locked, before the dataset's, as everybody does it."""
    found = session.scalars(
        select(Image)
        .where(_has_key(keys))
        .order_by(Image.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    if len(found) < len(keys):
        raise Conflict("An image of this upload was just deleted; try again.", code="busy")
    return found


def _get(session: Session, keys: set[int]) -> Sequence[Image]:
    return session.scalars(select(Image).where(_has_key(keys))).all()


def _has_key(keys: Collection[int]) -> ColumnElement[bool]:
    return Image.id == any_(literal(sorted(keys), ARRAY(BigInteger)))


def _fill(image: Image, file: SoundFile, orientation: int) -> None:
    image.blob_sha256 = file.blob.sha256
    image.orientation = orientation
    image.revision += 1
    # A value, not an expression: the answer shows it, and reading it back would cost a query each.
    image.updated_at = datetime.now(UTC)


def _make(dataset_id: int, subset: str, file: SoundFile) -> Image:
    picture = file.picture
    return Image(
        dataset_id=dataset_id,
        file_name=file.file_name,
        match_name=values.match_name(file.file_name),
        width=picture.width,
        height=picture.height,
        subset=subset,
        blob_sha256=file.blob.sha256,
        orientation=picture.orientation,
    )
