"""Random files of several tasks, in one dataset: each comes out as it went in."""

import json
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.context import AppContext
from app.formats.records import TASKS
from tests.build import make_dataset
from tests.build.coco import numbers_as_text
from tests.build.content import everything
from tests.services.exporting import get_out, in_order, put_in

IMPORTED = [task for task in TASKS if task != "panoptic"]
_LISTS = ("images", "annotations", "categories")
# Lists that a file of these tasks may lack, and that are not added then.
_MAY_LACK = {"captions": {"categories"}, "image_info": {"annotations", "categories"}}
_NUMBER = re.compile(r'"@(.*?)@"')


def text_of(file: dict[str, Any], *, ascii_only: bool) -> bytes:
    """The file as JSON, numbers as they were drawn."""
    return _NUMBER.sub(r"\1", json.dumps(file, ensure_ascii=ascii_only)).encode()


def number(value: float) -> st.SearchStrategy[str]:
    """The same value, written in one of several ways."""
    ways = [repr(value), repr(float(value)), f"{value:.3f}", f"{value:e}"]
    return st.sampled_from([f"@{way}@" for way in ways if float(way) == value])


_texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00@"), max_size=6)
_odd_numbers = st.sampled_from(["1e2", "-0.0", "480.0", "0.10", "1E+2", "-0", "1e-7", "9" * 25])
_anything = st.recursive(
    st.none() | st.booleans() | _texts | _odd_numbers.map(lambda text: f"@{text}@"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_texts, inner, max_size=2),
    max_leaves=3,
)
_extras = st.dictionaries(_texts.map(lambda name: f"x{name}"), _anything, max_size=2)
_ids: list[Any] = [0, 1, 2, -3, "@1e2@", "@2.5@", "1", "ü", 2**63, 900100002299]
_boxes = [(1, 1, 4, 4), (0, 0.5, 3.25, 2)]
_names = ["nose", "tail"]


@st.composite
def _files(draw: st.DrawFn, task: str) -> dict[str, Any]:
    """A file of the task, accepted as a whole; ids, boxes and names are drawn from few."""

    def listed(most: int) -> list[int]:
        return draw(st.lists(st.integers(0, most), max_size=most + 1, unique=True))

    def some(members: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
        return {key: draw(values) for key, values in members.items() if draw(st.booleans())}

    def shuffled(record: dict[str, Any]) -> dict[str, Any]:
        return {key: record[key] for key in draw(st.permutations(list(record)))}

    def record(members: dict[str, Any]) -> dict[str, Any]:
        return shuffled(members | draw(_extras))

    sizes = {"width": number(8), "height": number(6)}
    images = [
        record({"id": place, "file_name": f"{place}.jpg"} | {k: draw(v) for k, v in sizes.items()})
        for place in listed(3)
    ]
    keypoints = {"keypoints": st.just(_names), "skeleton": st.just([[1, 2]])}
    categories = [
        record(
            {"id": place, "name": f"c{place}"}
            | some({"supercategory": _texts, **(keypoints if task == "person_keypoints" else {})})
        )
        for place in listed(2)
    ]

    def annotation() -> dict[str, Any]:
        common = {"id": draw(st.sampled_from(_ids)), "image_id": draw(image_ids)}
        if task == "captions":
            return common | {"caption": draw(_texts)} | some({"category_id": _odd_ids})
        common["category_id"] = draw(category_ids)
        if task == "labels":
            return common
        box = [draw(number(side)) for side in draw(st.sampled_from(_boxes))]
        polygon = [draw(number(n)) for n in (1, 1, 5, 1, 1, 5.5)]
        optional = {
            "segmentation": st.sampled_from([[], [polygon]]),
            "area": number(7.25) | number(7.250001) | number(12),
            "iscrowd": st.sampled_from([0, 1]),
        }
        if task == "person_keypoints":
            optional |= {
                "keypoints": st.just(["@1.0@", 2, 2, 0, 0, 0]),
                "num_keypoints": st.just(1),
            }
        return common | {"bbox": box} | some(optional)

    image_ids = st.sampled_from([image["id"] for image in images] or [0])
    category_ids = st.sampled_from([category["id"] for category in categories] or [0])
    possible = images and (categories or task == "captions") and task != "image_info"
    many = draw(st.integers(0, 4)) if possible else 0
    lists = {
        "images": images,
        "annotations": [record(annotation()) for _ in range(many)],
        "categories": categories,
    }
    kept = {k: v for k, v in lists.items() if v or k not in _MAY_LACK.get(task, ()) or draw(_flag)}
    return shuffled(
        kept | some({"info": _extras, "licenses": st.just([{"id": 1}])}) | draw(_extras)
    )


_flag = st.booleans()
_odd_ids = st.sampled_from([0, 7, None])


def expected(task: str, file: bytes) -> dict[str, Any]:
    needed: dict[str, Any] = {"info": {}, "licenses": [], **{key: [] for key in _LISTS}}
    may_lack = _MAY_LACK.get(task, set())
    found = {key: value for key, value in needed.items() if key not in may_lack}
    found |= numbers_as_text(file)
    return {key: in_order(value) for key, value in found.items()}


@st.composite
def _several(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    tasks = draw(st.lists(st.sampled_from(IMPORTED), min_size=1, max_size=4, unique=True))
    return [(task, draw(_files(task))) for task in tasks]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=_several(), ascii_only=st.booleans())
def test_random_files_of_several_tasks(
    context: AppContext,
    session: Session,
    files: list[tuple[str, dict[str, Any]]],
    ascii_only: bool,
) -> None:
    dataset = make_dataset(session)
    texts = {task: text_of(file, ascii_only=ascii_only) for task, file in files}
    for task, text in texts.items():
        report = put_in(context, dataset, text, task=task)
        assert report["annotations"]["rejected"] == 0
    for task, text in texts.items():
        out = get_out(context, dataset, task)
        assert {key: in_order(value) for key, value in out.items()} == expected(task, text)
    before = everything(session)
    session.commit()
    for task, text in texts.items():
        put_in(context, dataset, text, task=task)
    assert everything(session) == before
