"""Predictions over HTTP: listed apart from the truth, decided about, undone, written out again."""

import json
from collections.abc import Callable
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy.orm import Session

from app.context import AppContext
from app.jobs.runner import run_job
from app.models import Dataset, User
from app.services.predictions import decisions as prediction_decisions
from tests.build import make_member
from tests.build.coco import coco, numbers_as_text, to_bytes
from tests.conftest import ApiClient

RLE = {"size": [6, 8], "counts": [10, 5, 33]}
# Numbers, order and unknown keys as a model wrote them.
TEXT = """[
    {"image_id": 1, "category_id": 1, "bbox": [1.50, 1, 3, 2.0], "score": 0.90, "track": 1e2},
    {"score": 0.5, "category_id": 1, "image_id": 1, "segmentation": {"size": [6, 8],
     "counts": [10, 5, 33]}},
    {"image_id": 1, "category_id": 1, "keypoints": [1.25, 2, 0.8, 5, 4, 2, 0, 0, 0], "score": 0.3},
    {"image_id": 1, "caption": "a cat", "score": 0.1}
]"""
CATEGORY = {"id": 1, "name": "cat", "keypoints": ["nose", "ear", "tail"], "skeleton": [[1, 2]]}


class Case:
    """A dataset with an image of 8 x 6 pixels and the four predictions above."""

    def __init__(self, context: AppContext, api: ApiClient, dataset: Dataset) -> None:
        self.context, self.api, self.dataset = context, api, dataset
        self.import_file(coco(categories=[CATEGORY]))
        self.report = self.import_file(TEXT.encode(), name="model A")
        images = api.get(f"/api/datasets/{dataset.id}/images").json()["items"]
        self.image_id = images[0]["id"]

    def import_file(self, file: Any, **fields: Any) -> dict[str, Any]:
        sent = {"file": ("results.json", to_bytes(file))}
        answer = self.api.post(f"/api/datasets/{self.dataset.id}/imports", files=sent, data=fields)
        assert answer.status_code == 202, answer.text
        run_job(self.context, answer.json()["id"])
        job = self.api.get(f"/api/jobs/{answer.json()['id']}").json()
        assert job["state"] == "succeeded", job
        result: dict[str, Any] = job["result"]
        return result

    @property
    def sets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api.get(self.path).json()["items"]
        return found

    @property
    def path(self) -> str:
        return f"/api/datasets/{self.dataset.id}/predictions"

    def predictions(self, **query: Any) -> list[dict[str, Any]]:
        answer = self.api.get(f"/api/images/{self.image_id}/predictions", params=query)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def annotations(self) -> list[dict[str, Any]]:
        answer = self.api.get(f"/api/images/{self.image_id}/annotations")
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def decide(self, prediction: dict[str, Any], verb: str, **fields: Any) -> httpx.Response:
        return self.api.post(f"/api/predictions/{prediction['id']}/{verb}", json=fields or None)

    def decide_all(self, verb: str, **fields: Any) -> dict[str, Any]:
        answer = self.api.post(f"{self.path}/{self.sets[0]['id']}/{verb}", json=fields)
        assert answer.status_code == 200, answer.text
        outcome: dict[str, Any] = answer.json()
        return outcome

    def results(self, **query: Any) -> bytes:
        answer = self.api.get(f"{self.path}/{self.sets[0]['id']}/results.json", params=query)
        assert answer.status_code == 200, answer.text
        return answer.content

    def exported(self) -> Any:
        answer = self.api.get(f"/api/datasets/{self.dataset.id}/export/instances.json")
        return numbers_as_text(answer.content)["annotations"]


@pytest.fixture
def case(context: AppContext, api: ApiClient, dataset: Dataset) -> Case:
    return Case(context, api, dataset)


def test_sets_and_predictions(case: Case) -> None:
    found = case.sets
    assert [(one["name"], one["total"], one["open"]) for one in found] == [("model A", 4, 4)]
    assert found[0]["id"] == case.report["prediction_set"]["id"]
    box, mask, points, caption = case.predictions()
    assert [one["kind"] for one in (box, mask, points, caption)] == [
        "bbox", "segmentation", "keypoints", "caption",
    ]  # fmt: skip
    corners = [1.5, 1, 1.5, 3, 4.5, 3, 4.5, 1]
    assert (box["segmentation"], box["area"], box["score"]) == ([corners], 6, 0.9)
    assert (mask["segmentation"], mask["area"], mask["bbox"]) == (RLE, 5, [1, 0, 2, 6])
    # All points, the absent one included, as loadRes has it.
    assert (points["bbox"], points["area"]) == ([0, 0, 5, 4], 20)
    assert (caption["caption"], caption["category_id"]) == ("a cat", None)


