"""Zips that lie, and what is made of their names."""

import struct
import zipfile
from pathlib import Path

import pytest

from app.errors import Invalid
from app.services.files import zips
from tests.build.pictures import make_zip


def read(tmp_path: Path, data: bytes, *, total: int = 10**8, max_files: int = 100) -> list[str]:
    """What becomes of each entry: its name, or the code of its refusal."""
    path = tmp_path / "1"
    path.write_bytes(data)
    allowance = zips.Allowance(total)
    found = []
    with zips.open_zip(path, max_files=max_files) as archive:
        for info in zips.entries(archive):
            try:
                name = zips.entry_name(info)
                size = sum(len(chunk) for chunk in zips.unpack(archive, info, allowance))
                found.append(f"{name} {size}")
            except Invalid as error:
                found.append(error.code)
    return found


def refusal(tmp_path: Path, data: bytes, **options: int) -> str:
    with pytest.raises(Invalid) as caught:
        read(tmp_path, data, **options)
    return caught.value.code


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_entries(tmp_path: Path, method: int) -> None:
    data = make_zip({"b.jpg": b"12", "a/b\\c.jpg": b"345", "empty": b""}, method=method)
    assert read(tmp_path, data) == ["b.jpg 2", "a/b/c.jpg 3", "empty 0"]


def test_folders_and_junk_are_no_entries(tmp_path: Path) -> None:
    names = ["a/", "__MACOSX/a/._b.jpg", "a/.DS_Store", "a/Thumbs.db", "._b.jpg", "a/b.jpg"]
    assert read(tmp_path, make_zip(dict.fromkeys(names, b""))) == ["a/b.jpg 0"]


@pytest.mark.parametrize(
    "name",
    [
        "../a.jpg",
        "a/../../b.jpg",
        "a\\..\\..\\b.jpg",
        "/etc/passwd",
        "\\\\server\\share\\a.jpg",
        "C:\\a.jpg",
        "c:a.jpg",
        "a\nb.jpg",
        "..",
        "x" * 1025,
    ],
)
def test_hostile_names(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, make_zip({name: b"1", "ok.jpg": b"1"})) == [
        "file_name_invalid",
        "ok.jpg 1",
    ]


def test_a_name_with_nul(tmp_path: Path) -> None:
    data = make_zip({"a.jpg_.exe": b"1"}).replace(b"a.jpg_.exe", b"a.jpg\0.exe")
    assert read(tmp_path, data) == ["file_name_invalid"]


def test_names_in_utf8_that_do_not_say_so(tmp_path: Path) -> None:
    marked = make_zip({"ä/ü.jpg": b"1"})
    assert read(tmp_path, marked) == ["ä/ü.jpg 1"]
    flag = struct.pack("<H", 0x800)
    assert marked.count(flag) == 2
    assert read(tmp_path, marked.replace(flag, b"\0\0")) == ["ä/ü.jpg 1"]


def test_code_page_437(tmp_path: Path) -> None:
    data = make_zip({"X.jpg": b"1"}).replace(b"X.jpg", b"\x81.jpg")
    assert read(tmp_path, data) == ["ü.jpg 1"]


@pytest.mark.parametrize("missing", [1, 10, 22, 60, 100])
def test_truncated(tmp_path: Path, missing: int) -> None:
    data = make_zip({"a.jpg": b"1" * 50})
    assert refusal(tmp_path, data[:-missing]) == "zip_damaged"


def test_only_the_start_of_a_zip(tmp_path: Path) -> None:
    assert refusal(tmp_path, b"PK\x03\x04") == "zip_damaged"
    assert refusal(tmp_path, b"PK\x05\x06" + b"\xff" * 18) == "zip_damaged"


def test_an_empty_zip(tmp_path: Path) -> None:
    assert read(tmp_path, make_zip({})) == []


def test_damaged_entry(tmp_path: Path) -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
        data = bytearray(make_zip({"a": bytes(range(256)) * 8, "b": b"1"}, method=method))
        data[60] ^= 0xFF
        assert read(tmp_path, bytes(data)) == ["zip_damaged", "b 1"]


def test_too_many_files(tmp_path: Path) -> None:
    data = make_zip({str(number): b"" for number in range(101)})
    assert refusal(tmp_path, data) == "zip_too_many_files"
    # The end of the directory says how many there are; nobody believes it.
    lying = data[:-22] + data[-22:].replace(struct.pack("<H", 101), struct.pack("<H", 1))
    assert refusal(tmp_path, lying) == "zip_too_many_files"
    assert len(read(tmp_path, data, max_files=101)) == 101


def test_a_directory_that_would_fill_the_memory(tmp_path: Path) -> None:
    data = make_zip({f"{number}{'x' * 60_000}": b"" for number in range(10)})
    assert refusal(tmp_path, data, max_files=10) == "zip_too_many_files"


def test_a_bomb(tmp_path: Path) -> None:
    data = make_zip({"bomb": b"\0" * 40_000_000, "ok": b"1"}, method=zipfile.ZIP_DEFLATED)
    assert len(data) < 50_000
    assert read(tmp_path, data) == ["zip_bomb", "ok 1"]


def test_all_entries_share_one_allowance(tmp_path: Path) -> None:
    data = make_zip({"a": b"1" * 600, "b": b"1" * 600, "c": b""})
    assert read(tmp_path, data, total=1000) == ["a 600", "zip_too_large", "c 0"]


def test_an_entry_that_is_larger_than_it_says(tmp_path: Path) -> None:
    data = make_zip({"a": b"\0" * 100_000}, method=zipfile.ZIP_DEFLATED)
    size = struct.pack("<I", 100_000)
    assert data.count(size) == 2
    assert read(tmp_path, data.replace(size, struct.pack("<I", 10))) == ["zip_damaged"]


def test_encrypted(tmp_path: Path) -> None:
    data = bytearray(make_zip({"a": b"1234"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert read(tmp_path, bytes(data)) == ["zip_encrypted"]


def test_a_method_that_takes_as_much_memory_as_it_likes(tmp_path: Path) -> None:
    data = make_zip({"a": b"1" * 100}, method=zipfile.ZIP_LZMA)
    assert read(tmp_path, data) == ["zip_unsupported"]


def test_a_large_entry_in_a_small_zip(tmp_path: Path) -> None:
    content = b"PK\x01\x02" * 100_000
    assert read(tmp_path, make_zip({"a": content}), max_files=1) == [f"a {len(content)}"]
