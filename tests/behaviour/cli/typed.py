"""The command line as a user types it: in a process of its own, or, much faster, in this one."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

from orchestrator.cli import main

BRIGADE = str(Path(sys.executable).with_name("brigade"))

Done = subprocess.CompletedProcess[str]


def spawned(*arguments: str, env: Mapping[str, str], timeout: float = 180) -> Done:
    """`brigade ARGUMENTS` in exactly this environment."""
    argv = [BRIGADE, *arguments]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=timeout)


def typed(*arguments: str, env: Mapping[str, str]) -> Done:
    """The same without a process: what it changes in the environment is undone. An error under --debug is raised here."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, env, clear=True),
        mock.patch.object(sys, "argv", ["brigade", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
        else:
            raise AssertionError("a command ends by leaving")
    assert code is None or isinstance(code, int)
    return subprocess.CompletedProcess(arguments, code or 0, out.getvalue(), err.getvalue())


def error_line(done: Done) -> str:
    """The one line of an error, which comes last; before it, on standard error, there is progress at most."""
    assert "Traceback" not in done.stdout + done.stderr
    lines = done.stderr.splitlines()
    found = [line for line in lines if line.startswith("error: ")]
    assert len(found) == 1, done.stderr
    assert lines[-1] == found[0]
    return found[0].removeprefix("error: ")
