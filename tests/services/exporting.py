"""What tests of imports and exports share."""

import io
import json
from typing import Any

from app.context import AppContext
from app.models import Dataset
from app.services.exports.exports import ExportOptions, export_file, snapshot
from app.services.imports.imports import ImportOptions, import_file
from tests.build.coco import numbers_as_text

__all__ = ["get_out", "in_order", "put_in"]


def put_in(
    context: AppContext, dataset: Dataset, file: bytes | dict[str, Any], **options: Any
) -> dict[str, Any]:
    """Import a file; the report."""
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
