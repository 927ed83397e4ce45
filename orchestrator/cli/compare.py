"""compare: the three styles measured on one pipeline, and what the recorded runs say."""

import importlib.util
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from typer.core import TyperGroup

from contracts.errors import BadRequest
from orchestrator.cli.session import out, print_json, say
from orchestrator.compare.outcomes import Repetition, outcomes
from orchestrator.compare.recorded import read_recording
from orchestrator.compare.results import write_results

if TYPE_CHECKING:
    from orchestrator.compare.results import Results

EXTRA = ("jinja2", "matplotlib", "scipy", "simpy")


class Faults(StrEnum):
    NONE = "none"
    TRANSIENT = "transient"
    OUTAGE = "outage"
    MIXED = "mixed"


class _OrPipeline(TyperGroup):
    """`brigade compare PIPELINE` measures; only what is none of the commands can be a pipeline."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = [measure.__name__, *args]
        return super().parse_args(ctx, args)


compare = typer.Typer(
    name="compare",
    cls=_OrPipeline,
    help="Scheduled, choreographed or orchestrated: measured on a pipeline. `measure` may be left out.",
    no_args_is_help=True,
)


@compare.command()
def measure(
    pipeline: Annotated[str, typer.Argument(help="order-simulation, or your own with --subject.")],
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="For what is recorded, and the report.")],
    runs: Annotated[int, typer.Option(min=1, help="Of each style, besides controls and warm-ups.")] = 8,
    seed: Annotated[int, typer.Option(help="The same seed gives the same faults to the same repetitions.")] = 1,
    faults: Annotated[Faults, typer.Option(help="Which kinds.")] = Faults.MIXED,
    styles: Annotated[str, typer.Option(metavar="STYLE,...", help="Only these.")] = (
        "scheduled,choreographed,orchestrated"
    ),
    subject: Annotated[
        str | None, typer.Option(metavar="MODULE", help="Of your own that has a pipeline as SUBJECT.")
    ] = None,
    time_scale: Annotated[
        float, typer.Option(min=1, help="How much faster than a schedule's own time its buffers pass.")
    ] = 90.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Run a pipeline in each style under the same faults, on a stack of its own, and say what each style costs and buys.

    Ends with 1 when the pipeline does not run without a fault. Needs no running stack, but a checkout of the project.
    Example: brigade compare measure order-simulation --runs 8 --faults mixed --seed 7 --out out/cmp
    """
    if importlib.util.find_spec("chaos") is None:
        raise BadRequest("the faults come with the project's sources, not with the installed package: use a checkout")
    _require_extra()
    # As a process of its own, as workers are: the command line holds no component's code.
    argv = [sys.executable, "-m", "chaos.compare", pipeline, "--runs", str(runs), "--seed", str(seed)]
    argv += ["--faults", faults.value, "--styles", styles, "--time-scale", f"{time_scale:g}", "--out", str(folder)]
    argv += ["--subject", subject] if subject else []
    done = subprocess.run(argv, check=False)  # noqa: S603 - our own module
    if done.returncode:
        raise typer.Exit(done.returncode)  # It has said why on standard error.
    write_report(folder)
    found = outcomes(read_recording(folder))
    if as_json:
        files = {name: str(folder / f"{name}.{kind}") for name, kind in (("results", "json"), ("report", "html"))}
        print_json({**files, "outcomes": [one.model_dump(mode="json") for one in found]})
    else:
        _show(found)
        out.print(f"{folder / 'report.html'} says why", highlight=False, soft_wrap=True)


def _show(found: tuple[Repetition, ...]) -> None:
    styles = list(found[0].outcomes) if found else []
    table = Table("", "fault", "of", *styles)
    for one in found:
        cells = (str(one.number), one.fault, one.component or "", *(one.outcomes.get(style, "") for style in styles))
        table.add_row(*cells)
    out.print(table)


@compare.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the runs were recorded.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Make results.json and report.html again from recorded runs: the same bytes from the same runs.

    Example: brigade compare report out/cmp
    """
    results = write_report(folder)
    if as_json:
        print_json(
            {"results": str(folder / "results.json"), "report": str(folder / "report.html"), "rows": len(results.rows)}
        )
    else:
        out.print(f"{folder / 'report.html'}, from {len(results.runs)} runs", highlight=False, soft_wrap=True)


def write_report(folder: Path) -> "Results":
    """Write both files. Raises BadRequest when nothing was recorded, or the extra is not installed."""
    recording = read_recording(folder)
    if not recording.measured:
        raise BadRequest(f"{folder} holds no measured run: `brigade compare` makes some")
    _require_extra()
    from orchestrator.compare.analysis import analyse
    from orchestrator.compare.report import FILE, render

    results = analyse(recording, say)
    write_results(folder, results)
    say("the report")
    (folder / FILE).write_bytes(render(results))
    return results


def _require_extra() -> None:
    """Raises BadRequest, before anything is measured, when the extra that makes the report is not installed."""
    missing = [name for name in EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        raise BadRequest(f"{', '.join(missing)} is not installed: install brigade with its extra `compare`")
