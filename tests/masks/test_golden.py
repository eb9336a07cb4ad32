"""The whole golden file: the engine's answers are those of pycocotools, to the last bit."""

import numpy as np
import pytest

from app import masks
from app.masks import strings
from app.masks.errors import PolygonTooFewPointsError
from tests.masks.golden import bitmap_of, golden

EMPTY_BOX = [0.0, 0.0, 0.0, 0.0]


def test_polygons() -> None:
    cases = [case for case in golden("frPoly") if len(case["poly"]) >= 6]
    assert len(cases) > 1900
    drawn = masks.from_polygons(
        [[case["poly"]] for case in cases], [[case["h"], case["w"]] for case in cases]
    )
    assert [rle["counts"] for rle in masks.to_dicts(drawn)] == [case["counts"] for case in cases]
    assert masks.area(drawn).tolist() == [case["area"] for case in cases]
    assert masks.bbox(drawn).tolist() == [case["bbox"] for case in cases]


def test_one_polygon_at_a_time_is_no_different() -> None:
    for case in [case for case in golden("frPoly") if len(case["poly"]) >= 6][::20]:
        drawn = masks.from_polygons([[case["poly"]]], [case["h"], case["w"]])
        assert masks.to_dicts(drawn)[0]["counts"] == case["counts"]


def test_polygons_of_fewer_than_three_points_are_refused_where_pycocotools_draws_nothing() -> None:
    cases = [case for case in golden("frPoly") if len(case["poly"]) < 6]
    assert len(cases) > 500
    for case in cases:
        assert (case["area"], case["bbox"]) == (0, EMPTY_BOX)
        with pytest.raises(PolygonTooFewPointsError):
            masks.from_polygons([[case["poly"]]], [case["h"], case["w"]])


def test_boxes() -> None:
    cases = golden("frBbox")
    drawn = masks.from_boxes(
        [case["bbox_in"] for case in cases], [[case["h"], case["w"]] for case in cases]
    )
    assert [rle["counts"] for rle in masks.to_dicts(drawn)] == [case["counts"] for case in cases]
    assert masks.area(drawn).tolist() == [case["area"] for case in cases]
    assert masks.bbox(drawn).tolist() == [case["bbox"] for case in cases]


def test_bitmaps() -> None:
    for case in golden("encode_decode"):
        bitmap = np.array(bitmap_of(case["mask_rows"], case["w"])).reshape(case["h"], case["w"])
        coded = masks.encode(bitmap)
        assert masks.to_dicts(coded) == [{"size": [case["h"], case["w"]], "counts": case["counts"]}]
        assert (masks.decode(masks.from_dicts(masks.to_dicts(coded)))[0] == bitmap).all()
        assert masks.area(coded).tolist() == [case["area"]]
        assert masks.bbox(coded).tolist() == [case["bbox"]]


def test_merges_all_in_one_call() -> None:
    cases = golden("merge")
    inputs = masks.from_dicts([rle for case in cases for rle in case["in"]])
    groups = [len(case["in"]) for case in cases]
    union = masks.merge(inputs, groups)
    intersection = masks.merge(inputs, groups, intersect=True)
    assert masks.to_dicts(union) == [case["union"] for case in cases]
    assert masks.to_dicts(intersection) == [case["intersect"] for case in cases]


def test_intersections_over_unions() -> None:
    kinds = set()
    for case in golden("iou"):
        kinds.add("dt" in case)
        if "dt" in case:
            dt, gt = masks.from_dicts(case["dt"]), masks.from_dicts(case["gt"])
            matrix = masks.iou(dt, gt, case["iscrowd"])
        else:
            matrix = masks.iou_boxes(case["dt_boxes"], case["gt_boxes"], case["iscrowd"])
        assert matrix.tolist() == case["iou"]
    assert kinds == {True, False}


def test_runs_of_length_zero_decode_alike_and_are_merged_away() -> None:
    for case in golden("non_canonical_rle"):
        for counts in (case["counts_in"], case["compressed"]):
            coded = masks.from_dicts([{"size": [4, 4], "counts": counts}])
            assert masks.decode(coded)[0].tolist() == bitmap_of(case["decoded_rows"], 4)
            assert masks.to_dicts(coded)[0]["counts"] == case["reencoded"]


def test_counts_as_strings() -> None:
    for case in golden("string_single"):
        one = np.array([case["count"]]), np.array([0, 1])
        assert strings.encode_strings(*one) == [case["string"]]
        assert strings.decode_strings([case["string"].encode()])[0].tolist() == [case["count"]]
