"""Single keypoints over HTTP, by the names that the category gives them."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from sqlalchemy.orm import Session

from app.models import User
from tests.api.annotation_case import SQUARE, Case, build_case, code_of, seen, url
from tests.build import make_category, make_imported
from tests.conftest import ApiClient


@pytest.fixture
def case(session: Session, client_for: Callable[[User], ApiClient]) -> Case:
    return build_case(session, client_for)


def test_placing_moving_and_taking_away(case: Case) -> None:
    annotation = case.make(category_id=case.person.id, segmentation=[SQUARE])
    path = f"{url(annotation)}/keypoints"
    placed = case.api.put(f"{path}/left eye", json={"x": 12.5, "y": 13}, headers=seen(annotation))
    assert placed.headers["ETag"] == '"2"'
    annotation = placed.json()
    assert annotation["keypoints"] == [0, 0, 0, 12.5, 13, 2, 0, 0, 0]
    assert annotation["num_keypoints"] == 1
    assert (annotation["bbox"], annotation["area"]) == ([10, 10, 20, 20], 400)
    hidden = {"x": 120, "y": -3, "v": 1}
    annotation = case.api.put(f"{path}/tail", json=hidden, headers=seen(annotation)).json()
    assert annotation["keypoints"][6:] == [120, -3, 1]
    annotation = case.api.delete(f"{path}/left eye", headers=seen(annotation)).json()
    assert annotation["keypoints"] == [0, 0, 0, 0, 0, 0, 120, -3, 1]
    assert (annotation["num_keypoints"], annotation["version"]) == (1, 4)


def test_the_other_keypoints_keep_the_text_of_their_numbers(case: Case, session: Session) -> None:
    record = '{"id":1,"keypoints":[1.50,2,2.0],"num_keypoints":17,"bbox":[0,0,9,9],"area":1.0}'
    row = make_imported(session, image=case.image, category=case.person, record=record)
    annotation = case.api.get(case.path).json()["items"][0]
    answer = case.api.put(
        f"{url(annotation)}/keypoints/tail",
        content='{"y": 7.10, "x": 1e1}',
        headers={**seen(annotation), "Content-Type": "application/json"},
    )
    assert '"keypoints":[1.50,2,2.0,0,0,0,1e1,7.10,2]' in answer.text
    session.refresh(row)
    assert row.record == (
        '{"id":1,"keypoints":[1.50,2,2.0,0,0,0,1e1,7.10,2],"num_keypoints":2,'
        '"bbox":[0,0,9,9],"area":1.0}'
    )


def test_taking_away_what_is_not_there_changes_nothing(case: Case) -> None:
    annotation = case.make(
        category_id=case.person.id, bbox=[1, 1, 5, 5], keypoints=[0] * 6 + [3, 3, 2]
    )
    answer = case.api.delete(f"{url(annotation)}/keypoints/nose", headers=seen(annotation))
    assert answer.json() == annotation


@pytest.mark.parametrize(
    ("name", "body", "header", "expected"),
    [
        ("nose", {"x": 1, "y": 2}, None, (428, "version_required")),
        ("nose", {"x": 1, "y": 2}, '"9"', (412, "stale_version")),
        ("ear", {"x": 1, "y": 2}, '"1"', (404, "keypoint_unknown")),
        ("nose", {"x": 1}, '"1"', (422, "invalid")),
        ("nose", {"x": "1", "y": 2}, '"1"', (422, "invalid")),
        ("nose", {"x": 1, "y": 2, "v": 3}, '"1"', (422, "invalid")),
        ("nose", {"x": 1, "y": 2, "z": 3}, '"1"', (422, "invalid")),
    ],
)
def test_what_is_refused(
    case: Case, name: str, body: object, header: str | None, expected: tuple[int, str]
) -> None:
    annotation = case.make(category_id=case.person.id, bbox=[1, 1, 5, 5])
    headers = {} if header is None else {"If-Match": header}
    answer = case.api.put(f"{url(annotation)}/keypoints/{name}", json=body, headers=headers)
    assert code_of(answer) == expected
    assert case.api.get(url(annotation)).json() == annotation


def test_a_name_may_have_any_characters(case: Case, session: Session) -> None:
    names = ["left/right", "100 %", "a?b#c"]
    category = make_category(session, dataset=case.dataset, keypoints=names)
    annotation = case.make(category_id=category.id, bbox=[1, 1, 5, 5])
    for name in names:
        place = f"{url(annotation)}/keypoints/{quote(name, safe='')}"
        body = {"x": 3, "y": 4}
        answer = case.api.put(place, json=body, headers=seen(annotation))
        assert answer.status_code == 200, answer.text
        annotation = answer.json()
    assert annotation["keypoints"] == [3, 4, 2] * 3
    place = f"{url(annotation)}/keypoints/left%2Fright"
    assert case.api.delete(place, headers=seen(annotation)).json()["keypoints"][:3] == [0, 0, 0]


def test_a_category_without_keypoints_has_none_to_place(case: Case) -> None:
    annotation = case.make(bbox=[1, 1, 5, 5])
    answer = case.api.put(
        f"{url(annotation)}/keypoints/nose", json={"x": 1, "y": 2}, headers=seen(annotation)
    )
    assert code_of(answer) == (404, "keypoint_unknown")


def test_new_bare_keypoints_carry_their_box_along(case: Case, session: Session) -> None:
    points = [1, 2, 2, 5, 8, 1, 0, 0, 0]
    annotation = case.make(category_id=case.person.id, keypoints=points)
    assert (annotation["bbox"], annotation["area"]) == ([1, 2, 4, 6], 24)
    moved = case.api.put(
        f"{url(annotation)}/keypoints/tail", json={"x": 11, "y": 2}, headers=seen(annotation)
    ).json()
    assert (moved["bbox"], moved["area"]) == ([1, 2, 10, 6], 60)
    assert moved["keypoints"][6:] == [11, 2, 2]
