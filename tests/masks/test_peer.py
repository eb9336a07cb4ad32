"""The engine beside pycocotools, on input that was not seen before.

A short run with the same calls every time; ``make fuzz`` goes on with others for as long as wanted.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from app import masks
from tests.masks import fuzz, ours
from tests.masks.peer import Call, ask_pycocotools
from tests.masks.questions import SUBJECTS, is_fair, some_calls
from tests.masks.shrink import shrink

SEED = 20
CALLS = 300


@pytest.mark.parametrize("subject", SUBJECTS)
def test_both_answer_alike(subject: str) -> None:
    calls = some_calls(subject, (SEED,), CALLS)
    found = fuzz.compare(calls)
    if found.differ:
        pytest.fail(fuzz.report(fuzz.smallest(calls)))
    assert found.unanswered == []


def test_every_operation_is_compared_on_what_is_worth_comparing() -> None:
    made = {subject: some_calls(subject, (SEED,), CALLS) for subject in SUBJECTS}
    assert {call["op"] for calls in made.values() for call in calls} == set(ours.OPERATIONS)
    assert all(is_fair(call) for calls in made.values() for call in calls)
    drawn = ours.answer(made["polygons"])
    filled = [measured[-1][1] > 0 for measured in drawn]
    assert 0.4 < np.mean(filled) < 0.95
    assert any(len(call["polygons"]) > 8 for call in made["polygons"])
    assert any(0 in call["size"] for call in made["polygons"])
    for subject in ("merge", "iou", "bitmaps", "outlines"):
        flat = json.dumps(made[subject])
        assert re.search(r'"counts": \[0\]', flat), "an image of no pixels"
        assert re.search(r'"counts": \[0, [1-9]\d*\]', flat), "a full mask"
        assert re.search(r'"counts": \[[1-9]\d*\]', flat), "an empty mask"
    overlaps = [n for matrix in ours.answer(made["iou"]) for row in matrix for n in row]
    assert {0.0, 1.0} < set(overlaps)


def test_an_image_of_no_columns_stays_empty_where_pycocotools_draws_outside_of_it() -> None:
    size, boxes = [12, 0], [[2, 8, 2, 6]]
    [[[theirs, area, _]]] = ask_pycocotools([{"op": "boxes", "size": size, "boxes": boxes}])
    assert (theirs["counts"], area) == ("0P14XO0", 40)
    assert masks.to_lists(masks.from_boxes(boxes, size)) == [[0]]
    assert masks.to_lists(masks.from_polygons([[[2, 8, 2, 14, 4, 14, 4, 8]]], size)) == [[0]]


def test_long_differences_are_read_where_pycocotools_shifts_too_far() -> None:
    """From the fourth count on, 2^29 less than two counts before needs seven characters."""
    counts = [1, 2**29 + 7, 1, 1, 5]
    [[written, again]] = ask_pycocotools([{"op": "strings", "counts": counts}])
    assert written != again
    size = [1, sum(counts)]
    assert masks.to_lists(masks.from_dicts([{"size": size, "counts": written}])) == [counts]


def test_what_ends_pycocotools_is_an_answer_of_its_own() -> None:
    fine = {"op": "strings", "counts": [3, 2, 11]}
    crash = {"op": "polygons", "size": [9, 9], "polygons": [[float("nan"), 1, 2, 3, 4, 5]]}
    unknown = {"op": "nothing"}
    first, second, third, fourth, last = ask_pycocotools([fine, crash, fine, unknown, fine])
    assert first == third == last == ["32;", "32;"]
    assert second.startswith("pycocotools: ended with -")
    assert fourth == "pycocotools: ended with 1 ValueError: nothing"


def test_a_hanging_pycocotools_is_given_up() -> None:
    endless = {"op": "merge", "intersect": False}
    endless["masks"] = [{"size": [4, 4], "counts": [0, 16]}, {"size": [4, 4], "counts": [3, 2]}]
    assert ask_pycocotools([endless], timeout=1) == ["pycocotools: no answer within 1 s"]


def test_what_pycocotools_cannot_answer_is_no_difference() -> None:
    call: Call = {"op": "strings", "counts": [3, 2, 11]}
    crash: Call = {"op": "iou_boxes", "dt": [[0, 0, 1, 1]], "gt": [{"box": [], "iscrowd": 0}]}
    assert fuzz.compare([call, crash, call]) == fuzz.Compared([], [1])


def wrong(calls: Sequence[Call]) -> list[Any]:
    """An engine that loses a pixel of every box more than five pixels wide."""
    answers = ours.answer(calls)
    for call, answer in zip(calls, answers, strict=True):
        if call["op"] == "boxes" and isinstance(answer, list):
            for box, measured in zip(call["boxes"], answer, strict=True):
                measured[1] -= box[2] > 5
    return answers


def test_a_difference_ends_the_fuzzing_and_is_made_small(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz, "CALLS_A_ROUND", 20)
    assert fuzz.run(60, seed=1, answer=wrong) == 1
    printed = capsys.readouterr().out
    assert "boxes: a difference with seed 1 in round 0" in printed
    call = json.loads(next(line for line in printed.splitlines() if line.startswith("{")))
    assert call["op"] == "boxes"
    assert [[x, y, h] for x, y, _, h in call["boxes"]] == [[0, 0, 0]]
    assert 5 < call["boxes"][0][2] <= 6


def test_fuzzing_ends_in_time_and_tells_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main(["--seconds", "0.5", "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("seed 3, 0.5 s\n")
    assert re.search(r"polygons +1,000 calls, no difference", printed)


def test_shrinking_leaves_only_what_fails() -> None:
    mask = {"size": [6, 8], "counts": [3, 9, 1, 20, 4, 11]}
    calls = [{"op": "merge", "masks": [mask, mask, mask], "intersect": False}] * 3

    def fails(cases: list[list[Call]]) -> list[bool]:
        """A merge of two masks, one with foreground in two runs."""
        return [
            any(
                len(call["masks"]) > 1 and any(len(m["counts"]) > 3 for m in call["masks"])
                for call in case
            )
            for case in cases
        ]

    [smallest] = shrink(calls, fails)
    assert sorted(len(m["counts"]) for m in smallest["masks"]) == [1, 4]
    assert max(np.prod(m["size"]) for m in smallest["masks"]) <= 4
