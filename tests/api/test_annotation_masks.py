"""annToRLE and annToMask over REST."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture
from sqlalchemy.orm import Session

from app.client import COCO
from app.context import AppContext
from app.models import Dataset, User
from app.services.imports.imports import import_file
from tests.api.annotation_case import INNER, SQUARE, Case, build_case
from tests.build import make_annotation, make_image, make_imported
from tests.conftest import ApiClient

FILE = Path(__file__).parent.parent / "data" / "coco" / "instances.json"


def bitmap(api: ApiClient, annotation_id: int) -> Any:
    answer = api.get(f"/api/annotations/{annotation_id}/mask.png")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    with Picture.open(io.BytesIO(answer.content), formats=["PNG"]) as picture:
        assert picture.mode == "L"
        return np.asarray(picture)


def test_masks_of_real_annotations(api: ApiClient, dataset: Dataset, context: AppContext) -> None:
    """Polygons, several of them in one annotation, and crowds: what the client computes."""
    with context.sessions.begin() as own:
        import_file(own, dataset_id=dataset.id, user_id=None, file=io.BytesIO(FILE.read_bytes()))
    coco = COCO(FILE)
    wanted = coco.getAnnIds(iscrowd=True) + coco.getAnnIds()[:9]
    found = api.get(
        f"/api/datasets/{dataset.id}/annotations", params={"coco_id": wanted, "limit": 50}
    ).json()["items"]
    assert len(found) == len(set(wanted))
    for item in found:
        record = coco.anns[item["coco_id"]]
        rle = coco.annToRLE(record)
        told = api.get(f"/api/annotations/{item['id']}/rle").json()
        assert told == {"size": rle["size"], "counts": rle["counts"].decode()}
        assert np.array_equal(bitmap(api, item["id"]), coco.annToMask(record) * 255)


@pytest.fixture
def case(session: Session, client_for: Callable[[User], ApiClient]) -> Case:
    return build_case(session, client_for)


def test_holes_are_no_part_of_it(case: Case) -> None:
    made = case.make(segmentation=[SQUARE], holes=[INNER])
    mask = bitmap(case.api, made["id"])
    assert mask.shape == (80, 100)
    assert (mask == 255).sum() == 400 - 25
    assert mask[17, 17] == 0


def test_a_bare_box_is_all_of_its_pixels(case: Case) -> None:
    made = case.make(bbox=[10, 20, 30, 40])
    assert (bitmap(case.api, made["id"])[20:60, 10:40] == 255).all()


def test_what_covers_no_pixels(case: Case, session: Session) -> None:
    points = {"keypoints": [1, 1, 2], "bbox": [0, 0, 2, 2]}
    made = make_annotation(session, image=case.image, category=case.person, **points)
    for what in ("rle", "mask.png"):
        answer = case.api.get(f"/api/annotations/{made.id}/{what}")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_mask")


def test_a_deleted_annotation_has_no_mask(case: Case) -> None:
    made = case.make(bbox=[10, 20, 30, 40])
    case.api.delete(f"/api/annotations/{made['id']}", headers={"If-Match": '"1"'})
    for what in ("rle", "mask.png"):
        answer = case.api.get(f"/api/annotations/{made['id']}/{what}")
        assert (answer.status_code, answer.json()["code"]) == (404, "annotation_deleted")


def test_the_sender_may_have_it_already(case: Case) -> None:
    made = case.make(segmentation=[SQUARE])
    path = f"/api/annotations/{made['id']}/mask.png"
    tag = case.api.get(path).headers["etag"]
    assert tag == case.api.get(f"/api/annotations/{made['id']}/rle").headers["etag"] == '"1"'
    assert case.api.get(path, headers={"If-None-Match": tag}).status_code == 304
    case.patch(made, segmentation=[[10, 10, 20, 10, 20, 20]])
    assert case.api.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_a_huge_mask_is_no_picture(case: Case, session: Session) -> None:
    image = make_image(session, dataset=case.dataset, width=60_000, height=60_000)
    rle = {"size": [60_000, 60_000], "counts": [3_600_000_000]}
    record = json.dumps({"id": 1, "segmentation": rle})
    made = make_imported(session, image=image, record=record)
    answer = case.api.get(f"/api/annotations/{made.id}/mask.png")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert case.api.get(f"/api/annotations/{made.id}/rle").json()["size"] == [60_000, 60_000]