def test_filters_and_pages(case: Case) -> None:
    assert [one["score"] for one in case.predictions(min_score=0.3)] == [0.9, 0.5, 0.3]
    assert [one["score"] for one in case.predictions(max_score=0.3)] == [0.1]
    assert case.predictions(set=case.sets[0]["id"] + 1) == []
    assert case.predictions(state=["accepted", "rejected"]) == []
    path = f"/api/images/{case.image_id}/predictions"
    first = case.api.get(path, params={"limit": 3}).json()
    rest = case.api.get(path, params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert first["items"] + rest["items"] == case.predictions()
    assert rest["next_cursor"] is None


def test_the_truth_counts_none_of_them(case: Case) -> None:
    shown = case.api.get(f"/api/datasets/{case.dataset.id}").json()
    assert (shown["annotation_count"], case.annotations(), case.exported()) == (0, [], [])
    image = case.api.get(f"/api/images/{case.image_id}").json()
    assert (image["annotation_count"], image["status"]) == (0, "new")


def test_accepting_a_box(case: Case) -> None:
    """It keeps its numbers, its score and what nobody knows, and stays a box."""
    box = case.predictions()[0]
    answer = case.decide(box, "accept")
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["etag"] == '"1"'
    assert case.annotations() == [made]
    assert (made["coco_id"], made["score"], made["segmentation"]) == (1, 0.9, None)
    wanted = """{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [], "area": 6.0,
        "bbox": [1.50, 1, 3, 2.0], "iscrowd": 0, "score": 0.90, "track": 1e2}"""
    assert case.exported() == [numbers_as_text(wanted)]
    image = case.api.get(f"/api/images/{case.image_id}").json()
    assert (image["annotation_count"], image["status"]) == (1, "in_progress")
    shown = case.predictions()[0]
    assert (shown["state"], shown["annotation_id"]) == ("accepted", made["id"])
    assert shown["decided_by"] == made["created_by"]
    assert numbers_as_text(case.results()) == numbers_as_text(TEXT)


def test_accepting_every_kind(case: Case) -> None:
    _, mask, points, caption = case.predictions()
    made = case.decide(mask, "accept").json()
    assert (made["segmentation"], made["area"], made["bbox"]) == (RLE, 5, [1, 0, 2, 6])
    made = case.decide(points, "accept").json()
    # A confidence becomes "visible", and the box is that of the labelled points.
    assert made["keypoints"] == [1.25, 2, 2, 5, 4, 2, 0, 0, 0]
    assert (made["num_keypoints"], made["bbox"]) == (2, [1.25, 2, 3.75, 2])
    made = case.decide(caption, "accept").json()
    assert (made["caption"], made["task"], made["category_id"]) == ("a cat", "captions", None)


def test_accepting_with_changes(case: Case) -> None:
    box, mask, *_ = case.predictions()
    made = case.decide(box, "accept", bbox=[0, 0, 2, 2], score=None).json()
    assert (made["bbox"], made["area"], made["score"]) == ([0, 0, 2, 2], 4, None)
    other = case.api.post(
        f"/api/datasets/{case.dataset.id}/categories", json={"name": "dog"}
    ).json()
    square = [[0, 0, 4, 0, 4, 4, 0, 4]]
    made = case.decide(mask, "accept", category_id=other["id"], segmentation=square).json()
    assert (made["category_id"], made["segmentation"]) == (other["id"], square)
    assert (made["area"], made["bbox"]) == (16, [0, 0, 4, 4])


def test_accepting_with_single_attributes_changed(case: Case) -> None:
    """The others keep their digits, as when an annotation is changed."""
    attributes = '{"long": 9007199254740993, "ratio": 1.50, "side": "left", "worn": true}'
    result = (
        f'{{"image_id": 1, "category_id": 1, "bbox": [1, 1, 3, 2], "attributes": {attributes}}}'
    )
    case.import_file(f"[{result}]".encode(), name="model B", task="results")
    found = case.predictions()[-1]
    patch = {"worn": None, "color": "red"}
    answer = case.decide(found, "accept", attributes_patch=patch, attributes_null=["side"])
    assert answer.status_code == 201, answer.text
    wanted = '{"long": 9007199254740993, "ratio": 1.50, "side": null, "color": "red"}'
    assert case.exported()[0]["attributes"] == numbers_as_text(wanted)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"category_id": 1}, "category_unknown"),
        ({"segmentation": [[1, 2]]}, "polygon_too_few_points"),
        ({"bbox": [1, 2, 0, 0]}, "bbox_empty"),
        ({"surprise": 1}, "extra_forbidden"),
    ],
)
def test_changes_that_are_refused(case: Case, fields: dict[str, Any], code: str) -> None:
    answer = case.decide(case.predictions()[0], "accept", **fields)
    assert answer.status_code == 422
    assert code in answer.text
    assert (case.annotations(), case.predictions()[0]["state"]) == ([], "open")


