"""Puts the commands together, and turns errors into one clear line."""

import inspect
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any

import psycopg
import typer
from botocore.exceptions import BotoCoreError, ClientError

from contracts.errors import BadRequest, BrigadeError, PipelineError
from contracts.redaction import redacted, secrets_of
from orchestrator.cli import (
    backtest,
    chaos,
    compare,
    contracts,
    data,
    forecast,
    forecast_api,
    graphs,
    recovery,
    runs,
    serve,
    stack,
)
from orchestrator.cli.session import Session, errors, out

app = typer.Typer(
    name="brigade",
    help="Run forecasts made by many dependent services: orchestrated or choreographed, with the same workers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"brigade {version('brigade')}", highlight=False)
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    url: Annotated[
        str | None,
        typer.Option(
            envvar="BRIGADE_URL",
            help="Of a `brigade serve` that run, runs, history, logs, redrive and stop ask; BRIGADE_TOKEN is its token.",
        ),
    ] = None,
) -> None:
    if debug:
        os.environ["BRIGADE_DEBUG"] = "1"
    context.obj = context.with_resource(Session(url))


for module in (stack, data, runs, forecast, recovery, serve, forecast_api, graphs, backtest, chaos):
    for command in module.COMMANDS:
        app.command()(command)
app.add_typer(recovery.dlq, name="dlq")
app.add_typer(contracts.contracts, name="contracts")
app.add_typer(compare.compare, name="compare")


def help_of(command: Callable[..., Any]) -> str:
    """Its docstring with the example on a line of its own, whatever the width: to be copied."""
    text = inspect.cleandoc(command.__doc__ or "")
    before, _, rest = text.partition("Example: ")
    example, _, after = rest.partition("\n\n")
    keep_lines = "\b"  # click does not wrap a paragraph that starts with it
    return f"{before}\n\n{keep_lines}\nExample: {' '.join(example.split())}\n\n{after}"


for group in (app, recovery.dlq, contracts.contracts, compare.compare):
    for registered in group.registered_commands:
        if registered.callback:
            registered.help = help_of(registered.callback)


def main() -> None:
    """The entry point of `brigade`."""
    try:
        app(prog_name="brigade")
    except Exception as error:
        if os.environ.get("BRIGADE_DEBUG"):
            raise
        message, code = explain(error)
        errors.print(
            f"error: {redacted(message, secrets_of(os.environ))}", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(code)


def explain(error: Exception) -> tuple[str, int]:
    """What to tell a person, and the exit code."""
    if isinstance(error, BrigadeError):
        return str(error), 2 if isinstance(error, BadRequest | PipelineError) else 1
    if isinstance(error, BotoCoreError):
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "AWS")
        return f"no answer from {endpoint}: {error}; check AWS_ENDPOINT_URL, or run `brigade up`", 1
    if isinstance(error, ClientError):
        return f"AWS refused: {error}", 1
    if isinstance(error, psycopg.Error):
        reason = str(error).strip() or type(error).__name__
        return f"the database refused: {reason.splitlines()[0]}; check DATABASE_URL", 1
    return f"{type(error).__name__}: {error} (unexpected: run again with `brigade --debug` and report it)", 1
