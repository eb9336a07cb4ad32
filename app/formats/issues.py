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
    """One thing that was found, in which file of a zip; `action` says what was done about it."""

    severity: Severity
    code: str
    path: str
    id: Any
    message: str
    action: str
    file: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """With the name of the file where several were looked at together."""
        found = self._asdict()
        return found if self.file is not None else {k: found[k] for k in found if k != "file"}


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


def _rejects(meaning: str, action: str = _REJECTED) -> IssueKind:
    return IssueKind("error", action, meaning)


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
    "results_expected": _stops("The file was to be results, and is not a list."),
    "results_file": _stops("The file is a list of results, not a set of annotations."),
    "panoptic_pngs_missing": _stops("The file is of the task panoptic, and came without its PNGs."),
    "list_expected": _stops("images, annotations or categories is not a list."),
    "task_assumed": _tells(
        "A file of masks whose name and categories leave open whether they are instances or stuff.",
        "read as instances",
    ),
    "task_unsupported": _stops("The format has nothing of the task that was asked for."),
    "zip_invalid": _stops("The zip or a file of it cannot be read, or it holds no annotations."),
    "file_ignored": IssueKind("info", "left out", "A file of the zip that is not looked at."),
    "picture_rejected": IssueKind(
        "error", "rejected", "An image of the zip cannot be taken in; the message says why."
    ),
    "zip_needed": _stops("The format is one of folders, which come as a zip."),
    # Folders of files, and what is in them.
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
    "subset_differs": _tells(
        "Images are in another subset of the dataset than was asked for, or than the file says.",
        "the dataset's stays",
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
    "image_unknown": _rejects(
        "The annotation's image is not in the file, or a result's not in the dataset."
    ),
    "category_unknown": _rejects(
        "The annotation's category is not in the file, or a result's not in the dataset."
    ),
    "image_rejected": _rejects("The annotation's image was rejected."),
    "image_placeholder": _generous(
        "Annotations name an image that is not in the file, and placeholders were asked for.",
        "made, called after its id",
    ),
    "category_placeholder": _generous(
        "Annotations name a category that is not in the file, and placeholders were asked for.",
        "made, called after its id",
    ),
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
    # Results of models.
    "image_ambiguous": _rejects(
        "Several images of the dataset have the id that a result names; a subset tells them apart."
    ),
    "category_ambiguous": _rejects(
        "Several categories of the dataset have the id that a result names."
    ),
    "score_invalid": _generous("score is not a number.", "kept as it is, without a score"),
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
        "The size of an RLE is [width, height] of the image: either the two are exchanged, or the "
        "mask is transposed."
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
    # Panoptic files.
    "panoptic_png_missing": _rejects("The PNG that file_name says is not there."),
    "panoptic_png_damaged": _rejects("It is no PNG, or it is truncated or damaged."),
    "panoptic_png_mode": _rejects(
        "The PNG is not RGB with 8 bits: palettes, greys, transparency and 16 bits hold no ids."
    ),
    "panoptic_png_size": _rejects("The PNG is not of the size of its image."),
    "panoptic_png_too_large": _rejects("The PNG has more pixels than this server takes."),
    "panoptic_image_duplicate": _rejects("Another record of the file is of the same image."),
    "segments_invalid": _rejects("segments_info is missing or no list."),
    "segment_id_invalid": _rejects(
        "The id of a segment is not a whole number from 1 to 16,777,215; 0 is void."
    ),
    "segment_id_duplicate": _rejects(
        "Several segments of an image have the same id, so nobody can tell whose the pixels are."
    ),
    "segment_missing": _rejects("The file lists a segment that has no pixel in the PNG."),
    "segment_unlisted": _rejects(
        "The PNG has pixels of a segment that the file does not list.", "its pixels are void"
    ),
    "segment_area_differs": _generous("area or bbox are not those of the segment's pixels."),
    "segment_member_taken": _generous(
        "A segment has a member image_id or segmentation, which the PNG tells here.", "left out"
    ),
    # Mask images.
    "mask_image_unreadable": _rejects("The file is no image, or it is truncated or damaged."),
    "mask_image_lossy": _rejects(
        "A JPEG or WebP does not keep every pixel: PNG, TIFF, BMP and GIF do."
    ),
    "mask_image_mode": _rejects(
        "The pixels are neither indices, greys of up to 16 bits nor colours of 8 bits."
    ),
    "mask_image_too_large": _rejects("The picture has more pixels than this server takes."),
    "mask_image_size": _rejects("The picture is not of the size of its image."),
    "mask_image_unknown": _rejects("The dataset has no image of the picture's name."),
    "mask_image_ambiguous": _rejects("The picture's name fits several images equally well."),
    "mask_image_duplicate": _rejects("Another picture is for the same image."),
    "mask_values_many": _rejects("The picture has too many values to be a drawing of labels."),
    "mask_parts_many": _rejects("The masks of the picture fall into too many parts or runs."),
    "mask_value_unmapped": _rejects("The mapping does not name a value of the picture."),
    "mask_category_unknown": _rejects(
        "The mapping names an id that no category of the dataset has."
    ),
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
    "panoptic_pngs_missing": (
        "Zip the file together with its folder of PNGs, which is called like the file."
    ),
    "results_file": "Import it as results, into the dataset that has its images.",
    "results_expected": "Name the file with the list of results, or choose another task.",
    "image_ambiguous": "Import the results of each subset with the subset's name.",
    "category_ambiguous": "Delete or renumber one of the categories.",
    "score_invalid": "Write score as a number from 0 to 1.",
    "list_expected": "Make images, annotations and categories lists of objects.",
    "task_assumed": (
        "Nothing, if these are objects. If they are stuff, choose the task stuff, or call the file "
        "stuff_train.json, stuff_val.json and so on."
    ),
    "task_unsupported": "Choose another task, or let it be found out.",
    "zip_invalid": "Zip the files again, with plain relative names and without a password.",
    "file_ignored": "Nothing, unless its content is needed: then import it by itself.",
    "picture_rejected": "Mend or rename the image, and upload it by itself.",
    "zip_needed": "Zip the whole folder, or choose the format that the file is in.",
    "label_file_invalid": "Mend or export the file again; the message says what is wrong with it.",
    "xml_unsafe": "Take the <!DOCTYPE …> out of the file.",
    "line_malformed": "Mend the line that the path names.",
    "position_outside": "Check whether the image has another size than the labels were made for.",
    "class_names_missing": "Add a data.yaml with names, or rename the categories afterwards.",
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
    "subset_differs": "Nothing, unless the images belong there: then change their subset here.",
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
    "image_unknown": "Add the image to images, take the annotation out, or ask for placeholders.",
    "category_unknown": (
        "Add the category to categories, correct category_id, or ask for placeholders."
    ),
    "image_placeholder": "Add the image to images, with its name and size.",
    "category_placeholder": "Rename the category, or add it to categories.",
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
        "Write the size as [height, width]; if the mask is transposed, too, encode it again. "
        "maskwright check --fix --swapped does either."
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
    "panoptic_png_missing": (
        "Put the PNG into the folder that is called like the file, or beside the file."
    ),
    "panoptic_png_damaged": "Write or download the PNG again.",
    "panoptic_png_mode": "Write the PNG as RGB with 8 bits: id = R + 256 G + 65536 B.",
    "panoptic_png_size": "Write the PNG in the size of its image, or correct width and height.",
    "panoptic_png_too_large": "Raise MASKWRIGHT_MAX_IMAGE_PIXELS, or cut the image into tiles.",
    "panoptic_image_duplicate": "Join the two records of the image.",
    "segments_invalid": "Write segments_info as a list of objects, empty when all is void.",
    "segment_id_invalid": "Number the segments from 1, in the PNG and in the file.",
    "segment_id_duplicate": "Give each segment of an image an id of its own.",
    "segment_missing": "Take the segment out, or draw its pixels.",
    "segment_unlisted": "Add the segment to segments_info, or make its pixels black.",
    "segment_area_differs": "Compute area and bbox from the PNG again.",
    "segment_member_taken": "Give the member another name.",
    "mask_image_unreadable": "Write or download the picture again, as a PNG.",
    "mask_image_lossy": "Draw the masks again as PNG; JPEG blends colours at every edge.",
    "mask_image_mode": "Save it as a palette, as 8 or 16 bit grey, or as RGB with 8 bits.",
    "mask_image_too_large": "Raise MASKWRIGHT_MAX_IMAGE_PIXELS, or cut the image into tiles.",
    "mask_image_size": "Draw it in the size of its image, as the image is shown.",
    "mask_image_unknown": "Call it like its image, but for the ending, or name the suffix it has.",
    "mask_image_ambiguous": "Send it with the folders that its image has.",
    "mask_image_duplicate": "Send one picture for each image.",
    "mask_values_many": "Draw without smoothing, so that each pixel has one of a few values.",
    "mask_parts_many": "Draw without noise, or take one annotation for each value.",
    "mask_value_unmapped": "Add the value to the mapping, with null when it is nothing.",
    "mask_category_unknown": "Name the category, or make it first.",
    "annotation_edited": "Nothing, unless the file is right: then edit the annotation here.",
    "annotation_deleted": "Nothing, unless it is wanted again: then restore it from its history.",
    "category_differs": "Nothing, unless the file is right: then edit the category here.",
    "envelope_conflict": "Nothing: the file's own description is not taken over.",
}
