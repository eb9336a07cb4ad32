"""The repaired copy: mended where the reader said so, and the same bytes everywhere else."""

import codecs
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import masks
from app.formats.coco import fix as fixing
from app.formats.coco.check import check_file
from app.formats.coco.repair import REPAIRS
from app.formats.issues import FIXES, ISSUES
from app.formats.records import FileError
from tests.build.coco import annotation, coco, to_bytes
from tests.shared_data import SHARED_DATA, needs_shared_data

COCO = Path(__file__).parent.parent / "data" / "coco"
RLE = {"size": [6, 8], "counts": "73300000a0"}
TWO = [{"id": i, "file_name": f"{i}.jpg", "width": 8, "height": 6} for i in (1, 1)]
SQUARE = [1, 1, 5, 1, 5, 4, 1, 4]


class Fixed:
    """The copy of a file, and what was done to it."""

    def __init__(self, folder: Path, file: Any, **options: Any) -> None:
        self.before, self.after = folder / "before.json", folder / "after.json"
        self.before.write_bytes(to_bytes(file))
        with self.before.open("rb") as source, self.after.open("wb") as target:
            self.repairs = fixing.fix(source, target, **options)

    @property
    def content(self) -> Any:
        return json.loads(self.after.read_text())

    @property
    def first(self) -> Any:
        return self.content["annotations"][0]

    @property
    def codes(self) -> set[str]:
        return set(check_file(self.after, name="instances.json")["issue_counts"])


BROKEN: dict[str, dict[str, Any]] = {
    "id_missing": coco(annotation(), images=[{"file_name": "b.jpg", "width": 8, "height": 6}]),
    "id_type_mismatch": coco(annotation(image_id="1")),
    "image_id_duplicate": coco(annotation(), images=TWO),
    "image_size_text": coco(
        annotation(), images=[{"id": 1, "file_name": "a", "width": "8", "height": " 6"}]
    ),
    "category_id_duplicate": coco(
        annotation(), categories=[{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]
    ),
    "annotation_id_missing": coco(annotation(id=...), annotation(id=9)),
    "annotation_id_duplicate": coco(annotation(id=9), annotation(id=9)),
    "segmentation_null": coco(annotation(segmentation=None)),
    "segmentation_flat": coco(annotation(segmentation=SQUARE)),
    "segmentation_nested": coco(annotation(segmentation=[[1, 1], [5, 1], [5, 4]])),
    "polygon_too_short": coco(annotation(segmentation=[SQUARE, [1, 1, 2, 2]])),
    "polygon_odd": coco(annotation(segmentation=[[*SQUARE, 9]])),
    "number_text": coco(annotation(segmentation=[list(map(str, SQUARE))])),
    "rle_size_text": coco(annotation(segmentation=RLE | {"size": ["6", "8"]})),
    "rle_repaired": coco(annotation(segmentation=RLE | {"counts": "b'73300000a0'"})),
    "bbox_invalid": coco(annotation(bbox=["1", "1", "4.50", 4])),
    "area_invalid": coco(annotation(area="7.25")),
    "iscrowd_unusual": coco(annotation(iscrowd="0")),
}


def test_every_code_has_a_suggestion() -> None:
    assert FIXES.keys() == ISSUES.keys()
    assert all(text.endswith(".") and text[0].isupper() for text in FIXES.values())


def test_every_repair_is_tried() -> None:
    """That of segments with their PNGs, in test_fix_panoptic.py."""
    assert BROKEN.keys() | {"segment_id_duplicate"} == REPAIRS.keys()


@pytest.mark.parametrize("code", BROKEN)
def test_a_repaired_code_is_gone(code: str, tmp_path: Path) -> None:
    found = Fixed(tmp_path, BROKEN[code])
    assert code in check_file(found.before)["issue_counts"]
    assert code not in found.codes
    assert {repaired.code for repaired in found.repairs} == {code}
    assert all(repaired.done == REPAIRS[code].done for repaired in found.repairs)
    # Twice is once.
    (tmp_path / "again").mkdir()
    again = Fixed(tmp_path / "again", found.after.read_bytes())
    assert (again.repairs, again.after.read_bytes()) == ([], found.after.read_bytes())


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"segmentation": SQUARE}, {"segmentation": [SQUARE]}),
        ({"segmentation": [str(n) for n in SQUARE]}, {"segmentation": [SQUARE]}),
        ({"segmentation": [[[1, 1], [5, 1], [5, 4]]]}, {"segmentation": [[1, 1, 5, 1, 5, 4]]}),
        ({"segmentation": [[1, 1], [5, 1], [5, 4]]}, {"segmentation": [[1, 1, 5, 1, 5, 4]]}),
        ({"segmentation": [[1, 1, 2, 2], SQUARE, [3]]}, {"segmentation": [SQUARE]}),
        ({"segmentation": [[1, 1, 2, 2]]}, {"segmentation": []}),
        ({"segmentation": [["1", 1, "5.50", "1e0", "+5", " 4"]]}, None),
        (
            {"segmentation": RLE | {"counts": "b'73300000a0'", "x": 1}},
            {"segmentation": RLE | {"x": 1}},
        ),
        ({"iscrowd": True}, {"iscrowd": 1}),
        ({"iscrowd": [0]}, {"iscrowd": 0}),
        ({"iscrowd": ..., "is_crowd": "true"}, {"iscrowd": 1}),
        ({"image_id": "1", "category_id": "1"}, {"image_id": 1, "category_id": 1}),
    ],
)
def test_what_becomes_of_records(
    given: dict[str, Any], wanted: dict[str, Any] | None, tmp_path: Path
) -> None:
    found = Fixed(tmp_path, coco(annotation(**given, note="kept")))
    wanted = wanted or {"segmentation": [[1, 1, 5.5, 1, 5, 4]]}
    assert found.first == annotation(**dict.fromkeys(given, ...)) | wanted | {"note": "kept"}
    assert found.codes == set()


