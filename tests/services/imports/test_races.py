"""Imports while somebody deletes what they refer to: either may be first, and neither fails."""

import io
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.context import AppContext
from app.models import Annotation, Category, Dataset, Image, Prediction
from app.services.datasets import categories
from app.services.images import images
from app.services.imports.imports import ImportOptions, import_file
from tests.build.coco import annotation, coco, to_bytes
from tests.services.importing import only

RESULT = [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2], "score": 0.5}]
MORE = coco(
    annotation(id=2),
    annotation(id=3, category_id=2),
    categories=[{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as found:
        yield found


@pytest.fixture
def started(
    context: AppContext, session: Session, dataset: Dataset, pool: ThreadPoolExecutor
) -> Callable[[Any], Future[dict[str, Any]]]:
    """Starts an import in a thread; the dataset has an image and a category, but no annotation."""
    session.commit()
    dataset_id, user_id = dataset.id, dataset.created_by

    def run(file: Any) -> dict[str, Any]:
        with context.sessions.begin() as own:
            data = io.BytesIO(to_bytes(file))
            options = ImportOptions(file_name="model.json")
            return import_file(
                own, dataset_id=dataset_id, user_id=user_id, file=data, options=options
            )

    run(coco())
    return lambda file: pool.submit(run, file)


def wait_until_blocked(session: Session, number: int = 1) -> None:
    """Until so many transactions wait for a lock."""
    waiting = text("select count(distinct pid) from pg_locks where not granted")
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if session.scalar(waiting) == number:
            return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


Delete = Callable[[Session], Any]


def delete_image(session: Session) -> None:
    images.delete_image(session, image=only(session, Image))


def delete_category(session: Session) -> None:
    categories.delete_category(session, category=only(session, Category))


@pytest.mark.parametrize("delete", [delete_image, delete_category])
@pytest.mark.parametrize("file", [MORE, RESULT], ids=["annotations", "results"])
def test_the_deletion_is_first(
    context: AppContext,
    session: Session,
    started: Callable[[Any], Future[dict[str, Any]]],
    delete: Delete,
    file: Any,
) -> None:
    """What was deleted is new for a file that has it; a result of it is left out."""
    with context.sessions.begin() as own:
        delete(own)
        own.flush()
        running = started(file)
        wait_until_blocked(session)
    report = running.result(60)
    session.rollback()
    if file is RESULT:
        assert report["predictions"]["rejected"] == 1
        assert session.scalars(select(Prediction)).all() == []
    else:
        assert report["annotations"]["created"] == 2
        assert report["images"]["created"] == (delete is delete_image)
        assert report["categories"]["created"] == 1 + (delete is delete_category)
        assert len(session.scalars(select(Annotation)).all()) == 2


@pytest.mark.parametrize("file", [MORE, RESULT], ids=["annotations", "results"])
def test_the_import_is_first(
    context: AppContext,
    session: Session,
    pool: ThreadPoolExecutor,
    started: Callable[[Any], Future[dict[str, Any]]],
    file: Any,
) -> None:
    """It has found the image and is held up before it refers to it; the deletion waits for it."""
    key = only(session, Image).id
    session.rollback()

    def remove() -> None:
        with context.sessions.begin() as own:
            images.delete_image(own, image=own.get_one(Image, key))

    with context.sessions.begin() as own:
        table = "predictions" if file is RESULT else "categories"
        own.execute(text(f"lock table {table} in share row exclusive mode"))
        running = started(file)
        wait_until_blocked(session)
        removing = pool.submit(remove)
        wait_until_blocked(session, 2)
    report = running.result(60)
    removing.result(60)
    assert report["outcome"] == "complete"
    session.rollback()
    assert session.scalars(select(Image)).all() == []
    assert session.scalars(select(Annotation)).all() == []
