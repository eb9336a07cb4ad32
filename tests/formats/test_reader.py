"""How generously COCO is read: every way in which real files break the specification."""

import io
import json
from typing import Any

import pytest

from app.formats.coco.check import check_file
from app.formats.coco.reader import open_coco
from app.formats.issues import ISSUES
from app.formats.records import AnnotationRecord, FileError, Head, Reading, Report
from app.formats.sizes import settle_sizes
from tests.build.coco import annotation, coco, to_bytes

TRIANGLE = [1.5, 1, 5, 1, 1, 5]
# 8 x 6 pixels (width x height): 10 background, 5 foreground, 33 background.
RLE = {"size": [6, 8], "counts": [10, 5, 33]}


def read(
    file: Any, mode: str = "lenient", task: str = "auto", name: str = "instances.json"
) -> tuple[Head, list[AnnotationRecord], Report]:
    report = Report(mode)
    with open_coco(io.BytesIO(to_bytes(file)), Reading(report, task, name)) as reader:
        head = reader.head()
        sizes = settle_sizes(reader, head, report, {})
        found = [record for batch in reader.annotations(sizes) for record in batch]
    return head, found, report


def one(**members: Any) -> tuple[AnnotationRecord | None, dict[str, int]]:
    """The annotation that comes of a valid one with these members, and the issues by code."""
    _, found, report = read(coco(annotation(**members)))
    return (found[0] if found else None), report.counts


def image(**members: Any) -> dict[str, Any]:
    record = {"id": 1, "file_name": "a.jpg", "width": 8, "height": 6} | members
    return {key: value for key, value in record.items() if value is not ...}


def category(**members: Any) -> dict[str, Any]:
    record = {"id": 1, "name": "cat"} | members
    return {key: value for key, value in record.items() if value is not ...}


def test_a_clean_file() -> None:
    head, found, report = read(coco(annotation()))
    assert report.counts == {}
    assert (head.task, len(head.images), len(head.categories)) == ("instances", 1, 1)
    record = found[0]
    assert json.loads(record.text) == annotation()
    assert (record.area, record.bbox, record.iscrowd) == (7.25, [1, 1, 4, 4], False)
    assert record.shape is None


@pytest.mark.parametrize(
    ("members", "bbox"),
    [
        ({"bbox": [0, 0, 1e308, 1e308]}, [1, 1, 4, 4]),
        ({"bbox": [1e8, 0, 1, 1]}, [1, 1, 4, 4]),
        (
            {"segmentation": ..., "bbox": ..., "keypoints": [1e308, 0, 2, -1e308, 0, 2]},
            [0, 0, 0, 0],
        ),
    ],
)
def test_numbers_too_large_to_reckon_with(members: dict[str, Any], bbox: list[float]) -> None:
    """Their width x height is more than any float, and no answer could show it."""
    record, _ = one(area=..., **members)
    assert record is not None
    assert record.bbox == bbox
    assert record.area < 100


def test_a_bare_box_that_no_image_can_have() -> None:
    record, issues = one(segmentation=..., area=..., bbox=[0, 0, 1e308, 1e308])
    assert record is None
    assert issues["bbox_invalid"] == 1


# What is accepted, and how it is read. -----------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "issues"),
    [
        ({"segmentation": ...}, {}),
        ({"segmentation": None}, {"segmentation_null": 1}),
        ({"segmentation": []}, {}),
        ({"segmentation": [[]]}, {}),
        ({"segmentation": [[1, 2, 3, 4]]}, {"polygon_too_short": 1}),
        ({"iscrowd": ...}, {}),
        ({"iscrowd": 0.0}, {}),
        ({"area": 7}, {}),
        ({"id": 0}, {}),
        ({"id": 2**53 + 1}, {}),
        ({"id": 2**70}, {}),
        ({"id": "a/1"}, {}),
        ({"id": 1.0}, {}),
        ({"id": None}, {}),
        ({"image_id": 1.0, "category_id": 1.0}, {}),
        ({"unknown": {"nested": [{"a": 1}]}, "é": "\u2028"}, {}),
        ({"segmentation": RLE, "iscrowd": 0}, {}),
        ({"segmentation": [TRIANGLE], "iscrowd": 1}, {}),
        ({"segmentation": {"size": [6.0, 8.0], "counts": [10.0, 5, 33]}}, {}),
        ({"segmentation": {"size": [6, 8], "counts": [10, 0, 0, 5, 33]}}, {}),
    ],
)
def test_accepted(members: dict[str, Any], issues: dict[str, int]) -> None:
    record, found = one(**members)
    assert record is not None
    assert found == issues
    assert json.loads(record.text) == annotation(**members)


