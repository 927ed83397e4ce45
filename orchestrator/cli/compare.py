"""compare report: what recorded runs of the three styles say."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import BadRequest
from orchestrator.cli.session import out, print_json, say
from orchestrator.compare.recorded import read_recording
from orchestrator.compare.results import write_results

if TYPE_CHECKING:
    from orchestrator.compare.results import Results

compare = typer.Typer(
    name="compare", help="Scheduled, choreographed or orchestrated: measured on a pipeline.", no_args_is_help=True
)


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
    try:
        from orchestrator.compare.analysis import analyse
        from orchestrator.compare.report import FILE, render
    except ModuleNotFoundError as error:
        raise BadRequest(f"{error.name} is not installed: install brigade[compare]") from error
    results = analyse(recording, say)
    write_results(folder, results)
    say("the report")
    (folder / FILE).write_bytes(render(results))
    return results
