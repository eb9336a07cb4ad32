"""Edits of records: what is named changes, what follows from it follows, the rest stays text."""

import doctest
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from app.formats.coco import rawjson
from app.models import Category
from app.services.annotations import edits as annotation_edits
from app.services.annotations import shapes
from app.services.annotations import view as annotation_view
from app.services.annotations.edits import Edit, State
from app.services.annotations.shapes import Json

SIZE = (80, 100)
SQUARE = [10.0, 10.0, 30.0, 10.0, 30.0, 30.0, 10.0, 30.0]
INNER = [15, 15, 20, 15, 20, 20, 15, 20]


def category(key: int = 1, *, coco_id: Any = 7, keypoints: tuple[str, ...] = ()) -> Category:
    record = rawjson.dumps({"id": coco_id, "name": f"c{key}"})
    return Category(
        id=key, coco_id=coco_id, name=f"c{key}", keypoints=list(keypoints), record=record
    )


PERSON = category(2, coco_id=9, keypoints=("nose", "tail"))


def edit(*, to: Category | None = None, old: Category | None = None, **fields: Any) -> Edit:
    """Named members, as Python values or, when already `Json`, with a text of their own."""
    sent = {n: v if isinstance(v, Json) else Json.of(v) for n, v in fields.items()}
    return Edit(sent, SIZE, to or old, old)


def make(**fields: Any) -> State:
    person = fields.pop("person", category())
    if "category_id" not in fields and person is not None:
        fields["category_id"] = person.id
    return annotation_edits.created(edit(to=person, **fields), image_coco_id="5")


def record(state: State) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(state.record)
    return found


def refusal(**fields: Any) -> str:
    with pytest.raises(Invalid) as caught:
        make(**fields)
    return caught.value.code


def test_the_example_in_the_description_of_shapes_is_true() -> None:
    assert doctest.testmod(shapes).failed == 0


# New annotations --------------------------------------------------------------------------------


def test_a_polygon_gets_its_extent_and_its_pixels() -> None:
    assert record(make(segmentation=[SQUARE])) == {
        "id": 0,
        "image_id": 5,
        "category_id": 7,
        "segmentation": [SQUARE],
        "area": 400,
        "bbox": [10, 10, 20, 20],
        "iscrowd": 0,
    }


def test_the_extent_reaches_beyond_the_image_and_the_pixels_do_not() -> None:
    state = make(segmentation=[[-10, -10, 20.5, -10, 20.5, 20.5, -10, 20.5]])
    assert state.bbox == [-10, -10, 30.5, 30.5]
    assert state.area == 21 * 21


def test_a_mask_gets_the_box_around_its_pixels() -> None:
    state = make(segmentation={"size": [80, 100], "counts": [80 * 3 + 2, 4, 8000 - 246]})
    assert (state.bbox, state.area) == ([3, 2, 1, 4], 4)


def test_a_bare_box() -> None:
    found = record(make(bbox=[1.5, 2, 3, 4.5]))
    assert (found["area"], found["segmentation"], found["iscrowd"]) == (13.5, [], 0)


def test_bare_keypoints_get_the_extent_of_the_labelled_ones() -> None:
    found = record(make(person=PERSON, keypoints=[3, 4, 1, 10.5, 6, 2]))
    assert found["bbox"] == [3, 4, 7.5, 2]
    assert (found["num_keypoints"], found["area"]) == (2, 15)


def test_a_caption_has_nothing_but_itself() -> None:
    assert record(make(person=None, caption=" two\ncats ")) == {
        "id": 0,
        "image_id": 5,
        "caption": " two\ncats ",
    }


def test_holes_are_exported_as_an_rle_and_shown_as_rings() -> None:
    state = make(segmentation=[SQUARE], holes=[INNER])
    assert set(record(state)["segmentation"]) == {"size", "counts"}
    assert state.area == 400 - 25
    assert json.loads(state.shape or "") == {"segmentation": [SQUARE], "holes": [INNER]}


def test_an_own_box_is_kept_beside_a_segmentation() -> None:
    state = make(segmentation=[SQUARE], bbox=[0, 0, 50, 50])
    assert (state.bbox, state.area) == ([0, 0, 50, 50], 400)


