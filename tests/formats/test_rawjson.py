"""JSON objects as text: what is replaced is the member that is meant, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.formats.coco import rawjson


def test_what_is_not_replaced_keeps_every_character() -> None:
    text = '{ "id" :\t7,\n "area":4.80e2 , "name":"\N{SNOWMAN}"}'
    assert rawjson.replace(text, {"id": 123}) == text.replace("7", "123")
    assert rawjson.replace(text, {"name": "x"}) == text.replace("\N{SNOWMAN}", "x")


@pytest.mark.parametrize(
    "text",
    [
        '{"attributes": {"id": 1}, "id": 2}',
        '{"attributes": {"id": 1}}',
        '{"name": "id", "\\u0069d": 2}',
        '{"name": "id", "id": 2}',
        '{"name": "my \\"id", "id": 2}',
        '{"id": 1, "id": 2}',
        '{"note": "\\"id\\": 5", "id": [1, {"id": 3}]}',
        '{"id": {"a": ":"}, "b": 1}',
        "{}",
    ],
)
def test_only_the_objects_own_member_is_replaced(text: str) -> None:
    assert json.loads(rawjson.replace(text, {"id": 9})) == json.loads(text) | {"id": 9}


_NAMES = st.sampled_from(["id", "a", 'a"', "\\", "id\\", '"id"', ":", "é", ""])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(_NAMES, _VALUES, max_size=5),
    st.dictionaries(_NAMES, _VALUES, max_size=3),
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_any_members_of_any_object(
    record: dict[str, Any], new: dict[str, Any], ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(record, ensure_ascii=ascii_only, indent=indent)
    assert json.loads(rawjson.replace(text, new)) == record | new
