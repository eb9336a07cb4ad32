"""Files of several tasks in one dataset: each comes out as it went in, in whatever order."""

import json
from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.context import AppContext
from app.models import Annotation, AnnotationVersion, Category, Dataset, Image
from tests.build import make_dataset, make_image
from tests.build.coco import annotation, as_numbers, coco, numbers_as_text
from tests.build.content import everything
from tests.services.exporting import get_out, in_order, put_in
from tests.services.importing import numbers, only
from tests.shared_data import SHARED_DATA

COMMITTED = Path(__file__).parents[1] / "data" / "coco"
REAL = {
    "instances": "instances_sample.json",
    "person_keypoints": "person_keypoints_sample.json",
    "captions": "captions_sample.json",
    "stuff": "stuff_examples.json",
}


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session)


# Real files. ------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations(REAL)), ids="-".join)
def test_real_files_in_any_order(
    context: AppContext, session: Session, dataset: Dataset, order: Sequence[str]
) -> None:
    files = {task: (COMMITTED / f"{task}.json").read_bytes() for task in order}
    come_out_as_they_went_in(context, session, dataset, files)
    # An object of two files is one annotation; captions are annotations of their own.
    assert session.scalar(select(func.count()).select_from(Annotation)) == 117 + 50 + 10


def test_larger_real_files(context: AppContext, session: Session, dataset: Dataset) -> None:
    folder: Path = SHARED_DATA / "coco" / "annotations"
    if not folder.is_dir():
        pytest.skip("the larger COCO data does not stand beside this checkout")
    files = {task: (folder / REAL[task]).read_bytes() for task in reversed(REAL)}
    come_out_as_they_went_in(context, session, dataset, files)
    assert session.scalar(select(func.count()).select_from(Annotation)) == 1068 + 295 + 17


def come_out_as_they_went_in(
    context: AppContext, session: Session, dataset: Dataset, files: Mapping[str, bytes]
) -> None:
    """Import the files one after the other, export each; and once more, which changes nothing."""
    for task, text in files.items():
        report = put_in(context, dataset, text, file_name=f"{task}_val.json")
        assert (report["task"], report["issue_counts"]) == (task, {})
    for task, text in files.items():
        out = get_out(context, dataset, task)
        assert in_order(out) == in_order(numbers_as_text(text))
    before = everything(session)
    session.commit()
    for task, text in files.items():
        report = put_in(context, dataset, text, file_name=f"{task}_val.json")
        for kind in ("images", "categories", "annotations"):
            assert (report[kind]["created"], report[kind]["updated"]) == (0, 0)
        assert report["issue_counts"] == {}
    assert everything(session) == before
    session.commit()


# What is the same, and what is not. ---------------------------------------------------------------

IMAGE = {"id": 1, "file_name": "a.jpg", "width": 8, "height": 6}
PERSON = {"id": 1, "name": "person"}
POSED = PERSON | {"keypoints": ["nose", "tail"], "skeleton": [[1, 2]]}
POINTS = {"keypoints": [1, 2, 2, 0, 0, 0], "num_keypoints": 1}


def posed(**members: Any) -> dict[str, Any]:
    return annotation(**{**POINTS, **members})


def test_keypoints_after_instances(context: AppContext, session: Session, dataset: Dataset) -> None:
    instances = coco(annotation(area=7.123456789), categories=[PERSON])
    keypoints = coco(posed(area=7.12346), categories=[POSED])
    put_in(context, dataset, instances)
    report = put_in(context, dataset, keypoints)
    assert (report["task"], report["issue_counts"]) == ("person_keypoints", {})
    assert report["annotations"] == numbers(updated=1) | {"rejected": 0}
    assert report["categories"] == numbers(updated=1)
    found = only(session, Annotation)
    assert (found.task, found.version, found.updated_by) == ("instances", 2, None)
    assert json.loads(found.record) == annotation(area=7.123456789) | POINTS
    assert only(session, Category).keypoints == ["nose", "tail"]
    assert only(session, AnnotationVersion).variants is None
    for task, file in (("instances", instances), ("person_keypoints", keypoints)):
        assert get_out(context, dataset, task)["annotations"] == as_numbers(file["annotations"])
        assert get_out(context, dataset, task)["categories"] == as_numbers(file["categories"])