def test_given_areas_and_numbers_of_keypoints_are_kept() -> None:
    found = record(make(person=PERSON, bbox=[0, 0, 1, 1], area=480.5,
                        keypoints=[0, 0, 0, 1, 1, 2], num_keypoints=1))  # fmt: skip
    assert (found["area"], found["num_keypoints"]) == (480.5, 1)


DEEP = json.loads("[" * 40 + "]" * 40)


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("geometry_missing", {}),
        ("geometry_missing", {"segmentation": []}),
        ("geometry_missing", {"iscrowd": 1, "score": 0.5}),
        ("geometry_missing", {"person": PERSON, "keypoints": [0, 0, 0, 5, 5, 0]}),
        ("category_missing", {"person": None, "bbox": [0, 0, 1, 1]}),
        ("polygon_too_few_points", {"segmentation": [SQUARE, [1, 2, 3, 4]]}),
        ("polygon_too_few_points", {"segmentation": [[]]}),
        ("polygon_odd_numbers", {"segmentation": [[1, 2, 3, 4, 5, 6, 7]]}),
        ("polygon_invalid", {"segmentation": SQUARE}),
        ("polygon_invalid", {"segmentation": "SQUARE"}),
        ("polygon_invalid", {"segmentation": [[[1, 2], [3, 4], [5, 6]]]}),
        ("polygon_too_large", {"segmentation": [[0, 0, 10**30, 0, 5, 5]]}),
        ("polygon_too_few_points", {"segmentation": [SQUARE], "holes": [[1, 2]]}),
        ("size_mismatch", {"segmentation": {"size": [100, 80], "counts": [8000]}}),
        ("rle_short", {"segmentation": {"size": [80, 100], "counts": [7999]}}),
        ("rle_invalid", {"segmentation": {"size": [80, 100]}}),
        ("rle_invalid", {"segmentation": {"size": [80, 100], "counts": [8000], "x": 1}}),
        ("holes_without_polygons", {"holes": [INNER], "bbox": [0, 0, 1, 1]}),
        ("holes_without_polygons",
         {"segmentation": {"size": [80, 100], "counts": [8000]}, "holes": [INNER]}),
        ("bbox_negative", {"bbox": [0, 0, -1, 1]}),
        ("bbox_negative", {"segmentation": [SQUARE], "bbox": [0, 0, 1, -0.5]}),
        ("bbox_empty", {"bbox": [0, 0, 0, 1]}),
        ("bbox_too_large", {"bbox": [0, 0, 1e8, 1]}),
        ("keypoints_unknown", {"keypoints": [1, 1, 2]}),
        ("keypoints_length", {"person": PERSON, "keypoints": [1, 1, 2]}),
        ("keypoints_too_large", {"person": PERSON, "keypoints": [1, 1e200, 2, 1, 1, 2]}),
        ("keypoints_visibility", {"person": PERSON, "keypoints": [1, 1, 2, 1, 1, 3]}),
        ("num_keypoints_wrong",
         {"person": PERSON, "keypoints": [1, 1, 2, 0, 0, 0], "num_keypoints": 2}),
        ("attributes_too_deep", {"bbox": [0, 0, 1, 1], "attributes": {"a": DEEP}}),
        ("attributes_too_long", {"bbox": [0, 0, 1, 1], "attributes": {"a": "x" * 100_000}}),
    ],
)  # fmt: skip
def test_what_is_refused(code: str, fields: dict[str, Any]) -> None:
    assert refusal(**fields) == code


def test_a_refusal_names_the_place() -> None:
    with pytest.raises(Invalid) as caught:
        make(segmentation=[SQUARE, [1, 2, 3, 4]])
    assert caught.value.members["errors"][0]["loc"] == ["body", "segmentation", 1]


# Edits ------------------------------------------------------------------------------------------

ODD = (
    '{"zeta": 1E+2, "segmentation": [[10.50, 10, 30, 10.0, 30, 30]], "area": 480.50,'
    ' "bbox": [10.5, 10, 19.50, 2e1], "iscrowd": 0, "id": 90010000000000123456,'
    ' "track": {"b": -0.0, "a": [1.10, 12345678901234567890]}, "category_id": 7.0,'
    ' "num_keypoints": 0, "image_id": "5", "caption": "caf\\u00e9 \\n"}'
)


def imported(text: str = ODD, **columns: Any) -> State:
    return State(
        text, **{"category_id": 1, "area": 480.5, "bbox": [10.5, 10.0, 19.5, 20.0], **columns}
    )


