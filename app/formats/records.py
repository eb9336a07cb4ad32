"""What a file of annotations holds, whatever its format, and what a format can do.

A reader hands over three kinds of records, each with the JSON text that is kept (``text``) and the
few values that are queried by. Whatever it had to reject or to read generously goes into a
`Report`, so one bad record never loses the file.

A format is one module-level object that satisfies `Format`, listed in `app.formats.FORMATS`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

from app.formats.coco import values
from app.formats.issues import ISSUES, Issue

if TYPE_CHECKING:
    from app.formats.folders import FolderReader
    from app.formats.outgoing import FolderWriter

__all__ = [
    "ID_SPACES",
    "MODES",
    "TASKS",
    "AnnotationRecord",
    "CategoryRecord",
    "FileError",
    "Format",
    "FrameRecord",
    "Head",
    "ImageRecord",
    "PngError",
    "Pngs",
    "Reading",
    "Report",
    "Size",
    "Source",
]

TASKS = (
    "instances",
    "person_keypoints",
    "stuff",
    "panoptic",
    "captions",
    "labels",
    "image_info",
)
"""What COCO calls the kinds of annotation files."""

ID_SPACES = (
    ("instances", "person_keypoints", "stuff"),
    ("panoptic",),
    ("captions",),
    ("labels",),
)
"""Tasks whose files count their annotations together: the same id in two of them is no clash."""

MODES = ("lenient", "strict")
"""Import what can be imported, or nothing unless all of it can be."""

MOST_ISSUES = 1000
"""A report lists this many issues at most; all of them are counted."""

Size = tuple[int, int]
"""Height and width of an image, in pixels."""


class FileError(Exception):
    """A file that cannot be read at all: a code of `ISSUES` and the sentence that explains it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class PngError(Exception):
    """A PNG that is not what a panoptic file needs: a code of `ISSUES` and why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Pngs(Protocol):
    """The PNGs that stand beside a panoptic file."""

    def colors(self, file_name: str, size: Size) -> npt.NDArray[np.uint8]:
        """The pixels of a PNG, (h, w, 3) RGB; PngError when it is not one of this size.

        `file_name` has forward slashes and never climbs.
        """
        ...


@dataclass(slots=True)
class ImageRecord:
    """One image; `index` is its place among the file's images that can be used.

    `subset` is set where the file tells one for each image. A `placeholder` stands for one that the
    file lacks; its path leads to the annotation that names it.
    """

    index: int
    path: str
    text: str
    coco_id: Any
    file_name: str
    match_name: str
    width: int | None
    height: int | None
    subset: str | None = None
    placeholder: bool = False


@dataclass(slots=True)
class CategoryRecord:
    """One category; `color` is ``#rrggbb`` where the file has one. For `placeholder` see images."""

    index: int
    path: str
    text: str
    coco_id: Any
    name: str
    supercategory: str | None = None
    color: str | None = None
    isthing: bool = True
    keypoints: list[str] = field(default_factory=list)
    skeleton: list[list[int]] = field(default_factory=list)
    placeholder: bool = False


@dataclass(slots=True)
class AnnotationRecord:
    """One annotation of the image and category with these places in the file.

    A caption has no category. `area` and `bbox` are the file's own where they make sense, else
    computed, and 0 without a geometry. `shape` is set only where the geometry was read generously:
    the text of ``{"segmentation": …, "holes": []}``. `has_id` is False when the file gave none.
    """

    path: str
    text: str
    coco_id: Any
    image: int
    category: int | None
    iscrowd: bool
    area: float
    bbox: list[float]
    shape: str | None = None
    has_id: bool = True


@dataclass(slots=True)
class FrameRecord:
    """What a panoptic file says of the image with this place, its list of segments emptied."""

    path: str
    text: str
    image: int


