"""Formats whose annotations are spread over the files of a folder, which comes and goes as a zip.

A `FolderReader` finds out what a folder holds and hands it over as COCO records, like any other
source of an import. Such formats know no ids: images and categories are found by their names.
A `FolderWriter` (app/formats/outgoing.py) makes the files of an export.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, Protocol

from app.formats.coco import rawjson, values
from app.formats.outgoing import FolderWriter
from app.formats.records import (
    AnnotationRecord,
    CategoryRecord,
    FileError,
    ImageRecord,
    Pngs,
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
    "PictureSize",
    "as_text",
    "new_annotation",
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
    """Reads one kind of folder."""

    def recognises(self, folder: Folder) -> bool:
        """Whether this is such a folder, by names and a look into a few files."""
        ...

    def open(self, folder: Folder, *, report: Report) -> Source: ...


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

    def open(
        self,
        file: BinaryIO,
        *,
        task: str,
        report: Report,
        name: str = "",
        pngs: Pngs | None = None,
        placeholders: bool = False,
    ) -> AbstractContextManager[Source]:
        del file, task, report, name, pngs, placeholders
        raise FileError("zip_needed", f"{self.title} is read from a zip.")


def one_source(form: FolderFormat, folder: Folder, *, task: str, report: Report) -> Source:
    """The folder as a source; FileError where the format does not read the task."""
    if task not in ("auto", *form.import_tasks) or form.reader is None:
        raise FileError("task_unsupported", f"{form.title} has nothing of the task {task}.")
    return form.reader.open(folder, report=report)


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


def new_annotation(
    path: str, image: int, category: int, members: Mapping[str, Any]
) -> AnnotationRecord:
    """The record of an annotation without an id; the members have at least bbox and area."""
    return AnnotationRecord(
        path=path,
        text=rawjson.dumps(members),
        coco_id=None,
        image=image,
        category=category,
        iscrowd=False,
        area=members["area"],
        bbox=members["bbox"],
        has_id=False,
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
