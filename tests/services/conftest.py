"""A dataset, and a way to put files into it."""

import io
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.models import Dataset
from app.services.imports.imports import ImportOptions, import_file
from tests.build import make_dataset
from tests.build.coco import to_bytes
from tests.services.importing import Import


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session)


@pytest.fixture
def imported(session: Session, dataset: Dataset) -> Import:
    """Imports a file into the dataset and commits, as a job does."""

    def run(file: Any, **options: Any) -> dict[str, Any]:
        session.commit()
        try:
            result = import_file(
                session,
                dataset_id=dataset.id,
                user_id=dataset.created_by,
                file=io.BytesIO(to_bytes(file)),
                options=ImportOptions(**options),
            )
        except BaseException:
            session.rollback()
            raise
        session.commit()
        session.expire_all()
        return result

    return run
