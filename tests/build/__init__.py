"""Builders: rows that a test needs, with whatever the test does not care about filled in.

Each takes a session and keyword arguments, and commits.
"""

import itertools
import json
from typing import Any

from sqlalchemy.orm import Session

from app.models import (
    Annotation,
    Category,
    Dataset,
    DatasetMember,
    Image,
    Prediction,
    PredictionSet,
    User,
)
from app.services import users
from app.services.datasets import categories, counts, datasets

__all__ = [
    "PASSWORD",
    "make_annotation",
    "make_category",
    "make_dataset",
    "make_image",
    "make_imported",
    "make_member",
    "make_prediction",
    "make_user",
]

PASSWORD = "correct horse"
_numbers = itertools.count(1)
_password_hash: list[str] = []


def make_user(session: Session, *, email: str | None = None, is_admin: bool = False) -> User:
    """A user with the password PASSWORD (hashed once for all: hashing is slow on purpose)."""
    email = email or f"user{next(_numbers)}@example.org"
    if not _password_hash:
        user = users.create_user(session, email=email, password=PASSWORD, is_admin=is_admin)
        _password_hash.append(user.password_hash)
    else:
        user = User(email=email, password_hash=_password_hash[0], is_admin=is_admin)
        session.add(user)
    session.commit()
    return user


def make_dataset(
    session: Session, *, owner: User | None = None, name: str | None = None
) -> Dataset:
    """An empty dataset."""
    owner = owner or make_user(session)
    dataset = datasets.create_dataset(session, user=owner, name=name or f"Dataset {next(_numbers)}")
    session.commit()
    return dataset


def make_member(session: Session, *, dataset: Dataset, role: str) -> User:
    """A new user with a role in the dataset."""
    user = make_user(session)
    session.add(DatasetMember(dataset_id=dataset.id, user_id=user.id, role=role))
    session.commit()
    return user


def make_category(session: Session, *, dataset: Dataset, **values: Any) -> Category:
    """A category made here, as over the API."""
    values.setdefault("name", f"category {next(_numbers)}")
    category = categories.create_category(session, dataset_id=dataset.id, **values)
    session.commit()
    return category


def make_image(session: Session, *, dataset: Dataset, **values: Any) -> Image:
    """An image record without pixels, 640 x 480."""
    file_name = values.setdefault("file_name", f"image{next(_numbers)}.jpg")
    values.setdefault("match_name", file_name)
    values.setdefault("width", 640)
    values.setdefault("height", 480)
    values.setdefault("status", "new")
    if "coco_id" not in values:
        values["coco_id"] = datasets.take_coco_ids(session, dataset_id=dataset.id, kind="image")
    image = Image(dataset_id=dataset.id, **values)
    session.add(image)
    counts.add(session, dataset_id=dataset.id, status=image.status, images=1)
    session.commit()
    return image


def make_annotation(
    session: Session, *, image: Image, category: Category | None = None, **members: Any
) -> Annotation:
    """A box annotation; `members` join its COCO record."""
    coco_id = datasets.take_coco_ids(session, dataset_id=image.dataset_id, kind="annotation")
    record = {
        "id": coco_id,
        "image_id": image.coco_id,
        "category_id": category.coco_id if category else None,
        "bbox": [10, 20, 30, 40],
        "area": 1200,
        "iscrowd": 0,
    } | members
    annotation = Annotation(
        dataset_id=image.dataset_id,
        image_id=image.id,
        category_id=category.id if category else None,
        coco_id=coco_id,
        record=json.dumps(record),
        area=record["area"],
        bbox=record["bbox"],
        iscrowd=bool(record["iscrowd"]),
    )
    session.add(annotation)
    image.annotation_count += 1
    image.revision += 1
    counts.add(session, dataset_id=image.dataset_id, status=image.status, annotations=1)
    session.commit()
    return annotation


def make_imported(
    session: Session,
    *,
    image: Image,
    record: str,
    category: Category | None = None,
    area: float = 1200.0,
    bbox: tuple[float, float, float, float] = (10.0, 20.0, 30.0, 40.0),
    shape: str | None = None,
    iscrowd: bool = False,
) -> Annotation:
    """An annotation as an import leaves it: `record` is the text of the file, verbatim."""
    annotation = Annotation(
        dataset_id=image.dataset_id,
        image_id=image.id,
        category_id=category.id if category else None,
        coco_id=json.loads(record).get("id"),
        record=record,
        shape=shape,
        area=area,
        bbox=list(bbox),
        iscrowd=iscrowd,
    )
    session.add(annotation)
    image.annotation_count += 1
    image.revision += 1
    counts.add(session, dataset_id=image.dataset_id, status=image.status, annotations=1)
    session.commit()
    return annotation


def make_prediction(
    session: Session,
    *,
    image: Image,
    category: Category | None = None,
    set_id: int | None = None,
    **members: Any,
) -> Prediction:
    """An open prediction of a box, of a new set unless one is named; `members` join its record."""
    if set_id is None:
        made = PredictionSet(dataset_id=image.dataset_id, name=f"run {next(_numbers)}")
        session.add(made)
        session.flush()
        set_id = made.id
    record = {
        "image_id": image.coco_id,
        "category_id": category.coco_id if category else None,
        "bbox": [10, 20, 30, 40],
        "score": 0.5,
    } | members
    prediction = Prediction(
        set_id=set_id,
        image_id=image.id,
        category_id=category.id if category else None,
        place=next(_numbers),
        kind="bbox",
        record=json.dumps(record),
        score=record["score"],
        area=record["bbox"][2] * record["bbox"][3],
        bbox=record["bbox"],
    )
    session.add(prediction)
    session.commit()
    return prediction
