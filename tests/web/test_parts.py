"""What pages are made of: values as text, the build's files, the API reference."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from fastapi import FastAPI

from app.web import formats
from app.web.assets import Assets
from tests.conftest import ApiClient
from tests.web.page import read


def test_numbers_and_counts() -> None:
    assert formats.number(1068) == "1,068"
    assert formats.count(1, "image") == "1 image"
    assert formats.count(0, "category", "categories") == "0 categories"
    assert formats.percent(1, 3) == "33.333%"
    assert formats.percent(0, 0) == "0.000%"


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada King", "AK"),
        ("Ada Augusta King", "AK"),
        ("ada.king@example.org", "AK"),
        ("viewer@example.org", "VI"),
        ("@", "?"),
        ("", "?"),
        ("É", "É"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert formats.initials(name) == letters


def test_moments_are_written_in_utc() -> None:
    moment = datetime(2026, 11, 20, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert formats.when(moment) == (
        '<time datetime="2026-11-19T23:30:00+00:00">19 Nov 2026, 23:30 UTC</time>'
    )
    assert formats.when(None) == "never"
    assert formats.when(datetime(2026, 1, 1, tzinfo=UTC)).startswith("<time")


def test_queries() -> None:
    assert formats.query_string({"q": "a b", "category": (1, 2), "none": None, "empty": ""}) == (
        "?q=a+b&category=1&category=2"
    )
    assert formats.query_string({}) == ""


def _build(dist: Path, manifest: object) -> Assets:
    (dist / ".vite").mkdir(exist_ok=True)
    (dist / ".vite" / "manifest.json").write_text(json.dumps(manifest))
    return Assets(dist)


def test_an_entry_brings_its_shared_chunks(tmp_path: Path) -> None:
    manifest = {
        "_tokens.css": {"file": "assets/tokens.css"},
        "_b.js": {"file": "assets/b.js", "css": ["assets/tokens.css", "assets/b.css"]},
        "_a.js": {"file": "assets/a.js", "imports": ["_b.js"]},
        "src/pages.ts": {
            "file": "assets/pages.js",
            "imports": ["_a.js", "_b.js"],
            "css": ["assets/pages.css", "assets/tokens.css"],
        },
    }
    entry = _build(tmp_path, manifest).entry("src/pages.ts")
    assert entry.script == "/static/assets/pages.js"
    assert entry.styles == (
        "/static/assets/tokens.css",
        "/static/assets/b.css",
        "/static/assets/pages.css",
    )
    assert entry.preloads == ("/static/assets/b.js", "/static/assets/a.js")


def test_a_missing_build_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="make build"):
        Assets(tmp_path).entry("src/pages.ts")


def test_a_rebuild_is_followed(tmp_path: Path) -> None:
    assets = _build(tmp_path, {"src/pages.ts": {"file": "assets/old.js"}})
    assert assets.entry("src/pages.ts").script == "/static/assets/old.js"
    path = tmp_path / ".vite" / "manifest.json"
    path.write_text(json.dumps({"src/pages.ts": {"file": "assets/new.js"}}))
    import os

    os.utime(path, (1, 1))
    assert assets.entry("src/pages.ts").script == "/static/assets/new.js"


def test_the_reference_shows_every_route(app: FastAPI, nobody: ApiClient) -> None:
    page = read(nobody.get("/docs").text)
    shown = {element["data-text"] for element in page.all("details") if element.attributes["id"]}
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            assert any(text.startswith(f"{method.upper()} {path} ") for text in shown), path
    # Nothing comes from another server: it may not be there.
    for element in page.elements:
        for name in ("src", "href"):
            assert not element.attributes.get(name, "").startswith(("http:", "https:", "//"))
    for link in page.links():
        if link.startswith("#schema-"):
            assert page.one("details", id=link[1:])


def test_the_reference_shows_commands_that_a_shell_reads(nobody: ApiClient) -> None:
    page = read(nobody.get("/docs").text)
    [curl] = [a.text for a in page.all("textarea") if "/api/tokens'" in a.text and "-X" in a.text]
    assert "-H 'Authorization: Bearer TOKEN'" in curl
    assert """--data '{"name": "…"}'""" in curl
