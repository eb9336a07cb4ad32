"""What tests of the formats of folders share: zips in and out of a dataset."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image as Pillow
from sqlalchemy import select

from app.context import AppContext
from app.formats.coco import rawjson
from app.models import Annotation, Category, Dataset, Image
from app.services.exports.exports import snapshot
from app.services.exports.folder import FolderOptions, export_folder
from app.services.imports.imports import ImportOptions
from app.services.imports.zip import import_upload

__all__ = [
    "COCO_DATA",
    "Annotated",
    "annotated",
    "box",
    "codes",
    "get_zip",
    "losses",
    "new_dataset",
    "png",
    "put_zip",
    "voc",
    "zipped",
]

COCO_DATA = Path(__file__).parent.parent / "data" / "coco"

Files = Mapping[str, bytes | str]


def png(width: int, height: int, color: str = "gray") -> bytes:
    buffer = io.BytesIO()
    Pillow.new("RGB", (width, height), color).save(buffer, "PNG")
    return buffer.getvalue()


def zipped(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def new_dataset(context: AppContext, like: Dataset, name: str = "another") -> Dataset:
    with context.sessions.begin() as session:
        dataset = Dataset(name=name, created_by=like.created_by)
        session.add(dataset)
        session.flush()
        session.expunge(dataset)
    return dataset


def put_zip(
    context: AppContext, dataset: Dataset, files: Files | bytes, **options: Any
) -> dict[str, Any]:
    """Import a zip as a job does; the report."""
    content = files if isinstance(files, bytes) else zipped(files)
    with context.sessions.begin() as session:
        return import_upload(
            session,
            dataset_id=dataset.id,
            user_id=None,
            file=io.BytesIO(content),
            storage=context.storage,
            sessions=context.sessions,
            settings=context.settings,
            options=ImportOptions(**options),
        )


def get_zip(context: AppContext, dataset: Dataset, form: str, **options: Any) -> dict[str, bytes]:
    """Export a zip; its files by their names."""
    with snapshot(context.sessions) as session:
        pieces = export_folder(
            session,
            context.storage,
            dataset_id=dataset.id,
            options=FolderOptions(format=form, **options),
        )
        with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
            assert archive.testzip() is None
            assert len(set(archive.namelist())) == len(archive.namelist())
            return {name: archive.read(name) for name in archive.namelist()}


def losses(files: Mapping[str, bytes]) -> dict[str, int]:
    """How often the export's report tells which loss."""
    told = json.loads(files["export-report.json"])
    return {loss["code"]: loss["count"] for loss in told["losses"]}


def codes(report: Mapping[str, Any]) -> dict[str, int]:
    found: dict[str, int] = report["issue_counts"]
    return found


def voc(*objects: str, size: tuple[int, int] | None = (40, 30)) -> str:
    """An XML file; the first object is in line 2."""
    sides = (
        "" if size is None else f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    )
    inner = "\n".join(f"<object>{one}</object>" for one in objects)
    return f"<annotation><filename>a.jpg</filename>{sides}\n{inner}\n</annotation>"


def box(name: str = "cat", at: tuple[Any, ...] = (1, 1, 1, 1), more: str = "") -> str:
    """What is in an object: its name and its corners, counted from 1."""
    corners = zip(("xmin", "ymin", "xmax", "ymax"), at, strict=True)
    bounds = "".join(f"<{tag}>{n}</{tag}>" for tag, n in corners)
    return f"<name>{name}</name>{more}<bndbox>{bounds}</bndbox>"


Annotated = dict[str, list[dict[str, Any]]]


def annotated(context: AppContext, dataset: Dataset) -> Annotated:
    """The annotations of each image: their records, with the category's name."""
    query = (
        select(Image.file_name, Category.name, Annotation.record)
        .join(Annotation, Annotation.image_id == Image.id, isouter=True)
        .join(Category, Category.id == Annotation.category_id, isouter=True)
        .where(Image.dataset_id == dataset.id)
        .order_by(Image.id, Annotation.id)
    )
    found: Annotated = {}
    with context.sessions() as session:
        for file_name, category, record in session.execute(query):
            objects = found.setdefault(file_name, [])
            if record is not None:
                objects.append({"category": category, **rawjson.decode(record)})
    return found