@pytest.mark.parametrize(
    "members",
    [
        {"iscrowd": 2},
        {"iscrowd": "maybe"},
        {"area": -1},
        {"area": "large"},
        {"bbox": [1, 2]},
        {"bbox": "1 2 3 4"},
        {"bbox": ["1", "2", "3", "x"]},
        {"segmentation": {"size": [8, 6], "counts": "73300000a0"}},
        {"segmentation": [["1", "2", "x"], SQUARE]},
        {"keypoints": [1, 2, 3, 4]},
        {"area": ..., "bbox": ..., "iscrowd": ...},
    ],
)
def test_what_is_not_clear_stays_as_it_is(members: dict[str, Any], tmp_path: Path) -> None:
    found = Fixed(tmp_path, coco(annotation(**members)))
    assert found.repairs == []
    assert found.after.read_bytes() == found.before.read_bytes()


def test_a_key_that_stands_twice_leaves_the_record_alone(tmp_path: Path) -> None:
    text = json.dumps(coco(annotation(segmentation=SQUARE))).replace('"area"', '"id": 1, "area"')
    found = Fixed(tmp_path, text.encode())
    assert (found.repairs, found.codes) == ([], {"duplicate_key", "segmentation_flat"})


def test_new_ids_are_none_that_the_file_has(tmp_path: Path) -> None:
    found = Fixed(
        tmp_path,
        coco(
            annotation(id=3),
            annotation(id=3),
            annotation(id=...),
            annotation(id=70, segmentation="rejected"),
            annotation(id=5),
            annotation(id=3),
        ),
    )
    assert [a["id"] for a in found.content["annotations"]] == [3, 71, 72, 70, 5, 73]
    assert [(one.path, one.id) for one in found.repairs] == [
        ("annotations[1].id", 3),
        ("annotations[2].id", None),
        ("annotations[5].id", 3),
    ]


