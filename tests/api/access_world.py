"""A dataset with one of everything, and one person of every role."""

import re
import uuid
from dataclasses import dataclass, field

from fastapi import FastAPI
from sqlalchemy.orm import Session

from app.models import User
from app.services import users
from tests.build import (
    PASSWORD,
    make_annotation,
    make_category,
    make_dataset,
    make_image,
    make_member,
    make_user,
)


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


def build_world(session: Session, _app: FastAPI) -> World:
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
    token, _ = users.create_token(session, user=people["viewer"], name="mine")
    session.commit()
    ids: dict[str, int | str] = {
        "dataset_id": dataset.id,
        "category_id": category.id,
        "unused_category_id": unused.id,
        "image_id": image.id,
        "annotation_id": annotation.id,
        "user_id": people["annotator"].id,
        "token_id": token.id,
        "name": "nose",
        "task": "instances",
        "op": "area",
    }
    return World(people, ids)
