"""What templates, scripts and the build must agree on."""

import json
import re
from pathlib import Path

import pytest

from app.web.assets import DIST

TEMPLATES = sorted((Path(__file__).parents[2] / "app/web/templates").rglob("*.html"))
FRONTEND = Path(__file__).parents[2] / "frontend/src"


def _name(path: Path) -> str:
    return path.name


def _found(pattern: str) -> set[str]:
    return {name for path in TEMPLATES for name in re.findall(pattern, path.read_text("utf-8"))}


def test_every_controller_is_known_and_used() -> None:
    source = (FRONTEND / "pages.ts").read_text("utf-8")
    block = re.search(r"CONTROLLERS[^{]+{(.*?)^};", source, re.DOTALL | re.MULTILINE)
    assert block is not None
    known = set(re.findall(r'^  "?([\w-]+)"?[:,]', block[1], re.MULTILINE))
    assert known == _found(r'data-controller="([^"]+)"')


def test_every_icon_is_in_the_build() -> None:
    known = set(json.loads((DIST / "icons.json").read_text("utf-8")))
    used = _found(r'icon\("([a-z0-9-]+)"')
    assert used
    assert used <= known


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_templates_hold_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:|\|\s*safe\b", text)
    for script in re.findall(r"<script([^>]*)>", text):
        assert "src=" in script or 'type="application/json"' in script


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_every_button_has_a_name(path: Path) -> None:
    """An icon alone says nothing to a screen reader, nor to who does not know the icon."""
    text = path.read_text("utf-8")
    for attributes, inside in re.findall(r"<button([^>]*)>(.*?)</button>", text, re.DOTALL):
        words = re.sub(r"{{ icon\([^}]*}}|<svg.*?</svg>|<[^>]+>|{%.*?%}", "", inside).strip()
        named = words or "aria-label=" in attributes or re.search(r"data-confirm-yes", attributes)
        assert named, inside
