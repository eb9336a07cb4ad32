"""Writes what the documentation repeats from the code: the table of settings in the README.

``python -m tests.settings_table`` rewrites it; a test compares.
"""

import re
import sys
from pathlib import Path

from app.config import Settings

README = Path(__file__).parent.parent / "README.md"
_HEAD = "| variable | default | meaning |\n|---|---|---|\n"


def settings_table() -> str:
    """One row for each setting, in the order of the class."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        rows.append(f"| `MASKWRIGHT_{name.upper()}` | {default} | {field.description} |\n")
    return _HEAD + "".join(rows)


def rewrite(text: str) -> str:
    """The README's text with the present table."""
    return re.sub(
        re.escape(_HEAD) + r"(?:<!--.*-->\n|\|.*\n)*", lambda _: settings_table(), text, count=1
    )


if __name__ == "__main__":
    README.write_text(rewrite(README.read_text()))
    sys.exit(0)
