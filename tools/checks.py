"""What the tools have to say about the code: lint, types and the front end's own tests.

``checks.py NAME...`` runs the named checks, ``checks.py`` all of them; the test suite runs each
as a test of its own (tests/test_checks.py).
"""

import subprocess
import sys
from pathlib import Path

import frontend

BIN = Path(sys.executable).parent

CHECKS: dict[str, tuple[str, ...]] = {
    "ruff": (str(BIN / "ruff"), "check", "."),
    "format": (str(BIN / "ruff"), "format", "--check", "."),
    "mypy": (str(BIN / "mypy"),),
    "openapi": (sys.executable, "tools/openapi_types.py", "--check"),
    "eslint": ("npm", "run", "--silent", "lint"),
    "svelte-check": ("npm", "run", "--silent", "check"),
    "vitest": ("npm", "run", "--silent", "test"),
}


def start(name: str, *, quiet: bool = False) -> "subprocess.CompletedProcess[str]":
    """Run one check; with `quiet` its output is kept in the result."""
    command, folder, environment = CHECKS[name], frontend.ROOT, None
    if command[0] == "npm":
        node = frontend.find_node()
        if node is None:
            raise SystemExit("There is no node: run `make test` once.")
        command, folder, environment = (
            (*node.npm, *command[1:]),
            frontend.FRONTEND,
            node.environment,
        )
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    # All of them, even when one finds something: it is better to see everything at once.
    sys.exit(max(start(name).returncode for name in sys.argv[1:] or CHECKS))
