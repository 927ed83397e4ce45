"""Whether the worker in this container lives: the health check of its image.

A worker touches the file that BRIGADE_ALIVE_FILE names: first when it has reported to the database, then each second from
its event loop. So a worker that never came up and one that hangs both show. A database that went away does not: the worker
waits for it, and starting it anew would not help. Imports little, since it runs every few seconds beside each worker.
"""

import os
import sys
import time
from pathlib import Path

STALE_AFTER = 15.0
"""Seconds of silence that no working event loop has, even on a busy machine."""


def main() -> int:
    """0 when the file is fresh; 1, saying why, when it is not."""
    problem = find_problem(os.environ.get("BRIGADE_ALIVE_FILE"), time.time())
    if problem:
        print(problem)  # noqa: T201 - `docker inspect` shows it
    return 1 if problem else 0


def find_problem(name: str | None, now: float) -> str | None:
    """`now` in seconds since the epoch."""
    if not name:
        return "BRIGADE_ALIVE_FILE is not set: nothing tells whether the worker lives"
    try:
        age = now - Path(name).stat().st_mtime
    except FileNotFoundError:
        return "the worker has not reported to the database yet"
    return f"the worker's event loop has been silent for {age:.0f} s" if age > STALE_AFTER else None


if __name__ == "__main__":
    sys.exit(main())
