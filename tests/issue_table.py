"""Writes the table of import issues in docs/imports.md: ``python -m tests.issue_table``."""

import re
from pathlib import Path

from app.formats.issues import ISSUES, IssueKind

PAGE = Path(__file__).parent.parent / "docs" / "imports.md"
_TABLE = re.compile(r"(?<=<!-- issues -->\n).*(?=<!-- end of issues -->)", re.DOTALL)


def _row(code: str, kind: IssueKind) -> str:
    severity = kind.severity + (f" ({kind.strict} in strict mode)" if kind.strict else "")
    return f"| `{code}` | {severity} | {kind.meaning} | {kind.action} |\n"


def rewrite(text: str) -> str:
    """The page with its table as the program has it."""
    rows = "".join(_row(code, kind) for code, kind in ISSUES.items())
    table = f"| code | severity | meaning | what is done |\n|---|---|---|---|\n{rows}"
    return _TABLE.sub(lambda _match: table, text)


if __name__ == "__main__":
    PAGE.write_text(rewrite(PAGE.read_text()))