def test_asking_twice_makes_one_annotation(case: Case) -> None:
    box = case.predictions()[0]
    first, second = case.decide(box, "accept"), case.decide(box, "accept")
    assert (second.status_code, second.json()) == (201, first.json())
    assert len(case.annotations()) == 1


def test_rejecting_and_undoing(case: Case) -> None:
    box = case.predictions()[0]
    assert case.decide(box, "reject").json()["state"] == "rejected"
    assert case.decide(box, "reject").status_code == 200
    assert case.sets[0] | {"open": 3, "rejected": 1} == case.sets[0]
    opened = case.decide(box, "reopen").json()
    assert opened == box
    made = case.decide(box, "accept").json()
    refused = case.decide(box, "reject")
    assert (refused.status_code, refused.json()["code"]) == (409, "prediction_accepted")
    assert case.decide(box, "reopen").json() == box
    assert (case.annotations(), case.exported()) == ([], [])
    again = case.decide(box, "accept").json()
    assert again["coco_id"] == made["coco_id"] + 1


def test_undoing_leaves_what_somebody_edited(case: Case) -> None:
    box = case.predictions()[0]
    made = case.decide(box, "accept").json()
    url = f"/api/annotations/{made['id']}"
    case.api.patch(url, json={"bbox": [0, 0, 2, 2]}, headers={"If-Match": '"1"'})
    refused = case.decide(box, "reopen")
    assert (refused.status_code, refused.json()["code"]) == (409, "annotation_changed")
    case.api.delete(url, headers={"If-Match": '"2"'})
    gone = case.decide(box, "accept")
    assert (gone.status_code, gone.json()["code"]) == (409, "annotation_deleted")
    assert case.decide(box, "reopen").json() == box


def test_decisions_of_somebody_else_are_left_alone(case: Case) -> None:
    """One that is open by now is as good as expected: a first try may have come."""
    box, mask, *_ = case.predictions()
    made = case.decide(box, "accept", expected_state="open").json()
    case.decide(mask, "reject")
    for found, verb, expected, code in (
        (box, "reopen", "rejected", "prediction_accepted"),
        (mask, "reopen", "accepted", "prediction_rejected"),
        (mask, "accept", "open", "prediction_rejected"),
    ):
        refused = case.decide(found, verb, expected_state=expected)
        assert (refused.status_code, refused.json()["code"]) == (409, code)
    assert case.annotations() == [made]
    assert case.decide(box, "accept", expected_state="open").json() == made
    assert case.decide(mask, "reopen", expected_state="rejected").json() == mask
    assert case.decide(mask, "reopen", expected_state="rejected").json() == mask
    assert case.decide(box, "reopen", expected_state="accepted").json() == box
    # Accepted anew, another annotation stands for it.
    anew = case.decide(box, "accept").json()
    for state in (None, "accepted"):
        late = case.decide(box, "reopen", expected_annotation_id=made["id"], expected_state=state)
        assert (late.status_code, late.json()["code"]) == (409, "prediction_accepted")
    assert case.annotations() == [anew]
    assert case.decide(box, "reopen", expected_annotation_id=anew["id"]).json() == box


