"""forecast: what was published, as files."""

from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import BadRequest
from contracts.pipelines import PIPELINES
from orchestrator.cli.session import Session, out, print_json, say
from orchestrator.published import download, find_published


def forecast(
    context: typer.Context,
    run_id: Annotated[str | None, typer.Argument(metavar="[RUN]", help="The current publication by default.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the planner's page.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table.")] = None,
    pipeline: Annotated[str, typer.Option(help="Whose current publication.")] = PIPELINES[0].name,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Write a published forecast to files: the planner's page, the table. Example: brigade forecast --html forecast.html"""
    session: Session = context.obj
    found = find_published(session.connection, pipeline, run_id)
    if html and found.page_uri is None:
        raise BadRequest(f"run '{found.run_id}' has no page for planners: write its table with --csv FILE")
    for file, uri in ((html, found.page_uri), (csv, found.csv_uri)):
        if file and uri:
            _write(file, download(session.aws, uri))
    if as_json:
        print_json(vars(found))
    elif not (html or csv):
        lines = (found.run_id, found.page_uri, found.csv_uri, f"sha256 {found.sha256}")
        out.print("\n  ".join(filter(None, lines)), highlight=False, soft_wrap=True)


def _write(file: Path, body: bytes) -> None:
    try:
        file.write_bytes(body)
    except OSError as error:
        raise BadRequest(f"{file} cannot be written: {error.strerror}; choose another file") from error
    say(f"wrote {file}")


COMMANDS = (forecast,)
