"""A small ready-made dataset: five photographs of COCO with their annotations.

The photographs are their authors', under CC BY 2.0; ATTRIBUTION.json names the source of each and
goes along with them. The annotations are the COCO Consortium's, under CC BY 4.0.
"""

import json
from pathlib import Path

from app import local_files
from app.context import AppContext
from app.errors import NotFound
from app.services.datasets import datasets
from app.services.imports.imports import ImportOptions

__all__ = ["NAME", "add_demo"]

NAME = "Demo"
FOLDER = Path(__file__).parent


def add_demo(context: AppContext) -> None:
    """Add the dataset, owned by the first administrator, unless there is one of its name."""
    with context.sessions.begin() as session:
        try:
            datasets.find_dataset(session, id_or_name=NAME)
        except NotFound:
            owner = local_files.first_administrator(session)
            made = datasets.create_dataset(
                session, user=owner, name=NAME, description=_description()
            )
            dataset_id = made.id
        else:
            return
    local_files.import_annotations(
        context,
        dataset_id=dataset_id,
        path=FOLDER / "instances.json",
        options=ImportOptions(),
    )
    local_files.import_images(context, dataset_id=dataset_id, folder=FOLDER / "images")


def _description() -> str:
    sources = json.loads((FOLDER / "ATTRIBUTION.json").read_text())
    listed = "\n".join(f"{entry['file_name']}: {entry['source']}" for entry in sources)
    return (
        "Five photographs of the COCO dataset (https://cocodataset.org), under CC BY 2.0; the "
        f"annotations are the COCO Consortium's, under CC BY 4.0. Sources:\n{listed}"
    )
