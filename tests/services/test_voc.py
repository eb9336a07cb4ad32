"""Pascal VOC folders: both ways, everybody's oddities, and files made to harm."""

import itertools
from typing import Any

import pytest
from sqlalchemy import select

from app.context import AppContext
from app.models import Dataset, Image
from app.services.imports.imports import ImportFailed
from tests.services.exporting import put_in
from tests.services.folders import (
    COCO_DATA,
    annotated,
    box,
    codes,
    get_zip,
    losses,
    new_dataset,
    png,
    put_zip,
    voc,
)


@pytest.fixture(autouse=True)
def committed(session: Any, dataset: Dataset) -> None:
    session.commit()


def test_real_boxes_come_back(context: AppContext, dataset: Dataset) -> None:
    put_in(context, dataset, (COCO_DATA / "instances.json").read_bytes())
    files = get_zip(context, dataset, "voc")
    other = new_dataset(context, dataset)
    report = put_zip(context, other, files)
    assert (report["format"], codes(report)) == ("voc", {})
    before, after = annotated(context, dataset), annotated(context, other)
    assert before.keys() == after.keys()
    for name, objects in before.items():
        assert [one["category"] for one in objects] == [one["category"] for one in after[name]]
        for one, back in zip(objects, after[name], strict=True):
            assert back["bbox"] == pytest.approx(one["bbox"], abs=0.0011)
            assert back["attributes"]["difficult"] == one["iscrowd"]
    told = losses(files)
    assert (told["crowd_as_difficult"], told["segmentation_left_out"]) == (3, 117)
    assert put_zip(context, other, files)["annotations"]["unchanged"] == 117


def test_coordinates_count_from_one_and_include_both_ends(
    context: AppContext, dataset: Dataset
) -> None:
    files = {"Annotations/a.xml": voc(box(), box(at=(11, 21, 40, 30)))}
    assert codes(put_zip(context, dataset, files)) == {}
    first, second = annotated(context, dataset)["a.jpg"]
    assert first["bbox"] == [0, 0, 1, 1]
    assert second["bbox"] == [10, 20, 30, 10]
    text = get_zip(context, dataset, "voc")["Annotations/a.xml"].decode()
    assert text.count("<xmin>11</xmin>") == text.count("<ymax>30</ymax>") == 1


def test_all_that_an_object_has_is_kept(context: AppContext, dataset: Dataset) -> None:
    more = (
        "<pose>Left</pose><truncated>1</truncated><difficult>0</difficult><occluded>1</occluded>"
        "<actions><jumping>1</jumping></actions>"
        "<attributes><attribute><name>colour &amp; more</name><value>r\u00f6t</value></attribute>"
        "</attributes>"
        f"<parts>several</parts><part>{box('head', (2, 2, 5, 5))}</part>"
    )
    put_zip(context, dataset, {"Annotations/a.xml": voc(box("k\u00e4t &lt;1>", more=more))})
    expected = {
        "pose": "Left",
        "truncated": 1,
        "difficult": 0,
        "occluded": 1,
        "actions": {"jumping": "1"},
        "colour & more": "r\u00f6t",
        "parts": [{"name": "head", "bbox": [1, 1, 4, 4]}],
    }
    (kept,) = annotated(context, dataset)["a.jpg"]
    assert (kept["category"], kept["attributes"]) == ("k\u00e4t <1>", expected)
    files = get_zip(context, dataset, "voc")
    assert losses(files) == {}
    other = new_dataset(context, dataset)
    put_zip(context, other, files)
    (back,) = annotated(context, other)["a.jpg"]
    assert (back["category"], back["attributes"]) == (kept["category"], expected)


