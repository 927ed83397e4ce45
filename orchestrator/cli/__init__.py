"""The command line. Exit codes: 0 done, 1 it failed (a run, a load, a start), 2 it was asked wrongly."""

import os
import sys

from contracts.errors import PipelineError


def main() -> None:
    """The entry point of `brigade`. Pipelines are checked when the commands are imported, so a wrong one is told here."""
    try:
        from orchestrator.cli.app import main as run_command
    except PipelineError as error:
        if os.environ.get("BRIGADE_DEBUG") or "--debug" in sys.argv:
            raise
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - what prints for the commands could not be imported
        sys.exit(2)
    run_command()


__all__ = ["main"]
