"""serve, start-due."""

from enum import StrEnum
from typing import Annotated

import typer

from contracts.errors import BadRequest
from contracts.pipelines import pipeline_named
from orchestrator.cli.session import Session, print_json, say
from orchestrator.scheduled import start_due as start_what_is_due
from orchestrator.token import find_token


class Style(StrEnum):
    ORCHESTRATED = "orchestrated"
    CHOREOGRAPHED = "choreographed"


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Elsewhere than on this machine a token is needed.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of HTTP.")] = 8080,
    schedules: Annotated[
        bool, typer.Option("--schedules/--no-schedules", help="Start runs at their pipelines' schedules.")
    ] = True,
    scheduled_style: Annotated[Style, typer.Option(help="Of the runs that schedules start.")] = Style.ORCHESTRATED,
) -> None:
    """Serve runs over HTTP, and start those that are scheduled, until SIGTERM. Example: brigade serve --port 8080

    BRIGADE_TOKEN, or the file that BRIGADE_TOKEN_FILE names, is the token that requests bring.
    """
    session: Session = context.obj
    try:
        from orchestrator.service import serve as service
    except ModuleNotFoundError as error:
        raise BadRequest(
            f"{error.name} is not installed: install brigade with its extra `serve` (docs/service.md)"
        ) from error
    service.serve(
        service.Settings(
            database_url=session.endpoints.database_url,
            prefix=session.prefix,
            host=host,
            port=port,
            token=find_token(),
            scheduled_style=scheduled_style.value if schedules else None,
        )
    )


def start_due(
    context: typer.Context,
    pipeline: Annotated[str, typer.Argument(help="For example order-simulation.")],
    style: Annotated[Style, typer.Option(help="Of the run.")] = Style.ORCHESTRATED,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Start the run that is due by the pipeline's schedule, unless it is started already: for a scheduler of your own.

    A service does the same by itself, and whoever comes second finds the run. The first look at a schedule starts nothing:
    it counts from then on. Example: brigade start-due order-simulation --style choreographed
    """
    session: Session = context.obj
    asked = (pipeline_named(pipeline),)
    started = start_what_is_due(session.aws, session.connection, lambda: session.deployment, asked, style.value)
    if as_json:
        print_json({"started": started})
    else:
        say(f"started {started[0]}" if started else f"nothing of {pipeline} is due, or it is started already")


COMMANDS = (serve, start_due)
