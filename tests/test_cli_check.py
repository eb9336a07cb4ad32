"""``maskwright check``: its report as text, JSON and a page, and the repaired copy."""

import json
import re
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from app import cli
from app.formats.coco.repair import REPAIRS
from tests.build.coco import annotation, coco
from tests.running import maskwright

COCO = Path(__file__).parent / "data" / "coco"
SQUARE = [1, 1, 5, 1, 5, 4, 1, 4]
BAD = coco(
    annotation(segmentation=SQUARE),
    annotation(id=2, image_id=9),
    annotation(id=3, iscrowd="0", area=...),
)
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Runs the command in an empty folder; returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(["check", *arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(BAD))
    return path


def test_nothing_is_wrong_with_a_good_file(call: Call) -> None:
    file = COCO / "instances.json"
    said = f"{file}: 12 images, 80 categories, 117 annotations; no errors\n"
    assert call(str(file)) == (0, said, "")


def test_what_is_wrong_and_what_to_do(call: Call, bad: Path) -> None:
    code, said, error = call(str(bad))
    assert (code, error) == (1, "")
    assert "1 image, 1 category, 2 annotations; 1 error\n" in said
    assert "error image_unknown annotations[1].image_id: There is no image 9. (rejected)" in said
    assert "  image_unknown [--fix --drop]: Add the image to images, take" in said
    assert "  segmentation_flat [--fix]: Put the list of numbers into a list" in said


def test_the_report_as_json(call: Call, bad: Path) -> None:
    code, said, _ = call(str(bad), "--json")
    report = json.loads(said)
    assert (code, report["errors"], report["rejected"], report["annotations"]) == (1, 1, 1, 2)
    assert report["issue_counts"]["segmentation_flat"] == 1
    assert "fix" not in report


def test_warnings_are_no_errors_unless_strict(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(coco(annotation(), annotation())))
    assert call("a.json")[0] == 0
    assert call("a.json", "--mode", "strict")[0] == 1


# Repairs


def test_a_repaired_copy(call: Call, bad: Path, tmp_path: Path) -> None:
    before = bad.read_bytes()
    code, said, _ = call("bad.json", "--fix", "good.json")
    assert code == 1
    assert "good.json: 2 repairs; 1 image, 1 category, 2 annotations; 1 error\n" in said
    assert "  annotations[0].segmentation: wrapped in a list (segmentation_flat)\n" in said
    assert bad.read_bytes() == before
    content = json.loads((tmp_path / "good.json").read_text())
    assert content["annotations"][0]["segmentation"] == [SQUARE]
    assert len(content["annotations"]) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.json", "good.json"]


def test_dropping_and_filling(call: Call, bad: Path, tmp_path: Path) -> None:
    code, said, _ = call("bad.json", "--fix", "good.json", "--drop", "--fill", "--json")
    found = json.loads(said)
    assert (code, found["errors"], found["fix"]["remaining"]["errors"]) == (0, 1, 0)
    assert [repair["code"] for repair in found["fix"]["repairs"]] == [
        "segmentation_flat",
        "image_unknown",
        "iscrowd_unusual",
        "filled",
    ]
    assert found["fix"]["repairs"][0] == {
        "code": "segmentation_flat",
        "path": "annotations[0].segmentation",
        "id": 1,
        "done": "wrapped in a list",
    }
    assert call("good.json") == (
        0,
        "good.json: 1 image, 1 category, 2 annotations; no errors\n",
        "",
    )


def test_a_file_that_cannot_be_read_has_no_copy(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"images": [')
    code, said, _ = call("a.json", "--fix", "b.json", "--html", "a.html")
    assert code == 1
    assert "json_truncated" in said
    assert "b.json: not written, the file cannot be read at all\n" in said
    assert "unreadable" in (tmp_path / "a.html").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "a.json"]


@pytest.mark.parametrize(
    "arguments", [["--drop"], ["--fill"], ["--fix", "bad.json"], ["--html", "./bad.json"]]
)
def test_wrong_calls(arguments: list[str], call: Call, bad: Path) -> None:
    before = bad.read_bytes()
    code, out, error = call("bad.json", *arguments)
    assert (code, out) == (2, "")
    assert re.fullmatch(r"maskwright: [^\n]+\n", error)
    assert bad.read_bytes() == before


def test_a_copy_that_cannot_be_written(call: Call, bad: Path, tmp_path: Path) -> None:
    code, _, error = call("bad.json", "--fix", "nowhere/good.json")
    assert code == 1
    assert re.fullmatch(r"maskwright: [^\n]+No such file or directory\.\n", error)


def test_it_needs_no_database_and_no_data_folder(bad: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = maskwright(data, "check", bad, "--html", tmp_path / "a.html", "--fix", tmp_path / "b")
    assert (done.returncode, done.stderr) == (1, "")
    assert not data.exists()


# The page


class _Page(HTMLParser):
    """Its text, and whatever it would load from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words = ""
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for key, value in attrs if key in ("src", "href", "data")]
        self.loads += [tag] if tag in ("script", "link", "img", "iframe", "object") else []
        self.open += [tag] if tag not in ("meta",) else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page(call: Call, bad: Path, tmp_path: Path) -> None:
    hostile = coco(
        annotation(image_id="<script>alert(1)</script>"), annotation(segmentation=SQUARE)
    )
    bad.write_text(json.dumps(hostile))
    call("bad.json", "--html", "a.html", "--fix", "good.json", "--drop")
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    page = _Page(text)
    assert (page.loads, page.open) == ([], [])
    assert "url(" not in text
    assert "@media (prefers-color-scheme: dark)" in text
    for words in (
        "bad.json",
        "1 error; 1 annotation would not be imported",
        "No errors left in the copy",
        "Add the image to images, take the annotation out, or ask for placeholders.",
        "There is no image '<script>alert(1)</script>'.",
        "wrapped in a list",
    ):
        assert words in page.words


def test_the_page_of_a_good_file(call: Call, tmp_path: Path) -> None:
    assert call(str(COCO / "instances.json"), "--html", "a.html")[0] == 0
    page = _Page((tmp_path / "a.html").read_text())
    assert "No errors: all of it can be imported." in page.words
    assert "117 annotations" in page.words


# Zips


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("annotations")
        archive.writestr("annotations/instances_train.json", json.dumps(BAD))
        archive.write(COCO / "instances.json", "annotations/instances_val.json")
        archive.write(COCO / "ATTRIBUTION.json", "ATTRIBUTION.json")
        archive.write(next((COCO / "images").iterdir()), "images/ä.jpg", zipfile.ZIP_STORED)
    return path


def entries(path: Path) -> dict[str, tuple[bytes, int, Any]]:
    with zipfile.ZipFile(path) as archive:
        return {
            info.filename: (archive.read(info), info.compress_type, info.date_time)
            for info in archive.infolist()
        }


def test_every_annotation_file_of_a_zip(call: Call, zipped: Path) -> None:
    code, said, error = call("bad.zip")
    assert (code, error) == (1, "")
    assert "annotations/instances_train.json: 1 image, 1 category, 2 annotations; 1 err" in said
    assert "annotations/instances_val.json: 12 images, 80 categories, 117 annotations; no" in said
    assert "ATTRIBUTION" not in said
    code, said, _ = call("bad.zip", "--json", "--html", "a.html")
    found = json.loads(said)
    assert (found["errors"], [one["errors"] for one in found["files"]]) == (1, [1, 0])
    assert "annotations/instances_val.json" in Path("a.html").read_text()


def test_a_repaired_zip(call: Call, zipped: Path, tmp_path: Path) -> None:
    assert call("bad.zip", "--fix", "good.zip", "--drop")[0] == 0
    before, after = entries(zipped), entries(tmp_path / "good.zip")
    assert list(after) == list(before)
    train = "annotations/instances_train.json"
    assert {name for name in before if before[name] != after[name]} == {train}
    assert after[train][1:] == before[train][1:]
    assert len(json.loads(after[train][0])["annotations"]) == 2
    assert call("good.zip")[0] == 0


def test_the_only_file_of_a_zip_may_stand_anywhere(call: Call, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(COCO / "instances.json", "x/y.json")
    assert call("a.zip")[1].startswith("x/y.json: 12 images")


def test_zips_that_are_none(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04nonsense")
    assert call("a.zip") == (1, "", "maskwright: The zip is truncated or damaged.\n")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("a.txt", "x")
    assert call("b.zip", "--fix", "c.zip") == (
        1,
        "",
        "maskwright: b.zip: The zip holds no .json file.\n",
    )
    assert not (tmp_path / "c.zip").exists()


def test_the_list_of_repairs_is_documented() -> None:
    page = (Path(__file__).parent.parent / "docs" / "check.md").read_text()
    assert re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE) == [
        (code, repair.done) for code, repair in REPAIRS.items()
    ]


def test_panoptic_files_are_read_with_their_pngs(call: Call, tmp_path: Path) -> None:
    file = COCO / "panoptic.json"
    said = f"{file}: 2 images, 133 categories, 50 annotations; no errors\n"
    assert call(str(file)) == (0, said, "")
    alone = tmp_path / "alone" / "panoptic.json"
    alone.parent.mkdir()
    alone.write_bytes(file.read_bytes())
    code, said, _ = call(str(alone))
    assert code == 1
    assert "panoptic_pngs_missing" in said
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(file, "a/panoptic.json")
        for png in sorted((COCO / "panoptic").iterdir())[1:]:
            archive.write(png, f"a/panoptic/{png.name}")
    copy = tmp_path / "fixed.zip"
    code, said, _ = call(str(packed), "--fix", str(copy), "--drop")
    assert code == 0
    assert "error panoptic_png_missing annotations[0].file_name" in said
    assert "2 images, 133 categories, 32 annotations; 1 error" in said
    assert f"{copy}: 1 repair; 2 images, 133 categories, 32 annotations; no errors" in said
    with zipfile.ZipFile(copy) as fixed, zipfile.ZipFile(packed) as given:
        assert fixed.namelist() == given.namelist()
        for name in fixed.namelist()[1:]:
            assert fixed.read(name) == given.read(name)
        before, after = (json.loads(one.read("a/panoptic.json")) for one in (given, fixed))
    assert after == before | {"annotations": before["annotations"][1:]}
