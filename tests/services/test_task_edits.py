"""What is made, changed and deleted here shows in the export of every task that it belongs to."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.context import AppContext
from app.models import Annotation, Category, Dataset, Image, User
from app.services.annotations import annotations
from app.services.annotations.shapes import Json
from app.services.datasets import categories
from app.services.images import images
from app.services.images.images import ImageFilter
from tests.build import make_category, make_dataset, make_image, make_user
from tests.build.coco import annotation, as_numbers, coco
from tests.services.exporting import get_out, put_in
from tests.services.importing import only

POSED = {"id": 1, "name": "cat", "keypoints": ["nose", "tail"], "skeleton": [[1, 2]]}
POINTS = {"keypoints": [1, 2, 2, 0, 0, 0], "num_keypoints": 1}
KEYPOINTS = annotation(**POINTS, area=7.25001, bbox=[1.0, 1, 4, 4])


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session)


@pytest.fixture
def user(session: Session) -> User:
    return make_user(session)


@pytest.fixture
def both(context: AppContext, session: Session, dataset: Dataset) -> Annotation:
    """An annotation of an instances file and of a person_keypoints file."""
    put_in(context, dataset, coco(annotation(area=7.250012)))
    put_in(context, dataset, coco(KEYPOINTS, categories=[POSED]))
    found: Annotation = only(session, Annotation)
    return found


def change(session: Session, found: Annotation, user: User, **fields: Any) -> None:
    annotations.change_annotation(
        session,
        annotation=found,
        user=user,
        fields={name: Json.of(value) for name, value in fields.items()},
        expected=None,
    )
    session.commit()


def listed(context: AppContext, dataset: Dataset, task: str, **options: Any) -> Any:
    return get_out(context, dataset, task, **options)["annotations"]


def test_an_edit_changes_its_members_in_every_task(
    context: AppContext, session: Session, dataset: Dataset, both: Annotation, user: User
) -> None:
    change(session, both, user, iscrowd=1)
    assert listed(context, dataset, "instances") == as_numbers(
        [annotation(area=7.250012, iscrowd=1)]
    )
    assert listed(context, dataset, "person_keypoints") == as_numbers([{**KEYPOINTS, "iscrowd": 1}])
    change(session, both, user, segmentation=[[0, 0, 4, 0, 4, 2]])
    new = {"segmentation": [[0, 0, 4, 0, 4, 2]], "bbox": [0, 0, 4, 2], "iscrowd": 1, "area": 4}
    (instance,) = listed(context, dataset, "instances")
    assert instance == as_numbers(annotation(**new))
    (person,) = listed(context, dataset, "person_keypoints")
    assert person == as_numbers(annotation(**new, **POINTS))
    assert list(person) == list(KEYPOINTS)


def test_keypoints_stay_out_of_a_file_that_has_none(
    context: AppContext, session: Session, dataset: Dataset, both: Annotation, user: User
) -> None:
    change(session, both, user, keypoints=[1, 2, 2, 3, 3, 1], attributes={"a": 1})
    (instance,) = listed(context, dataset, "instances")
    assert instance == as_numbers(annotation(area=7.250012, attributes={"a": 1}))
    (person,) = listed(context, dataset, "person_keypoints")
    assert person["keypoints"] == as_numbers([1, 2, 2, 3, 3, 1])
    assert person["num_keypoints"] == as_numbers(2)
    change(session, both, user, keypoints=None)
    (person,) = listed(context, dataset, "person_keypoints")
    assert not person.keys() & POINTS.keys()


def test_a_restored_version_says_what_each_task_said(
    context: AppContext, session: Session, dataset: Dataset, both: Annotation, user: User
) -> None:
    before = {task: listed(context, dataset, task) for task in ("instances", "person_keypoints")}
    change(session, both, user, area=99, bbox=[0, 0, 1, 1])
    annotations.restore_annotation(session, annotation=both, user=user, version=2)
    session.commit()
    assert {task: listed(context, dataset, task) for task in before} == before


def test_a_deleted_annotation_is_in_no_task(
    context: AppContext, session: Session, dataset: Dataset, both: Annotation, user: User
) -> None:
    annotations.delete_annotation(session, annotation=both, user=user, expected=None)
    session.commit()
    for task in ("instances", "person_keypoints"):
        assert listed(context, dataset, task) == []


def test_an_edited_annotation_joins_another_task(
    context: AppContext, session: Session, dataset: Dataset, user: User
) -> None:
    """The edit stays, in every task; what only the new file knows is added."""
    put_in(context, dataset, coco(annotation()))
    found = only(session, Annotation)
    change(session, found, user, iscrowd=1, bbox=[0, 0, 9, 9])
    report = put_in(context, dataset, coco(KEYPOINTS, categories=[POSED]))
    assert report["issue_counts"] == {"annotation_edited": 1, "annotation_differs": 1}
    assert report["annotations"]["updated"] == 1
    session.expire_all()
    assert (found.version, found.updated_by) == (3, user.id)
    (person,) = listed(context, dataset, "person_keypoints")
    assert person == as_numbers({**KEYPOINTS, "iscrowd": 1, "bbox": [0, 0, 9, 9]})
    (instance,) = listed(context, dataset, "instances")
    assert instance == as_numbers(annotation(iscrowd=1, bbox=[0, 0, 9, 9]))


def test_renaming_reaches_every_task(
    context: AppContext, session: Session, dataset: Dataset, both: Annotation
) -> None:
    categories.change_category(
        session,
        category=only(session, Category),
        changes={"name": "lion", "keypoints": ["nose"], "skeleton": []},
    )
    images.change_image(session, image=only(session, Image), changes={"file_name": "new.jpg"})
    session.commit()
    for task in ("instances", "person_keypoints"):
        out = get_out(context, dataset, task)
        assert [c["name"] for c in out["categories"]] == ["lion"]
        assert [i["file_name"] for i in out["images"]] == ["new.jpg"]
    assert "keypoints" not in get_out(context, dataset, "instances")["categories"][0]


# What was made here. ------------------------------------------------------------------------------


def make(session: Session, image: Image, user: User, *, label: bool = False, **fields: Any) -> None:
    annotations.create_annotation(
        session,
        image=image,
        user=user,
        fields={name: Json.of(value) for name, value in fields.items()},
        task="labels" if label else None,
    )
    session.commit()


def test_each_task_has_what_fits(
    context: AppContext, session: Session, dataset: Dataset, user: User
) -> None:
    image = make_image(session, dataset=dataset)
    thing = make_category(session, dataset=dataset, name="cat", keypoints=["nose"], skeleton=[])
    sky = make_category(session, dataset=dataset, name="sky", isthing=False)
    make(session, image, user, category_id=thing.id, keypoints=[1, 2, 2])
    make(session, image, user, category_id=sky.id, bbox=[1, 2, 3, 4])
    make(session, image, user, caption="A cat.")
    make(session, image, user, label=True, category_id=thing.id)
    wanted: dict[str, tuple[list[int], list[str] | None]] = {
        "instances": ([1, 2], ["cat", "sky"]),
        "person_keypoints": ([1], ["cat"]),
        "stuff": ([2], ["sky"]),
        "captions": ([3], None),
        "labels": ([4], ["cat", "sky"]),
        "image_info": ([], ["cat", "sky"]),
    }
    for task, (ids, names) in wanted.items():
        out = get_out(context, dataset, task)
        assert [record["id"] for record in out["annotations"]] == as_numbers(ids)
        assert len(out["images"]) == 1
        found = out.get("categories")
        assert (found and [category["name"] for category in found]) == names
    assert listed(context, dataset, "captions") == as_numbers(
        [{"id": 3, "image_id": 1, "caption": "A cat."}]
    )
    assert listed(context, dataset, "labels") == as_numbers(
        [{"id": 4, "image_id": 1, "category_id": 1}]
    )
    assert listed(context, dataset, "labels", filters=ImageFilter(categories=(sky.id,))) == []
    with_sky = ImageFilter(categories=(sky.id,))
    assert len(listed(context, dataset, "captions", filters=with_sky)) == 1


def test_what_is_made_here_joins_what_was_imported(
    context: AppContext, session: Session, dataset: Dataset, user: User
) -> None:
    """Only what somebody made: nothing else moves from one task's file to another's."""
    image = {"id": 1, "file_name": "a.jpg", "width": 8, "height": 6}
    other = {**image, "id": 2, "file_name": "b.jpg"}
    put_in(context, dataset, coco(annotation(), categories=[POSED], images=[image, other]))
    put_in(context, dataset, coco({"id": 1, "image_id": 1, "caption": "A."}, images=[image]))
    stuff = coco(annotation(id=5, category_id=9), categories=[{"id": 9, "name": "sky"}])
    put_in(context, dataset, stuff, task="stuff")
    put_in(context, dataset, coco(KEYPOINTS, categories=[POSED], images=[image]))
    tasks = ("instances", "captions", "stuff", "person_keypoints")
    before = {task: get_out(context, dataset, task) for task in tasks}
    cat, sky = session.scalars(select(Category).order_by(Category.id)).all()
    assert (cat.isthing, sky.isthing) == (True, False)
    second = session.scalars(select(Image).order_by(Image.id.desc())).first()
    assert second is not None
    make(session, second, user, caption="B.")
    make(session, second, user, category_id=cat.id, keypoints=[1, 2, 2, 0, 0, 0])
    make(session, second, user, category_id=sky.id, bbox=[1, 2, 3, 4])
    make(session, second, user, category_id=cat.id, caption="the left one", bbox=[1, 2, 3, 4])
    make_image(session, dataset=dataset, file_name="c.jpg")
    make_category(session, dataset=dataset, name="dog")
    added = {
        "instances": (2, 1, 1),
        "captions": (1, 2, 0),
        "stuff": (1, 2, 0),
        "person_keypoints": (1, 2, 0),
    }
    for task in tasks:
        out = get_out(context, dataset, task)
        for key, number in zip(("annotations", "images", "categories"), added[task], strict=True):
            old = before[task].get(key, [])
            assert out.get(key, [])[: len(old)] == old
            assert (task, key, len(out.get(key, [])) - len(old)) == (task, key, number)
