"""A dataset with one of everything, and one person of every role."""

import io
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from PIL import Image as Picture
from sqlalchemy.orm import Session

from app.models import Job, User
from app.services import users
from tests.build import (
    PASSWORD,
    make_annotation,
    make_category,
    make_dataset,
    make_image,
    make_member,
    make_prediction,
    make_user,
)
from tests.conftest import ApiClient


def a_picture() -> list[Any]:
    """The multipart fields of an upload of one small image."""
    data = io.BytesIO()
    Picture.new("RGB", (8, 6), "gray").save(data, "PNG")
    return [("files", (f"{uuid.uuid4().hex}.png", data.getvalue(), "image/png"))]


def a_coco_file() -> list[Any]:
    """The multipart fields of an import of an empty COCO file."""
    text = b'{"images": [], "annotations": [], "categories": []}'
    return [("file", ("instances.json", text, "application/json"))]


@dataclass(frozen=True)
class World:
    """The people by role, and the id that each path parameter stands for."""

    people: dict[str, User]
    ids: dict[str, int | str]
    fresh_name: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def credentials(self) -> dict[str, str]:
        return {"email": self.people["viewer"].email, "password": PASSWORD}

    def fill(self, path: str) -> str:
        """A route's path with this world's ids."""
        return re.sub(r"{(\w+)(?::\w+)?}", lambda found: str(self.ids[found[1]]), path)


def build_world(session: Session, app: FastAPI) -> World:
    """Build it anew; what a former one left over does not matter."""
    owner = make_user(session)
    dataset = make_dataset(session, owner=owner)
    people = {
        "owner": owner,
        "annotator": make_member(session, dataset=dataset, role="annotator"),
        "viewer": make_member(session, dataset=dataset, role="viewer"),
        "stranger": make_user(session),
        "admin": make_user(session, is_admin=True),
    }
    category = make_category(session, dataset=dataset, keypoints=["nose", "tail"])
    unused = make_category(session, dataset=dataset)
    image = make_image(session, dataset=dataset)
    annotation = make_annotation(session, image=image, category=category)
    prediction = make_prediction(session, image=image, category=category)
    token, _ = users.create_token(session, user=people["viewer"], name="mine")
    jobs = [
        Job(kind="import_coco", owner_id=owner.id, dataset_id=dataset.id, state=state)
        for state in ("succeeded", "queued")
    ]
    session.add_all(jobs)
    session.commit()
    ids: dict[str, int | str] = {
        "dataset_id": dataset.id,
        "category_id": category.id,
        "unused_category_id": unused.id,
        "image_id": image.id,
        "annotation_id": annotation.id,
        "set_id": prediction.set_id,
        "prediction_id": prediction.id,
        "user_id": people["annotator"].id,
        "token_id": token.id,
        "shown_image_id": _upload(session, app, owner, dataset.id),
        "job_id": jobs[0].id,
        "queued_job_id": jobs[1].id,
        "name": "nose",
        "task": "instances",
        "format": "yolo-detect",
        "level": 0,
        "column": 0,
        "row": 0,
    }
    return World(people, ids)


def _upload(session: Session, app: FastAPI, owner: User, dataset_id: int) -> int:
    """An image with pixels."""
    _, token = users.create_token(session, user=owner, name="upload")
    client = ApiClient(app, session)
    client.headers["Authorization"] = f"Bearer {token}"
    answer = client.post(f"/api/datasets/{dataset_id}/images", files=a_picture())
    return int(answer.json()["images"][0]["id"])
