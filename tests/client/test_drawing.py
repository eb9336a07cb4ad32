"""showAnns draws what pycocotools draws, but for the colours."""

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from pycocotools import coco as pycocotools

from app.client import COCO
from tests.build.coco import annotation, coco

mpl.use("Agg")
from matplotlib import pyplot

DATA = Path(__file__).parent.parent / "data" / "coco"
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(autouse=True)
def axes() -> Iterator[Any]:
    figure = pyplot.figure()
    yield figure.gca()
    pyplot.close("all")


def drawn(axes: Any) -> dict[str, Any]:
    """What is on the axes, without colours."""
    return {
        "patches": [
            [path.vertices.tolist() for path in found.get_paths()] for found in axes.collections
        ],
        "pictures": [image.get_array()[..., 3].tolist() for image in axes.images],
        "lines": [
            [line.get_xydata().tolist(), line.get_marker(), line.get_linewidth()]
            for line in axes.lines
        ],
    }


@pytest.mark.parametrize("draw_bbox", [False, True])
@pytest.mark.parametrize("name", ["instances", "person_keypoints", "stuff"])
def test_the_same_shapes(name: str, *, draw_bbox: bool) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = pycocotools.COCO(str(DATA / f"{name}.json"))
    found = []
    for made in (theirs, COCO(DATA / f"{name}.json")):
        for annotations in [made.loadAnns([one]) for one in made.getAnnIds()[:25]]:
            pyplot.clf()
            made.showAnns(annotations, draw_bbox=draw_bbox)
            found.append(drawn(pyplot.gca()))
    half = len(found) // 2
    # pycocotools collects the patches of all annotations; an empty collection is nothing to see.
    for one in found:
        patches = [path for collection in one["patches"] for path in collection]
        one["patches"] = sorted(patches)
    assert found[half:] == found[:half]
    assert any(one["patches"] or one["pictures"] for one in found)


def test_captions_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    made = COCO(DATA / "captions.json")
    annotations = made.loadAnns(made.getAnnIds()[:3])
    made.showAnns(annotations)
    assert capsys.readouterr().out.splitlines() == [a["caption"] for a in annotations]
    made.showAnns([])


def test_what_pycocotools_cannot_draw(axes: Any) -> None:
    """No skeleton, no iscrowd, no segmentation, an image without a size, a category of a colour."""
    made = COCO(
        coco(
            annotation(segmentation=..., keypoints=[1, 1, 2, 3, 3, 1, 0, 0, 0]),
            annotation(segmentation={"size": [2, 2], "counts": "04"}, iscrowd=...),
            annotation(segmentation=None),
            images=[{"id": 1}],
            categories=[{"id": 1, "name": "cat", "color": "#ff0000"}],
        )
    )
    made.showAnns(made.dataset["annotations"], draw_bbox=True)
    shown = drawn(axes)
    assert [len(line[0]) for line in shown["lines"]] == [2, 1]
    assert shown["pictures"] == [[[0.5, 0.5], [0.5, 0.5]]]
    assert np.allclose(axes.lines[0].get_markerfacecolor(), (1, 0, 0))


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    made = COCO(coco(annotation()))
    with pytest.raises(ImportError, match="pip install matplotlib"):
        made.showAnns(made.loadAnns(1))
