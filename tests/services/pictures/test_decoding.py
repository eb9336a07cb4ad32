"""Large pictures in a process of their own: verdicts and colours as here, and its limits."""

import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import psutil
import pytest
from PIL import Image as Pillow

from app import child_process
from app.errors import AppError, Invalid, Unavailable
from app.services.pictures import decoder, decoding, pixels
from app.services.pictures.decoding import DAMAGED, DISK_FULL, FAILED, NO_MEMORY, Decoder
from tests.build.pictures import make_picture, make_png_header
from tests.services.pictures.test_pixels import KINDS

Run = Callable[..., int]
TROUBLE = Unavailable("Nobody can tell.", code="picture_unavailable")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the program's main function in this process, and returns its exit code."""

    def main(command: str, content: bytes, *, kind: str, orientation: int = 1) -> int:
        path = tmp_path / "file"
        path.write_bytes(content)
        with path.open("rb") as file, monkeypatch.context() as patch:
            patch.setattr(decoder, "_FILE", file.fileno())
            return decoder.main(command, kind, orientation, str(tmp_path / "made"))

    return main


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "LARGE_BYTES", 0)


def _verdict(content: bytes, elsewhere: Any = None) -> pixels.Picture | str:
    try:
        return pixels.inspect(BytesIO(content), max_pixels=10**6, elsewhere=elsewhere)
    except Invalid as error:
        return error.code


