"""How large images are whose record does not say it."""

from collections.abc import Mapping

from app.formats.records import Head, Report, Size, Source

__all__ = ["settle_sizes"]


def settle_sizes(
    source: Source, head: Head, report: Report, files: Mapping[int, Size]
) -> list[Size | None]:
    """The size of each image: its uploaded file's, its record's, or the one its masks tell.

    `files` has the sizes of uploaded files by the image's place. None is left for an image whose
    size nobody knows, and an issue for each of these and for each that was derived.
    """
    sizes = [files.get(image.index) or _stated(image.width, image.height) for image in head.images]
    silent = {i for i, image in enumerate(head.images) if image.width is None}
    unknown = {i for i in silent if sizes[i] is None}
    masks = source.sizes_from_masks(unknown) if unknown else {}
    for index in sorted(silent):
        image = head.images[index]
        sizes[index] = sizes[index] or masks.get(index)
        size = sizes[index]
        if size is None:
            told = "Neither the record nor an uploaded file nor a mask tells its size."
            report.add("image_size_missing", image.path, told, id=image.coco_id)
        else:
            origin = "image in the dataset says" if index in files else "masks say"
            told = f"Its {origin} {size[1]} x {size[0]} (width x height)."
            report.add("image_size_derived", image.path, told, id=image.coco_id)
    return sizes


def _stated(width: int | None, height: int | None) -> Size | None:
    return None if width is None or height is None else (height, width)
