"""`make demo`: a sample history, one date, both styles on the same workers, compared.

Everything happens in a stack of its own, which is stopped at the end, whatever happens.
"""

import os
import shutil
import sys
import time
from datetime import date

from rich.console import Console
from rich.table import Table

from contracts.errors import BrigadeError
from contracts.pipelines import ORDER_SIMULATION, PIPELINES, workers
from orchestrator.aws import Aws
from orchestrator.data import sample, store
from orchestrator.database import Connection, connect, fetch_all
from orchestrator.deploy import deploy
from orchestrator.embedded import stack
from orchestrator.embedded.home import Home, default_home
from orchestrator.execute import Outcome, execute
from orchestrator.fleet import start_fleet
from orchestrator.history import RunHistory
from orchestrator.start import STYLES
from orchestrator.watch import follow

HISTORY_ENDS = date(2026, 11, 20)
DAY = date(2026, 11, 25)
WEEKS = 104

out = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=120)


def main() -> int:
    """Run the demo; 0 when both styles succeeded and published the same."""
    home = Home(default_home().path / "demo")
    with home.exclusive("demo"):
        stack.stop(home)
        for leftover in (home.postgres, home.logs):
            shutil.rmtree(leftover, ignore_errors=True)
        try:
            return _demo(home)
        except BrigadeError as error:
            out.print(f"error: {error}", markup=False, soft_wrap=True)
            return 1
        finally:
            out.print("stopping what was started")
            stack.stop(home)


def _demo(home: Home) -> int:
    started = time.monotonic()
    out.print("starting LocalStack and PostgreSQL")
    endpoints = stack.start(home)
    os.environ.update(endpoints.environment())
    aws = Aws()
    with connect(endpoints.database_url) as connection:
        out.print("deploying the messaging template")
        deployment = deploy(aws, connection, PIPELINES, "brigade")
        out.print(f"loading {WEEKS} weeks of a synthetic order history, ending {HISTORY_ENDS}")
        store(endpoints.database_url, sample(WEEKS, seed=1, ending=HISTORY_ENDS))
        out.print("starting a worker for each component")
        start_fleet(
            home, connection, endpoints, deployment, workers((ORDER_SIMULATION,)), lambda line: out.print(f"  {line}")
        )

        def run(style: str) -> Outcome:
            def following(run_id: str) -> RunHistory:
                return follow(connection, run_id, out)

            return execute(
                aws, connection, deployment, ORDER_SIMULATION, style, DAY, {}, seed=1, started=_ignore, follow=following
            )

        out.print("a first run, not counted: LocalStack loads its services when they are first used")
        run(STYLES[0])
        outcomes = []
        for style in STYLES:
            out.print(f"\nrunning {ORDER_SIMULATION.name} for {DAY:%A} {DAY}, {style}")
            outcomes.append(run(style))
        _print_costs(outcomes)
        code = _print_verdict(connection, outcomes)
    out.print(f"\n{time.monotonic() - started:.0f} s in all")
    return code


def _ignore(run_id: str) -> None:
    """The run's own lines say that it has started."""


def _print_costs(outcomes: list[Outcome]) -> None:
    table = Table(title="\nWhat each style cost", title_justify="left")
    table.add_column("")
    for outcome in outcomes:
        table.add_column(outcome.style, justify="right")
    services = sorted({service for outcome in outcomes for service in outcome.api_calls})
    rows = {
        "status": [outcome.status for outcome in outcomes],
        "wall time, s": [f"{outcome.seconds:.1f}" for outcome in outcomes],
        "steps": [str(outcome.steps) for outcome in outcomes],
        "messages received": [str(outcome.messages) for outcome in outcomes],
        "state transitions": [str(outcome.state_transitions) for outcome in outcomes],
        **{f"API calls: {service}": [str(_calls(outcome, service)) for outcome in outcomes] for service in services},
        "idle polls, apart": [str(outcome.idle_polls) for outcome in outcomes],
    }
    for name, cells in rows.items():
        table.add_row(name, *cells)
    out.print(table)


def _calls(outcome: Outcome, service: str) -> int:
    return sum(outcome.api_calls.get(service, {}).values())


def _print_verdict(connection: Connection, outcomes: list[Outcome]) -> int:
    for outcome in outcomes:
        if outcome.status != "SUCCEEDED" or outcome.published is None:
            out.print(f"{outcome.run_id} {outcome.status}: {outcome.cause}", markup=False)
            return 1
    _print_head(connection, outcomes[0].run_id)
    hashes = [outcome.published.sha256 for outcome in outcomes if outcome.published]
    for outcome, digest in zip(outcomes, hashes, strict=True):
        out.print(f"{outcome.style:14} SHA-256 {digest}", soft_wrap=True)
    same = len(set(hashes)) == 1
    out.print("both styles published the identical forecast" if same else "the styles published different forecasts")
    return 0 if same else 1


def _print_head(connection: Connection, run_id: str) -> None:
    """The three most wanted recipes of each factory in the first week."""
    query = """
        SELECT * FROM (
            SELECT f.*, row_number() OVER (PARTITION BY factory ORDER BY mean DESC) AS place
            FROM published_forecasts f
            WHERE run_id = %(run_id)s AND kind = 'recipe'
              AND week = (SELECT min(week) FROM published_forecasts WHERE run_id = %(run_id)s)
        ) ranked WHERE place <= 3 ORDER BY factory, place
    """
    table = Table(
        "factory", "week", "recipe", "P10", "P50", "P90", "unit", title="The forecast's head", title_justify="left"
    )
    for row in fetch_all(connection, query, {"run_id": run_id}):
        quantiles = (f"{row[name]:,.0f}" for name in ("p10", "p50", "p90"))
        table.add_row(row["factory"], str(row["week"]), row["name"], *quantiles, row["unit"])
    out.print(table)


if __name__ == "__main__":
    sys.exit(main())
