"""Results files in a dataset: read like loadRes, kept to the letter, and never the truth."""

import contextlib
import copy
import io
import json
from pathlib import Path
from typing import Any

import pytest
from pycocotools import coco as pycocotools
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.formats import FORMATS
from app.models import Annotation, Category, Dataset, Image, Prediction, PredictionSet, User
from app.services.exports import exports
from app.services.imports.imports import ImportFailed
from app.services.predictions import decisions as prediction_decisions
from app.services.predictions import predictions
from app.services.predictions.predictions import PredictionFilter
from tests.build.coco import annotation, as_numbers, coco, numbers_as_text
from tests.build.content import everything
from tests.client.scripts import results_of
from tests.services.importing import Import, only

COMMITTED = Path(__file__).parents[2] / "data" / "coco"
RLE = {"size": [6, 8], "counts": [10, 5, 33]}
# pycocotools' own, with NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def result(**members: Any) -> dict[str, Any]:
    """A box on image 1, changed by `members`; ... takes a member away."""
    record = {"image_id": 1, "category_id": 1, "bbox": [1, 1, 3, 2], "score": 0.5} | members
    return {key: value for key, value in record.items() if value is not ...}


def written(session: Session, **filters: Any) -> bytes:
    kept = only(session, PredictionSet)
    pieces = predictions.results_file(session, set_id=kept.id, filters=PredictionFilter(**filters))
    return b"".join(pieces)


def shown(session: Session) -> list[dict[str, Any]]:
    rows = session.scalars(select(Prediction).order_by(Prediction.place))
    return [json.loads(predictions.as_text(row)) for row in rows]


def predictions_of(report: dict[str, Any]) -> tuple[int, int, int, int]:
    numbers = report["predictions"]
    return tuple(numbers[name] for name in ("created", "unchanged", "removed", "rejected"))


def truth(session: Session) -> list[Any]:
    """Everything but the two tables of predictions."""
    return everything(session)[:-2]


@pytest.mark.parametrize("name", ["instances", "person_keypoints", "captions"])
def test_the_values_that_loadres_derives(imported: Import, session: Session, name: str) -> None:
    """The results of every kind that pycocotools reads, and what it makes of them."""
    path = COMMITTED / f"{name}.json"
    imported(path.read_bytes(), file_name=path.name)
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = pycocotools.COCO(str(path))
        for kind, given in lists_of(theirs).items():
            report = imported(given, file_name=f"{kind}.json")
            assert predictions_of(report) == (len(given), 0, 0, 0), kind
            wanted = theirs.loadRes(copy.deepcopy(given)).dataset["annotations"]
            found = shown(session)
            assert [one["kind"] for one in found] == [kind] * len(given)
            for ours, peer in zip(found, wanted, strict=True):
                for member in {"area", "bbox", "segmentation"} & peer.keys():
                    assert ours[member] == plain(peer[member]), (kind, member)
            session.query(PredictionSet).delete()


def lists_of(peer: Any) -> dict[str, Any]:
    """Results of every kind that a file can hold: arrays are for scripts only."""
    return {kind: given for kind, given in results_of(peer).items() if isinstance(given, list)}


def plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def test_the_truth_neither_sees_nor_loses_anything(imported: Import, session: Session) -> None:
    imported(coco(annotation()))
    before, numbers = truth(session), exported(session)
    report = imported([result(), result(bbox=..., segmentation=RLE)], file_name="run 7.json")
    assert report["task"] == "results"
    assert report["prediction_set"] == {"id": only(session, PredictionSet).id, "name": "run 7"}
    assert truth(session) == before
    assert exported(session) == numbers


def exported(session: Session) -> list[bytes]:
    """What every task's export writes."""
    tasks = [task for form in FORMATS for task in form.export_tasks]
    dataset_id = only(session, Dataset).id
    files = []
    for task in tasks:
        options = exports.ExportOptions(task=task)
        pieces = exports.export_file(session, dataset_id=dataset_id, options=options)
        files.append(b"".join(pieces))
    return files


def test_results_come_out_as_they_went_in(imported: Import, session: Session) -> None:
    """Every kind in one list, to the last digit and with keys that nobody knows."""
    imported(coco())
    text = """[
        {"image_id": 1, "category_id": 1.0, "bbox": [1.50, 1, 3e0, 2], "score": 0.2360, "x": -0.0},
        {"caption": "  a \\u00e9 \\ud83d\\ude00\\n", "image_id": 1},
        {"image_id":1,"category_id":1,"segmentation":{"size":[6,8],"counts":"[\\\\"},"score":1},
        {"keypoints": [1, 2, 0.93, 4.25, 1, 1], "score": 12345678901234567890, "image_id": 1,
         "category_id": 1, "id": 7, "area": 3.000}
    ]"""
    report = imported(text.encode())
    assert report["issue_counts"] == {"keypoints_visibility": 1, "rle_truncated": 1}
    assert predictions_of(report) == (3, 0, 0, 1)
    kept = json.loads(text)
    wanted = [one for one in numbers_as_text(text) if "segmentation" not in one]
    assert numbers_as_text(written(session)) == wanted
    assert written(session, states=("accepted",)) == b"[\n]\n"
    assert numbers_as_text(written(session, min_score=0.5)) == wanted[2:]
    assert [one["caption"] for one in shown(session)] == [None, kept[1]["caption"], None]