def test_another_object_with_the_same_id_stays_another(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    """Tools count each task from 1: the same id is no proof, and nothing is guessed."""
    put_in(context, dataset, coco(annotation(), annotation(id=2), categories=[PERSON]))
    file = coco(posed(bbox=[9, 9, 4, 4]), posed(id=2, bbox=[1.001, 1, 4, 4]), categories=[POSED])
    report = put_in(context, dataset, file)
    assert report["annotations"] == numbers(created=1, updated=1) | {"rejected": 0}
    assert report["issue_counts"] == {"annotation_task_taken": 1, "annotation_differs": 1}
    assert get_out(context, dataset, "person_keypoints")["annotations"] == as_numbers(
        file["annotations"]
    )
    assert len(get_out(context, dataset, "instances")["annotations"]) == 2
    before = everything(session)
    session.commit()
    assert put_in(context, dataset, file)["issue_counts"] == {}
    assert everything(session) == before


def test_another_category_is_another_object(context: AppContext, dataset: Dataset) -> None:
    put_in(context, dataset, coco(annotation(), categories=[PERSON, {"id": 2, "name": "dog"}]))
    file = coco(posed(category_id=2), categories=[{**POSED, "id": 2, "name": "dog"}])
    report = put_in(context, dataset, file)
    assert report["issue_counts"] == {"annotation_task_taken": 1}
    assert report["annotations"]["created"] == 1


@pytest.mark.parametrize("first", ["instances", "captions", "labels"])
def test_captions_and_labels_have_ids_of_their_own(
    context: AppContext, session: Session, dataset: Dataset, first: str
) -> None:
    files = {
        "instances": coco(annotation()),
        "captions": coco({"id": 1, "image_id": 1, "caption": " A cat.\n"}),
        "labels": coco({"id": 1, "image_id": 1, "category_id": 1}),
    }
    del files["captions"]["categories"]
    for task in sorted(files, key=lambda task: task != first):
        report = put_in(context, dataset, files[task])
        assert (report["task"], report["issue_counts"]) == (task, {})
        assert report["annotations"] == numbers(created=1) | {"rejected": 0}
    for task, file in files.items():
        assert get_out(context, dataset, task) == as_numbers(file | {"licenses": []})
    assert only(session, Image).annotation_count == 3


def test_tasks_that_disagree_keep_what_they_say(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    first = coco(annotation(), images=[IMAGE | {"license": 1}], info={"year": 1})
    second = coco(posed(iscrowd=1), images=[IMAGE | {"license": 2}], info={"year": 2})
    put_in(context, dataset, first)
    report = put_in(context, dataset, second)
    assert report["issue_counts"] == {"annotation_differs": 1, "image_differs": 1}
    for task, file in (("instances", first), ("person_keypoints", second)):
        assert get_out(context, dataset, task) == as_numbers(file | {"licenses": []})
    assert only(session, Annotation).iscrowd is False


def test_a_newer_file_of_a_task_changes_that_task(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    put_in(context, dataset, coco(annotation()))
    put_in(context, dataset, coco(posed()))
    put_in(context, dataset, coco(posed(keypoints=[3, 3, 2, 1, 1, 1], num_keypoints=2)))
    assert json.loads(only(session, Annotation).record)["num_keypoints"] == 2
    report = put_in(context, dataset, coco(annotation(iscrowd=1)))
    assert report["annotations"]["updated"] == 1
    assert get_out(context, dataset, "instances")["annotations"] == as_numbers(
        [annotation(iscrowd=1)]
    )
    wanted = posed(keypoints=[3, 3, 2, 1, 1, 1], num_keypoints=2)
    assert get_out(context, dataset, "person_keypoints")["annotations"] == as_numbers([wanted])
    session.expire_all()
    assert only(session, Annotation).iscrowd is True


def test_images_of_another_name_for_the_same_id_are_others(
    context: AppContext, dataset: Dataset
) -> None:
    put_in(context, dataset, coco(annotation()))
    other = coco({"id": 1, "image_id": 1, "caption": "B."}, images=[IMAGE | {"file_name": "b.jpg"}])
    report = put_in(context, dataset, other)
    assert report["issue_counts"] == {"image_id_taken": 1}
    assert [i["file_name"] for i in get_out(context, dataset, "captions")["images"]] == ["b.jpg"]


def test_an_image_joined_by_name_is_named_by_one_id(context: AppContext, dataset: Dataset) -> None:
    put_in(context, dataset, coco(annotation()))
    other = coco({"id": 1, "image_id": 9, "caption": "B."}, images=[IMAGE | {"id": 9, "x": 1}])
    report = put_in(context, dataset, other)
    assert report["issue_counts"] == {"image_joined_by_name": 1}
    out = get_out(context, dataset, "captions")
    assert out["images"] == as_numbers([IMAGE | {"x": 1}])
    assert out["annotations"] == as_numbers([{"id": 1, "image_id": 1, "caption": "B."}])


# Subsets. -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "subset"),
    [
        ({}, "default"),
        ({"file_name": "coco/instances_val2017.json"}, "val2017"),
        ({"file_name": "instances_a_b.json", "subset": "train"}, "train"),
        ({"file_name": "person_keypoints_a_b.json"}, "a_b"),
        ({"file_name": "instances.json"}, "default"),
        ({"file_name": "instances_.json"}, "default"),
    ],
)
def test_the_subset_of_new_images(
    context: AppContext,
    session: Session,
    dataset: Dataset,
    options: dict[str, str],
    subset: str,
) -> None:
    put_in(context, dataset, coco(annotation()), **options)
    assert only(session, Image).subset == subset


def test_the_subset_of_uploaded_images(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    make_image(session, dataset=dataset, file_name="a.jpg", width=8, height=6)
    put_in(context, dataset, coco(annotation()), file_name="instances_train.json")
    session.expire_all()
    assert only(session, Image).subset == "train"
    put_in(context, dataset, coco(posed()), file_name="person_keypoints_val.json")
    session.expire_all()
    assert only(session, Image).subset == "train"


@pytest.mark.parametrize("options", [{"subset": "val"}, {"file_name": "instances_val.json"}])
def test_a_subset_that_is_told_later_holds_for_images_that_are_in_none(
    context: AppContext, session: Session, dataset: Dataset, options: dict[str, str]
) -> None:
    put_in(context, dataset, coco(annotation()))
    report = put_in(context, dataset, coco(annotation()), **options)
    assert (report["images"], report["issue_counts"]) == (numbers(updated=1), {})
    assert only(session, Image).subset == "val"
    report = put_in(context, dataset, coco(annotation()), **options)
    assert (report["images"], report["issue_counts"]) == (numbers(unchanged=1), {})


@pytest.mark.parametrize("options", [{"subset": "val"}, {"file_name": "instances_val.json"}])
def test_images_of_another_subset_stay_there_and_the_report_says_so(
    context: AppContext, session: Session, dataset: Dataset, options: dict[str, str]
) -> None:
    put_in(context, dataset, coco(annotation()), subset="train")
    report = put_in(context, dataset, coco(annotation()), **options)
    assert (report["images"], report["issue_counts"]) == (
        numbers(unchanged=1),
        {"subset_differs": 1},
    )
    assert report["issues"][0]["message"] == "Images in 'train' instead of 'val': 1."
    assert only(session, Image).subset == "train"
