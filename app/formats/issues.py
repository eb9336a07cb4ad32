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

__all__ = ["FIXES", "ISSUES", "Issue", "IssueKind", "Severity"]

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
    "zip_needed": _stops("The format is one of folders, which come as a zip."),
    # Folders of files, and what is in them.
    "zip_entry_refused": _rejects(
        "A file of the zip has a hostile name, is packed in an unusual way or is damaged."
    ),
    "label_file_invalid": _rejects(
        "A file of labels, or one that tells their names, cannot be read: it is too large, or not "
        "the text, YAML or XML that it should be."
    ),
    "xml_unsafe": _rejects(
        "An XML file declares a document type: entities could make it endless or name other files."
    ),
    "line_malformed": _rejects("A line or an object in a file of labels cannot be read."),
    "position_outside": _generous("A position in a file of labels is outside of the image."),
    "class_names_missing": _generous(
        "No file says what the classes are called.", "named after their numbers"
    ),
    "picture_refused": _generous(
        "A picture of the zip is not taken: it does not decode, is too large, or the image has "
        "other pixels here.",
        "left out",
        strict="error",
    ),
    "files_ignored": _tells("Files of the zip that the format's import does not read.", "left out"),
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

_COUNTS_DAMAGED = "The mask cannot be recovered from this file: export it again, or draw it anew."

