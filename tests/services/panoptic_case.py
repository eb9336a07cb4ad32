"""What tests of panoptic imports and exports share."""

import io
import json
import zipfile
from dataclasses import replace
from typing import Any

from app.context import AppContext
from app.models import Dataset
from app.services.exports.exports import snapshot
from app.services.exports.zip import ZipOptions, export_zip
from app.services.imports.imports import ImportOptions
from app.services.imports.zip import import_upload
from tests.build.panoptic import colors_in

__all__ = ["get_zip", "ids_and_segments", "put_zip"]


def put_zip(context: AppContext, dataset: Dataset, data: bytes, **options: Any) -> dict[str, Any]:
    """Import an upload; the report."""
    with context.sessions.begin() as session:
        return import_upload(
            session,
            dataset_id=dataset.id,
            user_id=None,
            file=io.BytesIO(data),
            sessions=context.sessions,
            storage=context.storage,
            settings=context.settings,
            options=replace(ImportOptions(), **options),
        )


def get_zip(context: AppContext, dataset: Dataset, **options: Any) -> dict[str, bytes]:
    """The files of an exported zip."""
    with snapshot(context.sessions) as session:
        chosen = ZipOptions(tasks=("panoptic",), **options)
        pieces = export_zip(session, context.storage, dataset_id=dataset.id, options=chosen)
        archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert archive.testzip() is None
    return {name: archive.read(name) for name in archive.namelist()}


def ids_and_segments(files: dict[str, bytes], subset: str = "val") -> dict[str, tuple[Any, Any]]:
    """The ids (h, w) of each image and its segments by id, after a check that both agree.

    Read as panopticapi does: PNG by file_name, id = R + 256 G + 65536 B.
    """
    file = json.loads(files[f"annotations/panoptic_{subset}.json"])
    pngs = {name for name in files if name.startswith(f"annotations/panoptic_{subset}/")}
    assert len(pngs) == len(file["annotations"])
    known = {category["id"] for category in file["categories"]}
    sizes = {image["id"]: (image["height"], image["width"]) for image in file["images"]}
    found = {}
    for frame in file["annotations"]:
        colors = colors_in(files[f"annotations/panoptic_{subset}/{frame['file_name']}"]).astype(int)
        ids = colors[..., 0] + 256 * colors[..., 1] + 65536 * colors[..., 2]
        assert ids.shape == sizes[frame["image_id"]]
        segments = {segment["id"]: segment for segment in frame["segments_info"]}
        assert len(segments) == len(frame["segments_info"])
        assert set(segments) == set(ids.ravel().tolist()) - {0}
        for key, segment in segments.items():
            rows, columns = (ids == key).nonzero()
            left, top = columns.min(), rows.min()
            box = [left, top, columns.max() - left + 1, rows.max() - top + 1]
            assert segment["area"] == len(rows)
            assert segment["bbox"] == box
            assert segment["category_id"] in known
        found[frame["file_name"]] = (ids, segments)
    return found
