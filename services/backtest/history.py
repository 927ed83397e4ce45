"""The loaded history, read through the components that read it in a run, and cut off at an origin."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.compute as pc

from contracts.configurator import History, MenuWeek, RunPlanned, Weekday
from contracts.data_extractor import ExtractHistory, HistoryExtracted
from contracts.errors import BadData, BadRequest
from services.configurator.database import read
from services.configurator.handler import batches, factories
from services.data_extractor.handler import handle as extract
from services.runtime.testing import local_context

WEEK = timedelta(weeks=1)

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Loaded:
    """All weekly orders, and a plan over the whole history. `orders` has the columns of `HistoryExtracted`."""

    plan: RunPlanned
    orders: pa.Table

    @property
    def weeks(self) -> int:
        history = self.plan.history
        return (history.last_week - history.first_week) // WEEK + 1

    def week(self, number: int) -> date:
        """The Saturday of the week of that number; 1 is the history's first."""
        return self.plan.history.first_week + (number - 1) * WEEK


@dataclass(frozen=True)
class Origin:
    """A day in the past: what was known then, and what came in the weeks after, as far as it is loaded."""

    known_weeks: int
    plan: RunPlanned
    known: HistoryExtracted
    orders: pa.Table
    """Known and to come."""


def load(database_url: str, folder: Path, progress: Progress) -> Loaded:
    """Read everything once. Raises BadData when nothing is loaded."""
    context = local_context(folder, "backtest", database_url=database_url)
    found = read(context.connect, None)
    plan = RunPlanned(
        date=found.history.last_week + timedelta(days=6),
        weekday=get_args(Weekday)[4],
        seed=1,
        history=found.history,
        weeks=(),
        factories=factories(found.caps, found.home_of),
        batches=batches(found.centres),
        recipe_book=context.write("recipe-book", found.recipe_book),
        recipes_per_box=found.recipes_per_box,
        portions_per_order=found.portions_per_order,
    )
    tables = []
    for batch in plan.batches:
        progress(f"reading batch {batch.key} of {len(plan.batches)}")
        within = local_context(folder, "data-extractor", batch.key, database_url)
        tables.append(within.read(extract(ExtractHistory(plan=plan, batch=batch), within).history))
    orders = pa.concat_tables(tables)
    if orders.num_rows == 0:
        raise BadData("the loaded history has no orders: load some with 'brigade load'")
    return Loaded(plan, orders)


def origin_weeks(weeks: int, origins: int, horizon: int, only: int | None) -> list[int]:
    """How many weeks are known at each origin, oldest first. The last one leaves `horizon` weeks to compare with.

    Origins lie `horizon` weeks apart, closer in a short history. Raises BadRequest when the history is too short for them.
    """
    latest = weeks - horizon
    if only is not None:
        if not 1 <= only <= latest:
            raise BadRequest(
                f"origin week {only} with a horizon of {horizon}: choose one from 1 to {latest}, or load more weeks"
                if latest >= 1
                else f"{weeks} weeks are loaded, too few for a horizon of {horizon}: choose a shorter one"
            )
        return [only]
    if latest < origins:
        raise BadRequest(
            f"{weeks} weeks are loaded: {origins} origins with a horizon of {horizon} need {origins + horizon}; "
            f"choose fewer with --origins or --horizon"
        )
    apart = 1 if origins == 1 else max(1, min(horizon, (latest - 1) // origins))
    return [latest - apart * back for back in reversed(range(origins))]


def origin(loaded: Loaded, known_weeks: int, horizon: int, folder: Path, offers_known: bool = True) -> Origin:
    """Cut the history off. The menus to come, and with `offers_known` their offers, are the real ones: they are planned ahead.

    Raises BadData when nothing was ordered before the origin, or in the weeks after it.
    """
    last_week = loaded.week(known_weeks)
    week = loaded.orders["week"]
    known = loaded.orders.filter(pc.less_equal(week, pa.scalar(last_week, pa.date32())))
    to_come = loaded.orders.filter(
        pc.and_(
            pc.greater(week, pa.scalar(last_week, pa.date32())),
            pc.less_equal(week, pa.scalar(last_week + horizon * WEEK, pa.date32())),
        )
    )
    if known.num_rows == 0 or to_come.num_rows == 0:
        raise BadData(f"no orders before or after origin week {known_weeks}: choose another with --origin-week")
    context = local_context(folder, "data-extractor", str(known_weeks))
    plan = loaded.plan.model_copy(
        update={
            "date": last_week + timedelta(days=6),
            "history": History(first_week=loaded.plan.history.first_week, last_week=last_week),
            "weeks": _menus(to_come),
            "offers": context.write("offers", _offers(to_come)) if offers_known else None,
        }
    )
    reference = HistoryExtracted(history=context.write("history", known))
    return Origin(known_weeks, plan, reference, pa.concat_tables([known, to_come]))


def _menus(to_come: pa.Table) -> tuple[MenuWeek, ...]:
    menus: dict[date, set[str]] = {}
    rows: list[dict[str, Any]] = to_come.select(["week", "recipe"]).to_pylist()
    for row in rows:
        menus.setdefault(row["week"], set()).add(row["recipe"])
    return tuple(
        MenuWeek(key=week.isoformat(), starts=week, recipes=tuple(sorted(menus[week]))) for week in sorted(menus)
    )


def _offers(to_come: pa.Table) -> pa.Table:
    """One offer a week and recipe for everywhere, as a plan has it: the mean over the centres."""
    names = ("price", "base_price", "emailer", "homepage")
    numbers = to_come.select(["week", "recipe"])
    for name in names:
        numbers = numbers.append_column(name, to_come[name].cast(pa.float64()))
    means = numbers.group_by(["week", "recipe"], use_threads=False).aggregate([(name, "mean") for name in names])
    means = means.select(["week", "recipe", *(f"{name}_mean" for name in names)])
    return means.rename_columns(["week", "recipe", *names]).sort_by([("week", "ascending"), ("recipe", "ascending")])
