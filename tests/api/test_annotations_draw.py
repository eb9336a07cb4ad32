"""Drawing over HTTP: one operation is one version, with all that follows from it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.models import User
from tests.api.annotation_case import INNER, SQUARE, Case, build_case, code_of, url
from tests.build import make_imported
from tests.conftest import ApiClient


@pytest.fixture
def case(session: Session, client_for: Callable[[User], ApiClient]) -> Case:
    return build_case(session, client_for)


def test_polygons_are_added_and_cut_out(case: Case) -> None:
    annotation = case.make(segmentation=[SQUARE])
    far = [50, 50, 60, 50, 60, 60, 50, 60]
    answer = case.draw(annotation, "add", shape={"polygons": [far]})
    assert answer.headers["ETag"] == '"2"'
    annotation = answer.json()
    assert annotation["segmentation"] == [SQUARE, far]
    assert (annotation["bbox"], annotation["area"]) == ([10, 10, 50, 50], 500)
    annotation = case.draw(annotation, "subtract", shape={"polygons": [INNER]}).json()
    assert (annotation["holes"], annotation["area"], annotation["version"]) == ([INNER], 475, 3)


def test_strokes_on_a_mask_make_a_mask(case: Case) -> None:
    annotation = case.make(segmentation={"size": [80, 100], "counts": [8000]}, bbox=[0, 0, 9, 9])
    stroke = {"stroke": [20, 20], "radius": 2, "square": True}
    annotation = case.draw(annotation, "add", shape=stroke).json()
    assert annotation["segmentation"]["size"] == [80, 100]
    assert (annotation["bbox"], annotation["area"]) == ([18, 18, 4, 4], 16)
    erased = case.draw(annotation, "subtract", shape={"bbox": [0, 0, 20, 80]}).json()
    assert (erased["bbox"], erased["area"]) == ([20, 18, 2, 4], 8)


def test_a_bare_box_counts_as_its_rectangle(case: Case) -> None:
    annotation = case.make(bbox=[10, 10, 20, 20])
    cut = case.draw(annotation, "subtract", shape={"bbox": [15, 15, 5, 5]}).json()
    assert (cut["segmentation"], cut["area"]) == (
        [[10, 10, 30, 10, 30, 30, 10, 30]],
        375,
    )
    assert len(cut["holes"]) == 1


def test_another_form_of_the_same_pixels_keeps_what_was_imported(
    case: Case, session: Session
) -> None:
    record = '{"id":1,"segmentation":[[10,10,30,10,30,30]],"area":200.50,"bbox":[10.0,10,20,2e1]}'
    row = make_imported(session, image=case.image, category=case.category, record=record)
    annotation = case.api.get(case.path).json()["items"][0]
    coded = case.draw(annotation, "to_mask").json()
    assert isinstance(coded["segmentation"], dict)
    session.refresh(row)
    assert '"area":200.50,"bbox":[10.0,10,20,2e1]' in row.record
    traced = case.draw(coded, "to_polygons", tolerance=1).json()
    assert traced["holes"] == []
    assert traced["version"] == 3


def test_what_changes_nothing_makes_no_version(case: Case) -> None:
    annotation = case.make(segmentation=[SQUARE])
    unchanged: list[tuple[str, dict[str, Any]]] = [
        ("to_polygons", {}),
        ("simplify", {"tolerance": 1}),
        ("add", {"shape": {"polygons": [INNER]}}),
        ("subtract", {"shape": {"stroke": [90, 70], "radius": 1}}),
        ("intersect", {"shape": {"bbox": [0, 0, 100, 80]}}),
    ]
    for op, members in unchanged:
        assert case.draw(annotation, op, **members).json() == annotation, op


@pytest.mark.parametrize(
    ("body", "code", "loc"),
    [
        ({"op": "add"}, "shape_missing", ["shape"]),
        ({"op": "to_mask", "shape": {"bbox": [0, 0, 1, 1]}}, "shape_unknown", ["shape"]),
        ({"op": "xor", "shape": {"bbox": [0, 0, 1, 1]}}, "invalid", ["op"]),
        ({"op": "simplify", "tolerance": -1}, "invalid", ["tolerance"]),
        ({"op": "add", "shape": {"polygons": [[0, 0]]}}, "polygon_too_few_points",
         ["shape", "polygons", 0]),
        ({"op": "add", "shape": {"stroke": [1, 1], "radius": -1}}, "stroke_invalid",
         ["shape", "radius"]),
        ({"op": "add", "shape": [1]}, "invalid", ["shape"]),
        ({"op": "add", "colour": 1}, "invalid", ["colour"]),
        ({"op": "subtract", "shape": {"bbox": [0, 0, 100, 80]}}, "empty_result", None),
    ],
)  # fmt: skip
def test_what_is_refused(
    case: Case, body: dict[str, Any], code: str, loc: list[Any] | None
) -> None:
    annotation = case.make(segmentation=[SQUARE])
    answer = case.draw(annotation, **body)
    assert code_of(answer) == (422, code)
    if loc is not None:
        assert answer.json()["errors"][0]["loc"] == ["body", *loc]
    assert case.api.get(url(annotation)).json() == annotation


def test_drawing_needs_the_version_too(case: Case) -> None:
    annotation = case.make(segmentation=[SQUARE])
    path = f"{url(annotation)}/draw"
    assert code_of(case.api.post(path, json={"op": "to_mask"})) == (428, "version_required")
    case.draw(annotation, "to_mask")
    stale = case.draw(annotation, "to_mask")
    assert code_of(stale) == (412, "stale_version")
    assert stale.json()["current"]["version"] == 2