FIXES: dict[str, str] = {
    # What a person does about each code; for some, ``maskwright check --fix`` does it as well.
    "file_empty": "Export the file again; the program that wrote it may have been stopped.",
    "encoding_invalid": "Save the file as UTF-8.",
    "json_malformed": "Mend the file at the byte that the message names, or export it again.",
    "json_truncated": "Export or download the file again: its end is missing.",
    "nesting_too_deep": "Export the file again as COCO JSON; this is something else.",
    "record_too_large": "Write masks as compressed RLEs, or split the record.",
    "top_level": "Name the file that has images, annotations and categories.",
    "results_file": "Give the annotations that the results belong to; results come in separately.",
    "task_unsupported": "Export the annotations as COCO instances.",
    "list_expected": "Make images, annotations and categories lists of objects.",
    "zip_invalid": "Zip the annotation file again, one .json in a zip.",
    "zip_needed": "Zip the whole folder, or choose the format that the file is in.",
    "zip_entry_refused": "Zip the folder again, with plain relative names.",
    "label_file_invalid": "Mend or export the file again; the message says what is wrong with it.",
    "xml_unsafe": "Take the <!DOCTYPE …> out of the file.",
    "line_malformed": "Mend the line that the path names.",
    "position_outside": "Check whether the image has another size than the labels were made for.",
    "class_names_missing": "Add a data.yaml with names, or rename the categories afterwards.",
    "picture_refused": "Replace the picture, or upload it by itself under the same name.",
    "files_ignored": "Import these files by themselves, if their content is needed.",
    "record_not_object": "Take the record out of its list, or write it as an object.",
    "record_unreadable": (
        "Look at the record: a number or a text in it is beyond what JSON readers take."
    ),
    "not_a_number": (
        "Write a number instead, or null; Python's json.dumps(..., allow_nan=False) finds it."
    ),
    "text_invalid": "Write the file as UTF-8.",
    "duplicate_key": "Keep one of the two members; readers differ in which one they take.",
    "id_missing": "Give the record an id of its own.",
    "id_invalid": "Make the id a whole number.",
    "id_type_mismatch": "Write the reference like the id that it means, both as numbers.",
    "image_id_duplicate": (
        "Give each image an id of its own, and its annotations the right image_id."
    ),
    "image_id_taken": "Nothing, unless both are exported: then choose ids=reindex.",
    "image_id_changed": "Nothing: the uploaded image has another id now.",
    "image_size_text": "Write width and height as numbers.",
    "image_size_missing": "Give the image its width and height, or upload its file first.",
    "image_size_derived": "Write the width and height into the image's record.",
    "image_too_large": "Cut the image into tiles of fewer than 2^32 pixels.",
    "image_size_mismatch": "Use the image file that the annotations were drawn on.",
    "image_unrotated": "Nothing: it is shown as it was annotated.",
    "file_name_missing": "Give the image the name of its file.",
    "file_name_unsafe": "Write file_name relative to the folder of images, without .. in it.",
    "file_name_ambiguous": "Write file_name with its folders, so that it fits one image only.",
    "image_joined_by_name": "Nothing: both records mean the same image.",
    "category_id_duplicate": "Give each category an id of its own.",
    "category_id_taken": "Rename one of the categories, or choose ids=reindex for the export.",
    "category_name_missing": "Give the category a name.",
    "category_name_duplicate": "Rename one of them, or point its annotations to the other.",
    "category_keypoints_invalid": (
        "Make keypoints a list of names, and skeleton pairs of their places, counted from 1."
    ),
    "annotations_ignored": "Import it as the task that its annotations are of.",
    "caption_missing": "Write the caption as a text.",
    "image_differs": "Nothing: each task is exported as it came.",
    "annotation_differs": "Nothing: each task is exported as it came.",
    "annotation_task_taken": "Give one of the two annotations another id.",
    "image_unknown": "Add the image to images, or take the annotation out.",
    "category_unknown": "Add the category to categories, or correct category_id.",
    "image_rejected": "Mend the record that it refers to.",
    "annotation_id_missing": "Give the annotation an id of its own.",
    "annotation_id_duplicate": "Give each annotation an id of its own.",
    "annotation_id_taken": "Nothing, unless both are exported: then choose ids=reindex.",
    "annotation_id_changed": "Nothing: the annotation that was made here has another id now.",
    "geometry_missing": "Give the annotation a segmentation, a bbox or keypoints, or take it out.",
    "segmentation_null": "Write [] where there is only a box.",
    "segmentation_flat": "Put the list of numbers into a list: [[x, y, ...]].",
    "segmentation_nested": "Write x and y one after the other: [x, y, x, y, ...].",
    "segmentation_invalid": "Write a list of polygons, or an object with size and counts.",
    "polygon_too_short": "Take the part out: fewer than three points enclose nothing.",
    "polygon_odd": "Take the last number out, or add its y.",
    "polygon_too_large": "Write coordinates in pixels of the image.",
    "number_text": "Write numbers without quotes.",
    "number_too_large": "Write a number that a float can hold.",
    "rle_invalid": (
        "Write size as [height, width], and counts as a text or a list of whole numbers."
    ),
    "rle_size_text": "Write the size as numbers.",
    "rle_size_invalid": "Write the size as [height, width], two whole numbers.",
    "rle_size_swapped": (
        "Write the size as [height, width]; if the mask is transposed, too, encode it again."
    ),
    "rle_size_mismatch": "Encode the mask again in the size of the image.",
    "rle_repaired": "Decode bytes before they are written: counts.decode(), not str(counts).",
    "rle_empty": "Encode the mask again; one without pixels is one run over all of the image.",
    "rle_charset": _COUNTS_DAMAGED,
    "rle_truncated": _COUNTS_DAMAGED,
    "rle_overlong": _COUNTS_DAMAGED,
    "rle_too_many_runs": _COUNTS_DAMAGED,
    "rle_negative": _COUNTS_DAMAGED,
    "rle_overrun": (
        "Encode the mask again in the size of the image; the counts belong to a larger one."
    ),
    "rle_short": "Encode the mask again in the size of the image; the counts stop before its end.",
    "bbox_invalid": "Write bbox as [x, y, width, height] in pixels, or leave it out.",
    "area_invalid": "Write area as a number of pixels, or leave it out.",
    "iscrowd_unusual": "Write iscrowd as 0 or 1.",
    "keypoints_length": "Write x, y and v for each keypoint, all of them numbers.",
    "keypoints_too_many": "Name all keypoints in the category, or take the others out.",
    "keypoints_visibility": (
        "Write v as 0 (not labelled), 1 (labelled, not visible) or 2 (visible)."
    ),
    "annotation_edited": "Nothing, unless the file is right: then edit the annotation here.",
    "annotation_deleted": "Nothing, unless it is wanted again: then restore it from its history.",
    "category_differs": "Nothing, unless the file is right: then edit the category here.",
    "envelope_conflict": "Nothing: the file's own description is not taken over.",
}