def _media_type(name: str) -> str:
    return f"image/{name.partition('-')[0]}"


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("name", [*KINDS, "png-interlaced", "tiff-deflate"])
def test_the_verdict_is_the_same_elsewhere(name: str, run: Run) -> None:
    """For the whole file, and for every way of cutting it off."""
    more = {"tiff-deflate": {"kind": "TIFF", "compression": "tiff_adobe_deflate"}}
    whole = make_picture(size=(90, 60), **(KINDS | more).get(name, {}))
    if name == "png-interlaced":
        whole = interlaced(90, 60)

    def elsewhere(file: BinaryIO, media_type: str) -> None:
        code = run("check", _all(file), kind=media_type)
        if code:
            assert code == DAMAGED
            raise Invalid("", code="image_damaged")

    cuts = {len(whole) * part // 16 for part in range(1, 17)}
    cuts |= {len(whole) - missing for missing in range(20)}
    for cut in sorted(cuts):
        found = _verdict(whole[:cut], elsewhere)
        assert found == _verdict(whole[:cut]), f"{cut} of {len(whole)} bytes"
    assert isinstance(_verdict(whole, elsewhere), pixels.Picture)


def _all(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


# Of Adam7: the first column and row of each, and the steps to the next ones.
_PASSES = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)


def interlaced(width: int, height: int, *, is_sound: bool = True) -> bytes:
    """A black PNG in seven passes; or one that only says so."""
    data = bytearray(make_png_header(width, height))
    data[28] = 1
    head, (start, end) = bytes(data[12:29]), (29, 33)
    data[start:end] = zlib.crc32(head).to_bytes(4, "big")
    if not is_sound:
        return bytes(data)
    rows = b""
    for left, top, across, down in _PASSES:
        columns, lines = -(-(width - left) // across), -(-(height - top) // down)
        rows += b"\0" * (lines * (1 + 3 * columns))
    body = zlib.compress(rows)
    chunk = b"IDAT" + body
    idat = len(body).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return bytes(data[:33]) + idat + b"\0\0\0\0IEND\xaeB`\x82"


@pytest.mark.parametrize("name", KINDS)
def test_colours_are_the_same_elsewhere(
    name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "SHRUNK_PIXELS", 50)
    content = make_picture(size=(301, 243), **KINDS[name])
    for command, box, allowed in (("shrink", 50, 3.0), ("convert", None, 1.0)):
        assert run(command, content, kind=_media_type(name)) == 0
        wanted = pixels.shown(BytesIO(content), box=box, orientation=1)
        wanted = pixels.opaque(wanted) if box else wanted
        with Pillow.open(tmp_path / "made") as made:
            assert made.format == ("JPEG" if box else "PNG")
            assert made.size == wanted.size
            assert _difference(made.convert(wanted.mode), wanted) < allowed


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_elsewhere(
    kind: str, orientation: int, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "SHRUNK_PIXELS", 40)
    content = make_picture(size=(120, 70), kind=kind, orientation=orientation)
    turn = pixels.read_header(BytesIO(content)).orientation
    for command, box in (("shrink", 40), ("convert", None)):
        assert run(command, content, kind=f"image/{kind.lower()}", orientation=turn) == 0
        wanted = pixels.shown(BytesIO(content), box=box, orientation=turn)
        with Pillow.open(tmp_path / "made") as made:
            assert made.size == wanted.size
            assert _difference(made.convert("RGB"), wanted) < 6


def _difference(one: Pillow.Image, other: Pillow.Image) -> float:
    a, b = (np.asarray(image).astype(np.int64) for image in (one, other))
    return float(np.abs(a - b).mean())


@pytest.mark.parametrize(
    ("mode", "options"), [("RGB", {}), ("RGBA", {}), ("P", {}), ("L", {}), ("1", {})]
)
def test_strips_of_a_bitmap(
    mode: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "_STRIP_ROWS", 7)
    content = make_picture(size=(33, 40), kind="BMP", mode=mode, **options)
    strips = pixels.bitmap_strips(BytesIO(content))
    assert strips is not None
    whole = pixels.shown(BytesIO(content), box=None, orientation=1)
    put_together = np.concatenate([np.asarray(strip) for strip in strips])
    assert np.array_equal(put_together, np.asarray(whole))


def test_exif_behind_the_pixels_of_a_png() -> None:
    """It is found without decoding them."""
    content = make_picture(size=(80, 40), orientation=6)
    at = content.index(b"eXIf") - 4
    size = int.from_bytes(content[at : at + 4], "big") + 12
    block, end = content[at : at + size], content.index(b"IEND") - 4
    moved = content[:at] + content[at + size : end] + block + content[end:]
    assert pixels.read_header(BytesIO(moved)).orientation == 6
    # Not even if there are none.
    without = content[:at] + content[at + size : content.index(b"IDAT") - 4] + block + content[end:]
    assert pixels.read_header(BytesIO(without)).orientation == 6


def _check(content: bytes, tmp_path: Path, *, memory_mb: int, media_type: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with path.open("rb") as file:
        Decoder(memory_mb).run(
            "check", file, media_type=media_type, folder=tmp_path, trouble=TROUBLE
        )


def test_a_file_that_asks_for_more_memory_than_there_is(tmp_path: Path) -> None:
    """A few hundred bytes that say they are 400 megapixels which need all of them in memory."""
    hostile = interlaced(20_000, 20_000, is_sound=False)
    for memory_mb, code in ((1100, "image_too_large"), (8000, "image_damaged")):
        with pytest.raises(Invalid) as caught:
            _check(hostile, tmp_path, memory_mb=memory_mb, media_type="image/png")
        assert caught.value.code == code
    _check(interlaced(90, 60), tmp_path, memory_mb=1100, media_type="image/png")


def test_a_process_that_works_too_long_is_ended() -> None:
    program = (
        "from app.child_process import limit_resources\n"
        "limit_resources(memory_bytes=10**9, cpu_seconds=1)\n"
        "while True: pass"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=300)
    assert done.returncode == -signal.SIGXCPU


@pytest.fixture
def a_child_that_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the decoder's place, so that it is there for as long as a test needs it."""
    program = tmp_path / "waits"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o700)
    monkeypatch.setattr("app.services.pictures.decoding.sys.executable", str(program))


@pytest.mark.usefixtures("a_child_that_waits")
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (signal.SIGSEGV, "image_damaged"),
        (signal.SIGKILL, "picture_unavailable"),
        (signal.SIGTERM, "picture_unavailable"),
        (None, "picture_unavailable"),
    ],
)
def test_a_decoder_that_ends(sent: signal.Signals | None, code: str, tmp_path: Path) -> None:
    """By a bug, by somebody's hand, and together with the server.

    A service manager that ends a server tells all of its processes at once.
    """
    found = Decoder(4000)
    caught: list[AppError] = []
    with _sound(tmp_path) as file:
        worker = threading.Thread(target=_run, args=(found, file, tmp_path, caught))
        worker.start()
        child = _child(found)
        if sent is None:
            found.close()
        else:
            os.kill(child, sent)
        worker.join()
    assert [error.code for error in caught] == [code]
    assert not psutil.pid_exists(child)