def test_subsets_and_years(context: AppContext, dataset: Dataset) -> None:
    files: dict[str, bytes | str] = {
        "VOCdevkit/VOC2012/Annotations/a.xml": voc(box(), size=None),
        "VOCdevkit/VOC2012/JPEGImages/a.png": png(40, 30),
        "VOCdevkit/VOC2012/JPEGImages/b.png": png(20, 10),
        "VOCdevkit/VOC2012/ImageSets/Main/train.txt": "a\n",
        "VOCdevkit/VOC2012/ImageSets/Main/trainval.txt": "a\nb\n",
        "VOCdevkit/VOC2012/ImageSets/Main/test.txt": "b\n",
        "VOCdevkit/VOC2012/ImageSets/Main/cat_train.txt": "a  1\nb -1\n",
        "VOCdevkit/VOC2012/SegmentationClass/a.png": png(40, 30),
    }
    report = put_zip(context, dataset, files)
    assert codes(report) == {"file_ignored": 1}
    assert report["issues"][0]["file"] == "VOCdevkit/VOC2012/SegmentationClass/a.png"
    with context.sessions() as session:
        rows = session.scalars(select(Image).order_by(Image.file_name)).all()
        assert [(i.file_name, i.subset, i.width, i.height) for i in rows] == [
            ("a.png", "train", 40, 30),
            ("b.png", "test", 20, 10),
        ]
        assert all(image.blob_sha256 for image in rows)


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{10 * f"&{a};"}">' for a, b in itertools.pairwise("abcdefghi"))
    + "]><annotation><object><name>&i;</name></object></annotation>"
)
OUTSIDE = (
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    "<annotation><object><name>&x;</name></object></annotation>"
)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (BOMB, "xml_unsafe"),
        (OUTSIDE, "xml_unsafe"),
        ("<annotation><object>", "label_file_invalid"),
        ("", "label_file_invalid"),
        (b"\xff\xfe\xff", "label_file_invalid"),
        ("<a>" * 100 + "</a>" * 100, "label_file_invalid"),
        ('<?xml version="1.0" encoding="nonsense"?><annotation/>', "label_file_invalid"),
        ("<annotation>&x;</annotation>", "label_file_invalid"),
    ],
)
def test_a_bad_file_loses_no_other(
    context: AppContext, dataset: Dataset, content: str | bytes, code: str
) -> None:
    files = {"Annotations/a.xml": voc(box()), "Annotations/bad.xml": content}
    report = put_zip(context, dataset, files)
    assert codes(report)[code] == 1
    assert report["annotations"]["created"] == 1
    (issue,) = [one for one in report["issues"] if one["code"] == code]
    assert issue["path"] == "Annotations/bad.xml"


@pytest.mark.parametrize(
    "bad",
    [
        "<name>cat</name>",
        box(at=(1, 1, "x", 1)),
        box(at=(1, 1, "nan", 1)),
        box(at=(9, 9, 2, 2)),
        box(name=""),
        box(more="<part><name>head</name></part>"),
    ],
)
def test_a_bad_object_is_told_with_its_line(
    context: AppContext, dataset: Dataset, bad: str
) -> None:
    files = {"Annotations/a.xml": voc(box(), bad, box("dog"))}
    report = put_zip(context, dataset, files)
    assert report["annotations"] == {"created": 2, "updated": 0, "unchanged": 0, "rejected": 1}
    (issue,) = report["issues"]
    assert (issue["code"], issue["path"]) == ("line_malformed", "Annotations/a.xml:3")
    with pytest.raises(ImportFailed):
        put_zip(context, new_dataset(context, dataset), files, mode="strict")


def test_sizes(context: AppContext, dataset: Dataset) -> None:
    """A picture counts before the XML; without both, an image cannot be."""
    files: dict[str, bytes | str] = {
        "Annotations/a.xml": voc(box(), size=(0, 0)),
        "JPEGImages/a.png": png(8, 6),
        "Annotations/b.xml": voc(box(at=(1, 1, 9, 2)), size=(80, 60)),
        "JPEGImages/b.png": png(8, 6),
        "Annotations/c.xml": voc(box(), size=None),
    }
    report = put_zip(context, dataset, files)
    assert codes(report) == {
        "image_rejected": 1,
        "image_size_mismatch": 1,
        "image_size_missing": 1,
        "position_outside": 1,
    }
    with context.sessions() as session:
        rows = session.scalars(select(Image).order_by(Image.file_name)).all()
        assert [(i.file_name, i.width, i.height) for i in rows] == [
            ("a.png", 8, 6),
            ("b.png", 8, 6),
        ]
