"""The command line as a user calls it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BRIGADE = str(Path(sys.executable).with_name("brigade"))
OURS = ("BRIGADE_", "AWS_", "DATABASE_URL")

Brigade = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(**variables: str) -> dict[str, str]:
    """This process's without what points Brigade somewhere, and with `variables`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return inherited | variables


@pytest.fixture
def brigade(tmp_path: Path) -> Brigade:
    """Runs a command without a stack, in an empty home: `brigade("run", "order-simulation", DATABASE_URL="...")`."""

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        env = environment(BRIGADE_HOME=str(tmp_path)) | variables
        return subprocess.run([BRIGADE, *arguments], env=env, capture_output=True, text=True, check=False, timeout=120)

    return run


def error_line(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line of an error, the only one on standard error but for progress."""
    assert "Traceback" not in done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    assert done.stderr.endswith(f"{lines[0]}\n")
    return lines[0].removeprefix("error: ")
