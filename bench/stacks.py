"""A stack of a benchmark's own, stopped at the end whatever happens."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from contracts.errors import BrigadeError
from orchestrator.embedded import stack
from orchestrator.embedded.home import Home, default_home
from orchestrator.embedded.stack import Endpoints

out = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=120)


class BenchFailed(BrigadeError):
    """Something did not happen that was to be measured."""


@contextmanager
def own_stack(name: str) -> Iterator[tuple[Home, Endpoints]]:
    """LocalStack and an empty PostgreSQL, whatever the environment names; it points at them meanwhile."""
    home = Home(default_home().path / name)
    environment = dict(os.environ)
    for named in ("AWS_ENDPOINT_URL", "DATABASE_URL"):
        os.environ.pop(named, None)
    with home.exclusive(name):
        stack.stop(home)
        for leftover in (home.postgres, home.logs):
            shutil.rmtree(leftover, ignore_errors=True)
        try:
            out.print("starting LocalStack and PostgreSQL")
            endpoints = stack.start(home)
            os.environ.update(endpoints.environment())
            yield home, endpoints
        finally:
            out.print("stopping what was started")
            os.environ.clear()
            os.environ.update(environment)
            stack.stop(home)


def run_as_command(measure: Callable[[], bool]) -> None:
    """Exit with 0 when every bound is kept, with 1 when one is missed or the benchmark could not be run."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that what was started is stopped
    try:
        kept = measure()
    except BrigadeError as error:
        out.print(f"error: {error}", markup=False, soft_wrap=True)
        kept = False
    sys.exit(0 if kept else 1)
