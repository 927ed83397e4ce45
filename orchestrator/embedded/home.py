"""Where an embedded stack keeps its data, its logs and the records of its processes."""

import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import BadRequest

LONGEST_SOCKET_PATH = 103
"""Bytes a Unix socket's path may have: 107 on Linux, 103 on macOS."""


@dataclass(frozen=True)
class Home:
    """The folder of one stack. Nothing is made before `create`."""

    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def records(self) -> Path:
        """One JSON file for each process that was started."""
        return self.path / "processes"

    @property
    def localstack(self) -> Path:
        return self.path / "localstack"

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def endpoints(self) -> Path:
        """The state file: where the stack that was started last listens."""
        return self.path / "endpoints.json"

    def create(self) -> None:
        """Make the folders. Raise BadRequest when PostgreSQL's socket would not fit below this folder."""
        length = len(os.fsencode(self.postgres / ".s.PGSQL.5432"))
        if length > LONGEST_SOCKET_PATH:
            raise BadRequest(
                f"{self.path} is too long for a folder of the stack: PostgreSQL's socket would have a path of {length} bytes, "
                f"at most {LONGEST_SOCKET_PATH} work; set BRIGADE_HOME to a shorter folder"
            )
        try:
            for folder in (*reversed(self.path.parents), self.path):
                if not folder.exists():
                    folder.mkdir()
                    # Root's PostgreSQL runs as another user, who must be able to pass. Its own folder is closed to others.
                    folder.chmod(0o711 if os.getuid() == 0 else 0o700)
            for folder in (self.logs, self.records, self.localstack):
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise BadRequest(
                f"cannot make {error.filename}: {error.strerror}; set BRIGADE_HOME to a folder you may write"
            ) from error
        refuse_foreign(self.path)

    @contextmanager
    def exclusive(self, command: str) -> Iterator[None]:
        """Hold the stack for one command that starts or stops processes.

        Raise BadRequest at once when another process holds it. The lock ends with the process, so it is never stale.
        """
        self.create()
        with (self.path / "lock").open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                holder = file.read().strip() or "command"
                raise BadRequest(
                    f"another `brigade {holder}` is at work in {self.path}: wait until it ends, then try again"
                ) from error
            file.truncate(0)
            file.write(f"{command}\n")
            file.flush()
            yield


def default_home() -> Home:
    """BRIGADE_HOME, else a folder of this user and this installation below /var/tmp.

    Not below the user's home: as root PostgreSQL runs as another user, who must reach its data.
    """
    chosen = os.environ.get("BRIGADE_HOME")
    if chosen:
        return Home(Path(chosen).expanduser().absolute())
    mine = Path(f"/var/tmp/brigade-{os.getuid()}")  # noqa: S108 - its owner is checked
    refuse_foreign(mine)
    return Home(mine / hashlib.sha256(os.fsencode(sys.prefix)).hexdigest()[:8])


def refuse_foreign(folder: Path) -> None:
    """Raise BadRequest when the folder exists and is another user's: they could put anything in our way."""
    if folder.exists() and folder.stat().st_uid != os.getuid():
        raise BadRequest(f"{folder} belongs to another user: set BRIGADE_HOME to a folder of your own")
