"""What a file is about: its content says it, then its name; and how each task is read."""

from typing import Any

import pytest

from app.formats.coco.tasks import from_name
from app.formats.records import FileError
from tests.build.coco import annotation, coco
from tests.formats.test_reader import read

CAPTION = {"id": 1, "image_id": 1, "caption": "A cat."}
LABEL = {"id": 1, "image_id": 1, "category_id": 1}
KEYPOINTS = annotation(keypoints=[1, 2, 2], num_keypoints=1)
PANOPTIC = {"image_id": 1, "file_name": "1.png", "segments_info": []}
STUFF = {"description": "COCO 2017 Stuff Dataset"}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("instances_val2017.json", ("instances", "val2017")),
        ("a/b/person_keypoints_train_2.JSON", ("person_keypoints", "train_2")),
        ("c:\\x\\captions.json", ("captions", None)),
        ("image_info_test-dev2017", ("image_info", "test-dev2017")),
        ("labels_.json", ("labels", None)),
        ("instances_a\nb.json", ("instances", None)),
        ("instances_" + "x" * 201, ("instances", None)),
        ("instancesval.json", (None, None)),
        ("my_instances_val.json", (None, None)),
        ("_annotations.coco.json", (None, None)),
        ("", (None, None)),
    ],
)
def test_names(name: str, wanted: tuple[str | None, str | None]) -> None:
    assert from_name(name) == wanted


@pytest.mark.parametrize(
    ("file", "name", "task"),
    [
        (coco(annotation()), "", "instances"),
        (coco(annotation()), "stuff_val.json", "stuff"),
        (coco(annotation()), "person_keypoints_val.json", "person_keypoints"),
        (coco(annotation()), "captions_val.json", "instances"),
        (coco(annotation(), info=STUFF), "", "stuff"),
        (coco(annotation(), info=STUFF), "instances_val.json", "instances"),
        (coco(annotation(), info={"description": "Stuff"}), "", "instances"),
        (coco(annotation(), KEYPOINTS), "", "person_keypoints"),
        (coco(KEYPOINTS), "instances_val.json", "instances"),
        (coco(CAPTION), "instances_val.json", "captions"),
        (coco(CAPTION | {"category_id": 0}), "", "captions"),
        (coco(annotation(caption="the left one")), "", "instances"),
        (coco(LABEL), "", "labels"),
        (coco(LABEL), "instances_val.json", "labels"),
        (coco(LABEL | {"iscrowd": 0}), "", "instances"),
        (coco(LABEL, annotation()), "", "instances"),
        (coco(), "", "instances"),
        (coco(), "captions_val.json", "captions"),
        ({"images": []}, "", "image_info"),
        ({"images": []}, "instances_val.json", "instances"),
        (coco(7, CAPTION), "", "captions"),
    ],
)
def test_tasks_are_told_by_content_then_by_name(file: Any, name: str, task: str) -> None:
    assert read(file, name=name)[0].task == task


def test_what_is_asked_for_wins() -> None:
    head, found, report = read(coco(annotation()), task="stuff", name="instances_val.json")
    assert (head.task, head.subset, len(found), report.counts) == ("stuff", "val", 1, {})


def test_panoptic_files_need_their_pngs() -> None:
    with pytest.raises(FileError) as caught:
        read(coco(PANOPTIC), name="instances_val.json")
    assert caught.value.code == "panoptic_pngs_missing"


def test_captions_are_kept_as_they_are() -> None:
    texts = [" A cat.\n", "", "ü \U0001f600", "x" * 100_000]
    file = coco(*(CAPTION | {"id": i, "caption": text} for i, text in enumerate(texts)))
    del file["categories"]
    _, found, report = read(file)
    assert report.counts == {}
    assert [record.category for record in found] == [None] * 4
    assert [record.bbox for record in found] == [[0.0] * 4] * 4


@pytest.mark.parametrize("caption", [None, 7, ["A cat."], ...])
def test_a_caption_without_a_text_is_left_out(caption: Any) -> None:
    wrong = CAPTION | {"id": 2, "caption": caption}
    if caption is ...:
        del wrong["caption"]
    _, found, report = read(coco(CAPTION, wrong))
    assert ([record.coco_id for record in found], report.counts) == ([1], {"caption_missing": 1})


def test_captions_of_unknown_images_are_left_out() -> None:
    _, found, report = read(coco(CAPTION | {"image_id": 9}))
    assert (found, report.counts) == ([], {"image_unknown": 1})


def test_labels_need_a_category() -> None:
    _, found, report = read(coco(LABEL, LABEL | {"id": 2, "category_id": 9}))
    assert ([record.category for record in found], report.counts) == ([0], {"category_unknown": 1})


def test_image_info_has_no_annotations() -> None:
    head, found, report = read(coco(annotation(), annotation(id=2)), task="image_info")
    assert (head.annotation_count, found, report.counts) == (0, [], {"annotations_ignored": 1})
    assert len(head.images) == 1
