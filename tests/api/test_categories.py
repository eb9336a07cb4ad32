"""Categories: what they are to people, and what stays of their imported record."""

import json

import pytest
from sqlalchemy.orm import Session

from app.models import Category, User
from tests.build import make_annotation, make_category, make_dataset, make_image
from tests.conftest import ApiClient


@pytest.fixture
def path(session: Session, owner: User) -> str:
    return f"/api/datasets/{make_dataset(session, owner=owner).id}/categories"


def test_a_category_with_a_skeleton(api: ApiClient, path: str) -> None:
    body = {
        "name": "person",
        "supercategory": "human",
        "color": "#FF0080",
        "keypoints": ["nose", "left_eye", "right_eye"],
        "skeleton": [[1, 2], [1, 3]],
    }
    made = api.post(path, json=body)
    assert made.status_code == 201
    category = made.json()
    assert category["coco_id"] == 1
    assert category["color"] == "#ff0080"
    assert category["skeleton"] == [[1, 2], [1, 3]]
    assert api.get(path).json()["items"] == [category]


def test_new_categories_get_the_next_id_and_distinct_colors(api: ApiClient, path: str) -> None:
    made = [api.post(path, json={"name": f"c{n}"}).json() for n in range(14)]
    assert [category["coco_id"] for category in made] == list(range(1, 15))
    assert len({category["color"] for category in made}) == 14


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "skeleton": [[1, 2]]},
        {"name": "x", "keypoints": ["a", "b"], "skeleton": [[0, 1]]},
        {"name": "x", "keypoints": ["a", "b"], "skeleton": [[1, 3]]},
        {"name": "x", "keypoints": ["a", "b"], "skeleton": [[1]]},
        {"name": "x", "keypoints": ["a", "a"]},
        {"name": "x", "color": "red"},
        {"name": "x", "color": "#12345"},
        {"name": "x", "keypoints": "nose"},
        {"name": ""},
    ],
)
def test_bad_categories_are_refused(api: ApiClient, path: str, body: object) -> None:
    assert api.post(path, json=body).status_code == 422
    assert api.get(path).json()["items"] == []


def test_names_are_unique_among_what_is_made_here(api: ApiClient, path: str) -> None:
    api.post(path, json={"name": "cat"})
    assert api.post(path, json={"name": "cat"}).status_code == 409


def test_an_edit_changes_only_what_it_names(api: ApiClient, session: Session, owner: User) -> None:
    """An imported record keeps unknown members, their order and the text of their numbers."""
    dataset = make_dataset(session, owner=owner)
    text = '{"frequency": "r", "id": 9.0, "name": "cat", "weight": 1.50, "synset": "cat.n.01"}'
    category = Category(dataset_id=dataset.id, coco_id=9, name="cat", color="#112233", record=text)
    session.add(category)
    session.commit()
    answer = api.patch(
        f"/api/categories/{category.id}", json={"name": "kitten", "color": "#445566"}
    )
    assert answer.status_code == 200
    session.expire_all()
    assert category.record == text.replace('"cat"', '"kitten"')
    assert category.color == "#445566"
    assert json.loads(category.record)["id"] == 9


def test_a_used_category_is_not_deleted(api: ApiClient, session: Session, owner: User) -> None:
    dataset = make_dataset(session, owner=owner)
    used, unused = (make_category(session, dataset=dataset) for _ in range(2))
    make_annotation(session, image=make_image(session, dataset=dataset), category=used)
    refused = api.delete(f"/api/categories/{used.id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "category_in_use")
    assert api.delete(f"/api/categories/{unused.id}").status_code == 204
    listed = api.get(f"/api/datasets/{dataset.id}/categories").json()["items"]
    assert [(c["id"], c["annotation_count"]) for c in listed] == [(used.id, 1)]
