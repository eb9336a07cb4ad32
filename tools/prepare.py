"""Sets the checkout up, then becomes a command: ``prepare.py run|test COMMAND [ARGUMENT]...``

Everything that is needed and not there is installed into the checkout itself: Python packages
into .venv (with uv, which is put there first), node packages into frontend/node_modules, and node
from a wheel where the machine has none that fits. ``test`` adds the tools of the developers and a
Chromium. What is there already is only looked at: a second run takes a few milliseconds.

Only Python's standard library, for it runs before there is anything else.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - this is where the sentence comes from
    for _minor in (14, 13, 12, 11):
        _newer = shutil.which(f"python3.{_minor}")
        if _newer:
            os.execv(_newer, [_newer, *sys.argv])
    sys.exit("Maskwright needs Python 3.11 or later; name one with: make PYTHON=python3.12")

import frontend

ROOT = frontend.ROOT
VENV = ROOT / ".venv"
STAMP = VENV / ".prepared.json"
CHROMIUM_STAMP = VENV / ".chromium"
CHROMIUM_NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
)  # fmt: skip
# Where the browsers of Playwright come from cannot be reached everywhere: do not wait for ever.
PLAYWRIGHT_SECONDS = 240


def say(text: str) -> None:
    """Tell what takes time, on stderr: stdout belongs to the command."""
    print(text, file=sys.stderr, flush=True)


def run(command: list[str | Path], **environment: str) -> None:
    """Run a step quietly; show what it said when it fails, and end."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        shown = " ".join(str(part) for part in command)
        sys.exit(f"{done.stdout}\nThis failed: {shown}")


def is_root_on_debian() -> bool:
    """Whether we may install packages of the system."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(package: str) -> None:
    """Install a package of Debian's; only called when we are root."""
    say(f"Installing {package} ...")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], **quiet)
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], **quiet)


def locked_version(package: str) -> str:
    """The version of `package` in uv.lock."""
    lock = (ROOT / "uv.lock").read_text()
    found = re.search(rf'^name = "{package}"\nversion = "([^"]+)"', lock, re.MULTILINE)
    if found is None:
        sys.exit(f"uv.lock does not name {package}.")
    return found[1]


def find_uv() -> Path:
    """uv: the environment's own, the machine's, or freshly installed into the environment."""
    own = VENV / "bin" / "uv"
    if own.exists() and (VENV / "bin" / "python").exists():
        return own
    on_path = shutil.which("uv")
    if on_path:
        return Path(on_path)
    say("Installing uv into .venv ...")
    wanted = f"uv=={locked_version('uv')}"
    if importlib.util.find_spec("ensurepip") is None and not importlib.util.find_spec("pip"):
        if not is_root_on_debian():
            sys.exit(
                "Python's venv module is not complete here; install it with "
                "`sudo apt install python3-venv`, or install uv, and try again."
            )
        apt_install(f"python3.{sys.version_info.minor}-venv")
        importlib.invalidate_caches()
    if importlib.util.find_spec("ensurepip"):
        run([sys.executable, "-m", "venv", "--clear", VENV])
        run([VENV / "bin" / "python", "-m", "pip", "install", "--quiet", wanted])
    else:
        run([sys.executable, "-m", "venv", "--clear", "--without-pip", VENV])
        pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", VENV / "bin" / "python"]
        run([*pip, "install", "--quiet", wanted])
    return own