@pytest.mark.parametrize(
    ("segmentation", "shown", "code"),
    [
        (TRIANGLE, [TRIANGLE], "segmentation_flat"),
        ([[1.5, 1], [5, 1], [1, 5]], [TRIANGLE], "segmentation_nested"),
        ([[[1.5, 1], [5, 1], [1, 5]]], [TRIANGLE], "segmentation_nested"),
        ([[*TRIANGLE, 9]], [TRIANGLE], "polygon_odd"),
        ([TRIANGLE, [1, 2, 3, 4]], [TRIANGLE], "polygon_too_short"),
        ([[str(n) for n in TRIANGLE]], [[float(n) for n in TRIANGLE]], "number_text"),
        ({"size": ["6", "8"], "counts": [10, 5, 33]}, RLE, "rle_size_text"),
        (
            {"size": [6, 8], "counts": "b':5Q1'"},
            {"size": [6, 8], "counts": ":5Q1"},
            "rle_repaired",
        ),
    ],
)
def test_read_generously(segmentation: Any, shown: Any, code: str) -> None:
    record, issues = one(segmentation=segmentation)
    assert record is not None
    assert list(issues) == [code]
    assert json.loads(record.text)["segmentation"] == segmentation
    assert json.loads(record.shape or "null") == {"segmentation": shown, "holes": []}


def test_doubled_backslashes() -> None:
    """Counts that were escaped once too often, whose characters include a backslash."""
    plain = {"size": [6, 8], "counts": "\\1T0"}
    assert one(segmentation=plain)[1] == {}
    record, issues = one(segmentation={"size": [6, 8], "counts": "\\\\1T0"})
    assert list(issues) == ["rle_repaired"]
    assert record is not None
    assert json.loads(record.shape or "null")["segmentation"] == plain


@pytest.mark.parametrize("value", [True, "1", [1]])
def test_unusual_crowds(value: Any) -> None:
    record, issues = one(iscrowd=value)
    assert record is not None
    assert record.iscrowd
    assert issues == {"iscrowd_unusual": 1}


def test_is_crowd_by_another_name() -> None:
    record, issues = one(iscrowd=..., is_crowd=[0])
    assert record is not None
    assert not record.iscrowd
    assert issues == {"iscrowd_unusual": 1}


@pytest.mark.parametrize(
    ("members", "area", "bbox"),
    [
        ({"area": ...}, 5.0, [1, 1, 4, 4]),
        ({"area": None, "bbox": None}, 5.0, [1, 1, 4, 4]),
        ({"bbox": ...}, 7.25, [1, 1, 4, 4]),
        ({"segmentation": RLE, "area": ..., "bbox": ...}, 5.0, [1, 0, 2, 6]),
        ({"segmentation": [], "area": ..., "bbox": [1, 2, 3, 4]}, 12.0, [1, 2, 3, 4]),
        (
            {
                "segmentation": ...,
                "area": ...,
                "bbox": ...,
                "keypoints": [1, 2, 2, 4, 6, 1, 0, 0, 0],
            },
            12.0,
            [1, 2, 3, 4],
        ),
    ],
)
def test_what_is_missing_is_computed(
    members: dict[str, Any], area: float, bbox: list[float]
) -> None:
    record, issues = one(**members)
    assert record is not None
    assert issues == {}
    assert (record.area, record.bbox) == (area, bbox)
    assert json.loads(record.text) == annotation(**members)


def test_ids_of_another_type() -> None:
    record, issues = one(image_id="1")
    assert record is not None
    assert issues == {"id_type_mismatch": 1}


def test_ids_of_both_types_are_two() -> None:
    """With images 1 and "1" there is nothing to guess."""
    images = [image(), image(id="1", file_name="b.jpg")]
    _, found, report = read(coco(annotation(image_id="1"), images=images))
    assert report.counts == {}
    assert found[0].image == 1


def test_duplicate_annotation_ids_are_both_kept() -> None:
    _, found, report = read(coco(annotation(), annotation(area=1)))
    assert [record.area for record in found] == [7.25, 1]
    assert report.counts == {"annotation_id_duplicate": 1}


