"""backtest: how well would the components have forecast the loaded history?"""

import json
import os
import subprocess
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from orchestrator.cli.session import Session, out, print_json

METRICS = ("wape", "rmsle", "mase", "wql", "coverage")


class Target(StrEnum):
    ORDER_SIMULATION = "order-simulation"
    ORDER_VOLUME = "order-volume"
    RECIPE_POPULARITY = "recipe-popularity"


class Items(StrEnum):
    RECIPE = "recipe"
    CENTRE = "centre"
    REGION = "region"
    CENTRE_RECIPE = "centre-recipe"


class Simulator(StrEnum):
    V1 = "v1"
    V2 = "v2"


def backtest(
    context: typer.Context,
    target: Annotated[Target, typer.Argument(help="The pipeline, or one component.")],
    origins: Annotated[int, typer.Option(min=1, help="Past weeks to forecast from.")] = 5,
    horizon: Annotated[int, typer.Option(min=1, max=52, help="Weeks to forecast from each.")] = 4,
    origin_week: Annotated[
        int | None, typer.Option(help="Only this origin: how many weeks of the history are known.")
    ] = None,
    items: Annotated[
        Items | None, typer.Option(help="order-volume: forecast the orders of each of these instead.")
    ] = None,
    simulator: Annotated[Simulator, typer.Option(help="order-simulation: the version of order-simulator.")] = (
        Simulator.V1
    ),
    offers_unknown: Annotated[
        bool, typer.Option("--offers-unknown", help="As if nobody knew the coming prices and promotions.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Forecast the loaded history from weeks in its past and compare with what came.

    Beside it stand three naive forecasts. Nothing is written, and only the database is needed. Example: brigade backtest
    order-simulation --origins 5
    """
    session: Session = context.obj
    # As a process of its own, as workers are: the command line holds no component's code.
    argv = [sys.executable, "-m", "services.backtest", target.value, "--origins", str(origins)]
    argv += ["--horizon", str(horizon), "--simulator", simulator.value]
    argv += ["--origin-week", str(origin_week)] if origin_week is not None else []
    argv += ["--items", items.value] if items else []
    argv += ["--offers-unknown"] if offers_unknown else []
    environment = os.environ | {"DATABASE_URL": session.database_url}
    done = subprocess.run(argv, env=environment, stdout=subprocess.PIPE, check=False)  # noqa: S603 - our own module
    if done.returncode != 0:
        raise typer.Exit(done.returncode)  # It has said why on standard error.
    report = json.loads(done.stdout)
    if as_json:
        print_json(report)
    else:
        _show(report)


def _show(report: dict[str, Any]) -> None:
    for name, component in report["components"].items():
        out.print(f"{name}: {component['measured']}", highlight=False)
        table = Table("forecast", *METRICS)
        for model, scores in component["scores"].items():
            table.add_row(model, *(_number(scores[metric]) for metric in METRICS))
        out.print(table)
    weeks = ", ".join(str(week) for week in report["origin_weeks"])
    out.print(f"{report['horizon']} weeks ahead of week {weeks}, of {report['weeks_loaded']} loaded", highlight=False)
    if report["methods"]:
        methods = ", ".join(f"{name} ({count})" for name, count in sorted(report["methods"].items()))
        out.print(f"series by method: {methods}", highlight=False)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


COMMANDS = (backtest,)
