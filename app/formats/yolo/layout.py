"""Which label file belongs to which picture, and what both are called in a dataset.

As Ultralytics finds it: the last step ``images`` of a picture's path becomes ``labels`` and its
ending ``.txt``; a picture in no such folder has its labels beside it. ``data.yaml`` says which
folders, or lists of pictures, are a subset::

    images/train/a.jpg    labels/train/a.txt       the subset train, the image a.jpg
    train/images/a.jpg    train/labels/a.txt       the same
    a.jpg                 a.txt                    no subset
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.formats.folders import PICTURES, Folder, as_text, without_suffix
from app.formats.records import FileError
from app.formats.yolo.config import Config

__all__ = ["Item", "is_label", "label_names", "pair"]

_USUAL = ("train", "val", "valid", "test")
_CALLED = {"valid": "val", "validation": "val"}


@dataclass(frozen=True)
class Item:
    """An image: `name` is without an ending where only its labels are there."""

    name: str
    subset: str | None
    picture: str | None
    labels: str | None


def is_label(name: str) -> bool:
    """Whether a file can be labels: a text in a folder ``labels``, or beside a picture."""
    return name.lower().endswith(".txt")


def _labels_of(picture: str) -> str:
    steps = without_suffix(picture).split("/")
    for place in range(len(steps) - 2, -1, -1):
        if steps[place] == "images":
            steps[place] = "labels"
            break
    return "/".join(steps) + ".txt"


def _ending(name: str) -> str:
    last = name.rpartition("/")[2]
    return last[last.rfind(".") :].lower() if "." in last else ""


def label_names(folder: Folder) -> list[str]:
    """Every file of labels: those of pictures, and those in a folder ``labels``."""
    names = set(folder.names)
    beside = {_labels_of(name) for name in folder.names if _ending(name) in PICTURES}
    return sorted(
        name for name in names if is_label(name) and (name in beside or "labels" in _steps(name))
    )


def _steps(name: str) -> list[str]:
    return name.split("/")[:-1]


def pair(folder: Folder, config: Config) -> list[Item]:
    """The images of the folder, those that have pictures and those that have only labels."""
    names = set(folder.names)
    subsets = _Subsets(folder, config)
    listed = {_labels_of(picture): picture for picture in subsets.listed}
    items: list[Item] = []
    taken: set[str] = set()
    for name in folder.names:
        if _ending(name) in PICTURES:
            labels = _labels_of(name)
            subset, called = subsets.of(name)
            found = labels if labels in names else None
            taken.add(labels)
            items.append(Item(called, subset, name, found))
    for name in label_names(folder):
        if name not in taken:
            subset, called = subsets.of(_picture_of(name, listed))
            items.append(Item(called, subset, None, name))
    return items


def _picture_of(labels: str, listed: Mapping[str, str]) -> str:
    """Where the picture would be: as a list of pictures has it, else without an ending."""
    if labels in listed:
        return listed[labels]
    steps = without_suffix(labels).split("/")
    for place in range(len(steps) - 2, -1, -1):
        if steps[place] == "labels":
            steps[place] = "images"
            break
    return "/".join(steps)


class _Subsets:
    """The subset of a picture and its name there, by its path."""

    def __init__(self, folder: Folder, config: Config) -> None:
        self.listed: dict[str, str] = {}
        self._folders: list[tuple[str, str]] = []
        names = set(folder.names)
        for subset, path in config.subsets:
            called = _CALLED.get(subset, subset)
            if path.lower().endswith(".txt"):
                if path in names:
                    self._read_list(folder, path, called)
            else:
                self._folders.append((path, called))
        # What a tool named beside the usual three says more than they do.
        self._folders.sort(key=lambda one: (-len(one[0]), one[1] in _USUAL))

    def _read_list(self, folder: Folder, path: str, subset: str) -> None:
        try:
            lines = as_text(folder, path).splitlines()
        except FileError:
            return
        for line in lines:
            steps = line.strip().replace("\\", "/").split("/")
            kept = "/".join(step for step in steps if step not in ("", ".", ".."))
            self.listed[kept] = subset

    def of(self, picture: str) -> tuple[str | None, str]:
        for path, called in self._folders:
            if picture.startswith(f"{path}/"):
                rest = picture.removeprefix(f"{path}/")
                return called, rest.removeprefix("images/")
        subset = self.listed.get(picture)
        steps = picture.split("/")
        place = max((i for i, step in enumerate(steps[:-1]) if step == "images"), default=None)
        if place is None:
            return subset, picture
        before, after = steps[:place], steps[place + 1 :]
        if subset is None and len(after) > 1 and after[0] in _USUAL:
            return _CALLED.get(after[0], after[0]), "/".join(after[1:])
        if subset is not None and len(after) > 1 and after[0] == subset:
            return subset, "/".join(after[1:])
        if subset is None and before and before[-1] in _USUAL:
            subset = _CALLED.get(before[-1], before[-1])
        return subset, "/".join(after)
