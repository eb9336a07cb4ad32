"""Every code that an error can carry is documented, and every documented code can occur."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "errors.md"
# What reads files reports issues, and the pages render errors of their own.
ELSEWHERE = ("formats", "web", "demo")


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts that an expression may be, both branches of a choice included."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def _assigned(statements: list[ast.stmt], names: set[str]) -> Iterator[ast.expr]:
    for node in statements:
        if isinstance(node, ast.AnnAssign | ast.Assign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if names & {target.id for target in targets if isinstance(target, ast.Name)}:
                yield node.value


def _codes_in(tree: ast.Module) -> Iterator[str]:
    for table in _assigned(tree.body, {"_HTTP_CODES"}):
        yield from (text for value in ast.walk(table) for text in _texts(value))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for value in _assigned(node.body, {"code", "default_code"}):
                yield from _texts(value)
        elif isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "code":
                    yield from _texts(keyword.value)
            if getattr(node.func, "id", getattr(node.func, "attr", "")) == "problem":
                yield from (text for value in node.args[1:2] for text in _texts(value))


def codes_in_the_program() -> set[str]:
    app = ROOT / "app"
    files = [p for p in app.rglob("*.py") if p.relative_to(app).parts[0] not in ELSEWHERE]
    return {code for path in files for code in _codes_in(ast.parse(path.read_text()))}


def codes_on_the_page() -> set[str]:
    rows = [line.split("|")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return {code for cell in rows for code in re.findall(r"`([a-z_]+)`", cell)}


def test_every_code_is_documented() -> None:
    assert sorted(codes_in_the_program() - codes_on_the_page()) == []


def test_every_documented_code_can_occur() -> None:
    # The handlers name this one for what has no code of its own.
    assert sorted(codes_on_the_page() - codes_in_the_program() - {"error"}) == []