ODD = [
    (result(image_id=9), "image_unknown"),
    (result(image_id=...), "image_unknown"),
    (result(image_id="1"), "id_type_mismatch"),
    (result(category_id=9), "category_unknown"),
    (result(category_id=...), "category_unknown"),
    (result(bbox=[]), "geometry_missing"),
    (result(bbox=[1, 2, 3]), "bbox_invalid"),
    (result(score="high"), "score_invalid"),
    (result(caption=7), "caption_missing"),
    (result(segmentation={"size": [8, 6], "counts": [48]}), "rle_size_swapped"),
    (result(segmentation={"size": [6, 8], "counts": "~"}), "rle_charset"),
    (result(bbox=..., segmentation=[1, 1, 5, 1, 1, 5]), "segmentation_flat"),
    (result(bbox=..., segmentation=[[1, 1, 5, 1, 2e7, 5]]), "polygon_too_large"),
    (result(keypoints=[1, 2]), "keypoints_length"),
    (result(bbox=..., keypoints=[1, 2e9, 1]), "polygon_too_large"),
    ("nonsense", "record_not_object"),
    ([1, 2, 3], "record_not_object"),
]
READ = {"id_type_mismatch", "score_invalid", "segmentation_flat"}


@pytest.mark.parametrize(("odd", "code"), ODD, ids=[f"{n}-{c}" for n, (_, c) in enumerate(ODD)])
def test_odd_results(imported: Import, session: Session, odd: Any, code: str) -> None:
    """Reported with a code, and the results beside them come in."""
    imported(coco())
    report = imported([result(), odd, result(score=0.9)])
    assert code in report["issue_counts"]
    assert {issue["path"].partition("]")[0] for issue in report["issues"]} == {"[1"}
    kept = len(session.scalars(select(Prediction)).all())
    assert predictions_of(report) == (kept, 0, 0, 3 - kept)
    assert kept == (3 if code in READ else 2)


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"", "file_empty"),
        (b"{}", "results_expected"),
        (b'[{"image_id": 1,', "json_truncated"),
        (b"[1 2]", "json_malformed"),
        (b"[] []", "json_malformed"),
        (b"[" * 10_000, "nesting_too_deep"),
    ],
)
def test_files_that_are_no_results(
    imported: Import, session: Session, file: bytes, code: str
) -> None:
    imported(coco())
    before = everything(session)
    with pytest.raises(ImportFailed) as caught:
        imported(file, task="results")
    assert list((caught.value.result or {})["issue_counts"]) == [code]
    assert everything(session) == before


def test_strict_and_dry_run_change_nothing(imported: Import, session: Session) -> None:
    imported(coco())
    before = everything(session)
    with pytest.raises(ImportFailed):
        imported([result(), result(image_id=9)], mode="strict")
    report = imported([result()], dry_run=True)
    assert predictions_of(report) == (1, 0, 0, 0)
    assert report["imported"] is False
    assert everything(session) == before


@pytest.mark.parametrize("name", ["run", "another"])
def test_results_of_nothing_that_is_here_leave_everything_as_it_was(
    imported: Import, session: Session, name: str
) -> None:
    imported(coco())
    imported([result()], name="run")
    before = everything(session)
    report = imported([result(image_id=9), result(image_id=8)], name=name)
    assert (report["outcome"], report["issue_counts"]) == ("nothing", {"image_unknown": 2})
    assert predictions_of(report) == (0, 0, 0, 2)
    assert everything(session) == before


def test_an_empty_list_is_a_run_that_found_nothing(imported: Import, session: Session) -> None:
    imported(coco())
    assert predictions_of(imported([], task="results")) == (0, 0, 0, 0)
    assert json.loads(written(session)) == []


def test_images_of_several_files_are_told_apart_by_subset(
    imported: Import, session: Session
) -> None:
    imported(coco(), subset="train")
    other = [{"id": 1, "file_name": "b.jpg", "width": 8, "height": 6}]
    imported(coco(images=other), subset="val")
    assert imported([result()])["issue_counts"] == {"image_ambiguous": 1}
    assert imported([result()], subset="val")["issue_counts"] == {}
    found = session.get_one(Image, only(session, Prediction).image_id)
    assert found.file_name == "b.jpg"


def test_categories_with_one_id_are_never_guessed(imported: Import) -> None:
    imported(coco(categories=[{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]))
    report = imported([result()])
    assert report["issue_counts"] == {"category_ambiguous": 1}
    assert predictions_of(report) == (0, 0, 0, 1)


def test_the_same_name_again(imported: Import, session: Session, dataset: Dataset) -> None:
    """Equal results stay with what was decided; the others come and go."""
    imported(coco())
    first = [result(score=score / 10) for score in (1, 2, 3, 3)]
    imported(first, name="run")
    user = session.get_one(User, dataset.created_by)
    one, two, *_ = session.scalars(select(Prediction).order_by(Prediction.place)).all()
    prediction_decisions.accept(session, prediction=one, user=user, edits={})
    prediction_decisions.reject(session, prediction=two, user=user)
    session.commit()
    before = everything(session)
    assert predictions_of(imported(first, name="run")) == (0, 4, 0, 0)
    assert everything(session) == before
    report = imported([result(score=0.7), first[1], first[2]], name="run")
    assert predictions_of(report) == (1, 2, 2, 0)
    assert numbers_as_text(written(session)) == as_numbers([result(score=0.7), first[1], first[2]])
    assert [row["state"] for row in shown(session)] == ["open", "rejected", "open"]
    assert only(session, Annotation).deleted_at is None
    imported([result()], name="another")
    names = [row.set.name for row in predictions.list_sets(session, dataset_id=dataset.id)]
    assert names == ["another", "run"]


def test_what_refers_to_a_set_goes_with_images_and_categories(
    imported: Import, session: Session
) -> None:
    imported(coco())
    imported([result()])
    session.delete(only(session, Category))
    session.commit()
    assert only(session, Prediction).category_id is None
    assert predictions_of(imported([result(category_id=...)])) == (0, 0, 0, 1)
    session.delete(only(session, Image))
    session.commit()
    assert predictions_of(imported([result()])) == (0, 0, 0, 1)
