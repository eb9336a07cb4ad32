"""Rows on their way into a table while the next ones are made."""

import io
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.context import AppContext
from app.formats.coco import stream
from app.models import Annotation, Dataset
from app.services import bulk
from app.services.bulk import CopyBehind
from app.services.imports.imports import import_file
from app.services.jobs import JobCancelled
from tests.build import make_category, make_dataset, make_image
from tests.build.coco import annotation, coco, to_bytes

ODD = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 1e22, 2.5]
COLUMNS = ("dataset_id", "image_id", "category_id", "coco_id", "record", "area", "bbox")


@contextmanager
def nobody_adds(context: AppContext) -> Iterator[None]:
    """Whoever adds an annotation waits meanwhile."""
    with context.sessions.begin() as own:
        own.execute(text("lock table annotations in share row exclusive mode"))
        yield


def wait_until_adding(session: Session) -> None:
    """Until rows are on their way and cannot come in."""
    until = time.monotonic() + 30
    while not session.scalar(text("select exists (select from pg_locks where not granted)")):
        assert time.monotonic() < until, "nobody adds rows"
        time.sleep(0.01)


@pytest.fixture
def rows(session: Session, dataset: Dataset) -> list[list[str]]:
    image = make_image(session, dataset=dataset)
    category = make_category(session, dataset=dataset)
    keys = [str(key) for key in (dataset.id, image.id, category.id)]
    return [
        [*keys, bulk.coco_id(number), bulk.quoted('{"a": "\\\\"}'), repr(area), bulk.array(ODD)]
        for number, area in enumerate(ODD)
    ]


def test_numbers_stay_what_they_are(session: Session, rows: list[list[str]]) -> None:
    bulk.copy(session, "annotations", COLUMNS, rows)
    for found, area in zip(session.scalars(select(Annotation)), ODD, strict=True):
        assert list(map(repr, found.bbox)) == list(map(repr, ODD))
        assert (repr(found.area), found.record) == (repr(area), '{"a": "\\\\"}')


def test_the_caller_goes_on_and_the_session_waits(
    context: AppContext, session: Session, rows: list[list[str]]
) -> None:
    copying = CopyBehind(session)
    with ThreadPoolExecutor(1) as pool, Session(context.engine) as other:
        with nobody_adds(context):
            copying.copy("annotations", COLUMNS, rows)
            wait_until_adding(other)
            counting = pool.submit(lambda: len(copying.session.scalars(select(Annotation)).all()))
            assert not counting.done()
        assert counting.result(30) == len(rows)
    copying.copy("annotations", COLUMNS, [])
    copying.wait()


def test_rows_that_do_not_fit_are_told_to_who_waits(
    session: Session, rows: list[list[str]]
) -> None:
    session.commit()
    copying = CopyBehind(session)
    copying.copy("annotations", COLUMNS, [*rows, ["1", "2"]])
    with pytest.raises(psycopg.errors.BadCopyFileFormat):
        copying.wait()
    copying.wait()
    session.rollback()
    assert session.scalars(select(Annotation)).all() == []


def test_an_import_that_is_called_off_waits_for_its_rows(
    context: AppContext, session: Session, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else they would come in behind its back, in a transaction of their own."""
    session.commit()
    send, ended, was_early = bulk._send, Event(), list[bool]()

    def held(connection: Any, table: str, columns: Any, blocks: Any) -> None:
        if table == "annotations":
            was_early.append(ended.wait(0.5))
        send(connection, table, columns, blocks)

    class Impatient:
        def tell(self, done: int, total: int, message: str = "") -> None:
            if done and total and message:
                raise JobCancelled

    monkeypatch.setattr(bulk, "_send", held)
    file = io.BytesIO(to_bytes(coco(annotation(), annotation(id=2))))
    with pytest.raises(JobCancelled), context.sessions.begin() as own:
        import_file(own, dataset_id=dataset.id, user_id=None, file=file, progress=Impatient())
    ended.set()
    assert was_early == [False]
    assert session.scalars(select(Annotation)).all() == []


def test_two_imports_at_once(
    context: AppContext, session: Session, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each keeps the order of its file, block after block."""
    monkeypatch.setattr(stream, "_BLOCK", 2000)
    datasets = [dataset.id, make_dataset(session).id]
    file = to_bytes(coco(*(annotation(id=number) for number in range(500, 0, -1))))

    def run(dataset_id: int) -> dict[str, Any]:
        with context.sessions.begin() as own:
            return import_file(own, dataset_id=dataset_id, user_id=None, file=io.BytesIO(file))

    with ThreadPoolExecutor(2) as pool:
        running: list[Future[dict[str, Any]]] = [pool.submit(run, key) for key in datasets]
        assert [one.result(60)["annotations"]["created"] for one in running] == [500, 500]
    for key in datasets:
        ids = select(Annotation.coco_id).where(Annotation.dataset_id == key)
        assert list(session.scalars(ids.order_by(Annotation.id))) == list(range(500, 0, -1))