def test_duplicate_images_are_both_kept_and_the_first_one_annotated() -> None:
    images = [image(), image(file_name="b.jpg")]
    head, found, report = read(coco(annotation(), images=images))
    assert len(head.images) == 2
    assert found[0].image == 0
    assert report.counts == {"image_id_duplicate": 1}


def test_annotations_before_images_and_categories() -> None:
    file = coco(annotation())
    text = json.dumps({key: file[key] for key in ("annotations", "categories", "images")})
    _, found, report = read(text.encode())
    assert len(found) == 1
    assert report.counts == {}


def test_a_size_told_by_a_mask() -> None:
    images = [image(width=..., height=...)]
    masked = annotation(segmentation=RLE, id=2)
    head, found, report = read(coco(annotation(), masked, images=images))
    assert len(found) == 2
    assert report.counts == {"image_size_derived": 1}
    assert head.images[0].width is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_encodings_with_a_byte_order_mark(encoding: str) -> None:
    text = json.dumps(coco(annotation(note="é")), ensure_ascii=False).encode(encoding)
    _, found, report = read(text)
    assert json.loads(found[0].text)["note"] == "é"
    assert report.counts == {}


@pytest.mark.parametrize(
    ("name", "shown", "matched"),
    [
        ("train/a.jpg", "train/a.jpg", "train/a.jpg"),
        ("e\u0301.jpg", "e\u0301.jpg", "é.jpg"),
        ("/etc/../passwd", "/etc/../passwd", "etc/passwd"),
        ("C:\\data\\a.jpg", "C:\\data\\a.jpg", "data/a.jpg"),
        ("a\x00\n.jpg", "a\ufffd\ufffd.jpg", "a\ufffd\ufffd.jpg"),
    ],
)
def test_file_names_never_climb(name: str, shown: str, matched: str) -> None:
    head, _, _ = read(coco(images=[image(file_name=name)]))
    assert (head.images[0].file_name, head.images[0].match_name) == (shown, matched)
    assert json.loads(head.images[0].text)["file_name"] == name


# Every code, told by a file. --------------------------------------------------------------------

NAN = to_bytes(coco(annotation(area="@"), annotation(id=2))).replace(b'"@"', b"NaN")
LATIN = to_bytes(coco(annotation(note="@"))).replace(b"@", b"\xe9")
TWICE = to_bytes(coco(annotation())).replace(b'"iscrowd": 0', b'"iscrowd": 0, "iscrowd": 0')
HUGE = to_bytes(coco(annotation(area="@"))).replace(b'"@"', b"1e999")
LONG = to_bytes(coco(annotation(area="@"))).replace(b'"@"', b"9" * 5000)
KEYPOINTS = category(keypoints=["nose"], skeleton=[])

