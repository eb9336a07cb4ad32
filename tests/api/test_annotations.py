"""Annotations over HTTP: made, listed, changed and deleted, and every way to get it wrong."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.api.annotations import AnnotationOut
from app.api.paging import Page
from app.models import Annotation, User
from app.services.datasets import counts
from tests.api.annotation_case import INNER, SQUARE, Case, build_case, code_of, seen, url
from tests.build import make_category, make_dataset, make_image, make_imported, make_member
from tests.conftest import ApiClient

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def case(session: Session, client_for: Callable[[User], ApiClient]) -> Case:
    return build_case(session, client_for)


def row_of(session: Session, annotation: dict[str, Any]) -> Annotation:
    return session.scalars(select(Annotation).where(Annotation.id == annotation["id"])).one()


# Making -----------------------------------------------------------------------------------------


def test_everything_at_once(case: Case, session: Session) -> None:
    fields = {
        "category_id": case.person.id,
        "segmentation": [SQUARE, [50, 50, 60, 50, 60, 60]],
        "holes": [INNER],
        "bbox": [5, 5, 70.5, 60],
        "iscrowd": 1,
        "keypoints": [12, 13.5, 2, 0, 0, 0, 20, 20, 1],
        "attributes": {"occluded": True, "note": ["a", None, {"b": 1}]},
        "score": 0.875,
        "caption": "a square\nwith a hole",
    }
    answer = case.post(**fields)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"1"'
    assert {name: made[name] for name in fields} == fields
    assert (made["num_keypoints"], made["version"], made["coco_id"]) == (2, 1, 1)
    assert made["created_by"] == made["updated_by"] == case.owner.id
    assert made["created_at"] == made["updated_at"]
    AnnotationOut.model_validate(made, extra="forbid")
    shown = case.api.get(url(made))
    assert (shown.json(), shown.headers["ETag"]) == (made, '"1"')
    record = json.loads(row_of(session, made).record)
    assert (record["id"], record["image_id"]) == (1, case.image.coco_id)
    assert set(record["segmentation"]) == {"size", "counts"}
    assert made["area"] == 375 + 45


def test_the_image_and_the_counters_follow(case: Case, session: Session) -> None:
    made = [case.make(bbox=[1, 1, 5, 5]) for _ in range(3)]
    assert [annotation["coco_id"] for annotation in made] == [1, 2, 3]
    case.delete(made[1])
    session.expire_all()
    assert case.image.status == "in_progress"
    assert (case.image.annotation_count, case.image.revision) == (2, 4)
    progress = counts.progress(session, dataset_ids=[case.dataset.id])[case.dataset.id]
    assert (progress.images, progress.annotations) == (1, 2)
    assert progress.by_status["in_progress"] == 1


@pytest.mark.parametrize(
    ("status", "after_change", "after_making"),
    [
        ("new", "in_progress", "in_progress"),
        ("in_progress", "in_progress", "in_progress"),
        ("done", "done", "done"),
        ("empty", "empty", "in_progress"),
    ],
)
def test_work_begins_with_the_first_change(
    case: Case, session: Session, status: str, after_change: str, after_making: str
) -> None:
    image = make_image(session, dataset=case.dataset, status=status)
    row = make_imported(session, image=image, category=case.category, record='{"id": 90}')
    annotation = case.api.get(f"/api/annotations/{row.id}").json()
    case.patch(annotation, iscrowd=1)
    session.refresh(image)
    assert image.status == after_change
    body = {"category_id": case.category.id, "bbox": [1, 1, 2, 2]}
    case.api.post(f"/api/images/{image.id}/annotations", json=body)
    session.refresh(image)
    assert image.status == after_making
    found = counts.progress(session, dataset_ids=[case.dataset.id])[case.dataset.id]
    assert found.by_status[after_making] == 1
    assert (found.images, found.annotations) == (2, 2)


def test_numbers_pass_through_as_they_were_written(case: Case, session: Session) -> None:
    polygon = "[[10.50,1e1,30.0,10,3E+1,30.25,-0.0,12.125000000000000001]]"
    body = (
        f'{{ "category_id": {case.category.id}, "segmentation": {polygon},\n'
        ' "score": 0.50, "attributes": {"n": [1.10, 12345678901234567890, "\\u00e9"]} }'
    )
    answer = case.api.post(case.path, content=body, headers=JSON)
    assert answer.status_code == 201, answer.text
    listed = case.api.get(case.path)
    for text in (answer.text, listed.text, row_of(session, answer.json()).record):
        assert f'"segmentation":{polygon}' in text
        assert '"score":0.50' in text
        assert '"attributes":{"n":[1.10,12345678901234567890,"\\u00e9"]}' in text


def test_attributes_that_nobody_touched_keep_their_text(case: Case, session: Session) -> None:
    body = (
        f'{{"category_id": {case.category.id}, "bbox": [1, 1, 5, 5],'
        ' "attributes": {"a": 1.0, "b": [2.50], "c": 3.0, "d": 1}}'
    )
    made = case.api.post(case.path, content=body, headers=JSON).json()
    # As a browser sends them: it knows no difference between 1.0 and 1.
    changed = case.patch(made, attributes={"a": 1, "b": [2.5], "c": 4, "d": True}).json()
    record = row_of(session, changed).record
    assert '"attributes":{"a":1.0,"b":[2.50],"c":4,"d":true}' in record


def test_one_attribute_is_changed_and_the_others_keep_numbers_that_no_client_can_hold(
    case: Case, session: Session
) -> None:
    attributes = '{"id":12345678901234567890,"n":[1.10],"a":1,"b":"x"}'
    body = (
        f'{{"category_id": {case.category.id}, "bbox": [1, 1, 5, 5], "attributes": {attributes}}}'
    )
    made = case.api.post(case.path, content=body, headers=JSON).json()
    patch = {"a": 2.5, "b": None, "c": {"d": None}, "absent": None}
    changed = case.patch(made, attributes_patch=patch).json()
    record = row_of(session, changed).record
    assert '"attributes":{"id":12345678901234567890,"n":[1.10],"a":2.5,"c":{"d":null}}' in record
    assert changed["version"] == 2

    # Null itself is no patch.
    none = case.patch(changed, attributes_null=["n", "new"], attributes_patch={"a": 3}).json()
    record = row_of(session, none).record
    assert (
        '"attributes":{"id":12345678901234567890,"n":null,"a":3,"c":{"d":null},"new":null}'
        in record
    )
    assert case.patch(none, attributes_null=["n"]).json() == none
    assert case.patch(none, attributes_null=None).json() == none
    refused = case.patch(none, attributes_null=[7])
    assert (refused.status_code, refused.json()["errors"][0]["loc"][-2:]) == (
        422,
        ["attributes_null", 0],
    )
    changed = none

    # What changes nothing makes no version, and together with attributes those come first.
    assert case.patch(changed, attributes_patch={"a": 3, "absent": None}).json() == changed
    assert case.patch(changed, attributes_patch={}).json() == changed
    assert case.patch(changed, attributes_patch=None).json() == changed
    both = case.patch(changed, attributes={"e": 1}, attributes_patch={"f": 2}).json()
    assert both["attributes"] == {"e": 1, "f": 2}
    gone = case.patch(both, attributes_patch={"e": None, "f": None}).json()
    assert gone["attributes"] == {}
    refused = case.patch(gone, attributes_patch=[1])
    assert (refused.status_code, refused.json()["errors"][0]["loc"][-1]) == (
        422,
        "attributes_patch",
    )
    long = case.patch(gone, attributes_patch={"a": "x" * 100_000})
    assert (long.status_code, long.json()["errors"][0]["code"]) == (422, "attributes_too_long")


def test_a_second_try_with_the_same_key_makes_no_twin(case: Case, session: Session) -> None:
    made = case.make(bbox=[1, 1, 5, 5], client_key="one")
    again = case.post(bbox=[1, 1, 5, 5], client_key="one")
    assert (again.status_code, again.json()) == (201, made)
    # Who never heard an answer knows it by the key.
    assert [each["client_key"] for each in case.api.get(case.path).json()["items"]] == ["one"]
    visit = case.api.get(f"/api/images/{case.image.id}/visit").json()
    assert visit["annotations"]["items"] == [made]
    changed = case.patch(made, iscrowd=1).json()
    assert case.make(bbox=[1, 1, 5, 5], client_key="one") == changed
    assert case.make(bbox=[1, 1, 5, 5], client_key="two")["id"] != made["id"]
    other = make_image(session, dataset=case.dataset)
    body = {"category_id": case.category.id, "bbox": [1, 1, 5, 5], "client_key": "one"}
    assert (
        case.api.post(f"/api/images/{other.id}/annotations", json=body).json()["id"] != made["id"]
    )
    case.delete(changed)
    refused = case.post(bbox=[1, 1, 5, 5], client_key="one")
    assert code_of(refused) == (409, "annotation_deleted")
    session.expire_all()
    assert case.image.annotation_count == 1


# Listing ----------------------------------------------------------------------------------------


def test_pages_in_the_order_of_making(case: Case) -> None:
    made = [case.make(bbox=[n, 1, 5, 5]) for n in range(6)]
    case.delete(made.pop(2))
    first = case.api.get(f"{case.path}?limit=3").json()
    Page[AnnotationOut].model_validate(first)
    assert first["items"] == made[:3]
    # What comes and goes meanwhile neither repeats nor hides a row of the next page.
    made.append(case.make(bbox=[9, 9, 1, 1]))
    case.delete(made[0])
    rest = case.api.get(f"{case.path}?limit=3&cursor={first['next_cursor']}").json()
    assert rest == {"items": made[3:], "next_cursor": None}


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "cursor=nonsense"])
def test_a_list_refuses_what_is_no_page(case: Case, query: str) -> None:
    assert case.api.get(f"{case.path}?{query}").status_code in (400, 422)


ODD_RECORDS = [
    ('{"id":1,"segmentation":[]}', {"segmentation": None, "keypoints": None}),
    ('{"id":1,"segmentation":[ [ ] ],"keypoints":[]}', {"segmentation": None, "keypoints": None}),
    ('{"id":1,"segmentation":null,"bbox":null,"area":null}',
     {"bbox": [10, 20, 30, 40], "area": 1200}),
    ('{"id":1,"bbox":[1,2,3],"area":"big"}', {"bbox": [10, 20, 30, 40], "area": 1200}),
    ('{"id":1,"bbox":[1,2,3,4.50],"area":480.5}', {"bbox": [1, 2, 3, 4.5], "area": 480.5}),
    ('{"id":"x","attributes":[],"score":"high","caption":5}',
     {"coco_id": "x", "attributes": {}, "score": None, "caption": None}),
    ('{"id":1,"keypoints":[1,2,2,3,4,0]}', {"keypoints": [1, 2, 2, 3, 4, 0], "num_keypoints": 1}),
    ('{"id":1,"keypoints":[1,2,2],"num_keypoints":17}', {"num_keypoints": 17}),
    ('{"id":1,"keypoints":["a"]}', {"keypoints": None, "num_keypoints": None}),
    ('{"bbox":[1,2,3,4]}', {"coco_id": None}),
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), ODD_RECORDS)
def test_odd_imported_records_are_shown_in_the_one_shape(
    case: Case, session: Session, record: str, expected: dict[str, Any]
) -> None:
    make_imported(session, image=case.image, category=case.category, record=record)
    item = case.api.get(case.path).json()["items"][0]
    AnnotationOut.model_validate(item, extra="forbid")
    assert {name: item[name] for name in expected} == expected


def test_geometry_that_was_read_generously_is_shown_as_it_was_read(
    case: Case, session: Session
) -> None:
    record = '{"id":1,"segmentation":[1,1,9,1,9,9],"iscrowd":"1"}'
    shape = '{"segmentation":[[1,1,9,1,9,9]],"holes":[]}'
    make_imported(session, image=case.image, category=case.category, record=record, shape=shape,
                  iscrowd=True)  # fmt: skip
    item = case.api.get(case.path).json()["items"][0]
    assert (item["segmentation"], item["iscrowd"]) == ([[1, 1, 9, 1, 9, 9]], 1)
    assert item["other_keys"] == ["segmentation"]


# Changing ---------------------------------------------------------------------------------------

RECORD = (
    '{"zeta": 1E+2, "segmentation": [[10.50, 10, 30, 10.0, 30, 30]], "area": 480.50,'
    ' "bbox": [10.5, 10, 19.50, 2e1], "iscrowd": 0, "id": 9001000000123,'
    ' "extra": {"b": -0.0, "a": [1.10]}, "category_id": 7.0, "image_id": "5"}'
)


def test_an_imported_record_changes_in_the_one_member_that_is_edited(
    case: Case, session: Session
) -> None:
    row = make_imported(session, image=case.image, category=case.category, record=RECORD)
    listed = case.api.get(case.path)
    assert '"area":480.50,' in listed.text
    assert '"bbox":[10.5, 10, 19.50, 2e1]' in listed.text
    annotation = listed.json()["items"][0]
    answer = case.api.patch(
        url(annotation), content='{"iscrowd": 1}', headers={**JSON, **seen(annotation)}
    )
    assert answer.status_code == 200
    session.refresh(row)
    compact = (
        '{"zeta":1E+2,"segmentation":[[10.50, 10, 30, 10.0, 30, 30]],"area":480.50,'
        '"bbox":[10.5, 10, 19.50, 2e1],"iscrowd":1,"id":9001000000123,'
        '"extra":{"b": -0.0, "a": [1.10]},"category_id":7.0,"image_id":"5"}'
    )
    assert row.record == compact
    assert (row.version, row.updated_by, row.created_by) == (2, case.owner.id, None)


def test_a_change_that_changes_nothing_makes_no_version(case: Case, session: Session) -> None:
    row = make_imported(session, image=case.image, category=case.category, record=RECORD)
    annotation = case.api.get(case.path).json()["items"][0]
    revision = case.image.revision
    answer = case.patch(annotation, iscrowd=False, segmentation=annotation["segmentation"],
                        area=480.5, category_id=case.category.id, score=None)  # fmt: skip
    assert (answer.json(), answer.headers["ETag"]) == (annotation, '"1"')
    session.expire_all()
    assert (row.record, row.updated_by, case.image.revision) == (RECORD, None, revision)


def test_another_category(case: Case, session: Session) -> None:
    annotation = case.make(bbox=[1, 1, 5, 5])
    changed = case.patch(annotation, category_id=case.person.id).json()
    assert (changed["category_id"], changed["version"]) == (case.person.id, 2)
    record = json.loads(row_of(session, changed).record)
    assert record["category_id"] == case.person.coco_id


def test_geometry_and_what_follows_from_it(case: Case) -> None:
    annotation = case.make(segmentation=[SQUARE])
    moved = case.patch(annotation, segmentation=[[0, 0, 10, 0, 10, 10, 0, 10]]).json()
    assert (moved["bbox"], moved["area"]) == ([0, 0, 10, 10], 100)
    boxed = case.patch(moved, bbox=[0, 0, 50, 50]).json()
    assert (boxed["bbox"], boxed["area"]) == ([0, 0, 50, 50], 100)
    pierced = case.patch(boxed, holes=[[2, 2, 4, 2, 4, 4, 2, 4]]).json()
    assert (pierced["bbox"], pierced["area"]) == ([0, 0, 10, 10], 96)
    bare = case.patch(pierced, segmentation=None, holes=[]).json()
    assert (bare["segmentation"], bare["holes"], bare["area"]) == (None, [], 100)


# Versions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, (428, "version_required")),
        ('"1"', (412, "stale_version")),
        ('"1", "3"', (412, "stale_version")),
        ('W/"2"', (412, "stale_version")),
        ('"two"', (412, "stale_version")),
        ('"02"', (412, "stale_version")),
        ("2", (400, "if_match_invalid")),
        ('"2', (400, "if_match_invalid")),
        ('"2" "3"', (400, "if_match_invalid")),
        ("", (400, "if_match_invalid")),
        ('"2"', None),
        ('"1" , "2"', None),
        ("*", None),
    ],
)
def test_a_change_says_what_it_is_based_on(
    case: Case, method: str, header: str | None, expected: tuple[int, str] | None
) -> None:
    annotation = case.patch(case.make(bbox=[1, 1, 5, 5]), iscrowd=1).json()
    headers = {} if header is None else {"If-Match": header}
    body = {"json": {"score": 0.5}} if method == "PATCH" else {}
    answer = case.api.request(method, url(annotation), headers=headers, **body)
    if expected is None:
        assert answer.status_code in (200, 204)
        return
    assert code_of(answer) == expected
    if expected[0] == 412:
        assert answer.json()["current"] == annotation
    assert case.api.get(url(annotation)).json() == annotation


def test_the_present_state_comes_as_it_is_kept(case: Case) -> None:
    """A stale change is told the numbers as they were sent, even one that no float can hold."""
    body = f'{{"category_id": {case.category.id}, "bbox": [1.50, 1, 5, 5], '
    body += '"attributes": {"huge": 1e400}}'
    headers = {"Content-Type": "application/json"}
    made = case.api.post(case.path, content=body, headers=headers).json()
    answer = case.api.patch(url(made), json={"score": 1}, headers={"If-Match": '"7"'})
    assert code_of(answer) == (412, "stale_version")
    assert '"current":{' in answer.text
    assert '"huge":1e400' in answer.text
    assert "[1.50,1,5,5]" in answer.text


def test_a_client_that_has_the_present_version_need_not_get_it_again(case: Case) -> None:
    annotation = case.make(bbox=[1, 1, 5, 5])
    for header, status in (('"1"', 304), ('W/"1"', 304), ("*", 304), ('"2"', 200), ("x", 200)):
        answer = case.api.get(url(annotation), headers={"If-None-Match": header})
        assert answer.status_code == status
        assert answer.headers["ETag"] == '"1"'


def test_a_deleted_annotation_is_gone_but_for_its_history(case: Case) -> None:
    annotation = case.make(bbox=[1, 1, 5, 5])
    assert case.delete(annotation).status_code == 204
    for answer in (
        case.api.get(url(annotation)),
        case.patch(annotation, iscrowd=1),
        case.delete(annotation),
        case.draw(annotation, "to_mask"),
    ):
        assert code_of(answer) == (404, "annotation_deleted")
    assert case.api.get(case.path).json()["items"] == []
    assert case.api.get(f"{url(annotation)}/history").status_code == 200


# Refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code", "loc"),
    [
        ({"id": 5, "bbox": [0, 0, 1, 1]}, "invalid", "id"),
        ({"version": 5, "bbox": [0, 0, 1, 1]}, "invalid", "version"),
        ({"bbox": [0, 0, 1]}, "invalid", "bbox"),
        ({"bbox": ["0", 0, 1, 1]}, "invalid", "bbox"),
        ({"bbox": [True, 0, 1, 1]}, "invalid", "bbox"),
        ({"bbox": [0, 0, 1, 1], "iscrowd": 2}, "invalid", "iscrowd"),
        ({"bbox": [0, 0, 1, 1], "iscrowd": "1"}, "invalid", "iscrowd"),
        ({"bbox": [0, 0, 1, 1], "area": -1}, "invalid", "area"),
        ({"bbox": [0, 0, 1, 1], "score": "high"}, "invalid", "score"),
        ({"bbox": [0, 0, 1, 1], "attributes": []}, "invalid", "attributes"),
        ({"bbox": [0, 0, 1, 1], "category_id": "1"}, "invalid", "category_id"),
        ({"bbox": [0, 0, 1, 1], "category_id": 999_999}, "category_unknown", "category_id"),
        ({"bbox": [0, 0, 1, 1], "category_id": None}, "category_missing", "category_id"),
        ({"caption": "a\x00b"}, "invalid", "caption"),
        ({"segmentation": [[1, 2, 3, 4]]}, "polygon_too_few_points", "segmentation"),
        ({"segmentation": {"size": [80, 101], "counts": [8080]}}, "size_mismatch", "segmentation"),
        ({"keypoints": [1, 1, 2]}, "keypoints_unknown", "keypoints"),
        ({"keypoints": [1, 1]}, "keypoints_unknown", "keypoints"),
        ({"bbox": [0, 0, 1, 1], "client_key": "x" * 201}, "invalid", "client_key"),
    ],
)
def test_bad_annotations_are_refused_by_place(
    case: Case, session: Session, fields: dict[str, Any], code: str, loc: str
) -> None:
    answer = case.post(**fields)
    assert code_of(answer) == (422, code)
    assert answer.json()["errors"][0]["loc"][:2] == ["body", loc]
    made = case.make(bbox=[0, 0, 1, 1])
    if "client_key" not in fields and code != "category_missing":
        assert code_of(case.patch(made, **fields)) == (422, code)
    session.expire_all()
    assert case.image.annotation_count == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"bbox": [0, 0, 1, NaN]}', (422, "invalid")),
        ('{"segmentation": [[0, 0, 1, Infinity, 5, 5]]}', (422, "not_finite")),
        ('{"bbox": [0, 0, 1, 1], "attributes": {"a": [NaN]}}', (422, "not_finite")),
        ('{"bbox": [0, 0, 1, 1e999]}', (422, "invalid")),
        ('{"bbox": [0, 0, 1, %s]}' % ("9" * 400), (422, "invalid")),
        ('{"segmentation": [[0, 0, 1, %s, 5, 5]]}' % ("9" * 400), (422, "polygon_too_large")),
        ('{"score": %s, "bbox": [0, 0, 1, 1]}' % ("9" * 400), (422, "invalid")),
        (
            '{"segmentation": {"size": [80, %s], "counts": [1]}}' % ("9" * 400),
            (422, "image_too_large"),
        ),
        (
            '{"segmentation": {"size": [80, 100], "counts": [%s]}}' % ("9" * 400),
            (422, "rle_overrun"),
        ),
        ('{"bbox": [0, 0, 1, %s]}' % ("9" * 5000), (400, "malformed")),
        ('{"bbox": [0, 0, 1, 1], "attributes": {"a": "\\ud800"}}', (400, "malformed")),
        ('{"bbox": [0, 0, 1, 1]', (400, "malformed")),
        ("", (422, "invalid")),
        ("[]", (422, "invalid")),
        ("null", (422, "invalid")),
        ('{"bbox": [0, 0, 1, 01]}', (400, "malformed")),
        ("[" * 100_000, (400, "malformed")),
    ],
    ids=lambda value: str(value)[:50],
)
def test_bodies_that_are_no_json(case: Case, body: str, expected: tuple[int, str]) -> None:
    assert code_of(case.api.post(case.path, content=body, headers=JSON)) == expected


def test_another_type_of_body(case: Case) -> None:
    answer = case.api.post(case.path, content="x=1", headers={"Content-Type": "text/plain"})
    assert code_of(answer) == (415, "wrong_type")


def test_utf_16_is_not_read_as_something_else(case: Case) -> None:
    body = json.dumps({"category_id": case.category.id, "bbox": [0, 0, 1, 1]}).encode("utf-16")
    assert code_of(case.api.post(case.path, content=body, headers=JSON)) == (400, "malformed")


def test_a_category_of_another_dataset_is_unknown(case: Case, session: Session) -> None:
    elsewhere = make_category(session, dataset=make_dataset(session, owner=case.owner))
    refused = case.post(bbox=[0, 0, 1, 1], category_id=elsewhere.id)
    assert code_of(refused) == (422, "category_unknown")


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("annotator", 201)])
def test_who_may_draw(
    case: Case, session: Session, client_for: Callable[[User], ApiClient], role: str, status: int
) -> None:
    api = client_for(make_member(session, dataset=case.dataset, role=role))
    body = {"category_id": case.category.id, "bbox": [0, 0, 1, 1]}
    assert api.get(case.path).status_code == 200
    assert api.post(case.path, json=body).status_code == status
