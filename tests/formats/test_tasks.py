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
MASK = annotation(segmentation={"size": [6, 8], "counts": [48]}, bbox=[0, 0, 0, 0], area=0)
BUSH = {"id": 97, "name": "bush", "supercategory": "plant"}
OTHER = {"id": 183, "name": "other", "supercategory": "other"}


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


@pytest.mark.parametrize(
    ("annotations", "categories", "name", "task", "assumed"),
    [
        # COCO-stuff's own categories, or categories that say that they are no things.
        ([MASK | {"category_id": 97}], [BUSH, OTHER], "", "stuff", 0),
        ([MASK | {"category_id": 97}], [BUSH | {"id": 97.0}], "", "stuff", 0),
        ([MASK], [{"id": 1, "name": "sky", "isthing": 0}], "", "stuff", 0),
        ([annotation(category_id=97)], [BUSH], "", "stuff", 0),
        ([MASK | {"category_id": 97}], [BUSH], "instances_val.json", "instances", 0),
        # One category among them that is something else, and nothing is certain.
        ([MASK], [BUSH, {"id": 1, "name": "cat", "supercategory": "animal"}], "", "instances", 1),
        ([MASK], [BUSH | {"id": 1}], "", "instances", 1),
        ([MASK | {"category_id": 97}], [{"id": 97, "name": "bush"}], "", "instances", 1),
        (
            [MASK],
            [{"id": 1, "name": "sky", "isthing": 0}, {"id": 2, "name": "cat"}],
            "",
            "instances",
            1,
        ),
        # Stuff is masks alone: an outline, a crowd or keypoints tell objects.
        ([MASK, annotation(id=2)], [BUSH | {"id": 1}], "", "instances", 0),
        ([MASK | {"iscrowd": 1}], [BUSH | {"id": 1}], "", "instances", 0),
        ([KEYPOINTS], [{"id": 1, "name": "sky", "isthing": 0}], "", "person_keypoints", 0),
        ([MASK], [BUSH | {"id": 1}], "instances_val.json", "instances", 0),
    ],
)
def test_stuff_is_told_where_it_is_certain_and_else_the_report_says_what_was_assumed(
    annotations: list[Any], categories: list[Any], name: str, task: str, assumed: int
) -> None:
    head, _, report = read(coco(*annotations, categories=categories), name=name)
    assert (head.task, report.counts.get("task_assumed", 0)) == (task, assumed)
    assert [issue.action for issue in report.issues if issue.code == "task_assumed"] == (
        ["read as instances"] * assumed
    )


def test_what_is_asked_for_is_not_assumed() -> None:
    head, _, report = read(coco(MASK, categories=[BUSH | {"id": 1}]), task="instances")
    assert (head.task, report.counts) == ("instances", {})


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
