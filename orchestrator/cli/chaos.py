"""chaos: is anything lost or published twice when everything around a run fails?"""

import importlib.util
import subprocess
import sys
from enum import StrEnum
from typing import Annotated

import typer

from contracts.errors import BadRequest


class Style(StrEnum):
    ORCHESTRATED = "orchestrated"
    CHOREOGRAPHED = "choreographed"


def chaos(
    runs: Annotated[int, typer.Option(min=1, help="Of each style.")] = 60,
    seed: Annotated[int, typer.Option(help="The same seed gives the same faults to the same runs.")] = 1,
    style: Annotated[Style | None, typer.Option(help="Only this one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Drive runs of a small pipeline under a mix of faults, on a stack of its own, and print what became of them.

    Ends with 1 when a run was lost, published twice or something wrong, or left a message behind. Needs no running
    stack, but a checkout of the project. Example: brigade chaos --runs 20 --seed 7
    """
    if importlib.util.find_spec("chaos") is None:
        raise BadRequest("the faults come with the project's sources, not with the installed package: run `make chaos`")
    # As a process of its own, as workers are: the command line holds no component's code.
    argv = [sys.executable, "-m", "chaos", "--runs", str(runs), "--seed", str(seed)]
    argv += ["--style", style.value] if style else []
    argv += ["--json"] if as_json else []
    raise typer.Exit(subprocess.run(argv, check=False).returncode)  # noqa: S603 - our own module


COMMANDS = (chaos,)
