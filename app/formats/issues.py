"""Everything that can be noted about a file: the stable codes, and what each means.

``error``
    Something is not imported: a record, or the whole file. In ``strict`` mode one error, and
    everything that ``strict`` below calls one, stops the import.
``warning``
    Imported, but read generously or likely to be a mistake; the record is kept as it is.
``info``
    Worth knowing.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

__all__ = ["ISSUES", "Issue", "IssueKind", "Severity"]

Severity = Literal["error", "warning", "info"]


class Issue(NamedTuple):
    """One thing that was found; `action` says what was done about it."""

    severity: Severity
    code: str
    path: str
    id: Any
    message: str
    action: str

    def as_dict(self) -> dict[str, Any]:
        return self._asdict()


@dataclass(frozen=True)
class IssueKind:
    """How bad it is, what is done about it, and what it means; `strict` is its severity there."""

    severity: Severity
    action: str
    meaning: str
    strict: Severity | None = None


_REJECTED = "rejected"
_KEPT = "kept as it is"
_STOPPED = "nothing was imported"


def _stops(meaning: str) -> IssueKind:
    return IssueKind("error", _STOPPED, meaning)


def _rejects(meaning: str) -> IssueKind:
    return IssueKind("error", _REJECTED, meaning)


def _generous(meaning: str, action: str = _KEPT, strict: Severity | None = None) -> IssueKind:
    return IssueKind("warning", action, meaning, strict)


def _tells(meaning: str, action: str = _KEPT) -> IssueKind:
    return IssueKind("info", action, meaning)


ISSUES: dict[str, IssueKind] = {
    # The file as a whole.
    "file_empty": _stops("The file has no content."),
    "encoding_invalid": _stops("The file is not text in the encoding that it announces."),
    "json_malformed": _stops("The file is not JSON; the message says where it breaks."),
    "json_truncated": _stops("The file ends in the middle."),
    "nesting_too_deep": _stops("Arrays or objects are nested deeper than any annotation file."),
    "record_too_large": _stops("One record is larger than this server reads."),
    "top_level": _stops("The file is not an object with images, annotations and categories."),
    "results_file": _stops("The file is a list of results, not a set of annotations."),
    "task_unsupported": _stops("The file is of a task that cannot be imported yet."),
    "list_expected": _stops("images, annotations or categories is not a list."),
    "zip_invalid": _stops("The zip cannot be read, or holds no annotation file, or several."),
    # Any record.
    "record_not_object": _rejects("A record is not a JSON object."),
    "record_unreadable": _rejects("A record holds something that cannot be read."),
    "not_a_number": _rejects("NaN or Infinity, which JSON does not have."),
    "text_invalid": _rejects("A record is not valid UTF-8."),
    "duplicate_key": _generous("An object has the same key twice; the last one counts."),
    "id_missing": _rejects("An image or a category without an id."),
    "id_invalid": _rejects("An id that is a list, an object or a text that cannot be stored."),
    "id_type_mismatch": _generous(
        'A reference says "1" where the id is 1, or the other way round, and only one fits.'
    ),
    # Images.
    "image_id_duplicate": _generous(
        "Two images of the file have the same id; annotations go to the first one.",
        strict="error",
    ),
    "image_id_taken": _generous(
        "Another image of the dataset has the same id: exporting both needs ids=reindex."
    ),
    "image_id_changed": _tells("An image uploaded here gave its id to an imported one.", "renamed"),
    "image_size_text": _generous("Width or height is a text that reads as a number."),
    "image_size_missing": _rejects(
        "An image without width and height, no uploaded file and no mask that tells them."
    ),
    "image_size_derived": _generous(
        "Width and height are missing; they come from the uploaded file or from a mask.",
        "taken from the file or a mask",
    ),
    "image_too_large": _rejects("Width times height is 2^32 or more."),
    "image_size_mismatch": _generous(
        "The image has another size here than the record says: that of its uploaded file, or the "
        "one that its annotations were drawn for.",
        "the dataset's stays",
    ),
    "image_unrotated": _tells(
        "The record's size is that of the file before its EXIF rotation, so it is shown like that.",
        "shown unrotated",
    ),
    "file_name_missing": _generous("An image without file_name.", "named after its id"),
    "file_name_unsafe": _generous(
        "A file_name that is absolute, climbs with .. or holds control characters. It never "
        "becomes a path; matching uses its harmless part.",
    ),
    "file_name_ambiguous": _generous(
        "Several uploaded images fit the file_name equally well.", "not joined with any of them"
    ),
    "image_joined_by_name": _tells(
        "Another file gave this image another id; the dataset's id stays.",
        "joined by file_name",
    ),
    # Categories.
    "category_id_duplicate": _generous(
        "Two categories of the file have the same id; annotations go to the first one.",
        strict="error",
    ),
    "category_id_taken": _generous(
        "A category of the dataset has the same id and another name: exporting both needs "
        "ids=reindex."
    ),
    "category_name_missing": _generous("A category without a name.", "named after its id"),
    "category_name_duplicate": _generous("Two categories have the same name."),
    "category_keypoints_invalid": _generous("keypoints or skeleton are not what COCO means."),
    # What annotations refer to.
    "image_unknown": _rejects("The annotation's image is not in the file."),
    "category_unknown": _rejects("The annotation's category is not in the file."),
    "image_rejected": _rejects("The annotation's image was rejected."),
    "annotation_id_missing": _generous("An annotation without an id.", "given a new id"),
    "annotation_id_duplicate": _generous(
        "Two annotations of the file have the same id.", "both kept", strict="error"
    ),
    "annotation_id_taken": _generous(
        "An annotation of another image of the dataset has the same id: exporting both needs "
        "ids=reindex.",
        "both kept",
    ),
    "annotation_id_changed": _tells(
        "An annotation made here gave its id to an imported one.", "renamed"
    ),
    "annotations_ignored": _tells(
        "The file is read as image_info, and has annotations.", "images and categories only"
    ),
    # Captions.
    "caption_missing": _rejects("A caption without a text."),
    # Geometry.
    "geometry_missing": _rejects("No segmentation, no bbox and no keypoints."),
    "segmentation_null": _generous("segmentation is null.", "read as a box"),
    "segmentation_flat": _generous(
        "The segmentation is one flat list of numbers.", "read as one polygon"
    ),
    "segmentation_nested": _generous(
        "A polygon is a list of points, not of numbers.", "read as a polygon"
    ),
    "segmentation_invalid": _rejects("The segmentation is neither polygons nor an RLE."),
    "polygon_too_short": _generous(
        "A polygon with fewer than three points.", "left out of the shape"
    ),
    "polygon_odd": _generous("A polygon with an x but no y at its end.", "the last number ignored"),
    "polygon_too_large": _rejects("A coordinate is farther than 10,000,000 pixels from 0."),
    "number_text": _generous("A number is written as a text.", "read as a number"),
    "number_too_large": _rejects("A number is too large for any computer's float."),
    "rle_invalid": _rejects("Not an RLE: size or counts are missing or of a wrong type."),
    "rle_size_text": _generous("The size of an RLE is written as texts.", "read as numbers"),
    "rle_size_invalid": _rejects("The size of an RLE is not two whole numbers."),
    "rle_size_swapped": _rejects(
        "The size of an RLE is [width, height] of the image. It may be transposed; import it "
        "again with the size corrected."
    ),
    "rle_size_mismatch": _rejects("The size of an RLE is not that of the image."),
    "rle_repaired": _generous(
        "The counts carry Python's b'…' or doubled backslashes.", "read without them"
    ),
    "rle_empty": _rejects("An RLE without counts."),
    "rle_charset": _rejects("The counts hold a character that no RLE has."),
    "rle_truncated": _rejects("The counts end in the middle of a number."),
    "rle_overlong": _rejects("The counts hold a number that is too long."),
    "rle_too_many_runs": _rejects("The counts have more runs than the image has pixels."),
    "rle_negative": _rejects("The counts have a negative run."),
    "rle_overrun": _rejects("The counts add up to more pixels than the image has."),
    "rle_short": _rejects("The counts add up to fewer pixels than the image has."),
    "bbox_invalid": _generous(
        "bbox is not four numbers that an image can have.", "computed for display"
    ),
    "area_invalid": _generous("area is not a number of at least 0.", "computed for display"),
    "iscrowd_unusual": _generous(
        "iscrowd is a text or another oddity, or is called is_crowd.", "read as 0 or 1"
    ),
    "keypoints_length": _rejects("The keypoints are not a list of triples of numbers."),
    "keypoints_too_many": _generous("More keypoints than the category names."),
    "keypoints_visibility": _generous("A keypoint's v is none of 0, 1 and 2."),
    # What is in the dataset already.
    "image_differs": _tells(
        "The file of another task says something else about the image.", "each task keeps its own"
    ),
    "annotation_differs": _tells(
        "The file of another task says something else about the annotation.",
        "each task keeps its own",
    ),
    "annotation_task_taken": _generous(
        "An annotation of another task has the same id on the same image, and is another one.",
        "both kept",
    ),
    "annotation_edited": _generous(
        "The annotation was edited here after its import, and the file says something else.",
        "the edited one stays",
    ),
    "annotation_deleted": _tells(
        "The annotation was deleted here; an import does not bring it back.", "stays deleted"
    ),
    "category_differs": _tells(
        "The category has the same id and name here and says something else otherwise.",
        "the dataset's stays, members that it lacks are added",
    ),
    "envelope_conflict": _tells(
        "info, licenses or another top-level member differs from what the dataset has.",
        "the dataset's stays",
    ),
}
