"""Results that go to a running server, and the predictions that come of them."""

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import client
from app.client import COCO
from app.context import AppContext
from app.jobs.runner import run_job
from app.models import Dataset, Job, PredictionSet, User
from app.services import users
from app.services.imports.imports import import_file
from app.services.predictions import predictions
from app.services.predictions.predictions import PredictionFilter
from tests.build import make_dataset, make_member
from tests.build.coco import annotation, as_numbers, coco, numbers_as_text, to_bytes

RESULT = {"image_id": 1, "category_id": 1, "bbox": [1.5, 1, 3, 2], "score": 0.25}


@pytest.fixture
def dataset(session: Session, context: AppContext) -> Dataset:
    dataset = make_dataset(session)
    file = io.BytesIO(to_bytes(coco(annotation())))
    with context.sessions.begin() as own:
        import_file(own, dataset_id=dataset.id, user_id=None, file=file)
    return dataset


@pytest.fixture(autouse=True)
def worker(context: AppContext) -> Iterator[None]:
    """Runs jobs as they come, as a worker does."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.02):
            with context.sessions() as own:
                ids = own.scalars(select(Job.id).where(Job.state == "queued")).all()
            for job_id in ids:
                run_job(context, job_id)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    ended.set()
    thread.join(20)
    assert not thread.is_alive()


def opened(session: Session, address: str, dataset: Dataset, user: User | None = None) -> COCO:
    """The dataset as its owner sees it, or another user."""
    user = user or session.get_one(User, dataset.created_by)
    _, token = users.create_token(session, user=user, name="a script")
    session.commit()
    return COCO(f"{address}/datasets/{dataset.id}", token=token)


def kept(session: Session) -> dict[str, Any]:
    """The results of each set, by its name."""
    session.rollback()
    return {
        one.name: numbers_as_text(
            b"".join(predictions.results_file(session, set_id=one.id, filters=PredictionFilter()))
        )
        for one in session.scalars(select(PredictionSet))
    }


def test_a_file_and_a_list(
    session: Session, address: str, dataset: Dataset, tmp_path: Path
) -> None:
    live = opened(session, address, dataset)
    text = b'[{"image_id": 1, "category_id": 1, "bbox": [1.50, 1, 3, 2], "score": 2.5e-1}]'
    path = tmp_path / 'rün "7".json'
    path.write_bytes(text)
    report = live.upload_results(path)
    assert report["predictions"] == {"created": 1, "removed": 0, "unchanged": 0, "rejected": 0}
    report = live.upload_results([RESULT, RESULT | {"image_id": 9}], name="a list")
    assert report["predictions"]["rejected"] == 1
    assert report["issue_counts"] == {"image_unknown": 1}
    assert kept(session) == {
        'rün "7"': numbers_as_text(text),
        "a list": as_numbers([RESULT]),
    }
    assert len(COCO(f"{address}/datasets/{dataset.id}", token=live._remote._token).anns) == 1  # type: ignore[union-attr]


def test_what_evaluation_code_holds(session: Session, address: str, dataset: Dataset) -> None:
    """Arrays, NumPy's numbers, and counts as bytes."""
    live = opened(session, address, dataset)
    live.upload_results(np.array([[1, 1.5, 1, 3, 2, 0.25, 1]]), name="array")
    mask = {"size": [6, 8], "counts": b"0`1"}
    given = [RESULT | {"segmentation": mask, "score": np.float32(0.25), "bbox": np.arange(4.0)}]
    live.upload_results(given, name="numpy")
    assert mask["counts"] == b"0`1"
    assert kept(session) == {
        "array": as_numbers([RESULT | {"bbox": [1.5, 1.0, 3.0, 2.0]}]),
        "numpy": as_numbers(
            [
                RESULT
                | {"segmentation": {"size": [6, 8], "counts": "0`1"}, "bbox": [0.0, 1.0, 2.0, 3.0]}
            ]
        ),
    }


def test_what_is_refused(session: Session, address: str, dataset: Dataset, tmp_path: Path) -> None:
    live = opened(session, address, dataset)
    broken = tmp_path / "broken.json"
    broken.write_text("[{")
    with pytest.raises(client.BadResults) as caught:
        live.upload_results(broken)
    assert caught.value.code == "json_truncated"
    with pytest.raises(client.BadResults):
        live.upload_results({"image_id": 1})
    with pytest.raises(client.BadResults):
        live.upload_results([{"image_id": object()}])
    with pytest.raises(client.ClientError):
        COCO(coco()).upload_results([RESULT])
    annotator = make_member(session, dataset=dataset, role="annotator")
    with pytest.raises(client.ServerError) as refused:
        opened(session, address, dataset, annotator).upload_results([RESULT])
    assert refused.value.status == 403
    assert kept(session) == {}
