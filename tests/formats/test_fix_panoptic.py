"""The repaired copy of a panoptic file: its segments mended, and nothing else."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats.coco.check import check_file
from app.formats.coco.fix import fix
from app.services.imports.panoptic_pngs import FolderPngs
from tests.build.coco import to_bytes
from tests.build.panoptic import REAL, ids_png, panoptic, segment


class Fixed:
    """The copy of a file, and what was done to it."""

    def __init__(self, folder: Path, file: Any, **options: Any) -> None:
        self.before, self.after = folder / "before.json", folder / "after.json"
        self.before.write_bytes(to_bytes(file))
        (folder / "a.png").write_bytes(ids_png())
        self.pngs = FolderPngs(self.before, max_pixels=100)
        with self.before.open("rb") as source, self.after.open("wb") as target:
            found = fix(source, target, pngs=self.pngs, **options)
        self.repairs = [(one.code, one.path) for one in found]
        # Twice is once.
        out = io.BytesIO()
        with self.after.open("rb") as source:
            assert fix(source, out, pngs=self.pngs, **options) == []
        assert out.getvalue() == self.after.read_bytes()

    @property
    def content(self) -> Any:
        return json.loads(self.after.read_text())

    @property
    def segments(self) -> Any:
        return self.content["annotations"][0]["segments_info"]

    @property
    def left(self) -> dict[str, int]:
        return dict(check_file(self.after, pngs=self.pngs)["issue_counts"])


def test_a_good_file_is_copied_byte_for_byte(tmp_path: Path) -> None:
    text = json.dumps(panoptic(), indent=3).encode()
    found = Fixed(tmp_path, text, drop=True, fill=True)
    assert (found.repairs, found.after.read_bytes()) == ([], text)


def test_a_segment_that_is_listed_twice(tmp_path: Path) -> None:
    """Once is enough where both say the same; else nobody knows which one is meant."""
    others = [segment(300, category_id=2), segment(16_777_215, category_id=2)]
    found = Fixed(tmp_path, panoptic(segment(), *others, segment(), segment()))
    assert found.segments == [segment(), *others]
    assert found.repairs == [
        ("segment_id_duplicate", f"annotations[0].segments_info[{index}].id") for index in (3, 4)
    ]
    assert found.left == {}
    file = panoptic(segment(), *others, segment(category_id=2))
    found = Fixed(tmp_path, file)
    assert (found.repairs, found.content) == ([], file)
    found = Fixed(tmp_path, file, drop=True)
    assert found.segments == others
    # Pixels are nobody's to change: they are void from now on, and said to be.
    assert found.left == {"segment_unlisted": 1}


def test_what_stays_of_a_segment_that_was_listed_twice_is_looked_at(tmp_path: Path) -> None:
    bad = segment(category_id=9)
    found = Fixed(tmp_path, panoptic(bad, bad, segment(300)), drop=True)
    assert found.segments == [segment(300)]
    found = Fixed(tmp_path, panoptic(segment(area=1), segment(area=1), segment(300)), fill=True)
    assert found.segments == [segment(), segment(300)]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (segment(300, category_id=9), "category_unknown"),
        (segment(5), "segment_missing"),
        (segment(0), "segment_id_invalid"),
        (7, "record_not_object"),
    ],
)
def test_segments_that_cannot_be_read(tmp_path: Path, bad: Any, code: str) -> None:
    file = panoptic(segment(), bad)
    found = Fixed(tmp_path, file)
    assert (found.repairs, found.content) == ([], file)
    found = Fixed(tmp_path, file, drop=True)
    assert [code for code, _ in found.repairs] == [code]
    assert found.segments == [segment()]
    assert found.left == {"segment_unlisted": found.left["segment_unlisted"]}


def test_images_whose_png_cannot_be_read(tmp_path: Path) -> None:
    file = panoptic(images=[{"id": n, "file_name": "a", "width": 8, "height": 6} for n in (1, 2)])
    file["annotations"].append({"image_id": 2, "file_name": "b.png", "segments_info": []})
    found = Fixed(tmp_path, file, drop=True)
    assert found.repairs == [("panoptic_png_missing", "annotations[1]")]
    assert found.content == file | {"annotations": file["annotations"][:1]}


def test_area_and_box_are_those_of_the_pixels(tmp_path: Path) -> None:
    """Only with `fill`, and only where they differ: the digits of the others stay."""
    text = b"""{"images": [{"id": 1, "file_name": "a.jpg", "width": 8, "height": 6}],
    "categories": [{"id": 1, "name": "cat"}], "x": 1.50,
    "annotations": [{"y":-0.0,"image_id":1,"file_name":"a.png","segments_info":[
    {"id":70001,"category_id":1,"area":9.00,"bbox":[1,1,3.0,3],"iscrowd":0},
    {"id":300,"category_id":1,"area":8,"z":1e2,"bbox":[5,3,3.0,3],"iscrowd":0},
    {"id":16777215,"category_id":1}]}]}"""
    found = Fixed(tmp_path, text)
    assert (found.repairs, found.after.read_bytes()) == ([], text)
    found = Fixed(tmp_path, text, fill=True)
    own = "annotations[0].segments_info"
    assert found.repairs == [
        ("segment_area_differs", f"{own}[1].area"),
        ("filled", f"{own}[2].area"),
        ("filled", f"{own}[2].bbox"),
        ("filled", f"{own}[2].iscrowd"),
    ]
    start = text.index(b'{"y"')
    assert found.after.read_bytes() == text[:start] + (
        b'{"y":-0.0,"image_id":1,"file_name":"a.png","segments_info":['
        b'{"id":70001,"category_id":1,"area":9.00,"bbox":[1,1,3.0,3],"iscrowd":0},'
        b'{"id":300,"category_id":1,"area":9,"z":1e2,"bbox":[5,3,3.0,3],"iscrowd":0},'
        b'{"id":16777215,"category_id":1,"area":1,"bbox":[7,0,1,1],"iscrowd":0}]}]}'
    )
    assert found.left == {}


def test_single_members_are_repaired_as_elsewhere(tmp_path: Path) -> None:
    first = segment(category_id="1", area="9", iscrowd=True)
    file = panoptic(first, segment(300), segment(16_777_215))
    file["annotations"][0]["image_id"] = "1"
    found = Fixed(tmp_path, file)
    wanted = [segment(iscrowd=1), segment(300), segment(16_777_215)]
    assert found.content == panoptic(*wanted)
    assert {code for code, _ in found.repairs} == {
        "id_type_mismatch",
        "area_invalid",
        "iscrowd_unusual",
    }
    assert found.left == {}


def test_real_segments_are_filled_with_what_they_said(tmp_path: Path) -> None:
    file = json.loads((REAL / "panoptic.json").read_text())
    bare = json.loads((REAL / "panoptic.json").read_text())
    for one in (one for frame in bare["annotations"] for one in frame["segments_info"]):
        del one["area"], one["bbox"]
    path = tmp_path / "bare.json"
    path.write_text(json.dumps(bare))
    out = io.BytesIO()
    pngs = FolderPngs(REAL / "panoptic.json", max_pixels=10**8)
    with path.open("rb") as source:
        fix(source, out, fill=True, pngs=pngs)
    assert json.loads(out.getvalue()) == file


_ANY: st.SearchStrategy[Any] = st.sampled_from(
    [..., None, 0, 1, 9, "1", "x", [], {}, -3, 2.5, True, 300, "300", [1, 2, 3, 4]]
)
_SEGMENT: st.SearchStrategy[Any] = st.one_of(
    st.builds(segment, st.sampled_from([70_001, 300, 16_777_215, 5])),
    st.builds(
        lambda number, name, value: segment(number, **{name: value}),
        st.sampled_from([70_001, 300]),
        st.sampled_from(["id", "category_id", "area", "bbox", "iscrowd"]),
        _ANY,
    ),
    st.sampled_from([7, None, "x", {}]),
)


@settings(max_examples=60)
@given(st.lists(_SEGMENT, min_size=1, max_size=5), st.booleans(), st.booleans())
def test_any_segments_are_better_afterwards(
    tmp_path_factory: pytest.TempPathFactory, segments: list[Any], drop: bool, fill: bool
) -> None:
    found = Fixed(tmp_path_factory.mktemp("any"), panoptic(*segments), drop=drop, fill=fill)
    before, after = (check_file(one, pngs=found.pngs) for one in (found.before, found.after))
    assert after["annotations"] >= before["annotations"]
    assert not drop or after["rejected"] == 0
    assert not fill or "segment_area_differs" not in after["issue_counts"]
    assert found.repairs or found.before.read_bytes() == found.after.read_bytes()
