"""What the files of a zip are, told by their names: annotations, images, or neither.

====================================  ===========================================================
Datumaro, CVAT, COCO                  ``annotations/{task}_{subset}.json``, images in
                                      ``images/{subset}/``, ``images/`` or ``{subset}/``
Roboflow                              ``{subset}/_annotations.coco.json``, images beside it
anything else                         .json files and images anywhere
====================================  ===========================================================

Names come from outside: they are compared, and never used as paths.

>>> names = ["a/annotations/instances_val.json", "a/images/val/x/1.jpg", "a/README.md"]
>>> layout = read_layout(names)
>>> layout.files
[AnnotationFile(place=0, name='a/annotations/instances_val.json', subset='val', root='a')]
>>> layout.pictures
[PictureFile(place=1, file_name='x/1.jpg', subset='val')]
>>> layout.ignored
[2]
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from app.formats import TASKS
from app.formats.coco import tasks
from app.services.files import names as file_names

__all__ = [
    "AnnotationFile",
    "Layout",
    "PictureFile",
    "annotation_files",
    "png_zip",
    "read_layout",
    "says_annotations",
]

_FOLDER = "annotations"
_IMAGES = "images"
_ROBOFLOW = "_annotations.coco.json"


class AnnotationFile(NamedTuple):
    """A file of annotations: its `place` among the names, its subset where its name or its folder
    tells it, and the folder from which its images are counted."""

    place: int
    name: str
    subset: str | None
    root: str

    def candidates(self, file_name: str) -> Iterator[str]:
        """The names that the file of its image `file_name` may have in the zip, likeliest first."""
        subset = () if self.subset is None else (self.subset,)
        yield _path(self.root, _IMAGES, *subset, file_name)
        yield _path(self.root, *subset, file_name)
        yield _path(self.root, _IMAGES, file_name)
        yield _path(self.root, file_name)
        yield file_name


class PictureFile(NamedTuple):
    """An image: its `place` among the names, and what it is called where no record names it."""

    place: int
    file_name: str
    subset: str | None


@dataclass
class Layout:
    """What each name is; the files of annotations come in the order of their tasks.

    `segments` are pictures that stand with annotations, as those of panoptic segments do, and zips
    of such pictures.
    """

    files: list[AnnotationFile] = field(default_factory=list)
    pictures: list[PictureFile] = field(default_factory=list)
    segments: list[int] = field(default_factory=list)
    ignored: list[int] = field(default_factory=list)


def says_annotations(name: str) -> bool:
    """Whether the place or the name of a .json says that it is of annotations."""
    lower = name.lower()
    stands = lower.endswith(".json") and _FOLDER in lower.split("/")[:-1]
    return stands or lower.endswith(".coco.json")


def annotation_files(names: Sequence[str]) -> list[int]:
    """The places of the .json files; where there are others beside them, those that stand with
    annotations."""
    found = [place for place, name in enumerate(names) if name.lower().endswith(".json")]
    return [place for place in found if says_annotations(names[place])] or found


def png_zip(name: str) -> str | None:
    """What the zip of a panoptic file's PNGs is called, as COCO has one beside the file.

    >>> png_zip("annotations/panoptic_val2017.json")
    'annotations/panoptic_val2017.zip'
    >>> png_zip("annotations/instances_val2017.json")
    """
    folder, _, base = name.rpartition("/")
    if tasks.from_name(base)[0] != "panoptic":
        return None
    return _path(folder, f"{base.rpartition('.')[0]}.zip")


def read_layout(names: Sequence[str]) -> Layout:
    """What the files of a zip with these names are; names have forward slashes."""
    layout = Layout()
    places = annotation_files(names)
    layout.files = sorted((_annotation_file(place, names[place]) for place in places), key=_task)
    taken = set(places)
    png_zips = {png_zip(file.name) for file in layout.files}
    for place, name in enumerate(names):
        if place in taken:
            continue
        if name in png_zips:
            layout.segments.append(place)
        elif not file_names.is_picture(name):
            layout.ignored.append(place)
        elif _FOLDER in name.lower().split("/")[:-1] or _is_segments(name, layout.files):
            layout.segments.append(place)
        else:
            layout.pictures.append(_picture(place, name, layout.files))
    return layout


def _is_segments(name: str, files: Sequence[AnnotationFile]) -> bool:
    """Whether a picture stands in the folder of a file's PNGs, or beside a panoptic file."""
    folder = _folder(name)
    if any(folder == file.name.rpartition(".")[0] for file in files):
        return True
    beside = [file for file in files if _folder(file.name) == folder]
    return name.lower().endswith(".png") and any(
        tasks.from_name(file.name)[0] == "panoptic" for file in beside
    )


def _path(*steps: str) -> str:
    return "/".join(step for step in steps if step)


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _annotation_file(place: int, name: str) -> AnnotationFile:
    folder, _, base = name.rpartition("/")
    _, subset = tasks.from_name(base)
    if base.lower() == _ROBOFLOW and folder:
        subset, folder = folder.rpartition("/")[2], _folder(folder)
    elif folder.lower().rpartition("/")[2] == _FOLDER:
        folder = _folder(folder)
    return AnnotationFile(place, name, subset, folder)


def _task(file: AnnotationFile) -> int:
    told, _ = tasks.from_name(file.name)
    return 0 if told is None else TASKS.index(told)


def _picture(place: int, name: str, files: Sequence[AnnotationFile]) -> PictureFile:
    """The name of an image below its root, without the folders that the layout is made of."""
    for root in dict.fromkeys(file.root for file in files):
        below = name if not root else name.removeprefix(f"{root}/")
        if root and below == name:
            continue
        subsets = {file.subset for file in files if file.root == root and file.subset}
        rest = below.removeprefix(f"{_IMAGES}/")
        first, _, inner = rest.partition("/")
        if inner and first in subsets:
            return PictureFile(place, inner, first)
        return PictureFile(place, rest, None)
    return PictureFile(place, name, None)
