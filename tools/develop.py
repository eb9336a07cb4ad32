"""Serves Maskwright from the sources: builds the front end and restarts when a file changes."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path

import watchfiles

import frontend

WATCHED = (frontend.ROOT / "app", frontend.ROOT / "migrations")


def _quit(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Until Ctrl-C or SIGTERM; arguments are options of ``maskwright serve``."""
    node = frontend.find_node()
    if node is None:
        sys.exit("There is no node: run `make test` once.")
    signal.signal(signal.SIGTERM, _quit)
    maskwright = Path(sys.executable).with_name("maskwright")
    serve = shlex.join([str(maskwright), "serve", "--with-parent", *sys.argv[1:]])
    with subprocess.Popen(
        [*node.npm, "run", "--silent", "dev"],
        cwd=frontend.FRONTEND,
        env=node.environment,
        stdin=subprocess.DEVNULL,
    ) as building:
        try:
            watchfiles.run_process(
                *WATCHED,
                target=serve,
                target_type="command",
                watch_filter=watchfiles.PythonFilter(extra_extensions=(".html", ".sql")),
            )
        finally:
            building.terminate()


if __name__ == "__main__":
    main()
