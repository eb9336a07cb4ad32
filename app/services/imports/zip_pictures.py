"""The images of a zip, found by what the records of its annotation files call them.

A record knows best which image it means: that of its name in the folder of its subset, else one of
that name elsewhere, else the only one whose path ends like the name, or whose path the name ends
like, or which has the same base name.
"""

from collections.abc import Sequence

from app.formats.coco import values
from app.formats.records import ImageRecord
from app.services.files.names import base_name, share_an_end
from app.services.images.intake import SoundFile
from app.services.imports.zip_layout import AnnotationFile

__all__ = ["ZipPictures"]


class ZipPictures:
    """Sound files, by the names that they have in the zip; `images` of each are who wants it."""

    def __init__(self, files: Sequence[tuple[str, SoundFile]]) -> None:
        self.files = [file for _, file in files]
        self.images: list[set[int]] = [set() for _ in files]
        self._names = [values.match_name(name) for name, _ in files]
        self._by_name: dict[str, int] = {}
        self._by_base: dict[str, list[int]] = {}
        for place, name in enumerate(self._names):
            self._by_name.setdefault(name, place)
            self._by_base.setdefault(base_name(name), []).append(place)

    def of(self, file: AnnotationFile) -> "FilePictures":
        """The images as this annotation file sees them."""
        return FilePictures(self, file)

    def find(self, record: ImageRecord, file: AnnotationFile) -> int | None:
        """The place of the image that a record of the file means."""
        wanted = record.match_name
        for name in file.candidates(wanted):
            place = self._by_name.get(values.match_name(name))
            if place is not None:
                return place
        similar = self._by_base.get(base_name(wanted), [])
        fitting = [place for place in similar if share_an_end(self._names[place], wanted)]
        fitting = fitting or similar
        return fitting[0] if len(fitting) == 1 else None


class FilePictures:
    """What an import asks about the images that came with its annotation file."""

    def __init__(self, pictures: ZipPictures, file: AnnotationFile) -> None:
        self._pictures = pictures
        self._file = file

    def size(self, record: ImageRecord) -> tuple[int, int] | None:
        """Height and width, as shown, of the image that the record means."""
        place = self._pictures.find(record, self._file)
        if place is None:
            return None
        picture = self._pictures.files[place].picture
        return picture.height, picture.width

    def give(self, record: ImageRecord, image_id: int) -> None:
        """Say which image of the dataset the record has become."""
        place = self._pictures.find(record, self._file)
        if place is not None:
            self._pictures.images[place].add(image_id)