# The bytes


MESSY = """ {"info" : {"a":1.50},
  "annotations":[ {"id": 1, "image_id":1,"category_id":1, "bbox" : [1,1,4.0,4e0],"area":-0.0 }  ,
    {"id":2 ,"image_id":1, "category_id":1, "segmentation":[1.50,1,5,1,5,4.00], "z": 1E2},

\t {"id": 3, "image_id":9,"category_id":1, "bbox":[1,1,4,4]},{"id":4,"image_id":1,"category_id":1,
  "bbox":[1,1,4,4]}
  ] , "more": [1, 2,  3],
  "images" : [{"id":1,"file_name":"\\u00e4.jpg","width":8.0,"height":6}],
"categories":[ {"id":1,"name":"cat"} ] } \n
"""


def test_everything_else_stays_byte_for_byte(tmp_path: Path) -> None:
    repaired = '{"id":2,"image_id":1,"category_id":1,"segmentation":[[1.50,1,5,1,5,4.00]],"z":1E2}'
    before = MESSY.encode()
    start, stop = before.index(b'{"id":2 '), before.index(b"1E2}") + 4
    wanted = before[:start] + repaired.encode() + before[stop:]
    assert Fixed(tmp_path, before).after.read_bytes() == wanted
    gone = wanted.index(b'{"id": 3'), wanted.index(b',{"id":4')
    dropped = wanted[: gone[0]].rstrip(b" \t\n,") + wanted[gone[1] :]
    assert Fixed(tmp_path, before, drop=True).after.read_bytes() == dropped


@pytest.mark.parametrize("name", ["instances", "person_keypoints", "stuff", "captions"])
def test_a_good_file_comes_out_as_it_is(name: str, tmp_path: Path) -> None:
    content = (COCO / f"{name}.json").read_bytes()
    found = Fixed(tmp_path, content, drop=True, fill=True)
    assert (found.repairs, found.after.read_bytes() == content) == ([], True)


@needs_shared_data
def test_a_larger_good_file_comes_out_as_it_is(tmp_path: Path) -> None:
    content = (SHARED_DATA / "coco-large" / "instances_union.json").read_bytes()
    found = Fixed(tmp_path, content, drop=True, fill=True)
    assert (found.repairs, found.after.read_bytes() == content) == ([], True)


def test_repairs_in_every_block_of_a_long_file(tmp_path: Path) -> None:
    """Some megabytes, so that it is read in several blocks."""
    records = [
        annotation(id=i, image_id=1 if i % 3 else 9, note="x" * 900, segmentation=SQUARE)
        for i in range(9000)
    ]
    found = Fixed(tmp_path, coco(*records), drop=True)
    kept = [record for record in records if record["image_id"] == 1]
    assert found.content["annotations"] == [r | {"segmentation": [SQUARE]} for r in kept]
    assert len(found.repairs) == 9000
    assert found.codes == set()


@pytest.mark.parametrize("rejected", [{0}, {0, 1}, {0, 1, 2}, {1}, {2}, {0, 2}, {1, 2}, set()])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (",\n", ": ")])
def test_records_left_out(rejected: set[int], separators: tuple[str, str], tmp_path: Path) -> None:
    records = [annotation(id=i, category_id=9 if i in rejected else 1) for i in range(3)]
    file = json.dumps(coco(*records), separators=separators).encode()
    found = Fixed(tmp_path, file, drop=True)
    assert [a["id"] for a in found.content["annotations"]] == [
        i for i in range(3) if i not in rejected
    ]
    assert [(one.code, one.done) for one in found.repairs] == [
        ("category_unknown", "record left out")
    ] * len(rejected)
    left = Fixed(tmp_path, file)
    assert (left.repairs, left.after.read_bytes()) == ([], file)