def changed_members(before: State, after: State) -> set[str]:
    old, new = rawjson.members(before.record), rawjson.members(after.record)
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


@pytest.mark.parametrize(
    ("fields", "members"),
    [
        ({"iscrowd": 1}, {"iscrowd"}),
        ({"iscrowd": True}, {"iscrowd"}),
        ({"score": 0.25}, {"score"}),
        ({"attributes": {"occluded": True}}, {"attributes"}),
        ({"caption": None}, {"caption"}),
        ({"caption": "a cat"}, {"caption"}),
        ({"area": 7}, {"area"}),
        ({"bbox": [0, 0, 1, 1]}, {"bbox"}),
        ({"segmentation": [SQUARE]}, {"segmentation", "bbox", "area"}),
        ({"segmentation": [SQUARE], "bbox": [10.5, 10, 19.5, 20]}, {"segmentation", "area"}),
        ({"segmentation": [SQUARE], "area": 480.5}, {"segmentation", "bbox"}),
        ({"holes": [INNER]}, {"segmentation", "area"}),
        ({"segmentation": None}, {"segmentation", "area"}),
        ({"area": None}, {"area"}),
        ({"bbox": None}, set()),
        ({"iscrowd": 0, "score": None, "caption": "café \n", "bbox": [10.5, 10, 19.5, 20.0]},
         set()),
        ({"segmentation": [[10.5, 10, 30, 10, 30, 30]], "holes": []}, set()),
        ({"attributes": {}, "keypoints": None, "holes": None}, set()),
    ],
)  # fmt: skip
def test_only_what_is_named_and_what_follows_changes(
    fields: dict[str, Any], members: set[str]
) -> None:
    before = imported()
    after = annotation_edits.edited(before, edit(old=category(), **fields))
    assert changed_members(before, after) == members
    assert (after is before) == (members == set())


def test_another_category_is_written_with_its_id_as_its_file_wrote_it() -> None:
    new = category(3)
    new.record = '{"id": 11.0, "name": "cat"}'
    before = imported()
    after = annotation_edits.edited(before, edit(to=new, old=category(), category_id=3))
    assert changed_members(before, after) == {"category_id"}
    assert rawjson.members(after.record)["category_id"] == "11.0"


numbers = st.sampled_from(["1", "1.0", "1.50", "1e2", "-0.0", "0", "12345678901234567890", "1E+3"])
texts = st.recursive(
    numbers | st.sampled_from(["true", "null", '"\\u00e9"', '"a\\/b"', '"é"']),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda members: f"[{', '.join(members)}]")
        | st.lists(st.tuples(st.sampled_from("abc"), inner), max_size=2, unique_by=lambda m: m[0])
        .map(lambda members: "{" + ", ".join(f'"{k}" : {v}' for k, v in members) + "}")
    ),
    max_leaves=5,
)  # fmt: skip
own = {
    "id": numbers,
    "image_id": numbers,
    "category_id": numbers,
    "segmentation": st.just("[[10.50, 10, 30, 10.0, 30, 30]]") | st.just("[]"),
    "bbox": st.just("[1.50, 2, 3, 4e0]"),
    "area": numbers,
    "iscrowd": st.sampled_from(["0", "false"]),
    "keypoints": st.just("[1, 1.0, 2, 0, 0.0, 0]"),
    "num_keypoints": st.just("2"),
    "attributes": st.just('{"x": 1.10}'),
}
edits = st.fixed_dictionaries(
    {},
    optional={
        "iscrowd": st.booleans(),
        "score": st.floats(0, 1),
        "bbox": st.just([5.25, 6, 7, 8]),
        "caption": st.text(min_size=1, max_size=5),
        "attributes": st.just({"y": [1]}),
        "segmentation": st.just([SQUARE]),
        "keypoints": st.just([4, 4, 1, 5, 5, 0]),
    },
)


