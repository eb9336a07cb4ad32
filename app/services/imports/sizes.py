"""The sizes that a file's images have here, or in the files that came with it."""

from typing import Protocol

from app.formats.records import ImageRecord, Report, Size
from app.services.imports.images import Found, Match

__all__ = ["Pictures", "file_sizes"]

_QUARTER_TURNS = (5, 6, 7, 8)


class Pictures(Protocol):
    """Image files that come with an annotation file."""

    def size(self, record: ImageRecord) -> Size | None:
        """Of the image that the record means."""
        ...

    def give(self, record: ImageRecord, image_id: int) -> None:
        """Say which image of the dataset the record has become."""
        ...


def file_sizes(
    matches: list[Match], report: Report, pictures: Pictures | None = None
) -> dict[int, Size]:
    """Sizes that are settled, by the record's place; notes where the record contradicts them.

    An image keeps its size once it has pixels or annotations. One that its camera turned is shown
    upright, with its sides exchanged. When the record speaks of the sides as they are in the file,
    its coordinates do so, too: then the image is shown as it is in the file, unless annotations
    were drawn on it already. `pictures` that come with the file tell what records do not say.
    """
    sizes: dict[int, Size] = {}
    for match in matches:
        image, record = match.found, match.record
        if record.width is None and pictures and not (image and image.has_file):
            size = pictures.size(record)
            if size is not None:
                sizes[record.index] = size
                continue
        if image is None or not _is_settled(match, image):
            continue
        shown = (image.height, image.width)
        stated = (record.height, record.width)
        sizes[record.index] = shown
        if None in stated or stated == shown:
            continue
        code = "image_unrotated" if _is_turned(image, stated) else "image_size_mismatch"
        told = f"The image is {shown[1]} x {shown[0]} here, in the file {stated[1]} x {stated[0]}"
        report.add(code, record.path, f"{told} (width x height).", id=record.coco_id)
        if code == "image_unrotated":
            image.height, image.width, image.orientation = image.width, image.height, 1
            match.turned = True
            sizes[record.index] = (image.height, image.width)
    return sizes


def _is_settled(match: Match, image: Found) -> bool:
    drawn_on = image.annotation_count > 0
    return image.has_file or match.joins or drawn_on or match.record.width is None


def _is_turned(image: Found, stated: tuple[int | None, int | None]) -> bool:
    return (
        image.has_file
        and image.orientation in _QUARTER_TURNS
        and stated == (image.width, image.height)
        and not image.annotation_count
    )