def test_a_creation_finds_what_was_accepted_with_its_key(case: Case) -> None:
    box = case.predictions()[0]
    first = case.decide(box, "accept", client_key="mine").json()
    case.decide(box, "reopen")
    made = case.decide(box, "accept", client_key="mine").json()
    assert made["id"] != first["id"]
    other = case.decide(case.predictions()[1], "accept", client_key="mine").json()
    case.api.delete(f"{case.path}/{case.sets[0]['id']}")
    new = {"category_id": box["category_id"], "bbox": box["bbox"], "client_key": "mine"}
    again = case.api.post(f"/api/images/{case.image_id}/annotations", json=new)
    assert (again.status_code, again.json()) == (201, made)
    assert case.annotations() == [made, other]


def test_a_category_that_was_deleted(case: Case) -> None:
    category = case.predictions()[0]["category_id"]
    assert case.api.delete(f"/api/categories/{category}").status_code == 204
    refused = case.decide(case.predictions()[0], "accept")
    assert (refused.status_code, refused.json()["code"]) == (409, "category_deleted")
    other = case.api.post(f"/api/datasets/{case.dataset.id}/categories", json={"name": "dog"})
    made = case.decide(case.predictions()[0], "accept", category_id=other.json()["id"])
    assert made.status_code == 201
    outcome = case.decide_all("accept")
    assert (outcome["changed"], len(outcome["skipped"])) == (1, 2)
    assert {one["code"] for one in outcome["skipped"]} == {"category_deleted"}


def test_many_at_once(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_decisions, "AT_ONCE", 2)
    assert case.decide_all("reject", max_score=0.3)["changed"] == 1
    first = case.decide_all("accept", min_score=0.3)
    assert (first["changed"], first["skipped"]) == (2, [])
    rest = case.decide_all("accept", min_score=0.3, cursor=first["next_cursor"])
    assert (rest["changed"], rest["next_cursor"]) == (1, None)
    assert [case.sets[0][state] for state in ("open", "accepted", "rejected")] == [0, 3, 1]
    assert [one["coco_id"] for one in case.annotations()] == [1, 2, 3]
    counts = case.api.get(f"/api/datasets/{case.dataset.id}").json()
    assert counts["annotation_count"] == 3
    assert len(json.loads(case.results(state="rejected"))) == 1
    first = case.decide_all("reopen")
    rest = case.decide_all("reopen", cursor=first["next_cursor"])
    assert (first["changed"], rest["changed"], rest["next_cursor"]) == (2, 2, None)
    assert (case.annotations(), case.sets[0]["open"]) == ([], 4)
    assert case.api.get(f"/api/datasets/{case.dataset.id}").json()["annotation_count"] == 0


def test_bulk_decisions_by_image_and_category(case: Case) -> None:
    category = case.predictions()[0]["category_id"]
    assert case.decide_all("reject", images=[case.image_id + 1])["changed"] == 0
    assert case.decide_all("reject", categories=[category])["changed"] == 3
    assert case.decide_all("reopen", images=[case.image_id])["changed"] == 3


def test_deleting_a_set(case: Case) -> None:
    made = case.decide(case.predictions()[0], "accept").json()
    case.import_file([], name="model B", task="results")
    path = f"{case.path}/{case.sets[0]['id']}"
    assert case.api.delete(path).status_code == 204
    assert case.api.delete(path).status_code == 404
    assert [one["name"] for one in case.sets] == ["model B"]
    assert (case.predictions(), case.annotations()) == ([], [made])


def test_the_file_carries_the_name_of_the_set(case: Case) -> None:
    answer = case.api.get(f"{case.path}/{case.sets[0]['id']}/results.json")
    assert "model_A.json" in answer.headers["content-disposition"]
    assert answer.headers["content-type"] == "application/json"
    assert numbers_as_text(answer.content) == numbers_as_text(TEXT)
    wanted = [one for one in numbers_as_text(TEXT) if one["score"] != ("number", "0.1")]
    assert numbers_as_text(case.results(min_score=0.3)) == wanted


def test_sets_of_other_datasets_are_not_here(
    case: Case, api: ApiClient, client_for: Callable[[User], ApiClient], session: Session
) -> None:
    other = api.post("/api/datasets", json={"name": "another"}).json()
    path = f"/api/datasets/{other['id']}/predictions/{case.sets[0]['id']}"
    assert api.delete(path).status_code == 404
    assert api.post(f"{path}/accept", json={}).status_code == 404
    viewer = client_for(make_member(session, dataset=case.dataset, role="viewer"))
    refused = viewer.post(f"/api/predictions/{case.predictions()[0]['id']}/accept")
    assert refused.status_code == 403