SAMPLES: dict[str, Any] = {
    "file_empty": b"",
    "encoding_invalid": b"\xff\xfe{\x00}",
    "json_malformed": b'{"images": [}',
    "json_truncated": b'{"images": [',
    "nesting_too_deep": b'{"a": ' + b"[" * 100_000,
    "top_level": b"[]",
    "results_file": [{"image_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}],
    "panoptic_pngs_missing": coco({"image_id": 1, "segments_info": []}),
    "list_expected": coco(images={}),
    "record_not_object": coco(7),
    "record_unreadable": LONG,
    "not_a_number": NAN,
    "text_invalid": LATIN,
    "duplicate_key": TWICE,
    "id_missing": coco(images=[image(id=...)]),
    "id_invalid": coco(annotation(id=[1])),
    "id_type_mismatch": coco(annotation(category_id="1")),
    "image_id_duplicate": coco(images=[image(), image()]),
    "image_size_text": coco(images=[image(width="8")]),
    "image_size_missing": coco(images=[image(width=None)]),
    "image_size_derived": coco(annotation(segmentation=RLE), images=[image(width=0)]),
    "image_too_large": coco(images=[image(width=2**20, height=2**20)]),
    "file_name_missing": coco(images=[image(file_name=...)]),
    "file_name_unsafe": coco(images=[image(file_name="../a.jpg")]),
    "category_id_duplicate": coco(categories=[category(), category(name="dog")]),
    "category_name_missing": coco(categories=[category(name=...)]),
    "category_name_duplicate": coco(categories=[category(), category(id=2)]),
    "category_keypoints_invalid": coco(categories=[category(keypoints=["a"], skeleton=[[1, 2]])]),
    "image_unknown": coco(annotation(image_id=9)),
    "category_unknown": coco(annotation(category_id=...)),
    "image_rejected": coco(annotation(), images=[image(width=...)]),
    "annotation_id_missing": coco(annotation(id=...)),
    "annotation_id_duplicate": coco(annotation(), annotation()),
    "geometry_missing": coco(annotation(segmentation=[], bbox=...)),
    "segmentation_null": coco(annotation(segmentation=None)),
    "segmentation_flat": coco(annotation(segmentation=TRIANGLE)),
    "segmentation_nested": coco(annotation(segmentation=[[[1, 1], [2, 1], [2, 2]]])),
    "segmentation_invalid": coco(annotation(segmentation="none")),
    "polygon_too_short": coco(annotation(segmentation=[[1, 2]])),
    "polygon_odd": coco(annotation(segmentation=[[*TRIANGLE, 9]])),
    "polygon_too_large": coco(annotation(segmentation=[[1e9, *TRIANGLE[1:]]])),
    "number_text": coco(annotation(segmentation=[["1", 1, 5, 1, 1, 5]])),
    "number_too_large": HUGE,
    "rle_invalid": coco(annotation(segmentation={"counts": "b"})),
    "rle_size_text": coco(annotation(segmentation=RLE | {"size": ["6", "8"]})),
    "rle_size_invalid": coco(annotation(segmentation=RLE | {"size": [6]})),
    "rle_size_swapped": coco(annotation(segmentation=RLE | {"size": [8, 6]})),
    "rle_size_mismatch": coco(annotation(segmentation=RLE | {"size": [4, 12]})),
    "rle_repaired": coco(annotation(segmentation=RLE | {"counts": "b':5Q1'"})),
    "rle_empty": coco(annotation(segmentation=RLE | {"counts": ""})),
    "rle_charset": coco(annotation(segmentation=RLE | {"counts": "~~"})),
    "rle_truncated": coco(annotation(segmentation=RLE | {"counts": "P"})),
    "rle_overlong": coco(annotation(segmentation=RLE | {"counts": "o" * 30 + "3"})),
    "task_assumed": coco(annotation(segmentation=RLE)),
    "rle_too_many_runs": coco(annotation(segmentation=RLE | {"counts": [0, 1] * 50})),
    "rle_negative": coco(annotation(segmentation=RLE | {"counts": [10, -5, 43]})),
    "rle_overrun": coco(annotation(segmentation=RLE | {"counts": [10, 50]})),
    "rle_short": coco(annotation(segmentation=RLE | {"counts": [10, 5]})),
    "bbox_invalid": coco(annotation(bbox=[1, 2, 3])),
    "area_invalid": coco(annotation(area=-1)),
    "iscrowd_unusual": coco(annotation(iscrowd="yes")),
    "keypoints_length": coco(annotation(keypoints=[1, 2])),
    "keypoints_too_many": coco(annotation(keypoints=[1, 2, 2] * 2), categories=[KEYPOINTS]),
    "keypoints_visibility": coco(annotation(keypoints=[1, 2, 3]), categories=[KEYPOINTS]),
}

# These need a database, an option, a gigabyte, a task, PNGs or a zip to show, and have tests of
# their own.
ELSEWHERE = {
    "image_placeholder",
    "category_placeholder",
    "task_unsupported",
    # Of the formats of folders: tests/services/test_yolo.py and test_voc.py.
    "zip_needed",
    "label_file_invalid",
    "xml_unsafe",
    "line_malformed",
    "position_outside",
    "class_names_missing",
    "annotation_deleted",
    "annotation_differs",
    "annotation_edited",
    "annotation_id_changed",
    "annotation_id_taken",
    "annotation_task_taken",
    "annotations_ignored",
    "caption_missing",
    "category_ambiguous",
    "category_differs",
    "category_id_taken",
    "envelope_conflict",
    "file_ignored",
    "file_name_ambiguous",
    "image_ambiguous",
    "picture_rejected",
    "image_differs",
    "image_id_changed",
    "image_id_taken",
    "image_joined_by_name",
    "image_size_mismatch",
    "image_unrotated",
    "mask_category_unknown",
    "mask_image_ambiguous",
    "mask_image_duplicate",
    "mask_image_lossy",
    "mask_image_mode",
    "mask_image_size",
    "mask_image_too_large",
    "mask_image_unknown",
    "mask_image_unreadable",
    "mask_parts_many",
    "mask_value_unmapped",
    "mask_values_many",
    "panoptic_image_duplicate",
    "panoptic_png_damaged",
    "panoptic_png_missing",
    "panoptic_png_mode",
    "panoptic_png_size",
    "panoptic_png_too_large",
    "record_too_large",
    "segment_area_differs",
    "segment_id_duplicate",
    "segment_id_invalid",
    "segment_member_taken",
    "segment_missing",
    "segment_unlisted",
    "segments_invalid",
    "subset_differs",
    "results_expected",
    "score_invalid",
    "zip_invalid",
}


def test_every_code_has_a_sample() -> None:
    assert set(SAMPLES) | ELSEWHERE == set(ISSUES)
    assert not set(SAMPLES) & ELSEWHERE


@pytest.mark.parametrize("code", SAMPLES)
def test_every_code_is_told(code: str, tmp_path: Any) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(to_bytes(SAMPLES[code]))
    found = check_file(path)
    assert code in found["issue_counts"]
    issue = next(issue for issue in found["issues"] if issue["code"] == code)
    assert issue["severity"] == ISSUES[code].severity
    assert issue["action"]
    assert issue["message"]
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("code", [code for code in SAMPLES if ISSUES[code].action == "rejected"])
def test_one_bad_record_never_loses_the_file(code: str) -> None:
    """Beside a bad record, whatever is wrong with it, a good one is imported."""
    text = to_bytes(SAMPLES[code])
    good = json.dumps(annotation(id="good", image_id="good", category_id="good"))
    for key, record in (
        ("images", json.dumps(image(id="good", file_name="good.jpg"))),
        ("annotations", good),
        ("categories", json.dumps(category(id="good", name="good"))),
    ):
        start = f'"{key}": ['.encode()
        place = text.index(start) + len(start)
        comma = b"" if text[place:].lstrip().startswith(b"]") else b","
        text = text[:place] + record.encode() + comma + text[place:]
    _, found, report = read(text)
    assert "good" in [record.coco_id for record in found]
    assert code in report.counts


def test_strict_mode_makes_errors_of_ambiguities() -> None:
    file = coco(annotation(), annotation())
    assert read(file)[2].errors == 0
    assert read(file, mode="strict")[2].errors == 1


def test_issues_are_capped_and_counted() -> None:
    _, found, report = read(coco(*(annotation(id=i, image_id=9) for i in range(1500))))
    assert found == []
    assert len(report.issues) == 1000
    assert report.counts == {"image_unknown": 1500}


def test_paths_and_ids_lead_to_the_record() -> None:
    _, _, report = read(coco(annotation(), annotation(id=7, segmentation=[TRIANGLE, [1, 2]])))
    issue = report.issues[0]
    assert (issue.path, issue.id) == ("annotations[1].segmentation[1]", 7)


def test_panoptic_files_need_their_pngs() -> None:
    with pytest.raises(FileError) as caught:
        read(coco(annotation()), task="panoptic")
    assert caught.value.code == "panoptic_pngs_missing"


def test_the_envelope_keeps_everything_else() -> None:
    text = (
        b'{"x": 1.50, "annotations": [], "info": {"year": 2e3}, "images": [], '
        b'"categories": [], "licenses": [ {"id":1} ]}'
    )
    head, _, _ = read(text)
    assert head.envelope == (
        '{"x":1.50,"annotations":[],"info":{"year": 2e3},"images":[],'
        '"categories":[],"licenses":[ {"id":1} ]}'
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_half_of_a_character_costs_its_record_alone(encoding: str, tmp_path: Any) -> None:
    """Also where blocks are cut in the middle of whole ones."""
    notes = ["\ud83d", "\U0001f600" * 600_000, "\udc00 x", "whole"]
    records = [annotation(id=place, note=note) for place, note in enumerate(notes)]
    text = json.dumps(coco(*records), ensure_ascii=False)
    path = tmp_path / "file.json"
    path.write_bytes(text.encode(encoding, "surrogatepass"))
    found = check_file(path)
    assert (found["annotations"], found["issue_counts"]) == (2, {"text_invalid": 2})
