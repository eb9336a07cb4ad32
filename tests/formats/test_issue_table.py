"""The documentation lists every issue that an import can report."""

from tests.issue_table import PAGE, rewrite


def test_the_table_of_issues_is_current() -> None:
    text = PAGE.read_text()
    assert text == rewrite(text), "run: python -m tests.issue_table"
