"""What the documentation says is there, and what is there is documented."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.cli import cli
from app.config import Settings
from app.formats import FORMATS, Format
from app.formats.outgoing import LOSSES
from app.jobs import JOBS
from tests.settings_table import README, rewrite

ROOT = README.parent
CONTRIBUTING = ROOT / "CONTRIBUTING.md"


def test_the_table_of_settings_is_current() -> None:
    text = README.read_text()
    assert text == rewrite(text), "run: python -m tests.settings_table"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described(name: str) -> None:
    assert Settings.model_fields[name].description
    assert f"`MASKWRIGHT_{name.upper()}`" in README.read_text()


@pytest.mark.parametrize("name", [n for n, c in cli.commands.items() if not c.hidden])
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"`maskwright {name}" in README.read_text()


def test_every_route_is_in_the_readme(app: FastAPI) -> None:
    """By its first words: the README lists families, /docs lists routes."""
    families = {
        "/".join(path.split("/")[:3])
        for route in iter_route_contexts(app.routes)
        if (path := route.path or "").startswith("/api/")
    }
    assert families
    assert [family for family in sorted(families) if family not in README.read_text()] == []


@pytest.mark.parametrize("kind", [job.name for job in JOBS])
def test_every_job_kind_is_documented(kind: str) -> None:
    assert f"`{kind}`" in (ROOT / "docs" / "jobs.md").read_text()


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_has_a_page(form: Format) -> None:
    table = (ROOT / "docs" / "formats" / "README.md").read_text()
    ways = {True: "zip" if form.reader or form.writer else "yes", False: ""}
    into, out = (ways[bool(tasks)] for tasks in (form.import_tasks, form.export_tasks))
    (row,) = [line for line in table.splitlines() if line.startswith(f"| `{form.name}` |")]
    assert [cell.strip() for cell in row.split("|")[3:5]] == [into, out]
    page = (ROOT / "docs" / form.page).read_text()
    assert f"`{form.name}`" in page or not (form.reader or form.writer)


@pytest.mark.parametrize("code", LOSSES)
def test_every_loss_is_documented(code: str) -> None:
    table = (ROOT / "docs" / "formats" / "README.md").read_text()
    assert f"| `{code}` | {LOSSES[code]} |\n" in table


@pytest.mark.parametrize(
    "path",
    [README, CONTRIBUTING, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_links_and_named_files_exist(path: Path) -> None:
    text = path.read_text()
    linked = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    named = re.findall(r"`((?:app|tests|frontend|migrations|tools|docs)/[\w/.-]+\.\w+)`", text)
    missing = [name for name in linked if not (path.parent / name).exists()]
    missing += [name for name in named if not (ROOT / name).exists()]
    assert missing == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda p: p.stem
)
def test_a_decision_is_short_and_says_what_enforces_it(path: Path) -> None:
    lines = path.read_text().strip().splitlines()
    assert re.match(r"# \d+\. ", lines[0])
    assert len(lines) <= 40
    assert "Enforced by" in path.read_text()
