"""What an export hands to a writer of folders, and what the writer gives back.

Images come one at a time with their annotations, so that nothing has to be held; files go the same
way. Whatever a format cannot hold, a writer notes in `Losses`: it becomes ``export-report.json``
in the zip.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from app.formats.records import Size

__all__ = [
    "LOSSES",
    "REPORT_NAME",
    "FolderWriter",
    "Losses",
    "OutAnnotation",
    "OutCategory",
    "OutDataset",
    "OutFile",
    "OutImage",
    "Paths",
]

LOSSES: dict[str, str] = {
    "annotation_unclassified": "An annotation without a category is left out.",
    "attributes_left_out": "Members of a record that the format has no place for are left out.",
    "box_clipped": "A box is cut off at the borders of its image.",
    "box_drawn": "An annotation without a segmentation is drawn as its box.",
    "caption_left_out": "A caption is left out.",
    "category_detail_left_out": (
        "The supercategory, colour or other details of a category are left out."
    ),
    "category_left_out": "A category that no annotation of the export has is left out.",
    "crowd_as_difficult": "A crowd is written as one difficult object.",
    "crowd_left_out": "A crowd is left out.",
    "file_detail_left_out": "info, licenses or other members of a COCO file are left out.",
    "geometry_missing": "An annotation that has nothing to write in this format is left out.",
    "hole_by_seam": "A hole is joined to the outline around it by a seam.",
    "image_detail_left_out": (
        "The licence, the addresses or other details of an image are left out."
    ),
    "image_too_large": "An image of more pixels than this server decodes is left out.",
    "keypoint_outside": "A keypoint outside of its image is written as not labelled.",
    "keypoints_left_out": "The keypoints of an annotation are left out.",
    "keypoints_padded": (
        "An annotation has fewer keypoints than the format writes for each; the others are written "
        "as not labelled."
    ),
    "label_left_out": "A label of a whole image is left out.",
    "mask_traced": "A mask is written as polygons along the edges of its pixels.",
    "outside_left_out": "An annotation outside of its image is left out.",
    "overlap_hidden": "Pixels of an annotation are hidden by another one's, or all of it is.",
    "parts_joined": "The parts of an annotation are joined to one polygon by lines of no width.",
    "polygons_traced": (
        "Polygons that share pixels, have holes or leave the image are written along the edges of "
        "their pixels: the same pixels, other points."
    ),
    "segment_left_out": "A panoptic segment is left out beside other objects.",
    "segmentation_left_out": "The segmentation of an annotation is left out: its box is written.",
    "subset_renamed": "A subset whose name is a setting of the format is written with _ after it.",
    "too_many_values": "An annotation beyond the 65,535th of its image is left out.",
}
"""What a format may be unable to hold: stable codes, and what each means."""

LEFT_OUT = frozenset(
    {
        "annotation_unclassified",
        "caption_left_out",
        "crowd_left_out",
        "geometry_missing",
        "label_left_out",
        "outside_left_out",
        "segment_left_out",
        "too_many_values",
    }
)
"""Those that leave out a whole annotation, which has one of them then."""

MOST_EXAMPLES = 20
REPORT_NAME = "export-report.json"


class Losses:
    """What could not be written as it is, counted, with some ids of each kind."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._examples: dict[str, list[Any]] = {}

    def note(self, code: str, coco_id: Any) -> None:
        """Note one loss of `LOSSES`; `coco_id` is that of the annotation, image or category."""
        if code not in LOSSES:
            raise KeyError(code)
        self._counts[code] = self._counts.get(code, 0) + 1
        examples = self._examples.setdefault(code, [])
        if len(examples) < MOST_EXAMPLES:
            examples.append(coco_id)

    @property
    def left_out(self) -> int:
        """How many annotations are not written at all."""
        return sum(self._counts.get(code, 0) for code in LEFT_OUT)

    def as_list(self) -> list[dict[str, Any]]:
        """Code, meaning, count and examples of each kind, by code."""
        return [
            {
                "code": code,
                "meaning": LOSSES[code],
                "count": self._counts[code],
                "examples": self._examples[code],
            }
            for code in sorted(self._counts)
        ]


@dataclass(frozen=True)
class OutCategory:
    """A category; `record` are the members of its COCO record."""

    coco_id: Any
    name: str
    color: str
    keypoints: Sequence[str]
    skeleton: Sequence[Sequence[int]]
    record: dict[str, Any]


@dataclass(slots=True)
class OutAnnotation:
    """An annotation; `category` is the place of its category in the dataset's list.

    `segmentation` is a list of polygons, an RLE or None, and `holes` are polygons to cut out.
    `bbox` is [x, y, w, h] in pixels or None. `record` are the members of its COCO record.
    """

    coco_id: Any
    task: str
    category: int | None
    iscrowd: bool
    bbox: list[float] | None
    segmentation: Any
    holes: list[list[float]]
    keypoints: list[float] | None
    record: dict[str, Any]


@dataclass(slots=True)
class OutImage:
    """An image; `file_name` and `subset` are safe as a path and as one step of one."""

    coco_id: Any
    file_name: str
    subset: str
    size: Size
    has_pixels: bool
    annotations: list[OutAnnotation] = field(default_factory=list)


class OutDataset(Protocol):
    """A dataset on its way out."""

    @property
    def name(self) -> str: ...
    @property
    def subsets(self) -> Sequence[str]: ...
    @property
    def categories(self) -> Sequence[OutCategory]: ...

    def images(self) -> Iterable[OutImage]:
        """The images with their annotations, each only while it is looked at."""
        ...


class Paths(NamedTuple):
    """Where the picture of an image goes and where its annotations do; each path once a zip."""

    picture: str
    labels: str


class OutFile(NamedTuple):
    """A file of the export."""

    name: str
    content: bytes


class FolderWriter(Protocol):
    """Writes one kind of folder."""

    def paths(self, image: OutImage) -> Paths:
        """Paths by the image's name and subset alone."""
        ...

    def files(self, dataset: OutDataset, losses: Losses) -> Iterator[OutFile]:
        """All files but the pictures."""
        ...
