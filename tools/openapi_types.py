"""Writes frontend/src/api/schema.d.ts: the API's description as TypeScript types.

``make openapi`` after a route or a wire model changed. ``openapi_types.py --check`` says whether
the file is up to date; the test suite runs it, so that server and editor cannot drift apart.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import frontend
from app.config import Settings
from app.main import create_app

TYPES = frontend.FRONTEND / "src" / "api" / "schema.d.ts"
PROGRAM = frontend.FRONTEND / "node_modules" / "openapi-typescript" / "bin" / "cli.js"


def description() -> dict[str, Any]:
    """The OpenAPI document; for that the database need not be there."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            _env_file=None,
            data_dir=Path(folder),
            database_url="postgresql+psycopg://nobody@nowhere/none",
        )
        return create_app(settings).openapi()


def without_errors(document: dict[str, Any]) -> dict[str, Any]:
    """The document with good answers only: every error has the one body, `ProblemOut`."""
    for methods in document["paths"].values():
        for operation in methods.values():
            answers = operation["responses"]
            operation["responses"] = {k: v for k, v in answers.items() if k.startswith("2")}
    return document


def generate() -> str:
    """The types, as openapi-typescript writes them."""
    node = frontend.find_node()
    if node is None:
        sys.exit("There is no node: run `make test` once.")
    done = subprocess.run(
        [node.node, PROGRAM, "--immutable"],
        cwd=frontend.FRONTEND,
        env=node.environment,
        input=json.dumps(without_errors(description())),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout


def main() -> None:
    """Write the file, or with ``--check`` compare it."""
    types = generate()
    if sys.argv[1:] != ["--check"]:
        TYPES.write_text(types)
    elif not TYPES.exists() or TYPES.read_text() != types:
        sys.exit("frontend/src/api/schema.d.ts is not what the API says: run `make openapi`.")


if __name__ == "__main__":
    main()
