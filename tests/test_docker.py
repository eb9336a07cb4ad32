"""The container's files name only what exists: no engine is needed to find most mistakes."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from app.cli import cli
from app.config import Settings

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
# Continued lines are one instruction; comments are none.
INSTRUCTIONS = [
    (word, rest)
    for line in re.sub(r"\\\n", " ", DOCKERFILE).splitlines()
    if line.strip() and not line.startswith("#")
    for word, rest in [line.strip().split(maxsplit=1)]
]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SETTINGS = {f"MASKWRIGHT_{name.upper()}" for name in Settings.model_fields}
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text().splitlines()
    if line and not line.startswith("#")
)


def commands() -> list[list[str]]:
    """Every `maskwright` command that the two files run."""
    found = [json.loads(rest) for word, rest in INSTRUCTIONS if word == "CMD"]
    found += [service["command"] for service in SERVICES.values() if "command" in service]
    return [command for command in found if command[0] == "maskwright"]


def copied() -> list[str]:
    """The paths of the checkout that the Dockerfile copies."""
    copies = [shlex.split(rest) for word, rest in INSTRUCTIONS if word == "COPY"]
    return [source for words in copies if words[0][:2] != "--" for source in words[:-1]]


def test_the_dockerfile_has_no_findings() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint has no wheel for this platform")
    done = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_each_command_can_be_called_so(command: list[str]) -> None:
    name, *arguments = command[1:]
    found = cli.commands[name]
    context = found.make_context(name, list(arguments))
    assert isinstance(context, click.Context)


def test_what_is_copied_is_there_and_not_ignored() -> None:
    kept = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert len(copied()) > 5
    for path in copied():
        assert (ROOT / path).exists(), path
        assert Path(path).parts[0] in kept, path


def test_stages_are_copied_from_by_their_names() -> None:
    stages = {
        rest.split(" AS ")[1] for word, rest in INSTRUCTIONS if " AS " in rest and word == "FROM"
    }
    used = set(re.findall(r"--from=(\S+)", DOCKERFILE))
    assert used == stages


def test_it_runs_as_nobody_in_particular_and_tells_its_health() -> None:
    words = dict(INSTRUCTIONS)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", words["USER"])
    assert "/readyz" in words["HEALTHCHECK"]
    assert f"127.0.0.1:{words['EXPOSE']}/" in words["HEALTHCHECK"]
    assert f"MASKWRIGHT_PORT={words['EXPOSE']}" in words["ENV"]


def test_versions_are_those_of_the_project() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    versions = {package["name"]: package.get("version") for package in lock["package"]}
    assert f"ARG UV_VERSION={versions['uv']}\n" in DOCKERFILE
    pythons = set(re.findall(r"^FROM python:3\.(\d+)-", DOCKERFILE, re.MULTILINE))
    assert len(pythons) == 1
    assert 11 <= int(pythons.pop()) <= 14


def test_every_setting_that_is_named_exists() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    named = set(re.findall(r"MASKWRIGHT_[A-Z_]+", compose + DOCKERFILE)) | {
        name for name in EXAMPLE if name.startswith("MASKWRIGHT_")
    }
    assert len(named) > 5
    assert named <= SETTINGS


def test_every_variable_that_compose_needs_is_in_the_example() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    asked = set(re.findall(r"\$\{([A-Z_]+)", compose))
    assert asked <= EXAMPLE.keys()
    # The password has no default: nobody shall run with one that everybody knows.
    assert EXAMPLE["POSTGRES_PASSWORD"] == ""
    assert "${POSTGRES_PASSWORD:?" in compose


def test_the_example_gives_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    monkeypatch.chdir(tmp_path)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    given = Settings().model_dump(exclude={"admin_email"})
    assert given == Settings(_env_file=None).model_dump(exclude={"admin_email"})


def test_services_wait_for_what_can_tell_that_it_is_ready() -> None:
    assert set(SERVICES) == {"app", "worker", "postgres"}
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy"
            checked = SERVICES[needed].get("healthcheck", {})
            assert not checked.get("disable")
            assert checked or "build" in SERVICES[needed], needed


def test_volumes_are_declared_and_data_are_kept_in_them() -> None:
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service["volumes"]]
    assert {name for name, _ in mounts} == COMPOSE["volumes"].keys()
    data = dict(
        rest.split("=") for word, rest in INSTRUCTIONS if word == "ENV" for rest in rest.split()
    )
    folder = data["MASKWRIGHT_DATA_DIR"]
    assert ["data", folder] in mounts
    assert ("VOLUME", folder) in INSTRUCTIONS
    for name in ("app", "worker"):
        assert SERVICES[name]["environment"]["MASKWRIGHT_DATA_DIR"] == folder