@pytest.mark.usefixtures("a_child_that_waits")
def test_the_kernel_ends_a_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which it counts, when the machine or the container lacks memory."""
    counted = iter([3, 4])
    monkeypatch.setattr(decoding, "oom_kills", lambda: next(counted))
    found, caught = Decoder(4000), list[AppError]()
    with _sound(tmp_path) as file:
        worker = threading.Thread(target=_run, args=(found, file, tmp_path, caught))
        worker.start()
        os.kill(_child(found), signal.SIGKILL)
        worker.join()
    assert [error.code for error in caught] == ["image_too_large"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel counts on Linux")
def test_the_kernel_tells_what_it_ended() -> None:
    assert (child_process.oom_kills() or 0) >= 0
    assert child_process.oom_kills() is not None


@pytest.mark.usefixtures("a_child_that_waits")
def test_nothing_is_decoded_after_the_end(tmp_path: Path) -> None:
    """Not even by whoever was fetching the file when the server was closed."""
    found, caught = Decoder(4000), list[AppError]()
    found.close()
    with _sound(tmp_path) as file:
        worker = threading.Thread(target=_run, args=(found, file, tmp_path, caught), daemon=True)
        worker.start()
        worker.join(60)
    assert [error.code for error in caught] == ["picture_unavailable"]


def test_as_many_threads_on_every_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The addresses of their stacks are limited, too."""
    monkeypatch.setenv("VIPS_CONCURRENCY", "96")
    assert decoding._environment(tmp_path)["VIPS_CONCURRENCY"] == "2"


def _sound(tmp_path: Path) -> BinaryIO:
    path = tmp_path / "sound.png"
    path.write_bytes(make_picture(size=(400, 300)))
    return path.open("rb")


def _run(found: Decoder, file: BinaryIO, folder: Path, caught: list[AppError]) -> None:
    try:
        found.run("check", file, media_type="image/png", folder=folder, trouble=TROUBLE)
    except AppError as error:
        caught.append(error)


def _child(found: Decoder) -> int:
    deadline = time.monotonic() + 60
    while not found._children:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    return next(iter(found._children)).pid


@pytest.mark.parametrize(
    ("code", "said", "wanted"),
    [
        (DAMAGED, b"", "image_damaged"),
        (NO_MEMORY, b"", "image_too_large"),
        (DISK_FULL, b"", "disk_full"),
        (-signal.SIGXCPU, b"", "image_too_large"),
        (-signal.SIGABRT, b"GLib-ERROR **: failed to allocate 12 bytes", "image_too_large"),
        (-signal.SIGABRT, b"double free", "image_damaged"),
        (-signal.SIGTERM, b"out of memory", None),
        (-signal.SIGKILL, b"out of memory", None),
        (-signal.SIGHUP, b"", None),
        (FAILED, b"", None),
        (None, b"too slow", None),
    ],
)
def test_verdicts(code: int | None, said: bytes, wanted: str | None) -> None:
    error = Decoder(1000)._verdict(code, said)
    assert (error and error.code) == wanted


def test_only_so_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running: list[int] = []
    most: list[int] = []
    found, wait = Decoder(4000), Decoder._wait

    def counted(self: Decoder, child: Any) -> Any:
        running.append(child.pid)
        most.append(len(running))
        try:
            return wait(self, child)
        finally:
            running.remove(child.pid)

    monkeypatch.setattr(Decoder, "_wait", counted)
    files = [_sound(tmp_path) for _ in range(4)]
    caught: list[AppError] = []
    threads = [
        threading.Thread(target=_run, args=(found, file, tmp_path, caught)) for file in files
    ]
    for thread in threads:
        thread.start()
    for thread, file in zip(threads, files, strict=True):
        thread.join()
        file.close()
    assert caught == []
    assert len(most) == 4
    assert max(most) <= decoding._AT_ONCE
