"""The block reader: any cut, any order, any spacing gives what a JSON parser gives."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats.coco import stream
from app.formats.coco.stream import RECORD_LISTS, Member, Stream
from app.formats.records import FileError


def read(text: bytes) -> dict[str, Any]:
    """The file's members as bytes; lists of records as lists of bytes."""
    found: dict[str, Any] = {}
    for part in Stream(io.BytesIO(text)).read():
        if isinstance(part, Member):
            found[part.key] = part.text or []
        else:
            assert part.start == len(found[part.key])
            found[part.key] = found[part.key] + part.records
    return found


def error(text: bytes) -> FileError:
    with pytest.raises(FileError) as caught:
        read(text)
    return caught.value


# Texts that look like the seams between records.
_texts = st.sampled_from(['}],[{"a":', "},{", "NaN", "\\", '"', "é\u2028", "-Infinity", ""])
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)
_files = st.dictionaries(st.sampled_from(["info", "licenses", "x"]), _values).flatmap(
    lambda members: st.dictionaries(
        st.sampled_from(RECORD_LISTS), st.lists(st.dictionaries(_texts, _values), max_size=6)
    ).flatmap(lambda lists: st.permutations([*members.items(), *lists.items()]).map(dict))
)
_layouts = st.sampled_from(
    [{}, {"indent": 1}, {"separators": (",", ":")}, {"separators": (" , ", " : ")}]
)


@settings(max_examples=150, deadline=None)
@given(file=_files, layout=_layouts, block=st.integers(1, 60))
def test_any_file_in_any_blocks(file: dict[str, Any], layout: dict[str, Any], block: int) -> None:
    text = json.dumps(file, **layout).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "_BLOCK", block)
        found = read(text)
    assert list(found) == list(file)
    values = {
        key: [json.loads(r) for r in part] if isinstance(part, list) else json.loads(part)
        for key, part in found.items()
    }
    assert values == file


@settings(max_examples=100, deadline=None)
@given(file=_files, block=st.integers(1, 60), data=st.data())
def test_a_truncated_file_says_so(file: dict[str, Any], block: int, data: st.DataObject) -> None:
    text = json.dumps(file).encode()
    cut = data.draw(st.integers(1, len(text) - 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "_BLOCK", block)
        assert error(text[:cut]).code == "json_truncated"


def test_records_keep_their_bytes() -> None:
    record = b'{"id": 1.0, "area":4.80e2,  "n": -0.0, "u": "\\u00e9"}'
    assert read(b'{"annotations": [ ' + record + b" ]}") == {"annotations": [record]}


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (b"", "file_empty", "empty"),
        (b" \n", "file_empty", "empty"),
        (b"\xff{", "json_malformed", "not JSON"),
        (b"no", "json_malformed", "not JSON"),
        (b'[{"image_\xecd": 1, "score": 0.5}]', "top_level", "list"),
        (b" null\n", "top_level", "single value"),
        (b'"text"', "top_level", "single value"),
        (b"7.5", "top_level", "single value"),
        (b"[1, 2]", "top_level", "list"),
        (b"[" * 1_000_000, "top_level", "list"),
        (b'[{"image_id": 1, "score": 0.5}]', "results_file", "results"),
        (b'{"a": 1} x', "json_malformed", "Byte 9"),
        (b'{"a": tru}', "json_malformed", "Byte 7"),
        (b'{"a": 1,}', "json_malformed", "Byte 8"),
        (b'{"annotations": [{"a": 1},]}', "json_malformed", "Byte 26"),
        (b'{"annotations": [{"a": 1} {"b": 2}]}', "json_malformed", "Byte 26"),
        (b'{"annotations": [{"a" 1}]}', "json_malformed", "Byte 22"),
        (b'{"annotations": [{"a": 1}, {"b"', "json_truncated", "annotations[1]"),
        (b'{"annotations": [' + b"[" * 100_000, "nesting_too_deep", "Behind byte 17"),
        (b'{"a": ' + b'{"a":' * 100_000, "nesting_too_deep", "Behind byte 6"),
    ],
)
def test_what_is_wrong_and_where(text: bytes, code: str, says: str) -> None:
    found = error(text)
    assert found.code == code
    assert says in found.detail


