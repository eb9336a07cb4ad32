"""Copies of annotations: what no client sees comes along, and the text of what is the same."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Annotation, User
from tests.api.annotation_case import Case, build_case, code_of, url
from tests.build import make_dataset, make_image, make_imported, make_member, make_user
from tests.conftest import ApiClient

RECORD = (
    '{"id": 9, "image_id": 5, "category_id": 7, "zeta": 1E+2, "area": 480.50, "iscrowd": 1,'
    ' "segmentation": [[10.50, 10, 30, 10.0, 30, 30]], "bbox": [10.5, 10, 19.60, 2e1],'
    ' "keypoints": [12, 13.50, 2, 0, 0, 0, 0, 0, 0], "num_keypoints": 1,'
    ' "attributes": {"a": 1.0}, "dp_I": [1, 2.50]}'
)
FIELDS = ("category_id", "segmentation", "keypoints", "iscrowd", "attributes")


@pytest.fixture
def case(session: Session, client_for: Callable[[User], ApiClient]) -> Case:
    return build_case(session, client_for)


@pytest.fixture
def original(case: Case, session: Session) -> dict[str, Any]:
    make_imported(session, image=case.image, category=case.person, record=RECORD, iscrowd=True)
    item: dict[str, Any] = case.api.get(case.path).json()["items"][0]
    return item


def record_of(session: Session, annotation: dict[str, Any]) -> str:
    query = select(Annotation.record).where(Annotation.id == annotation["id"])
    return str(session.scalars(query).one())


def copied(original: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {name: original[name] for name in FIELDS} | {"copy_of": original["id"]} | fields


def test_a_copy_is_the_same_object_with_an_id_of_its_own(
    case: Case, session: Session, original: dict[str, Any]
) -> None:
    assert original["other_keys"] == ["zeta", "dp_I"]
    made = case.make(**copied(original))
    own = ("id", "coco_id", "created_by", "created_at", "updated_by", "updated_at")
    assert {k: v for k, v in made.items() if k not in own} == {
        k: v for k, v in original.items() if k not in own
    }
    assert made["id"] != original["id"]
    record = record_of(session, made)
    assert json.loads(record) == json.loads(RECORD) | {
        "id": made["coco_id"], "image_id": case.image.coco_id, "category_id": case.person.coco_id
    }  # fmt: skip
    for text in ("10.50, 10, 30, 10.0", "480.50", "19.60, 2e1", "13.50", "1E+2", "[1, 2.50]"):
        assert text in record


def test_what_differs_is_what_is_sent_and_what_follows_is_computed(
    case: Case, session: Session, original: dict[str, Any]
) -> None:
    made = case.make(**copied(original, segmentation=[[0, 0, 10, 0, 10, 10, 0, 10]], iscrowd=0))
    assert (made["bbox"], made["area"], made["iscrowd"]) == ([0, 0, 10, 10], 100, 0)
    assert made["other_keys"] == ["zeta", "dp_I"]
    # On an image of another size the same outline covers other pixels.
    small = make_image(session, dataset=case.dataset, width=20, height=15)
    path = f"/api/images/{small.id}/annotations"
    there = case.api.post(path, json=copied(original)).json()
    assert there["segmentation"] == original["segmentation"]
    assert there["area"] < original["area"]
    assert json.loads(record_of(session, there))["image_id"] == small.coco_id


def test_a_deleted_annotation_can_be_copied(case: Case, original: dict[str, Any]) -> None:
    case.delete(original)
    assert case.make(**copied(original))["other_keys"] == ["zeta", "dp_I"]


def test_a_label_and_a_caption_are_copied_without_geometry(case: Case, session: Session) -> None:
    caption = case.make(category_id=None, caption="A cat.")
    again = case.make(category_id=None, caption="A cat.", copy_of=caption["id"])
    assert (again["task"], again["bbox"], again["area"]) == ("captions", [0, 0, 0, 0], 0)
    assert "bbox" not in json.loads(record_of(session, again))
    label = case.make(task="labels")
    twin = case.make(task="labels", copy_of=label["id"])
    assert (twin["task"], "bbox" in json.loads(record_of(session, twin))) == ("labels", False)


def test_only_what_one_may_see_is_copied(
    case: Case, session: Session, client_for: Callable[[User], ApiClient], original: dict[str, Any]
) -> None:
    body = {"caption": "x", "copy_of": original["id"]}
    for user, status in (
        (make_user(session), 422),
        (make_member(session, dataset=case.dataset, role="viewer"), 201),
    ):
        image = make_image(session, dataset=make_dataset(session, owner=user))
        path, api = f"/api/images/{image.id}/annotations", client_for(user)
        assert code_of(api.post(path, json=body | {"copy_of": 999_999})) == (422, "copy_of_unknown")
        answer = api.post(path, json=body)
        assert answer.status_code == status
        if status == 422:
            assert code_of(answer) == (422, "copy_of_unknown")
        assert len(api.get(path).json()["items"]) == (status == 201)
    assert case.api.get(url(original)).json() == original
