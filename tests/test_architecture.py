"""The shape of the house: who may import whom, how large things may grow, who may commit."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MOST_LINES_OF_A_FILE = 500
MOST_LINES_OF_A_FUNCTION = 80
PYTHON = sorted(
    path for folder in ("app", "tests", "migrations") for path in (ROOT / folder).rglob("*.py")
)
FRONT_END = sorted(
    path
    for ending in ("*.ts", "*.svelte")
    for path in (ROOT / "frontend" / "src").rglob(ending)
    if not path.name.endswith(".d.ts")
)


def test_imports_run_one_way() -> None:
    # A process of its own: the program turns off all loggers of the one that it runs in.
    program = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_there_are_files_to_look_at() -> None:
    assert len(PYTHON) > 50
    assert len(FRONT_END) > 30


@pytest.mark.parametrize("path", PYTHON + FRONT_END, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_is_too_long(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= MOST_LINES_OF_A_FILE or "versions" in path.parts, f"{lines} lines"


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_function_is_too_long(path: Path) -> None:
    if "versions" in path.parts:
        pytest.skip("a migration is a list of statements")
    for function in _functions(path):
        lines = (function.end_lineno or 0) - function.lineno + 1
        assert lines <= MOST_LINES_OF_A_FUNCTION, f"{function.name} has {lines} lines"


def test_only_the_edges_commit() -> None:
    """A request, a job or a command is one transaction: services never end it."""
    guilty = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "app" / "services").rglob("*.py")
        if re.search(r"\.(commit|rollback)\(", path.read_text())
    ]
    assert guilty == []


def test_no_relation_loads_behind_ones_back() -> None:
    from app.models import Base

    lazy = [
        f"{mapper.class_.__name__}.{relation.key}"
        for mapper in Base.registry.mappers
        for relation in mapper.relationships
        if relation.lazy != "raise"
    ]
    assert lazy == []
