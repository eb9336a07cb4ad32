"""``data.yaml``: where the images of each subset are, and what the classes are called.

It comes from outside, so it is read without aliases, which could make a short text endless.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from app.formats.coco import rawjson
from app.formats.folders import Folder, as_text
from app.formats.records import FileError, Report

__all__ = ["RESERVED", "Config", "find_config", "quoted", "read_config"]

_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_LISTS = ("classes.txt", "obj.names", "predefined_classes.txt")
RESERVED = frozenset(
    {"path", "download", "names", "nc", "channels", "license", "task", "yaml_file"}
    | {"kpt_shape", "kpt_names", "flip_idx", "skeleton"}
)
"""Keys that mean something else; all others with paths as values are subsets."""
_MOST_CLASSES = 100_000
_MOST_KEYPOINTS = 1000
# Of a list of 100,000 classes; parsing takes a second for each million.
_MOST_CHARACTERS = 4_000_000


@dataclass
class Config:
    """What a data.yaml says; `subsets` are names and the paths of folders or lists of images."""

    names: dict[int, str] = field(default_factory=dict)
    subsets: list[tuple[str, str]] = field(default_factory=list)
    keypoints: int = 0
    dims: int = 3
    keypoint_names: dict[int, list[str]] = field(default_factory=dict)
    skeletons: dict[int, list[list[int]]] = field(default_factory=dict)


class _Loader(yaml.SafeLoader):
    """Texts, numbers, lists and mappings alone, without tags that ask for another reading."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) not in (None, "!"):
            raise yaml.YAMLError("tags are not read")
        return super().compose_node(parent, index)


# Dates stay texts: one that is none of the calendar would be an error, and none is asked for.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def find_config(folder: Folder) -> str | None:
    """The folder's data.yaml: the one of the usual name that is least deep, else the only one."""
    found = [name for name in folder.names if name.lower().endswith((".yaml", ".yml"))]
    usual = [name for name in found if name.rpartition("/")[2].lower() in _NAMES]
    top = sorted(usual or found, key=lambda name: (name.count("/"), name))
    return top[0] if usual or len(found) == 1 else None


def read_config(folder: Folder, report: Report | None = None) -> Config:
    """The names and subsets; what cannot be read is reported, and is as if it were not there."""
    name = find_config(folder)
    try:
        if name is not None:
            return _config(_load(as_text(folder, name)), name.rpartition("/")[0])
        return Config(names=_listed(folder))
    except FileError as error:
        if report is not None:
            report.add(error.code, name or "", error.detail)
        return Config()


def _load(text: str) -> Mapping[Any, Any]:
    if len(text) > _MOST_CHARACTERS:
        raise FileError("label_file_invalid", "The file is too long for one of settings.")
    try:
        value = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        detail = " ".join(str(error).split())[:200]
        raise FileError("label_file_invalid", f"The file is not YAML: {detail}") from None
    if not isinstance(value, Mapping):
        raise FileError("label_file_invalid", "The file has no keys such as names.")
    return value


def _config(value: Mapping[Any, Any], folder: str) -> Config:
    names = _numbered(value.get("names"))
    found = Config(names={key: _whole(name) for key, name in names if not isinstance(name, list)})
    shape = value.get("kpt_shape")
    if isinstance(shape, list) and len(shape) == 2 and all(type(n) is int for n in shape):
        number, dims = shape
        if not 0 < number <= _MOST_KEYPOINTS or dims not in (2, 3):
            told = f"kpt_shape is {shape!r:.60}, not a number of keypoints and 2 or 3."
            raise FileError("label_file_invalid", told)
        found.keypoints, found.dims = number, dims
    for key, names in _numbered(value.get("kpt_names")):
        if isinstance(names, list) and len(names) == found.keypoints:
            found.keypoint_names[key] = [_whole(name) for name in names]
    for key, edges in _numbered(value.get("skeleton")):
        if isinstance(edges, list) and all(_is_edge(edge, found.keypoints) for edge in edges):
            found.skeletons[key] = edges
    for key, paths in value.items():
        if key not in RESERVED and isinstance(key, str):
            found.subsets += [(key, path) for path in _paths(paths, folder)]
    return found


def _numbered(value: Any) -> Iterator[tuple[int, Any]]:
    """The members of a list, or of a mapping with numbers as keys."""
    if isinstance(value, list):
        value = dict(enumerate(value))
    if not isinstance(value, Mapping):
        return
    for key, member in value.items():
        number = int(key) if isinstance(key, str) and key.isdecimal() and len(key) < 8 else key
        is_number = type(number) is int and 0 <= number < _MOST_CLASSES
        if is_number and isinstance(member, str | int | float | list):
            yield number, member


def _whole(name: Any) -> str:
    """A name as text; halves of characters, as JSON's escapes have them, are put together."""
    return str(name).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_edge(edge: Any, points: int) -> bool:
    return (
        isinstance(edge, list)
        and len(edge) == 2
        and all(type(end) is int and 1 <= end <= points for end in edge)
    )


def _paths(value: Any, folder: str) -> list[str]:
    """Paths from the top of the zip. What leads out of it is taken as if it did not."""
    given = value if isinstance(value, list) else [value]
    found = []
    for path in given:
        if isinstance(path, str) and path:
            steps = f"{folder}/{path}".replace("\\", "/").split("/")
            found.append("/".join(step for step in steps if step not in ("", ".", "..")))
    return found


def _listed(folder: Folder) -> dict[int, str]:
    """The lines of a list of classes, as tools without a data.yaml have it."""
    for name in sorted(folder.names, key=lambda name: (name.count("/"), name)):
        if name.rpartition("/")[2].lower() in _LISTS:
            lines = as_text(folder, name).strip().splitlines()
            return {number: line.strip() for number, line in enumerate(lines)}
    return {}


def quoted(text: str) -> str:
    """A text as YAML that every reader understands, be it ``no``, ``1.0`` or ``a: b``."""
    plain = rawjson.dumps(text)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in plain)


def lists(values: Sequence[Any]) -> str:
    """A list of numbers or of names in one line."""
    shown = (quoted(v) if isinstance(v, str) else rawjson.dumps(v) for v in values)
    return "[" + ", ".join(shown) + "]"
