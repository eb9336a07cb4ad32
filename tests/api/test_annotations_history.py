"""Every version is kept, anybody's; two changes of the same version never both win."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.api.annotations import VersionOut
from app.api.paging import Page
from app.models import AnnotationVersion, User
from app.services.datasets import counts
from tests.api.annotation_case import SQUARE, Case, build_case, code_of, seen, url
from tests.build import make_imported, make_member
from tests.conftest import ApiClient


@pytest.fixture
def case(session: Session, client_for: Callable[[User], ApiClient]) -> Case:
    return build_case(session, client_for)


def history(case: Case, annotation: dict[str, Any], query: str = "") -> dict[str, Any]:
    answer = case.api.get(f"{url(annotation)}/history{query}")
    assert answer.status_code == 200
    Page[VersionOut].model_validate(answer.json())
    found: dict[str, Any] = answer.json()
    return found


def test_every_version_and_who_made_it(
    case: Case, session: Session, client_for: Callable[[User], ApiClient]
) -> None:
    other = make_member(session, dataset=case.dataset, role="annotator")
    first = case.make(segmentation=[SQUARE])
    second = client_for(other).patch(url(first), json={"iscrowd": 1}, headers=seen(first)).json()
    case.delete(second)
    newest, middle, oldest = history(case, first)["items"]
    author = {"id": other.id, "email": other.email, "name": other.name}
    assert middle == second | {"deleted": False, "author": author}
    assert {name: oldest[name] for name in first} == first
    assert [v["author"]["id"] for v in (newest, middle, oldest)] == [
        case.owner.id, other.id, case.owner.id,
    ]  # fmt: skip
    assert [v["deleted"] for v in (newest, middle, oldest)] == [True, False, False]
    assert [v["version"] for v in (newest, middle, oldest)] == [3, 2, 1]
    assert newest["updated_at"] > middle["updated_at"] > oldest["updated_at"]


def test_a_history_in_pages(case: Case) -> None:
    annotation = case.make(bbox=[1, 1, 5, 5])
    for n in range(4):
        annotation = case.patch(annotation, score=n).json()
    found, query = [], "?limit=2"
    for _ in range(3):
        page = history(case, annotation, query)
        found.append([item["version"] for item in page["items"]])
        query = f"?limit=2&cursor={page['next_cursor']}"
    assert found == [[5, 4], [3, 2], [1]]
    assert page["next_cursor"] is None


def test_an_imported_annotation_has_an_author_from_its_first_edit_on(
    case: Case, session: Session
) -> None:
    make_imported(session, image=case.image, category=case.category, record='{"id": 77}')
    annotation = case.api.get(case.path).json()["items"][0]
    case.patch(annotation, iscrowd=1)
    newest, imported = history(case, annotation)["items"]
    assert (newest["author"]["id"], imported["author"]) == (case.owner.id, None)


def test_an_earlier_version_comes_back_with_the_text_of_its_numbers(
    case: Case, session: Session
) -> None:
    text = '{"id": 77, "area": 480.50, "bbox": [1.0, 2, 3, 4], "extra": 1e2, "iscrowd": 0}'
    row = make_imported(session, image=case.image, record=text, area=480.5, bbox=(1, 2, 3, 4))
    first = case.api.get(case.path).json()["items"][0]
    second = case.patch(first, bbox=[9, 9, 9, 9], area=1, iscrowd=1).json()
    restored = case.restore(second, 1)
    assert restored.headers["ETag"] == '"3"'
    changing = {"version", "updated_at", "updated_by"}
    assert {k: v for k, v in restored.json().items() if k not in changing} == {
        k: v for k, v in first.items() if k not in changing
    }
    session.refresh(row)
    assert row.record == text
    assert (row.area, row.bbox, row.iscrowd) == (480.5, [1, 2, 3, 4], False)


def test_a_deleted_annotation_comes_back(case: Case, session: Session) -> None:
    annotation = case.make(segmentation=[SQUARE])
    case.delete(annotation)
    for version in (1, 2):
        restored = case.restore(annotation, version).json()
        assert restored["segmentation"] == [SQUARE]
        assert case.api.get(case.path).json()["items"] == [restored]
        session.expire_all()
        assert case.image.annotation_count == 1
        case.delete(restored)
    session.expire_all()
    assert case.image.annotation_count == 0
    found = counts.progress(session, dataset_ids=[case.dataset.id])[case.dataset.id]
    assert (found.images, found.annotations) == (1, 0)


def test_what_cannot_be_restored(case: Case) -> None:
    annotation = case.make(bbox=[1, 1, 5, 5])
    assert case.restore(annotation, 1).json() == annotation
    assert code_of(case.restore(annotation, 2)) == (422, "version_unknown")
    assert code_of(case.restore(annotation, 0)) == (422, "invalid")
    body = {"version": 1}
    for header, expected in (('"7"', (412, "stale_version")), ("7", (400, "if_match_invalid"))):
        answer = case.api.post(
            f"{url(annotation)}/restore", json=body, headers={"If-Match": header}
        )
        assert code_of(answer) == expected


def test_a_version_whose_category_is_gone_is_not_brought_back(case: Case) -> None:
    annotation = case.make(bbox=[1, 1, 5, 5])
    moved = case.patch(annotation, category_id=case.person.id).json()
    case.delete(moved)
    assert case.api.delete(f"/api/categories/{case.category.id}").status_code == 204
    assert code_of(case.restore(annotation, 1)) == (409, "category_deleted")
    assert case.restore(annotation, 2).json()["category_id"] == case.person.id


def at_once(app: FastAPI, case: Case, requests: list[tuple[str, str, Any, dict[str, str]]]) -> Any:
    """Send requests from as many threads, all let loose at the same moment."""
    start = threading.Barrier(len(requests))
    answers: list[Any] = [None] * len(requests)
    authorization = {"Authorization": case.api.headers["Authorization"]}

    def send(place: int, method: str, path: str, body: Any, headers: dict[str, str]) -> None:
        with ApiClient(app, Session()) as client:
            start.wait()
            answers[place] = client.request(
                method, path, json=body, headers=authorization | headers
            )

    threads = [
        threading.Thread(target=send, args=(place, *request))
        for place, request in enumerate(requests)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers


def test_of_many_changes_of_one_version_exactly_one_wins(
    app: FastAPI, case: Case, session: Session
) -> None:
    annotation = case.make(bbox=[1, 1, 5, 5])
    answers = at_once(
        app,
        case,
        [("PATCH", url(annotation), {"score": n}, seen(annotation)) for n in range(8)],
    )
    won = [answer for answer in answers if answer.status_code == 200]
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    assert {a.json()["current"]["version"] for a in answers if a.status_code == 412} == {2}
    assert case.api.get(url(annotation)).json() == won[0].json()
    assert session.scalar(select(func.count()).select_from(AnnotationVersion)) == 1
    session.expire_all()
    assert case.image.revision == 2


def test_counters_are_right_when_everybody_works_on_one_image(
    app: FastAPI, case: Case, session: Session
) -> None:
    present = [case.make(bbox=[n, 1, 5, 5]) for n in range(3)]
    body = {"category_id": case.category.id, "bbox": [1, 1, 5, 5]}
    twins = body | {"client_key": "the same"}
    answers = at_once(
        app,
        case,
        [("POST", case.path, body, {})] * 4
        + [("POST", case.path, twins, {})] * 4
        + [("DELETE", url(annotation), None, seen(annotation)) for annotation in present],
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 8 + [204] * 3
    assert len({answer.json()["id"] for answer in answers[4:8]}) == 1
    items = case.api.get(case.path).json()["items"]
    assert len(items) == len({item["coco_id"] for item in items}) == 5
    session.expire_all()
    assert (case.image.annotation_count, case.image.revision) == (5, 3 + 4 + 1 + 3)
    found = counts.progress(session, dataset_ids=[case.dataset.id])[case.dataset.id]
    assert (found.images, found.annotations) == (1, 5)
