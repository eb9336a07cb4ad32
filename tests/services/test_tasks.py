"""Files of several tasks in one dataset: each comes out as it went in, in whatever order."""

import io
import json
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.context import AppContext
from app.models import Annotation, Dataset
from app.services.exports import ExportOptions, export_file, snapshot
from app.services.imports import ImportOptions, import_file
from tests.build import make_dataset
from tests.build.coco import numbers_as_text
from tests.build.content import everything
from tests.shared_data import SHARED_DATA

REAL = {
    "instances": "instances_sample.json",
    "person_keypoints": "person_keypoints_sample.json",
    "captions": "captions_sample.json",
    "stuff": "stuff_examples.json",
}


def put_in(
    context: AppContext, dataset: Dataset, file: bytes | dict[str, Any], **options: Any
) -> dict[str, Any]:
    text = file if isinstance(file, bytes) else json.dumps(file).encode()
    with context.sessions.begin() as session:
        return import_file(
            session,
            dataset_id=dataset.id,
            user_id=None,
            file=io.BytesIO(text),
            options=ImportOptions(**options),
        )


def get_out(context: AppContext, dataset: Dataset, task: str, **options: Any) -> Any:
    """The exported file, its numbers as text."""
    with snapshot(context.sessions) as session:
        pieces = export_file(
            session, dataset_id=dataset.id, options=ExportOptions(task=task, **options)
        )
        return numbers_as_text(b"".join(pieces))


def in_order(value: Any) -> Any:
    """A value in which the order of members counts, too."""
    if isinstance(value, dict):
        return [(key, in_order(member)) for key, member in value.items()]
    return [in_order(one) for one in value] if isinstance(value, list) else value


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session)


# Real files. ------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations(REAL)), ids="-".join)
def test_real_files_in_any_order(
    context: AppContext, session: Session, dataset: Dataset, order: Sequence[str]
) -> None:
    folder: Path = SHARED_DATA / "coco" / "annotations"
    if not folder.is_dir():
        pytest.skip("the larger COCO data does not stand beside this checkout")
    texts = {task: (folder / name).read_bytes() for task, name in REAL.items()}
    for task in order:
        report = put_in(context, dataset, texts[task], file_name=REAL[task])
        assert (report["task"], report["issue_counts"]) == (task, {})
    for task, text in texts.items():
        out = get_out(context, dataset, task)
        assert in_order(out) == in_order(numbers_as_text(text))
    # An object of two files is one annotation; captions are annotations of their own.
    assert session.scalar(select(func.count()).select_from(Annotation)) == 1068 + 295 + 17
    before = everything(session)
    session.commit()
    for task in order:
        report = put_in(context, dataset, texts[task], file_name=REAL[task])
        for kind in ("images", "categories", "annotations"):
            assert (report[kind]["created"], report[kind]["updated"]) == (0, 0)
        assert report["issue_counts"] == {}
    assert everything(session) == before
