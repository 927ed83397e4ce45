"""load and sample: order history into the database."""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import BadData, BadRequest
from contracts.graph import Graph
from contracts.pipelines import PIPELINES
from orchestrator.cli.dates import day_of
from orchestrator.cli.session import Session, print_json, say
from orchestrator.data import Loaded, OrderHistory, latest_friday, load_food_demand, load_long, store
from orchestrator.data import sample as synthetic_history
from orchestrator.database import fetch_all, make_tables

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Append = Annotated[bool, typer.Option("--append", help="Add to what is loaded instead of replacing it.")]


FACTORIES = "factories"
"""The field of the plan that lists them."""


class Format(StrEnum):
    LONG = "long"
    FOOD_DEMAND = "food-demand"


def load(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The orders; its companions lie beside it.")
    ],
    layout: Annotated[Format, typer.Option("--format", help="Of the file: see docs/data.md.")] = Format.LONG,
    weeks: Annotated[str | None, typer.Option(help="food-demand: the week numbers to load, as 1:10.")] = None,
    ending: Annotated[
        date | None,
        typer.Option(parser=day_of, metavar="DATE", help="food-demand: last day of the last week, a Friday."),
    ] = None,
    factories: Annotated[Path | None, typer.Option(help="Factories, their regions and caps.")] = None,
    rejects: Annotated[Path | None, typer.Option(help="Load the good rows and write the bad ones here.")] = None,
    append: Append = False,
    replace_anyway: Annotated[
        bool, typer.Option("--replace-anyway", help="With --rejects: replace a history however many rows are bad.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Load order history, all or nothing.

    Example: brigade load --format food-demand train.csv --weeks 1:10 --ending 2026-11-20
    """
    session: Session = context.obj
    if layout is Format.FOOD_DEMAND:
        if ending is None:
            raise BadRequest(
                "the food-demand layout numbers its weeks: say with --ending DATE on which Friday the last ends"
            )
        loaded = load_food_demand(file, _weeks(weeks), ending, factories)
    elif weeks or ending:
        raise BadRequest("--weeks and --ending are of the food-demand layout: add --format food-demand")
    else:
        loaded = load_long(file, factories)
    history = loaded.accepted(rejects)
    if not (append or replace_anyway or loaded.few_rejects):
        _refuse_to_replace(session, loaded, rejects)
    _store(session, history, append)
    _report(history, as_json, len(loaded.rejects))
    there = [row["factory"] for row in fetch_all(session.connection, "SELECT factory FROM factories")]
    for warning in never_computed([pipeline.graph for pipeline in PIPELINES], there):
        say(f"warning: {warning}")


def sample(
    context: typer.Context,
    weeks: Annotated[int, typer.Option(min=2, max=1000, help="Length of the history.")] = 104,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same history.")] = 1,
    ending: Annotated[
        date | None, typer.Option(parser=day_of, metavar="DATE", help="Its last day, a Friday; the latest by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a synthetic history and load it. Example: brigade sample --weeks 104 --seed 1"""
    session: Session = context.obj
    last = ending or latest_friday(datetime.now(UTC).date())
    history = synthetic_history(weeks, seed, last)
    _store(session, history, append=False)
    _report(history, as_json, 0)


def _refuse_to_replace(session: Session, loaded: Loaded, rejects: Path | None) -> None:
    """Raises BadData when there is a history: what is left of the file's rows is no match for it."""
    make_tables(session.connection)
    there = fetch_all(session.connection, "SELECT first_week, last_week FROM history")
    if there:
        count = len(loaded.rejects)
        raise BadData(
            f"nothing was loaded: {count} bad row{'' if count == 1 else 's'} beside {len(loaded.history.orders)} good orders "
            f"would replace the history of menu weeks {there[0]['first_week']} to {there[0]['last_week']}. Correct what "
            f"{rejects} lists, add the good rows with --append, or replace it all the same with --replace-anyway"
        )


def never_computed(graphs: Iterable[Graph], factories: Collection[str]) -> list[str]:
    """What to tell about each case of a Choice over factories that names none of these."""
    return [
        f"no factory is named {' or '.join(named)}: {graph.pipeline} on a {day} computes {node.component} for none of them, "
        "but reuses what an earlier run computed, if one did; contracts/pipelines.py names the factories"
        for graph in graphs
        for node in graph.nodes
        if node.selection and node.over == FACTORIES
        for day, named in node.selection.cases.items()
        if not set(named) & set(factories)
    ]


def _store(session: Session, history: OrderHistory, append: bool) -> None:
    make_tables(session.connection)
    store(session.endpoints.database_url, history, replace=not append)


def _report(history: OrderHistory, as_json: bool, rejected: int) -> None:
    caps = {row.factory: row.weekly_cap for row in history.factories}
    summary = {
        "source": history.source,
        "orders": len(history.orders),
        "rejected": rejected,
        "first_week": history.first_week,
        "last_week": history.last_week,
        "factories": caps,
        "centres": len(history.centres),
        "recipes": len(history.recipes),
    }
    if as_json:
        print_json(summary)
        return
    packs = ", ".join(f"{name} packs {cap:,.0f} boxes a week" for name, cap in caps.items())
    say(
        f"loaded {summary['orders']:,} rows, menu weeks {history.first_week} to {history.last_week}, "
        f"{summary['centres']} centres, {summary['recipes']} recipes; {packs}"
    )
    if rejected:
        say(f"{rejected} bad rows were set aside")


def _weeks(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, _, last = text.partition(":")
    if not (first.isdigit() and last.isdigit() and 0 < int(first) <= int(last)):
        raise BadRequest(f"--weeks {text}: give the first and the last week number, as 1:10")
    return int(first), int(last)


COMMANDS = (load, sample)
