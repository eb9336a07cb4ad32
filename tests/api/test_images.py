"""Lists of images, one image, and its neighbours."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.models import Dataset, Image, User
from app.services.datasets import counts
from tests.build import (
    make_annotation,
    make_category,
    make_image,
    make_member,
)
from tests.conftest import ApiClient

ClientFor = Callable[[User], ApiClient]


def listed(api: ApiClient, dataset: Dataset, **params: Any) -> Iterator[dict[str, Any]]:
    """Every image of the list, page by page."""
    cursor = None
    while True:
        query = params | ({"cursor": cursor} if cursor else {})
        answer = api.get(f"/api/datasets/{dataset.id}/images", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def names(api: ApiClient, dataset: Dataset, **params: Any) -> list[str]:
    return [image["file_name"] for image in listed(api, dataset, **params)]


def test_an_image(api: ApiClient, session: Session, dataset: Dataset) -> None:
    image = make_image(session, dataset=dataset, file_name="a.jpg", coco_id="seven", subset="val")
    body = api.get(f"/api/images/{image.id}").json()
    assert body | {"created_at": "", "updated_at": ""} == {
        "id": image.id,
        "coco_id": "seven",
        "dataset_id": dataset.id,
        "file_name": "a.jpg",
        "width": 640,
        "height": 480,
        "subset": "val",
        "status": "new",
        "annotation_count": 0,
        "has_file": False,
        "revision": 0,
        "created_at": "",
        "updated_at": "",
    }
    assert list(listed(api, dataset)) == [body]


@pytest.mark.parametrize("sort", ["file_name", "id", "created_at", "annotation_count"])
def test_order_and_pages(api: ApiClient, session: Session, dataset: Dataset, sort: str) -> None:
    rows = [
        make_image(session, dataset=dataset, file_name=name, annotation_count=count)
        for name, count in zip("cabdäeA", [3, 1, 1, 0, 2, 1, 3], strict=True)
    ]
    wanted = [row.id for row in sorted(rows, key=lambda row: (getattr(row, sort), row.id))]
    for limit in (1, 2, 500):
        found = [image["id"] for image in listed(api, dataset, sort=sort, limit=limit)]
        assert found == wanted
        found = [image["id"] for image in listed(api, dataset, sort=f"-{sort}", limit=limit)]
        assert found == wanted[::-1]


def test_a_page_stays_right_while_images_are_added(
    api: ApiClient, session: Session, dataset: Dataset
) -> None:
    for name in ("b", "d", "f"):
        make_image(session, dataset=dataset, file_name=name)
    seen = []
    for image in listed(api, dataset, sort="file_name", limit=1):
        seen.append(image["file_name"])
        if image["file_name"] == "d":
            make_image(session, dataset=dataset, file_name="a")
            make_image(session, dataset=dataset, file_name="e")
    assert seen == ["b", "d", "e", "f"]


def test_filter_by_name(api: ApiClient, session: Session, dataset: Dataset) -> None:
    for name in ("a/Straße_1.jpg", "b/100%.jpg", "b/100.jpg", "c/u\u0308ber.png", "d\\e.gif"):
        make_image(
            session,
            dataset=dataset,
            file_name=name,
            match_name=name.replace("u\u0308", "ü").replace("\\", "/"),
        )
    assert names(api, dataset, q="straße_1") == ["a/Straße_1.jpg"]
    assert names(api, dataset, q="0%") == ["b/100%.jpg"]
    assert names(api, dataset, q="e_1") == ["a/Straße_1.jpg"]
    assert names(api, dataset, q="___") == []
    assert names(api, dataset, q="c/u\u0308B") == names(api, dataset, q="c/üb")
    assert names(api, dataset, q="d\\e") == ["d\\e.gif"]
    assert len(names(api, dataset, q="")) == 5


def test_other_filters(api: ApiClient, session: Session, dataset: Dataset) -> None:
    cat, dog = (make_category(session, dataset=dataset) for _ in range(2))
    make_image(session, dataset=dataset, file_name="none", subset="train")
    one = make_image(session, dataset=dataset, file_name="cat", subset="train", status="done")
    both = make_image(session, dataset=dataset, file_name="both", subset="val")
    gone = make_image(session, dataset=dataset, file_name="gone", subset="val", status="empty")
    make_annotation(session, image=one, category=cat)
    make_annotation(session, image=both, category=cat)
    make_annotation(session, image=both, category=cat)
    make_annotation(session, image=both, category=dog)
    annotation = make_annotation(session, image=gone, category=dog)
    api.delete(f"/api/annotations/{annotation.id}", headers={"If-Match": '"1"'})

    assert names(api, dataset, category=cat.id) == ["cat", "both"]
    assert names(api, dataset, category=[dog.id]) == ["both"]
    assert names(api, dataset, category=[cat.id, dog.id]) == ["cat", "both"]
    assert names(api, dataset, annotated=True) == ["cat", "both"]
    assert names(api, dataset, annotated="false") == ["none", "gone"]
    assert names(api, dataset, waiting=True) == ["none"]
    assert names(api, dataset, subset="val") == ["both", "gone"]
    assert names(api, dataset, status="done") == ["cat"]
    assert names(api, dataset, subset="train", annotated=True, category=cat.id) == ["cat"]
    assert names(api, dataset, subset="test") == []


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"sort": "width"}, 422),
        ({"status": "finished"}, 422),
        ({"category": "cat"}, 422),
        ({"category": 2**63}, 422),
        ({"q": "a\0b"}, 422),
        ({"limit": 501}, 422),
        ({"cursor": "x"}, 400),
        ({"cursor": "WyJpZCIsMSwxXQ", "sort": "-id"}, 400),
        ({"cursor": "WyJjcmVhdGVkX2F0IiwieCIsMV0", "sort": "created_at"}, 400),
        ({"cursor": "WyJjcmVhdGVkX2F0IiwiMjAyMCIsMV0", "sort": "created_at"}, 400),
    ],
)
def test_bad_lists(api: ApiClient, dataset: Dataset, params: dict[str, Any], status: int) -> None:
    answer = api.get(f"/api/datasets/{dataset.id}/images", params=params)
    assert answer.status_code == status, answer.text


def test_neighbours(api: ApiClient, session: Session, dataset: Dataset) -> None:
    rows = {
        name: make_image(session, dataset=dataset, file_name=name, subset=subset)
        for name, subset in [("c", "train"), ("a", "train"), ("b", "val"), ("d", "train")]
    }

    def around(name: str, **params: Any) -> tuple[str | None, str | None, int | None, int]:
        body = api.get(f"/api/images/{rows[name].id}/neighbours", params=params).json()
        by_id = {row.id: key for key, row in rows.items()}
        before, behind = (by_id.get(body[key]) for key in ("previous", "next"))
        return before, behind, body["position"], body["total"]

    assert around("c") == (None, "a", 1, 4)
    assert around("d") == ("b", None, 4, 4)
    assert around("a", sort="file_name") == (None, "b", 1, 4)
    assert around("c", sort="file_name") == ("b", "d", 3, 4)
    assert around("c", sort="-file_name") == ("d", "b", 2, 4)
    assert around("c", sort="-file_name", subset="train") == ("d", "a", 2, 3)
    assert around("b", sort="file_name", subset="train") == ("a", "c", None, 3)
    assert around("b", status="new") == ("a", "d", 3, 4)
    assert around("b", q="b") == (None, None, 1, 1)
    assert around("b", q="x", sort="annotation_count") == (None, None, None, 0)


def test_the_image_at_a_place(api: ApiClient, session: Session, dataset: Dataset) -> None:
    for name in "abcd":
        make_image(session, dataset=dataset, file_name=name)

    def at(skip: int) -> list[str]:
        params: dict[str, Any] = {"sort": "-file_name", "limit": 1, "skip": skip}
        page = api.get(f"/api/datasets/{dataset.id}/images", params=params).json()
        return [image["file_name"] for image in page["items"]]

    assert [at(skip) for skip in range(5)] == [["d"], ["c"], ["b"], ["a"], []]
    path = f"/api/datasets/{dataset.id}/images"
    assert api.get(path, params={"skip": -1}).status_code == 422


def test_the_nearest_image_that_waits(api: ApiClient, session: Session, dataset: Dataset) -> None:
    """From an image that is in the list or not; what is done or empty is passed over."""
    category = make_category(session, dataset=dataset)
    waits, drawn, done, empty, begun = (
        make_image(session, dataset=dataset, status=status)
        for status in ("new", "new", "done", "empty", "in_progress")
    )
    make_annotation(session, image=drawn, category=category)

    def beside(image: Image) -> tuple[Any, Any]:
        path = f"/api/images/{image.id}/neighbours"
        body = api.get(path, params={"waiting": "true"}).json()
        return body["previous"], body["next"]

    assert beside(drawn) == (waits.id, begun.id)
    assert beside(waits) == (None, begun.id)
    assert beside(empty) == (waits.id, begun.id)
    assert beside(done) == (waits.id, begun.id)


def test_status_moves_the_counters(
    api: ApiClient, session: Session, dataset: Dataset, client_for: ClientFor
) -> None:
    image = make_image(session, dataset=dataset)
    make_annotation(session, image=image)
    annotator = client_for(make_member(session, dataset=dataset, role="annotator"))
    answer = annotator.patch(f"/api/images/{image.id}", json={"status": "done"})
    assert answer.json()["status"] == "done"
    found = counts.progress(session, dataset_ids=[dataset.id])[dataset.id]
    assert (found.images, found.annotations) == (1, 1)
    assert (found.by_status["done"], found.by_status["new"]) == (1, 0)
    refused = annotator.patch(f"/api/images/{image.id}", json={"subset": "val"})
    assert refused.status_code == 403


def test_rename(api: ApiClient, session: Session, dataset: Dataset) -> None:
    text = '{"file_name": "a.jpg", "id": 1.0, "width": 640, "height": 480.0}'
    image = make_image(session, dataset=dataset, file_name="a.jpg", record=text)
    make_image(session, dataset=dataset, file_name="taken.jpg")
    path = f"/api/images/{image.id}"
    body = api.patch(path, json={"file_name": "neu\\u\u0308.jpg", "subset": "val"}).json()
    assert (body["file_name"], body["subset"]) == ("neu/u\u0308.jpg", "val")
    row = session.get_one(Image, image.id, populate_existing=True)
    assert row.match_name == "neu/ü.jpg"
    assert row.record == text.replace("a.jpg", "neu/u\u0308.jpg")
    for name, status in [
        ("./taken.jpg", 409),
        ("../x.jpg", 422),
        ("/x.jpg", 422),
        ("C:\\x.jpg", 422),
        ("x\0.jpg", 422),
        ("", 422),
        ("a/", 422),
        ("x" * 1025, 422),
    ]:
        assert api.patch(path, json={"file_name": name}).status_code == status, name


def test_delete(api: ApiClient, session: Session, dataset: Dataset) -> None:
    image = make_image(session, dataset=dataset, status="done")
    path = f"/api/images/{image.id}"
    annotation = f"/api/annotations/{make_annotation(session, image=image).id}"
    assert api.delete(path).status_code == 204
    assert [api.get(gone).status_code for gone in (path, annotation)] == [404, 404]
    assert api.delete(path).status_code == 404
    found = counts.progress(session, dataset_ids=[dataset.id])[dataset.id]
    assert (found.images, found.annotations, found.by_status["done"]) == (0, 0, 0)
