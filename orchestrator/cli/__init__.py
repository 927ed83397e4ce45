"""The command line. Exit codes: 0 done, 1 it failed (a run, a load, a start), 2 it was asked wrongly."""

from orchestrator.cli.app import main

__all__ = ["main"]