def test_an_image_that_goes_takes_its_annotations_along(tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "width": 8, "height": 6, "file_name": "b"}]
    found = Fixed(
        tmp_path, coco(annotation(), annotation(id=2, image_id=2), images=images), drop=True
    )
    assert [one["id"] for one in found.content["images"]] == [2]
    assert [one["id"] for one in found.content["annotations"]] == [2]
    assert found.codes == set()


def test_nan_and_text_that_is_none(tmp_path: Path) -> None:
    text = json.dumps(
        coco(annotation(area=float("nan")), annotation(id=2), annotation(id=3, n="@"))
    )
    file = text.encode().replace(b"@", b"\xff")
    assert Fixed(tmp_path, file).after.read_bytes() == file
    found = Fixed(tmp_path, file, drop=True)
    assert [a["id"] for a in found.content["annotations"]] == [2]


def test_filling_what_is_absent(tmp_path: Path) -> None:
    bare = {"area": ..., "bbox": None, "iscrowd": ...}
    file = coco(
        annotation(segmentation=RLE, **bare),
        annotation(id=2, segmentation=SQUARE, **bare),
        annotation(id=3),
        images=[{"id": 1, "file_name": "a.jpg"}],
    )
    found = Fixed(tmp_path, file, fill=True)
    image, (first, second, third) = found.content["images"][0], found.content["annotations"]
    assert (image["width"], image["height"]) == (8, 6)
    filled = {"area": 12.0, "bbox": [1.0, 1.0, 4.0, 3.0], "iscrowd": 0}
    assert {key: first[key] for key in filled} == {key: second[key] for key in filled} == filled
    assert second["segmentation"] == [SQUARE]
    assert third == annotation(id=3)
    assert found.codes == set()
    assert [one.path for one in found.repairs if one.code == "filled"] == [
        "images[0].width",
        "images[0].height",
        "annotations[0].area",
        "annotations[0].bbox",
        "annotations[0].iscrowd",
        "annotations[1].area",
        "annotations[1].bbox",
        "annotations[1].iscrowd",
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks(encoding: str, tmp_path: Path) -> None:
    text = json.dumps(coco(annotation(segmentation=SQUARE, note="ä")), ensure_ascii=False)
    found = Fixed(tmp_path, text.encode(encoding))
    after = found.after.read_bytes()
    codes = [repaired.code for repaired in found.repairs]
    assert codes == ["encoding"] * (encoding != "utf-8-sig") + ["segmentation_flat"]
    assert after.startswith(codecs.BOM_UTF8) == (encoding == "utf-8-sig")
    assert json.loads(after.decode("utf-8-sig")) == coco(
        annotation(segmentation=[SQUARE], note="ä")
    )


@pytest.mark.parametrize("file", [b"", b"[1]", b'{"images": [', b"\x89PNG", b'{"images": 3}'])
def test_a_file_that_cannot_be_read_at_all(file: bytes, tmp_path: Path) -> None:
    with pytest.raises(FileError):
        Fixed(tmp_path, file)
    assert (tmp_path / "after.json").read_bytes() == b""


@pytest.mark.parametrize("drop", [False, True])
def test_a_saved_record_is_looked_at_again(drop: bool, tmp_path: Path) -> None:
    """Its box is all its geometry, and while it is no box, nothing else is asked of the record."""
    bare = {"segmentation": ..., "area": ..., "iscrowd": ...}
    record = annotation(**bare, id=..., bbox=["1", "1", "2", "3"])
    hopeless = annotation(**bare, id=7, bbox=["1", "1", "2", "x"])
    found = Fixed(tmp_path, coco(record, hopeless), drop=drop, fill=True)
    filled = annotation(**bare, id=8, bbox=[1, 1, 2, 3]) | {"area": 6, "iscrowd": 0}
    assert found.content["annotations"] == [filled] + ([] if drop else [hopeless])
    assert [one.code for one in found.repairs] == [
        "bbox_invalid",
        "annotation_id_missing",
        "filled",
        "filled",
        *(["geometry_missing"] if drop else []),
    ]


# Anything at all

_NUMBER = st.one_of(
    st.integers(-3, 12), st.floats(0, 9).map(lambda x: round(x, 2)), st.sampled_from(["1", " 2.50"])
)
_PART = st.lists(st.one_of(_NUMBER, st.lists(_NUMBER, min_size=2, max_size=2)), max_size=9)
_ANY = st.one_of(
    st.none(), st.booleans(), _NUMBER, st.text(max_size=3), st.lists(_NUMBER, max_size=5)
)
_RECORD = st.builds(
    lambda **members: annotation(**members),
    id=st.one_of(st.just(...), st.integers(0, 4), st.text(max_size=2)),
    image_id=st.sampled_from([1, "1", 9, None]),
    category_id=st.sampled_from([1, "1", 9]),
    segmentation=st.one_of(st.just(...), _ANY, st.lists(_PART, max_size=3), st.just(RLE)),
    bbox=st.one_of(st.just(...), _ANY),
    area=st.one_of(st.just(...), _ANY),
    iscrowd=st.one_of(st.just(...), _ANY),
)


@settings(max_examples=150)
@given(st.lists(_RECORD, max_size=6), st.booleans(), st.booleans())
def test_any_file_is_better_afterwards(
    tmp_path_factory: pytest.TempPathFactory, records: list[Any], drop: bool, fill: bool
) -> None:
    """It stays a file, no repaired code is left, and with `drop` nothing is rejected."""
    found = Fixed(tmp_path_factory.mktemp("any"), coco(*records), drop=drop, fill=fill)
    before, after = check_file(found.before), check_file(found.after)
    # A box that reads as numbers again may be all that was missing: then the rest is seen, too.
    saved = after["annotations"] - before["annotations"]
    assert saved >= 0
    assert after["rejected"] <= (0 if drop else before["rejected"])
    done = Counter(one.code for one in found.repairs)
    for code in REPAIRS:
        found_before, left = (report["issue_counts"].get(code, 0) for report in (before, after))
        assert left <= max(0, found_before - done[code]) + saved
    if not drop:
        assert len(found.content["annotations"]) == len(records)
    again = Fixed(tmp_path_factory.mktemp("any"), found.after.read_bytes(), drop=drop, fill=fill)
    assert (again.repairs, again.after.read_bytes()) == ([], found.after.read_bytes())


TURNED = np.array([[1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]], np.uint8)
"""A mask of an image of 4 x 3 pixels (width x height)."""


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("way", ["size", "mask", None])
def test_swapped_sizes_are_what_their_author_says(
    way: str | None, compressed: bool, tmp_path: Path
) -> None:
    """Encoded rightly under a wrong size, or transposed altogether: both read [width, height]."""
    encoded = TURNED.T if way == "mask" else TURNED
    batch = masks.encode(encoded)
    rle: dict[str, Any] = dict(masks.to_dicts(batch)[0])
    if not compressed:
        rle["counts"] = batch.counts.tolist()
    file = coco(
        annotation(segmentation=rle | {"size": [4, 3], "x": 1}, area=5),
        images=[{"id": 1, "file_name": "a.jpg", "width": 4, "height": 3}],
    )
    found = Fixed(tmp_path, file, swapped=way)
    if way is None:
        assert (found.repairs, found.after.read_bytes()) == ([], found.before.read_bytes())
        return
    assert [one.code for one in found.repairs] == ["rle_size_swapped"]
    assert found.codes <= {"task_assumed"}
    after = found.first["segmentation"]
    assert (after["size"], after["x"], type(after["counts"])) == ([3, 4], 1, type(rle["counts"]))
    assert (masks.decode(masks.from_dicts([after]))[0] == TURNED).all()
    assert found.first == annotation(segmentation=after, area=5)
