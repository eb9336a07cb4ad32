"""COCO's queries over REST: the same ids as `app.client` finds in the exported file."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.client import COCO
from app.context import AppContext
from app.models import Dataset, Image
from app.services.imports.imports import import_file
from tests.build import make_dataset, make_image, make_imported
from tests.conftest import ApiClient

FILE = Path(__file__).parent.parent / "data" / "coco" / "instances.json"


@pytest.fixture
def coco() -> COCO:
    return COCO(FILE)


@pytest.fixture
def dataset(session: Session, context: AppContext, dataset: Dataset) -> Dataset:
    """The sample, with a dataset beside it that has the same ids."""
    for one in (make_dataset(session), dataset):
        with context.sessions.begin() as own:
            import_file(own, dataset_id=one.id, user_id=None, file=io.BytesIO(FILE.read_bytes()))
    return dataset


def items(api: ApiClient, dataset: Dataset, kind: str, **query: Any) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        wanted = {"limit": 500, **query} | ({"cursor": cursor} if cursor else {})
        answer = api.get(f"/api/datasets/{dataset.id}/{kind}", params=wanted)
        assert answer.status_code == 200, answer.text
        yield from answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return


def ids(api: ApiClient, dataset: Dataset, kind: str, **query: Any) -> list[Any]:
    return [item["coco_id"] for item in items(api, dataset, kind, **query)]


def test_annotations(api: ApiClient, dataset: Dataset, coco: COCO, session: Session) -> None:
    def found(**query: Any) -> list[Any]:
        return ids(api, dataset, "annotations", **query)

    images, categories = coco.getImgIds()[:3], coco.getCatIds(catNms=["person", "dog", "cup"])
    area = coco.loadAnns(coco.getAnnIds()[:1])[0]["area"]
    assert found() == found(limit=7) == coco.getAnnIds()
    assert sorted(found(image_coco_id=images)) == sorted(coco.getAnnIds(imgIds=images))
    assert found(category_coco_id=categories) == coco.getAnnIds(catIds=categories)
    assert found(area_min=area) == coco.getAnnIds(areaRng=[area, float("inf")])
    assert found(area_max=area, area_min=0) == coco.getAnnIds(areaRng=[0, area])
    assert found(area_max="inf") == coco.getAnnIds()
    for flag in (True, False):
        assert found(iscrowd=flag) == coco.getAnnIds(iscrowd=flag)
    everything: dict[str, Any] = {"areaRng": [100, 1e5], "iscrowd": False, "catIds": categories}
    assert found(
        image_coco_id=images, category_coco_id=categories, area_min=100, area_max=1e5, iscrowd=0
    ) == sorted(coco.getAnnIds(imgIds=images, **everything), key=coco.getAnnIds().index)
    first = select(Image.id).where(Image.dataset_id == dataset.id).order_by(Image.id).limit(3)
    own = session.scalars(first).all()
    assert found(image=own) == found(image_coco_id=images)
    named = [item["id"] for item in items(api, dataset, "categories", coco_id=categories)]
    assert found(category=named) == found(category_coco_id=categories)
    assert found(image_coco_id=-1) == found(category=1) == []


def test_annotations_by_their_ids(api: ApiClient, dataset: Dataset, coco: COCO) -> None:
    wanted = coco.getAnnIds()[5:9]
    found = list(items(api, dataset, "annotations", coco_id=wanted))
    assert [item["segmentation"] for item in found] == [
        annotation["segmentation"] for annotation in coco.loadAnns(wanted)
    ]


def test_deleted_annotations_are_not_listed(api: ApiClient, dataset: Dataset, coco: COCO) -> None:
    first = next(items(api, dataset, "annotations"))
    api.delete(f"/api/annotations/{first['id']}", headers={"If-Match": '"1"'})
    assert ids(api, dataset, "annotations") == coco.getAnnIds()[1:]


def test_categories(api: ApiClient, dataset: Dataset, coco: COCO) -> None:
    def found(**query: Any) -> list[Any]:
        return ids(api, dataset, "categories", **query)

    names, parents = ["dog", "person", "no such name"], ["animal", "kitchen"]
    assert found(name=names) == coco.getCatIds(catNms=names)
    assert found(supercategory=parents) == coco.getCatIds(supNms=parents)
    assert found(coco_id=[1, 3, 99]) == coco.getCatIds(catIds=[1, 3, 99])
    assert found(name=names, supercategory=parents) == coco.getCatIds(names, parents)
    assert found() == coco.getCatIds()


def test_images(api: ApiClient, dataset: Dataset, coco: COCO) -> None:
    def found(**query: Any) -> list[Any]:
        return sorted(ids(api, dataset, "images", **query))

    images, categories = coco.getImgIds()[:5], coco.getCatIds(catNms=["person", "boat"])
    assert found(coco_id=images) == sorted(coco.getImgIds(imgIds=images))
    every = {"category_coco_id": categories, "every_category": True}
    assert found(**every) == sorted(coco.getImgIds(catIds=categories))
    assert found(**every, coco_id=images) == sorted(coco.getImgIds(images, categories))
    either = {image for one in categories for image in coco.getImgIds(catIds=one)}
    assert found(category_coco_id=categories) == sorted(either)
    assert len(either) > len(found(**every)) > 0
    own = [item["id"] for item in items(api, dataset, "categories", coco_id=categories)]
    assert found(category=own, every_category=True) == found(**every)
    assert found(category=own) == sorted(either)


def test_neighbours_in_such_a_list(api: ApiClient, dataset: Dataset, coco: COCO) -> None:
    query: dict[str, Any] = {"category_coco_id": coco.getCatIds(catNms="person")}
    listed = list(items(api, dataset, "images", **query))
    path = f"/api/images/{listed[1]['id']}/neighbours"
    beside = api.get(path, params=query).json()
    assert (beside["previous"], beside["next"]) == (listed[0]["id"], listed[2]["id"])
    assert beside["total"] == len(listed)


@pytest.mark.parametrize(
    ("coco_id", "query"),
    [
        (7, "7"),
        (7, "7.0"),
        ("7", '"7"'),
        ("seven", "seven"),
        ("seven", '"seven"'),
        ("a b/ä", "a b/ä"),
        (12345678901234567890123, "12345678901234567890123"),
        (1.5, "1.5"),
        (None, "null"),
        (True, "true"),
        ("NaN", "NaN"),
    ],
)
def test_ids_of_every_kind(
    coco_id: Any, query: str, api: ApiClient, session: Session, dataset: Dataset
) -> None:
    image = make_image(session, dataset=dataset, coco_id=coco_id)
    record = json.dumps({"id": coco_id, "bbox": [10, 20, 30, 40]})
    made = make_imported(session, image=image, record=record)
    found = [item["id"] for item in items(api, dataset, "annotations", coco_id=query)]
    assert found == [made.id]
    found = [item["id"] for item in items(api, dataset, "annotations", image_coco_id=query)]
    assert found == [made.id]
    assert [item["id"] for item in items(api, dataset, "images", coco_id=query)] == [image.id]


@pytest.mark.parametrize(
    "query",
    [
        "coco_id=[1]",
        "coco_id={}",
        'coco_id="%5Cu0000"',
        "coco_id=" + "9" * 1100,
        "coco_id=" + "a" * 1300,
        "image=0",
        "image=x",
        "category=-1",
        "area_min=nan",
        "area_min=-1",
        "area_max=x",
        "iscrowd=2",
        "limit=501",
    ],
)
def test_what_is_refused(query: str, api: ApiClient, dataset: Dataset) -> None:
    answer = api.get(f"/api/datasets/{dataset.id}/annotations?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_too_many_ids_are_refused(api: ApiClient, dataset: Dataset) -> None:
    path = f"/api/datasets/{dataset.id}/annotations"
    assert api.get(path, params={"coco_id": list(range(501))}).status_code == 422


def test_a_cursor_of_another_list_is_refused(api: ApiClient, dataset: Dataset) -> None:
    answer = api.get(f"/api/datasets/{dataset.id}/annotations", params={"cursor": "WyJhIiwxXQ"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")
