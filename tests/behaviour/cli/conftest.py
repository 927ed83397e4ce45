"""The command line without a stack of its own."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.behaviour.cli.typed import Done, typed

OURS = ("BRIGADE_", "AWS_", "DATABASE_URL")

Brigade = Callable[..., Done]


def environment(**variables: str) -> dict[str, str]:
    """This process's without what points Brigade somewhere, and with `variables`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return inherited | variables


@pytest.fixture
def brigade(tmp_path: Path) -> Brigade:
    """Types a command, in an empty home: `brigade("run", "order-simulation", DATABASE_URL="...")`."""

    def run(*arguments: str, **variables: str) -> Done:
        return typed(*arguments, env=environment(BRIGADE_HOME=str(tmp_path)) | variables)

    return run
