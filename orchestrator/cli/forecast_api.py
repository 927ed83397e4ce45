"""forecast-api."""

import os
from typing import Annotated

import typer

from contracts.errors import BadRequest
from orchestrator.cli.session import Session
from orchestrator.embedded.forecast_api import argv as forecast_api_argv
from orchestrator.embedded.processes import ONE_THREAD


def forecast_api(
    context: typer.Context,
    host: Annotated[
        str, typer.Option(help="Whoever reaches it may use it: signatures are not verified.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of HTTP.")] = 9298,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Imports, trainings and forecasts at once.")] = 2,
) -> None:
    """Serve Amazon Forecast's API with the models of order-volume, until SIGTERM. Example: brigade forecast-api --port 9298

    boto3 finds it by AWS_ENDPOINT_URL_FORECAST and AWS_ENDPOINT_URL_FORECASTQUERY: docs/forecast-api.md. Its state is in the
    database of the stack, or the one that DATABASE_URL names; S3 is the stack's, or the one that AWS_ENDPOINT_URL names.
    """
    session: Session = context.obj
    argv = forecast_api_argv("--host", host, "--port", str(port), "--workers", str(workers))
    environment = {**os.environ, **ONE_THREAD, "DATABASE_URL": session.database_url, **_stack(session)}
    # In place of this process, so that signals and the exit code are its own: the command line holds no service's code.
    os.execve(argv[0], argv, environment)  # noqa: S606 - our own module


def _stack(session: Session) -> dict[str, str]:
    """Where the stack's S3 is; nothing where there is no stack, and botocore's own variables count."""
    try:
        return session.endpoints.environment()
    except BadRequest:
        return {}


COMMANDS = (forecast_api,)
