"""Which image a file belongs to."""

from itertools import count
from typing import Any

import pytest

from app.services.images.matching import Arrival, Decision, Existing, plan

SIZE = (640, 480)


def arrival(name: str, content: str = "x", **changes: Any) -> Arrival:
    values: dict[str, Any] = {"shown": SIZE, "raw": SIZE, "orientation": 1} | changes
    return Arrival(name, content, **values)


def existing(*images: tuple[str, str | None], described: bool = True) -> list[Existing]:
    numbers = count(1)
    return [Existing(next(numbers), name, SIZE, content, described) for name, content in images]


def told(decision: Decision) -> str:
    """A decision in one word or two."""
    if decision.refusal:
        return decision.refusal.code
    if decision.fills:
        return "fills " + " ".join(str(key) for key, _ in decision.fills)
    if decision.same:
        return "same " + " ".join(str(key) for key in decision.same)
    return f"repeats {decision.repeats}" if decision.repeats is not None else "new"


@pytest.mark.parametrize(
    ("files", "images", "wanted"),
    [
        ("a=1", "", "new"),
        ("a=1 b=1", "", "new, new"),
        ("a=1 a=1", "", "new, repeats 0"),
        ("a=1 a=2", "", "new, name_taken"),
        ("a=1", "a=", "fills 1"),
        ("a=1", "a= a=", "fills 1 2"),
        ("a=1 a=1", "a=", "fills 1, repeats 0"),
        ("a=1", "a=1", "same 1"),
        ("a=1", "a=2", "name_taken"),
        ("a=1", "a=2 a=", "fills 2"),
        # The end of a path, in both directions.
        ("x/a=1", "a=", "fills 1"),
        ("a=1", "x/a=", "fills 1"),
        ("x/a=1", "y/x/a=", "fills 1"),
        ("x/a=1", "x/a= y/x/a=", "fills 1"),
        ("x/a=1", "x/a= y/a=", "fills 1"),
        ("a=1", "x/a= y/a=", "file_name_ambiguous"),
        ("z/a=1", "x/a= y/a=", "file_name_ambiguous"),
        ("xa=1", "a=", "new"),
        # The last step alone.
        ("z/a=1", "x/a=", "fills 1"),
        ("y/a=1 z/a=2", "x/a=", "file_name_ambiguous, file_name_ambiguous"),
        ("y/a=1 z/a=1", "x/a=", "fills 1, repeats 0"),
        ("x/a=1 y/a=2", "a=", "file_name_ambiguous, file_name_ambiguous"),
        ("y/a=1 x/a=2", "x/a=", "new, fills 1"),
        ("y/a=1 a=2", "x/a=", "new, fills 1"),
        # The same bytes once more.
        ("a=1", "x/a=1", "same 1"),
        ("y/a=1", "x/a=1", "same 1"),
        ("b=1", "x/a=1", "new"),
        ("a=2", "x/a=1", "new"),
    ],
)
def test_plan(files: str, images: str, wanted: str) -> None:
    arrivals = [arrival(*file.split("=")) for file in files.split()]
    rows = existing(*((n, c or None) for n, c in (image.split("=") for image in images.split())))
    assert ", ".join(told(decision) for decision in plan(arrivals, rows)) == wanted


def test_an_equal_file_in_another_folder_is_another_image() -> None:
    """Unless the image was imported: then the folder may be one that only the record names."""
    rows = existing(("x/a", "1"), described=False)
    assert told(plan([arrival("y/a", "1")], rows)[0]) == "new"


@pytest.mark.parametrize(
    ("shown", "raw", "orientation", "wanted"),
    [
        ((640, 480), (640, 480), 1, [(1, 1)]),
        ((640, 480), (640, 480), 3, [(1, 3)]),
        ((640, 480), (480, 640), 6, [(1, 6)]),
        # The record speaks of the rows as they stand in the file.
        ((480, 640), (640, 480), 6, [(1, 1)]),
        ((480, 640), (480, 640), 1, []),
        ((1280, 960), (1280, 960), 1, []),
    ],
)
def test_sizes(
    shown: tuple[int, int], raw: tuple[int, int], orientation: int, wanted: list[tuple[int, int]]
) -> None:
    file = arrival("a", shown=shown, raw=raw, orientation=orientation)
    (decision,) = plan([file], existing(("a", None)))
    assert decision.fills == wanted
    if not wanted:
        assert decision.refusal is not None
        assert decision.refusal.code == "size_mismatch"
        assert f"{shown[0]} x {shown[1]}" in decision.refusal.message
        assert "640 x 480" in decision.refusal.message
