"""A script for pycocotools, run with pycocotools and with `app.client`: the same answers."""

import contextlib
import copy
import io
import json
from pathlib import Path
from typing import Any

import pytest
from pycocotools import coco as pycocotools
from pycocotools.cocoeval import COCOeval

from app.client import COCO
from tests.client.scripts import answers, plain, results_of
from tests.shared_data import SHARED_DATA, needs_shared_data

COMMITTED = Path(__file__).parent.parent / "data" / "coco"
SHARED = SHARED_DATA / "coco" / "annotations"
FILES = [
    *[COMMITTED / f"{n}.json" for n in ("instances", "person_keypoints", "captions", "stuff")],
    *[
        pytest.param(SHARED / f"{name}.json", marks=needs_shared_data)
        for name in (
            "instances_sample",
            "person_keypoints_sample",
            "captions_sample",
            "stuff_examples",
        )
    ],
]
# pycocotools' own, with NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
parametrize_files = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def peer(source: Path | None = None) -> Any:
    """pycocotools' object, which prints while it loads."""
    with contextlib.redirect_stdout(io.StringIO()):
        return pycocotools.COCO(str(source)) if source else pycocotools.COCO()


@parametrize_files
def test_the_same_answers(path: Path) -> None:
    theirs, ours = peer(path), COCO(str(path))
    results = results_of(theirs)
    given = copy.deepcopy(results)
    # pycocotools writes into the lists that it is given.
    with contextlib.redirect_stdout(io.StringIO()):
        wanted = answers(theirs, copy.deepcopy(results))
    found = answers(ours, results)
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert found[name] == value, name
    assert plain(results) == plain(given)


@parametrize_files
def test_results_can_be_written_as_json(path: Path) -> None:
    coco = COCO(path)
    for kind, given in results_of(coco).items():
        written = json.loads(json.dumps(coco.loadRes(given).dataset))
        assert written == coco.loadRes(given).dataset, kind


def test_an_object_made_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    dataset = json.loads((COMMITTED / "instances.json").read_text())

    def script(coco: Any) -> dict[str, Any]:
        coco.dataset = {**dataset, "annotations": dataset["annotations"][:20]}
        coco.createIndex()
        return answers(coco, {})

    assert script(COCO()) == script(peer())
    capsys.readouterr()
    COCO(dataset)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("kind", ["bbox", "segm", "keypoints"])
def test_pycocotools_evaluates_ours(kind: str) -> None:
    path = COMMITTED / ("person_keypoints.json" if kind == "keypoints" else "instances.json")
    results = results_of(peer(path))["segmentation" if kind == "segm" else kind]
    for place, result in enumerate(results):
        result["score"] = (place * 7 % 11) / 11

    def stats(coco: Any) -> list[float]:
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = COCOeval(coco, coco.loadRes(copy.deepcopy(results)), kind)
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        found: list[float] = evaluation.stats.tolist()
        return found

    assert stats(COCO(path)) == stats(peer(path))
    assert max(stats(COCO(path))) > 0.5
