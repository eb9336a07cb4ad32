"""Annotations as XML: read without document types, written by hand.

A document type may declare entities, which make a short file endless or name files of the server.
No VOC file has one, so a file with one is refused at the declaration, before anything of it counts.
"""

from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from app.formats.coco import values
from app.formats.records import FileError

__all__ = ["Node", "element", "is_name", "parse"]

_DEEPEST = 32
_MOST_NODES = 1_000_000


@dataclass(slots=True)
class Node:
    """An element: its name, its own text, the line it begins on, and those within it."""

    tag: str
    line: int
    text: str = ""
    children: list["Node"] = field(default_factory=list)

    def find(self, tag: str) -> "Node | None":
        return next((child for child in self.children if child.tag == tag), None)

    def value(self, tag: str) -> str | None:
        """The text of the first element of this name within; None when there is none."""
        found = self.find(tag)
        return None if found is None else found.text.strip()


class _Builder:
    def __init__(self, parser: expat.XMLParserType) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._count = 0
        self._parser = parser
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data

    def _refuse(self, *_: Any) -> None:
        raise FileError("xml_unsafe", "The file declares a document type.")

    def _start(self, tag: str, _attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= _DEEPEST or self._count > _MOST_NODES:
            raise FileError("label_file_invalid", "The elements are too many or nested too deep.")
        node = Node(tag, self._parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def _end(self, _tag: str) -> None:
        self._open.pop()

    def _data(self, data: str) -> None:
        self._open[-1].text += data


def parse(content: bytes) -> Node:
    """The root element. Raises FileError: ``xml_unsafe`` or ``label_file_invalid``."""
    parser = expat.ParserCreate()
    builder = _Builder(parser)
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise FileError("label_file_invalid", f"The file is not XML: {error}.") from None
    except (LookupError, ValueError):
        raise FileError("label_file_invalid", "The file's encoding is not known.") from None
    if builder.root is None:
        raise FileError("label_file_invalid", "The file has no element.")
    return builder.root


def is_name(text: str) -> bool:
    """Whether a text can be the name of an element everywhere: ASCII letters, digits, - and _."""
    return (
        text.isascii()
        and text.replace("-", "_").isidentifier()
        and not text.lower().startswith("xml")
    )


def element(tag: str, content: str | list[str], depth: int) -> list[str]:
    """An element as lines: a text, or the lines of what is within, at this depth."""
    space = "\t" * depth
    if isinstance(content, str):
        return [f"{space}<{tag}>{escape(_sound(content))}</{tag}>"]
    return [f"{space}<{tag}>", *content, f"{space}</{tag}>"]


def _sound(text: str) -> str:
    """The text without what XML cannot hold."""
    return values.shown_name(text).replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