def members_of(names: list[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({name: own.get(name, texts) for name in names})


records = st.lists(
    st.sampled_from([*own, "zeta", "track", "Größe", "a b"]), unique=True, min_size=1
).flatmap(members_of)


@given(records, edits)
def test_whatever_the_record_the_rest_of_it_stays_text(
    parts: dict[str, str], fields: dict[str, Any]
) -> None:
    """Unknown members, order, and the text of every number survive every edit of other members."""
    text = "{" + ", ".join(f"{json.dumps(name)} : {value}" for name, value in parts.items()) + "}"
    before = imported(text)
    after = annotation_edits.edited(before, edit(old=PERSON, **fields))
    follow = {"segmentation": {"bbox", "area"}, "bbox": {"area"},
              "keypoints": {"num_keypoints", "bbox", "area"}}  # fmt: skip
    allowed = set(fields).union(*(follow.get(name, set()) for name in fields))
    assert changed_members(before, after) <= allowed
    assert [name for name in rawjson.members(after.record) if name in parts] == list(parts)
    shown = annotation_view.members(after)
    for name, value in fields.items():
        assert shapes.same(json.loads(shown[name]), int(value) if name == "iscrowd" else value)


def test_the_text_of_a_number_is_the_senders() -> None:
    polygon = Json([[1.5, 2, 100, 4, 5, 60]], "[[1.50,2,1e2,4,5,60]]")
    state = make(segmentation=polygon, score=Json(0.5, "5E-1"))
    assert '"segmentation":[[1.50,2,1e2,4,5,60]]' in state.record
    assert '"score":5E-1' in state.record


def test_geometry_without_box_and_area_in_the_record_gets_both_when_it_is_edited() -> None:
    before = imported('{"id":1,"segmentation":[[1,1,9,1,9,9]]}')
    after = annotation_edits.edited(before, edit(old=category(), segmentation=[SQUARE]))
    assert record(after) == {"id": 1, "segmentation": [SQUARE], "bbox": [10, 10, 20, 20],
                             "area": 400}  # fmt: skip


def test_a_box_outlives_its_segmentation() -> None:
    before = imported('{"id":1,"segmentation":[[1,1,9,1,9,9]]}', bbox=[1.0, 1.0, 8.0, 8.0])
    after = annotation_edits.edited(before, edit(old=category(), segmentation=[]))
    assert record(after) == {"id": 1, "segmentation": [], "bbox": [1, 1, 8, 8], "area": 64}


def test_new_polygons_keep_holes_and_a_mask_drops_them() -> None:
    before = make(segmentation=[SQUARE], holes=[INNER])
    bigger = annotation_edits.edited(
        before, edit(old=category(), segmentation=[[0, 0, 50, 0, 50, 50, 0, 50]])
    )
    assert (bigger.area, json.loads(bigger.shape or "")["holes"]) == (2475, [INNER])
    mask = {"size": [80, 100], "counts": [0, 10, 7990]}
    masked = annotation_edits.edited(before, edit(old=category(), segmentation=mask))
    assert (masked.area, masked.shape) == (10, None)


def test_a_box_of_keypoints_follows_them_and_an_own_one_does_not() -> None:
    theirs = make(person=PERSON, keypoints=[3, 4, 1, 10, 6, 2])
    own_box = make(person=PERSON, keypoints=[3, 4, 1, 10, 6, 2], bbox=[0, 0, 20, 20])
    for before, box in ((theirs, [3, 4, 17, 46]), (own_box, [0, 0, 20, 20])):
        after = annotation_edits.edited(before, edit(old=PERSON, keypoints=[3, 4, 1, 20, 50, 2]))
        assert after.bbox == box
        assert after.area == box[2] * box[3]


def test_labelled_keypoints_must_fit_a_new_category() -> None:
    before = make(person=PERSON, keypoints=[3, 4, 1, 10, 6, 2])
    with pytest.raises(Invalid, match="do not fit"):
        annotation_edits.edited(before, edit(to=category(), old=PERSON, category_id=1))
    after = annotation_edits.edited(
        before, edit(to=category(), old=PERSON, category_id=1, keypoints=None)
    )
    assert record(after).keys() & {"keypoints", "num_keypoints"} == set()
    assert after.bbox == before.bbox


def test_the_last_geometry_and_the_category_cannot_be_taken_away() -> None:
    caption = make(person=None, caption="a cat")
    with pytest.raises(Invalid, match="Give a segmentation"):
        annotation_edits.edited(caption, edit(caption=None))
    box = make(bbox=[0, 0, 5, 5])
    with pytest.raises(Invalid, match="has a category"):
        annotation_edits.edited(box, Edit({"category_id": Json.of(None)}, SIZE, None, category()))
    with pytest.raises(Invalid, match="can be computed from"):
        annotation_edits.edited(box, edit(old=category(), bbox=None))
