"""Setting up: the make targets, what is done again and what is not, and the wheel."""

import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx2 as httpx
import pytest

import frontend
from tests.running import SOON, Server
from tests.test_docker import copied

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")
# A make that runs this test has left its own settings in the environment.
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}


def output(*command: str | Path, cwd: Path = ROOT) -> str:
    """What a command prints, on both streams; fails when it does."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


# make


def test_make_explains_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    shown = output("make")
    explained = re.findall(r"^  make ([\w-]+)\t+[A-Z][^\n]{10,}$", shown, re.MULTILINE)
    assert explained == phony[1].split()


@pytest.mark.parametrize("goal", ["run", "test"])
def test_what_is_prepared_is_not_prepared_again(goal: str) -> None:
    prepare = (sys.executable, ROOT / "tools" / "prepare.py", goal)
    output(*prepare, "true")
    assert output(*prepare, "echo", "ready") == "ready\n"


def test_the_checks_of_every_change_are_all_tests_and_nothing_else() -> None:
    path = ROOT / ".ci" / "run"
    assert path.stat().st_mode & stat.S_IXUSR
    commands = [line for line in path.read_text().splitlines() if line and line[0] != "#"]
    assert commands == ["set -eu", 'cd "$(dirname "$0")/.."', "exec make test"]


# The front end


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a front end that was just built."""
    sources = tmp_path / "frontend"
    (sources / "src").mkdir(parents=True)
    (sources / "src" / "editor.ts").write_text("export {};\n")
    (sources / "package-lock.json").write_text("{}\n")
    dist = tmp_path / "app" / "web" / "dist"
    (dist / ".vite").mkdir(parents=True)
    for name, path in {
        "ROOT": tmp_path,
        "FRONTEND": sources,
        "DIST": dist,
        "MANIFEST": dist / ".vite" / "manifest.json",
        "BUILT_STAMP": dist / ".vite" / "sources.sha256",
    }.items():
        monkeypatch.setattr(frontend, name, path)
    frontend.MANIFEST.write_text("{}\n")
    frontend.BUILT_STAMP.write_text(frontend.sources_digest())
    return tmp_path


@pytest.mark.parametrize("name", ["src/editor.ts", "src/new.ts", "package-lock.json"])
def test_a_changed_source_is_built_again(name: str, checkout: Path) -> None:
    assert frontend.is_built()
    (checkout / "frontend" / name).write_text("changed\n")
    assert not frontend.is_built()


@pytest.mark.parametrize("name", ["node_modules/x.js", "tests/editor.test.ts"])
def test_what_is_not_a_source_is_not(name: str, checkout: Path) -> None:
    path = checkout / "frontend" / name
    path.parent.mkdir()
    path.write_text("changed\n")
    assert frontend.is_built()


@pytest.mark.parametrize(
    ("node", "npm", "fits"),
    [
        ("v20.19.0", "11.0.0", True),
        ("v22.12.1", "11.6.2", True),
        ("v24.0.0", "11.3.0", True),
        ("v20.18.3", "11.0.0", False),
        ("v22.11.0", "11.0.0", False),
        ("v21.7.3", "11.0.0", False),
        ("v18.20.4", "11.0.0", False),
        ("v24.0.0", "10.9.3", False),
        ("nonsense", "11.0.0", False),
    ],
)
def test_only_a_node_and_npm_that_can_build_are_used(
    node: str, npm: str, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, version in (("node", node), ("npm", npm)):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert (frontend.system_node() is not None) == fits


# The wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from what the Dockerfile copies and the built front end."""
    source = tmp_path_factory.mktemp("source")
    for name in copied():
        target = source / name
        if not name.startswith("frontend") and (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif not name.startswith("frontend"):
            shutil.copy(ROOT / name, target)
    output(UV, "build", "--quiet", "--wheel", "--out-dir", source / "dist", cwd=source)
    [built] = (source / "dist").glob("*.whl")
    return built


def test_the_wheel_carries_all_that_it_needs_and_no_more(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = [
        "app/web/dist/.vite/manifest.json",
        *(f"app/_migrations/{p.relative_to(ROOT / 'migrations')}" for p in _python("migrations")),
        *(str(path.relative_to(ROOT)) for path in _python("app")),
        *(str(p.relative_to(ROOT)) for p in (ROOT / "app/web/templates").rglob("*.html")),
        *(str(path.relative_to(ROOT)) for path in (ROOT / "app/demo").rglob("*.jp*")),
    ]
    assert [name for name in wanted if name not in names] == []
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"app"}


def _python(folder: str) -> list[Path]:
    return [path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts]


@pytest.mark.timeout(300)
def test_the_wheel_serves_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    wanted, venv = tmp_path / "requirements.txt", tmp_path / "venv"
    locked = ("--frozen", "--no-dev", "--no-emit-project", "--no-hashes", "--quiet")
    output(UV, "export", *locked, "--output-file", wanted)
    output(UV, "venv", "--quiet", "--python", sys.executable, venv)
    into = ("--quiet", "--python", venv / "bin" / "python")
    output(UV, "pip", "install", *into, "--requirement", wanted, wheel, cwd=tmp_path)
    with Server(tmp_path / "data", "--demo", command=[venv / "bin" / "maskwright"]) as server:
        with httpx.Client(base_url=server.url) as client:
            assert client.get("/readyz").json() == {"status": "ok"}
            page = client.get("/login").raise_for_status().text
            linked = re.findall(r'"(/static/[^"]+)"', page)
            assert linked
            for path in linked:
                assert client.get(path).status_code == 200, path
        assert server.stop() < SOON
        assert server.left_over() == []
