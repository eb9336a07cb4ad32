"""Lint, types and the front end's own tests, each as one test, so that one line sums up all."""

import checks
import pytest


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", checks.CHECKS)
def test_tool_finds_nothing(name: str) -> None:
    done = checks.start(name, quiet=True)
    assert done.returncode == 0, done.stdout
