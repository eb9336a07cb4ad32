"""A dataset with one image of 100 x 80 pixels, to draw annotations on over HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
from sqlalchemy.orm import Session

from app.models import Category, Dataset, Image, User
from tests.build import make_category, make_dataset, make_image, make_user
from tests.conftest import ApiClient

SQUARE = [10, 10, 30, 10, 30, 30, 10, 30]
INNER = [15, 15, 20, 15, 20, 20, 15, 20]


@dataclass
class Case:
    """The rows, and an annotator's client with the requests that tests make most."""

    owner: User
    dataset: Dataset
    image: Image
    category: Category
    person: Category
    api: ApiClient

    @property
    def path(self) -> str:
        return f"/api/images/{self.image.id}/annotations"

    def post(self, **fields: Any) -> httpx.Response:
        return self.api.post(self.path, json={"category_id": self.category.id, **fields})

    def make(self, **fields: Any) -> dict[str, Any]:
        answer = self.post(**fields)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def patch(self, annotation: dict[str, Any], **fields: Any) -> httpx.Response:
        return self.api.patch(url(annotation), json=fields, headers=seen(annotation))

    def draw(self, annotation: dict[str, Any], op: str, **fields: Any) -> httpx.Response:
        body = {"op": op, **fields}
        return self.api.post(f"{url(annotation)}/draw", json=body, headers=seen(annotation))

    def restore(self, annotation: dict[str, Any], version: int) -> httpx.Response:
        return self.api.post(f"{url(annotation)}/restore", json={"version": version})

    def delete(self, annotation: dict[str, Any]) -> httpx.Response:
        return self.api.delete(url(annotation), headers=seen(annotation))


def url(annotation: dict[str, Any]) -> str:
    return f"/api/annotations/{annotation['id']}"


def seen(annotation: dict[str, Any]) -> dict[str, str]:
    """The header of a change that is based on this state."""
    return {"If-Match": f'"{annotation["version"]}"'}


def build_case(session: Session, client_for: Callable[[User], ApiClient]) -> Case:
    owner = make_user(session)
    dataset = make_dataset(session, owner=owner)
    return Case(
        owner=owner,
        dataset=dataset,
        image=make_image(session, dataset=dataset, width=100, height=80),
        category=make_category(session, dataset=dataset),
        person=make_category(session, dataset=dataset, keypoints=["nose", "left eye", "tail"]),
        api=client_for(owner),
    )


def code_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]