class Endless(io.BytesIO):
    """A file of a gigabyte: a beginning, then the same byte over and over."""

    def __init__(self, start: bytes, byte: bytes) -> None:
        super().__init__()
        self.start, self.byte, self.taken = start, byte, 0

    def tell(self) -> int:
        return 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        begun, self.start = self.start[:size], self.start[size:]
        more = min(size - len(begun), (1 << 30) - self.taken)
        self.taken += len(begun) + more
        return begun + self.byte * more


@pytest.mark.parametrize(
    "start", [b"", b'{"annotations": ', b'{"annotations": [{"id": 1}, ', b'{"info": ', b'[{"a": ']
)
def test_a_gigabyte_of_brackets_is_refused_at_once(start: bytes) -> None:
    file = Endless(start, b"[")
    with pytest.raises(FileError) as caught:
        for _ in Stream(file).read():
            pass
    assert caught.value.code == ("nesting_too_deep" if start.startswith(b"{") else "top_level")
    assert file.taken <= 16 << 20


def test_a_gigabyte_of_text_is_refused_at_the_limit() -> None:
    file = Endless(b'{"annotations": [{"id": "', b"x")
    with pytest.raises(FileError) as caught:
        for _ in Stream(file).read():
            pass
    assert caught.value.code == "record_too_large"
    assert file.taken <= stream.MOST_RECORD_BYTES + (4 << 20)


def test_a_record_larger_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_BLOCK", 10)
    monkeypatch.setattr(stream, "MOST_RECORD_BYTES", 100)
    small = b'{"annotations": [{"a": "' + b"x" * 50 + b'"}]}'
    assert len(read(small)["annotations"]) == 1
    assert error(small.replace(b"x", b"xxxxxxxx")).code == "record_too_large"


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_nan_costs_only_its_record(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(stream, "_BLOCK", block)
    text = (
        b'{"annotations": [{"a": "NaN \\" -Infinity"}, {"b": [1, -Infinity]}, {"c": NaN},'
        b' {"d": "\\\\"}, {"e": Infinity}, {"f": 6}], "info": {"x": NaN}}'
    )
    good, codes = sorted_out(text)
    assert good == [b'{"a": "NaN \\" -Infinity"}', b'{"d": "\\\\"}', b'{"f": 6}']
    assert codes == ["not_a_number"] * 4


@pytest.mark.parametrize("block", [1, 2, 7, 1000])
def test_half_a_character_costs_only_its_record(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(stream, "_BLOCK", block)
    whole = [b'{"a": "\\ud83d\\ude00"}', b'{"d": "\\\\ud83d"}', b'{"\\u00e9": "\\n"}']
    halves = [
        b'{"b": "\\ud83d"}',
        b'{"\\uDE00": 1}',
        b'{"e": "\\ud83d\\u0041 and \\ud83d\\ude00"}',
        b'{"f": "x\\udbff\\udbff"}',
    ]
    for last in (*whole, *halves):
        order = [one for pair in zip(halves, [*whole, b"{}"], strict=True) for one in pair]
        records = [one for one in order if one != last] + [last]
        text = b'{"info": "\\udfff", "annotations": [' + b",".join(records) + b"]}"
        good, codes = sorted_out(text)
        assert good == [one for one in records if one not in halves]
        assert codes == ["record_unreadable"] * 5


def sorted_out(text: bytes) -> tuple[list[bytes], list[str]]:
    """The records that are sound, and the codes of everything that is not."""
    reader = Stream(io.BytesIO(text))
    good, codes = [], []
    for part in reader.read():
        records = [part.text] if isinstance(part, Member) else part.records
        problems = [reader.problem(record) for record in records]
        codes += [problem[0] for problem in problems if problem]
        if not isinstance(part, Member):
            pairs = zip(records, problems, strict=True)
            good += [record for record, problem in pairs if problem is None]
    return good, codes


def test_segments_inside_records_do_not_confuse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Panoptic records hold lists of objects, whose ends look like the ends of records."""
    monkeypatch.setattr(stream, "_BLOCK", 1000)
    record = {"segments_info": [{"id": i, "area": 1} for i in range(40)], "image_id": 1}
    text = json.dumps({"annotations": [record] * 20}).encode()
    assert [json.loads(r) for r in read(text)["annotations"]] == [record] * 20