def prepare_python(*, tests: bool) -> None:
    """Bring .venv in line with uv.lock."""
    inputs = hashlib.sha256()
    for name in ("pyproject.toml", "uv.lock", "hatch_build.py"):
        inputs.update((ROOT / name).read_bytes())
    # The editable installation names this folder: a moved checkout is installed again.
    inputs.update(str(ROOT).encode())
    python = VENV / "bin" / "python"
    state = json.loads(STAMP.read_text()) if STAMP.exists() and python.exists() else {}
    if state.get("inputs") == inputs.hexdigest() and (state["tests"] or not tests):
        return
    uv = find_uv()
    say("Installing the Python packages ...")
    with_node = [] if frontend.system_node() else ["--group", "node"]
    # What only the tests need stays, when it is there; uv itself stays in any case.
    scope = [] if tests else ["--no-dev", "--inexact"]
    home = {} if os.access(Path.home(), os.W_OK) else {"UV_CACHE_DIR": str(VENV / ".uv-cache")}
    run(
        # Compiled now and not at the first import, which would keep whoever starts it waiting.
        [uv, "sync", "--locked", "--quiet", "--compile-bytecode", *scope, *with_node],
        UV_PROJECT_ENVIRONMENT=str(VENV),
        UV_PYTHON=str(python if python.exists() else sys.executable),
        UV_PYTHON_DOWNLOADS="never",
        UV_SYSTEM_CERTS="1",
        **home,
    )
    run([python, "-m", "compileall", "-q", ROOT / "app"])
    STAMP.write_text(json.dumps({"inputs": inputs.hexdigest(), "tests": tests}))


def prepare_frontend() -> frontend.Node | None:
    """Install and build the front end; the node that did, or None when nothing was to do."""
    if frontend.is_installed() and frontend.is_built():
        return None
    node = frontend.find_node()
    if node is None:
        sys.exit("There is no node, and its wheel is not in .venv: remove .venv and try again.")
    if not frontend.is_installed():
        say("Installing the front end's packages ...")
        frontend.install(node)
    if not frontend.is_built():
        say("Building the front end ...")
        frontend.build(node)
    return node


def runs(chromium: str | Path) -> bool:
    """Whether this Chromium shows a page on this machine."""
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "about:blank"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0 and "<html>" in done.stdout


def playwrights_chromium() -> Path | None:
    """The Chromium that Playwright installs, installed when it can be."""
    python = VENV / "bin" / "python"
    where = (
        "from playwright.sync_api import sync_playwright as p\n"
        "with p() as started: print(started.chromium.executable_path)"
    )
    said = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True)
    path = Path(said.stdout.strip())
    if not path.exists():
        say("Asking Playwright for its Chromium ...")
        try:
            subprocess.run(
                [python, "-m", "playwright", "install", "--no-shell", "chromium"],
                env={**os.environ, "PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "10000"},
                capture_output=True,
                check=False,
                timeout=PLAYWRIGHT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return None
    return path if path.exists() else None


def prepare_chromium() -> str:
    """The path of a Chromium for the browser tests."""
    known = CHROMIUM_STAMP.read_text().strip() if CHROMIUM_STAMP.exists() else ""
    if known and Path(known).exists():
        return known
    named = os.environ.get("MASKWRIGHT_TEST_CHROMIUM")
    found = [named] if named else [path for name in CHROMIUM_NAMES if (path := shutil.which(name))]
    chromium = next((path for path in found if runs(path)), None)
    if chromium is None and not named:
        installed = playwrights_chromium()
        chromium = str(installed) if installed and runs(installed) else None
    if chromium is None and not named and is_root_on_debian():
        apt_install("chromium")
        chromium = next(filter(runs, filter(None, map(shutil.which, CHROMIUM_NAMES))), None)
    if chromium is None:
        sys.exit(
            "The browser tests need Chromium: install it (on Debian: apt install chromium), or set "
            "MASKWRIGHT_TEST_CHROMIUM to its path."
        )
    CHROMIUM_STAMP.write_text(chromium + "\n")
    return chromium


def main() -> None:
    """Prepare for the goal, then become the command."""
    goal, *command = sys.argv[1:]
    environment = dict(os.environ)
    lock = os.open(ROOT / "Makefile", os.O_RDONLY)
    # Two of us at once would install over each other.
    fcntl.flock(lock, fcntl.LOCK_EX)
    prepare_python(tests=goal == "test")
    node = prepare_frontend()
    if goal == "test":
        environment["MASKWRIGHT_TEST_CHROMIUM"] = prepare_chromium()
        node = node or frontend.find_node()
        if node:
            environment["PATH"] = node.environment["PATH"]
    os.close(lock)
    if command:
        os.chdir(ROOT)
        os.execvpe(command[0], command, environment)


if __name__ == "__main__":
    main()
