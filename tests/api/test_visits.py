"""What the editor opens an image with: the image, its neighbours and its annotations at once."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.api import visits
from app.models import Dataset
from tests.build import make_annotation, make_category, make_image
from tests.conftest import ApiClient


@pytest.fixture
def texts(session: Session, dataset: Dataset) -> dict[str, str]:
    """Three images, five annotations on the second one; the addresses of the second."""
    category = make_category(session, dataset=dataset)
    images = [make_image(session, dataset=dataset, file_name=name) for name in "cab"]
    for _ in range(5):
        make_annotation(session, image=images[1], category=category)
    path = f"/api/images/{images[1].id}"
    return {
        name: f"{path}{name and '/'}{name}" for name in ("", "visit", "neighbours", "annotations")
    }


def test_it_says_what_the_single_routes_say(api: ApiClient, texts: dict[str, str]) -> None:
    params = {"sort": "file_name"}
    answer = api.get(texts["visit"], params=params)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "image": api.get(texts[""]).json(),
        "neighbours": api.get(texts["neighbours"], params=params).json(),
        "annotations": api.get(texts["annotations"]).json(),
    }
    assert answer.json()["neighbours"]["position"] == 1
    # Numbers as they are written, also here.
    assert api.get(texts["annotations"]).text in answer.text


@pytest.mark.parametrize(("rows", "characters", "first"), [(2, 1, 2), (2, 1500, 4), (5, 1, 5)])
def test_of_very_many_annotations_the_rest_follows_in_the_list(
    api: ApiClient,
    texts: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    rows: int,
    characters: int,
    first: int,
) -> None:
    monkeypatch.setattr(visits, "_ROWS_AT_A_TIME", rows)
    monkeypatch.setattr(visits, "_LONGEST_TEXT", characters)
    page: dict[str, Any] = api.get(texts["visit"]).json()["annotations"]
    assert len(page["items"]) == first
    rest = api.get(texts["annotations"], params={"cursor": page["next_cursor"]}).json()
    every = api.get(texts["annotations"]).json()["items"]
    assert page["items"] + rest["items"] == every
    assert rest["next_cursor"] is None


def test_filters_are_checked_as_everywhere(api: ApiClient, texts: dict[str, str]) -> None:
    assert api.get(texts["visit"], params={"sort": "colour"}).status_code == 422
    assert api.get("/api/images/999999999/visit").status_code == 404
