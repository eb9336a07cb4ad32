"""Datumaro reads what is exported, where it is installed: it is no dependency of ours.

uv has it in its cache once the benchmarks ran beside it; without it these tests skip, and say so.
"""

import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.context import AppContext
from app.services.exports.exports import snapshot
from app.services.exports.zip import ZipOptions, export_zip
from tests.build import make_dataset
from tests.build.panoptic import REAL, panoptic_zip
from tests.services.panoptic_case import put_zip

_READ = """
import collections, json, pathlib, sys
from datumaro.components.dataset import Dataset
found = {}
for path in sorted(pathlib.Path(sys.argv[1], "annotations").glob("*.json")):
    task = path.stem.rpartition("_")[0]
    dataset = Dataset.import_from(str(path), f"coco_{task}")
    kinds = collections.Counter(one.type.name for item in dataset for one in item.annotations)
    read = sum(item.media is not None and item.media.data is not None for item in dataset)
    found[path.stem] = [len(dataset), dict(kinds), read]
print(json.dumps(found))
"""
_FILES = ("instances", "person_keypoints", "captions", "stuff")


def datumaro(folder: Path) -> dict[str, Any]:
    """Of each annotation file: its images, annotations by kind, and the pictures that are there."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        pytest.skip("there is no uv to find Datumaro with")
    command = [uv, "run", "--offline", "--no-project", "--with", "datumaro>=1.10", "python", "-c"]
    done = subprocess.run(
        [*command, _READ, str(folder)], capture_output=True, text=True, cwd=folder, check=False
    )
    if done.returncode and "Traceback" not in done.stderr:
        pytest.skip("Datumaro is not installed")
    assert not done.returncode, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_task(context: AppContext, session: Session, tmp_path: Path) -> None:
    dataset = make_dataset(session)
    texts = {task: (REAL / f"{task}.json").read_bytes() for task in _FILES}
    for task, text in texts.items():
        put_zip(context, dataset, text, file_name=f"{task}_val.json")
    pngs = {path.name: path.read_bytes() for path in (REAL / "panoptic").iterdir()}
    put_zip(context, dataset, panoptic_zip((REAL / "panoptic.json").read_bytes(), pngs))
    pictures = {path.name: path.read_bytes() for path in (REAL / "images").glob("*.jpg")}
    pictures["instances_val.json"] = texts["instances"]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in pictures.items():
            archive.writestr(name, content)
    put_zip(context, dataset, out.getvalue())
    with snapshot(context.sessions) as own:
        options = ZipOptions(images=True)
        pieces = export_zip(own, context.storage, dataset_id=dataset.id, options=options)
        zipfile.ZipFile(io.BytesIO(b"".join(pieces))).extractall(tmp_path)

    found = datumaro(tmp_path)
    assert set(found) == {f"{task}_val" for task in (*_FILES, "panoptic")}
    files = {task: json.loads(text) for task, text in texts.items()}
    for task, file in files.items():
        assert found[f"{task}_val"][0] == len(file["images"])
    # All of the images that we have are found where Datumaro looks for them.
    assert found["instances_val"][2] == len(files["instances"]["images"]) == len(pictures) - 1
    kinds = {name: counted for name, (_, counted, _) in found.items()}
    objects = files["instances"]["annotations"]
    crowds = sum(one["iscrowd"] for one in objects)
    assert kinds["instances_val"]["mask"] == crowds
    assert kinds["instances_val"]["polygon"] == sum(
        len(one["segmentation"]) for one in objects if not one["iscrowd"]
    )
    assert kinds["person_keypoints_val"]["points"] == len(files["person_keypoints"]["annotations"])
    assert kinds["captions_val"] == {"caption": len(files["captions"]["annotations"])}
    assert kinds["stuff_val"]["mask"] == len(files["stuff"]["annotations"])
    assert kinds["panoptic_val"] == {"mask": 50}
