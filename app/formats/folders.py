"""Formats whose annotations are spread over the files of a folder, which comes and goes as a zip.

A `FolderReader` finds out what a folder holds and hands it over as COCO records, like any other
source of an import. Such formats know no ids: images and categories are found by their names.
A `FolderWriter` (app/formats/outgoing.py) makes the files of an export.
"""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, BinaryIO, Generic, NamedTuple, Protocol, TypeVar

from app.formats.coco import rawjson, values
from app.formats.outgoing import FolderWriter
from app.formats.records import (
    AnnotationRecord,
    CategoryRecord,
    FileError,
    FrameRecord,
    Head,
    ImageRecord,
    Reading,
    Report,
    Size,
    Source,
)

__all__ = [
    "EMPTY_ENVELOPE",
    "PICTURES",
    "Folder",
    "FolderFormat",
    "FolderReader",
    "FolderSource",
    "PictureSize",
    "as_text",
    "new_category",
    "new_image",
    "one_source",
    "without_suffix",
]

EMPTY_ENVELOPE = '{"images":[],"annotations":[],"categories":[]}'
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif"})
"""How the names of pictures end, in lower case."""


class PictureSize(NamedTuple):
    """How large a picture is: as shown, and as it is in its file, before EXIF turns it."""

    shown: Size
    raw: Size


class Folder(Protocol):
    """The files of a zip."""

    @property
    def names(self) -> Sequence[str]:
        """The files' paths, sorted, with forward slashes; none leads out of the folder."""
        ...

    def read(self, name: str) -> bytes:
        """What is in a small file; FileError when it is too large or cannot be unpacked."""
        ...

    def picture(self, name: str, record: ImageRecord) -> PictureSize | None:
        """Have a file become the pixels of an image, and tell its size.

        None for one that is no sound picture, which has been reported.
        """
        ...


class FolderReader(Protocol):
    """Reads one family of folders, whose formats share it."""

    def recognise(self, folder: Folder) -> str | None:
        """The name of the format that a folder is in, by names and a look into a few files."""
        ...

    def open(self, folder: Folder, *, name: str, report: Report) -> Source:
        """Read a folder as one in the format of this name."""
        ...


@dataclass(frozen=True)
class FolderFormat:
    """A format of folders; see `app.formats.records.Format`."""

    name: str
    title: str
    page: str
    tasks: tuple[str, ...]
    reader: FolderReader | None = None
    writer: FolderWriter | None = None
    extensions: tuple[str, ...] = (".zip",)

    @property
    def import_tasks(self) -> tuple[str, ...]:
        return self.tasks if self.reader is not None else ()

    @property
    def export_tasks(self) -> tuple[str, ...]:
        return self.tasks if self.writer is not None else ()

    def open(self, file: BinaryIO, reading: Reading) -> AbstractContextManager[Source]:
        del file, reading
        raise FileError("zip_needed", f"{self.title} is read from a zip.")


def one_source(form: FolderFormat, folder: Folder, *, task: str, report: Report) -> Source:
    """The folder as a source; FileError where the format does not read the task."""
    if task not in ("auto", *form.import_tasks) or form.reader is None:
        raise FileError("task_unsupported", f"{form.title} has nothing of the task {task}.")
    return form.reader.open(folder, name=form.name, report=report)


_BATCH = 1000
Given = TypeVar("Given")


class FolderSource(ABC, Generic[Given]):
    """An opened folder; see `app.formats.records.Source`. Files give objects of type `Given`."""

    def __init__(self, folder: Folder, report: Report) -> None:
        self._folder = folder
        self._report = report
        self._head: Head | None = None
        self.position = 0
        self.frames: list[FrameRecord] = []

    def head(self) -> Head:
        if self._head is None:
            self._head = self._read_head()
        return self._head

    @abstractmethod
    def _read_head(self) -> Head: ...

    @abstractmethod
    def _objects(self) -> Iterator[tuple[int, str, Given]]:
        """All objects: the place of the image, the path in the zip, and what stands there."""

    @abstractmethod
    def _annotation(
        self, image: int, path: str, given: Given, size: Size
    ) -> AnnotationRecord | None:
        """One object; None when an issue says why it is left out, and ValueError for a bad one."""

    def sizes_from_masks(self, images: set[int]) -> Mapping[int, Size]:
        """Nothing: labels tell no sizes."""
        del images
        return {}

    def annotations(self, sizes: Sequence[Size | None]) -> Iterator[list[AnnotationRecord]]:
        self.head()
        self.position = 0
        records = self._records(sizes)
        while batch := list(itertools.islice(records, _BATCH)):
            yield batch

    def _records(self, sizes: Sequence[Size | None]) -> Iterator[AnnotationRecord]:
        for image, path, given in self._objects():
            self.position += 1
            size = sizes[image]
            if size is None:
                told = "The image was rejected: nothing tells its size."
                self._report.add("image_rejected", path, told)
                continue
            try:
                found = self._annotation(image, path, given, size)
            except ValueError as error:
                self._report.add("line_malformed", path, str(error))
                continue
            if found is not None:
                yield found

    def _record(
        self, path: str, image: int, category: int, members: Mapping[str, Any]
    ) -> AnnotationRecord:
        """An annotation without an id; the members have at least bbox and area."""
        head = self.head()
        whole = {
            "image_id": head.images[image].coco_id,
            "category_id": head.categories[category].coco_id,
            **members,
        }
        return AnnotationRecord(
            path=path,
            text=rawjson.dumps(whole),
            coco_id=None,
            image=image,
            category=category,
            iscrowd=False,
            area=members["area"],
            bbox=members["bbox"],
            has_id=False,
        )


def new_image(
    index: int, path: str, file_name: str, size: Size | None, subset: str | None
) -> ImageRecord:
    """The record of an image that nothing but its name and size is known of."""
    return ImageRecord(
        index=index,
        path=path,
        text="{}",
        coco_id=None,
        file_name=file_name,
        match_name=values.match_name(file_name),
        width=None if size is None else size[1],
        height=None if size is None else size[0],
        subset=subset,
    )


def new_category(
    index: int,
    path: str,
    name: str,
    keypoints: Sequence[str] = (),
    skeleton: Sequence[Sequence[int]] = (),
) -> CategoryRecord:
    """The record of a category that has a name and perhaps keypoints."""
    points = {"keypoints": list(keypoints), "skeleton": list(map(list, skeleton))}
    return CategoryRecord(
        index=index,
        path=path,
        text=rawjson.dumps({"id": None, "name": name, **(points if keypoints else {})}),
        coco_id=None,
        name=name,
        keypoints=list(keypoints),
        skeleton=[list(edge) for edge in skeleton],
    )


def as_text(folder: Folder, name: str) -> str:
    """A small text file; FileError when it is none."""
    try:
        return folder.read(name).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileError("label_file_invalid", "The file is not UTF-8 text.") from None


def without_suffix(name: str) -> str:
    """A path without the ending of its last step: ``a.b/c.jpg`` is ``a.b/c``."""
    folder, slash, last = name.rpartition("/")
    stem = last.rpartition(".")[0]
    return f"{folder}{slash}{stem or last}"