@dataclass
class Head:
    """All of a file but its annotations.

    `envelope` is the JSON text of the top-level object with its lists of records emptied. `subset`
    is set where the file's name tells it. Without `has_ids`, the ids of images and categories are
    placeholders: whoever asked for the head sets those of the dataset before the annotations are
    read.
    """

    task: str
    images: list[ImageRecord]
    categories: list[CategoryRecord]
    envelope: str
    annotation_count: int
    subset: str | None = None
    has_ids: bool = True


class Report:
    """What was found wrong, for machines and for people."""

    def __init__(self, mode: str = "lenient") -> None:
        self.mode = mode
        self.issues: list[Issue] = []
        self.counts: dict[str, int] = {}
        self.errors = 0
        # Of the files of a zip, the one that is looked at.
        self._file: str | None = None

    @contextmanager
    def about(self, file: str) -> Iterator[None]:
        """Issues are about this file of a zip."""
        self._file = file
        try:
            yield
        finally:
            self._file = None

    def add(
        self,
        code: str,
        path: str,
        message: str,
        *,
        id: Any = None,  # noqa: A002 - it is called so in the report
        action: str | None = None,
    ) -> None:
        """Note one issue; `path` leads to it in the file, such as ``annotations[3].bbox``."""
        kind = ISSUES[code]
        severity = kind.strict if self.mode == "strict" and kind.strict else kind.severity
        self.counts[code] = self.counts.get(code, 0) + 1
        self.errors += severity == "error"
        if len(self.issues) < MOST_ISSUES:
            done = action or kind.action
            # What a file holds is told, and no database keeps NUL.
            path, message = values.shown_name(path), values.shown_name(message)
            id = values.shown_name(id) if isinstance(id, str) else id  # noqa: A001
            self.issues.append(Issue(severity, code, path, id, message, done, self._file))

    def as_dict(self) -> dict[str, Any]:
        """The part of an import's report that is about issues."""
        return {
            "issues": [issue.as_dict() for issue in self.issues],
            "issue_counts": dict(sorted(self.counts.items())),
        }


@dataclass(frozen=True)
class Reading:
    """How a file is to be read; what is found wrong goes into the report.

    `task` is one of the format's `import_tasks` or ``auto``. `name` is the file's own: with
    ``auto`` it tells the task where the content leaves it open. `pngs` are those beside it, if
    there are any. With `placeholders`, images and categories that annotations name and the file
    lacks are in the head, too.
    """

    report: Report
    task: str = "auto"
    name: str = ""
    pngs: Pngs | None = None
    placeholders: bool = False


class Source(Protocol):
    """An opened file: `head` first, then `annotations` as often as one likes."""

    def head(self) -> Head: ...

    def sizes_from_masks(self, images: set[int]) -> Mapping[int, Size]:
        """Sizes of these images as the masks drawn on them tell."""
        ...

    def annotations(self, sizes: Sequence[Size | None]) -> Iterator[list[AnnotationRecord]]:
        """The annotations in batches; `sizes` has one for each image of the head."""
        ...

    @property
    def position(self) -> int:
        """How many annotations were looked at so far, rejected ones included."""
        ...

    @property
    def frames(self) -> Sequence[FrameRecord]:
        """The images that the last batch of annotations was of, in a panoptic file."""
        ...


class Format(Protocol):
    """One kind of file, or of folder full of files.

    `page` is the documentation's, below docs/. A format whose annotations are spread over the files
    of a folder has a `reader`, a `writer` or both, and sends and receives zips of such folders.
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def extensions(self) -> tuple[str, ...]: ...
    @property
    def import_tasks(self) -> tuple[str, ...]: ...
    @property
    def export_tasks(self) -> tuple[str, ...]: ...
    @property
    def page(self) -> str: ...
    @property
    def reader(self) -> "FolderReader | None": ...
    @property
    def writer(self) -> "FolderWriter | None": ...

    def open(self, file: BinaryIO, reading: Reading) -> AbstractContextManager[Source]:
        """Read an open file that can seek; FileError where the format is one of folders alone."""
        ...
