"""Captions and labels over HTTP: annotations of the whole image, without a geometry."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.models import User
from tests.api.annotation_case import Case, build_case, code_of, seen, url
from tests.build import make_imported
from tests.conftest import ApiClient

ZEROS = [0.0, 0.0, 0.0, 0.0]


@pytest.fixture
def case(session: Session, client_for: Callable[[User], ApiClient]) -> Case:
    return build_case(session, client_for)


def exported(case: Case, task: str) -> Any:
    answer = case.api.get(f"/api/datasets/{case.dataset.id}/export/{task}.json")
    return answer.raise_for_status().json()["annotations"]


def caption(case: Case, text: str, **fields: Any) -> dict[str, Any]:
    answer = case.api.post(case.path, json={"caption": text, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def label(case: Case, **fields: Any) -> Any:
    return case.api.post(
        case.path, json={"category_id": case.category.id, "task": "labels", **fields}
    )


def test_a_caption_from_first_to_last(case: Case) -> None:
    made = caption(case, " Zwei Kätzchen\n\U0001f600 ")
    assert (made["task"], made["category_id"], made["version"]) == ("captions", None, 1)
    assert (made["segmentation"], made["keypoints"], made["holes"]) == (None, None, [])
    assert (made["bbox"], made["area"]) == (ZEROS, 0)
    (listed,) = case.api.get(case.path).json()["items"]
    assert listed == made
    image_coco_id = case.image.coco_id
    wanted = {"id": made["coco_id"], "image_id": image_coco_id, "caption": made["caption"]}
    assert made["caption"] == " Zwei Kätzchen\n\U0001f600 "
    assert exported(case, "captions") == [wanted]
    assert exported(case, "instances") == []

    changed = case.patch(made, caption="One kitten.").json()
    assert (changed["caption"], changed["version"], changed["bbox"]) == ("One kitten.", 2, ZEROS)
    assert exported(case, "captions") == [wanted | {"caption": "One kitten."}]
    history = case.api.get(f"{url(made)}/history").json()["items"]
    assert [entry["caption"] for entry in history] == ["One kitten.", made["caption"]]

    assert code_of(case.patch(changed, caption=None)) == (422, "geometry_missing")
    assert code_of(case.patch(changed, caption="")) == (422, "geometry_missing")
    assert case.delete(changed).status_code == 204
    assert exported(case, "captions") == []
    restored = case.restore(changed, 1).json()
    assert (restored["task"], restored["caption"]) == ("captions", made["caption"])


def test_what_is_no_caption(case: Case) -> None:
    for text in ("", None):
        assert code_of(case.api.post(case.path, json={"caption": text}))[0] == 422
    for wrong in (7, ["a"]):
        assert code_of(case.api.post(case.path, json={"caption": wrong})) == (422, "invalid")
    answer = case.api.post(
        case.path,
        content=b'{"caption": "\\ud83d"}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in (400, 422), answer.text
    assert case.api.get(case.path).json()["items"] == []


def test_an_object_with_a_caption_is_an_object(case: Case) -> None:
    made = case.make(bbox=[1, 2, 3, 4], caption="the left one")
    assert made["task"] == "instances"
    assert exported(case, "captions") == []
    assert exported(case, "instances")[0]["caption"] == "the left one"


def test_a_caption_may_become_an_object(case: Case) -> None:
    made = caption(case, "A cat.", category_id=case.category.id)
    assert made["task"] == "captions"
    changed = case.patch(made, bbox=[1, 2, 3, 4]).json()
    assert (changed["task"], changed["bbox"]) == ("instances", [1, 2, 3, 4])
    assert exported(case, "captions") == []
    assert len(exported(case, "instances")) == 1
    assert case.restore(changed, 1).json()["task"] == "captions"
    assert len(exported(case, "captions")) == 1


def test_an_object_has_a_category_whatever_its_caption_says(case: Case) -> None:
    missing = (422, "category_missing")
    for shape in ({"bbox": [1, 2, 3, 4]}, {"segmentation": [[1, 1, 9, 1, 9, 9]]}):
        assert code_of(case.api.post(case.path, json={"caption": "A cat.", **shape})) == missing
        assert code_of(case.patch(caption(case, "A cat."), **shape)) == missing
    made = case.make(bbox=[1, 2, 3, 4], caption="the left one")
    assert code_of(case.patch(made, category_id=None)) == missing
    assert [record["id"] for record in exported(case, "instances")] == [made["coco_id"]]


def test_a_caption_alone_may_lose_its_category(case: Case) -> None:
    made = caption(case, "A cat.", category_id=case.category.id)
    assert case.patch(made, category_id=None).json()["category_id"] is None
    named = label(case).json()
    written = case.patch(named, category_id=None, caption="A cat.").json()
    assert (written["task"], written["category_id"]) == ("captions", None)
    assert [one["caption"] for one in exported(case, "captions")] == ["A cat."] * 2


def test_a_caption_that_a_file_brought_with_a_box_is_written_on(
    case: Case, session: Session
) -> None:
    record = '{"id":7,"image_id":1,"caption":"A cat.","bbox":[1,2,3,4]}'
    box = (1, 2, 3, 4)
    row = make_imported(session, image=case.image, record=record, area=12, bbox=box)
    given = case.api.get(f"/api/annotations/{row.id}").json()
    changed = case.patch(given, caption="Two cats.")
    assert changed.status_code == 200, changed.text
    session.refresh(row)
    assert json.loads(row.record) == json.loads(record) | {"caption": "Two cats."}


def test_a_label_from_first_to_last(case: Case) -> None:
    answer = label(case, attributes={"by": "eye"}, client_key="k")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["task"], made["category_id"]) == ("labels", case.category.id)
    assert (made["bbox"], made["segmentation"], made["caption"]) == (ZEROS, None, None)
    assert label(case, attributes={"by": "eye"}, client_key="k").json()["id"] == made["id"]
    wanted = {
        "id": made["coco_id"],
        "image_id": case.image.coco_id,
        "category_id": case.category.coco_id,
        "attributes": {"by": "eye"},
    }
    assert exported(case, "labels") == [wanted]
    assert exported(case, "instances") == []
    changed = case.patch(made, category_id=case.person.id).json()
    assert exported(case, "labels") == [wanted | {"category_id": case.person.coco_id}]
    assert case.api.get(case.path).json()["items"] == [changed]
    assert case.api.delete(url(made), headers=seen(changed)).status_code == 204


def test_a_label_is_of_the_whole_image(case: Case) -> None:
    assert code_of(label(case, bbox=[1, 2, 3, 4])) == (422, "label_expected")
    assert code_of(label(case, caption="A cat.")) == (422, "label_expected")
    assert code_of(label(case, category_id=None)) == (422, "category_missing")
    assert code_of(case.post()) == (422, "geometry_missing")
    assert code_of(case.post(task="instances")) == (422, "invalid")


def test_pictures_show_none_of_them(case: Case) -> None:
    """They have no place in the image: nothing is drawn, and nothing fails."""
    empty = case.api.get(f"/api/images/{case.image.id}/overlay").raise_for_status().content
    caption(case, "A cat.")
    assert label(case).status_code == 201
    drawn = case.api.get(f"/api/images/{case.image.id}/overlay").raise_for_status().content
    assert drawn == empty
