"""The last good shares, fitted to the plan's menus; without them, the shares of a year ago or of each recipe's last week."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pyarrow as pa

from contracts.configurator import RunPlanned
from contracts.recipe_popularity import RECIPE_POPULARITY, ForecastRecipePopularity, RecipePopularityForecasted
from services.recipe_popularity.handler import SCHEMA, Floats, rates_of_week
from services.recipe_popularity.history import MenuHistory, menu_history
from services.recipe_popularity.spread import DEFAULT_SPREAD
from services.runtime.context import Context
from services.runtime.parquet import rounded

YEAR = 52
"""Weeks."""

Key = tuple[str, str]
"""Region and recipe."""


def handle(inputs: ForecastRecipePopularity, ctx: Context) -> RecipePopularityForecasted:
    """The history is read only when there are no last good shares. Raises BadData when it then holds no orders."""
    table, by = _last_good(inputs.plan, ctx) or _naive(inputs, ctx)
    reference = ctx.write("popularity", rounded(table), schema_version=2)
    return RecipePopularityForecasted(popularity=reference, degraded=ctx.replaced(by=by))


def _last_good(plan: RunPlanned, ctx: Context) -> tuple[pa.Table, str] | None:
    last = plan.last_good.get(RECIPE_POPULARITY.name)
    if last is None:
        return None
    answer = RecipePopularityForecasted.model_validate(last.output)
    table = fitted(ctx.read(answer.popularity), plan)
    return (table, f"the shares of run {last.run_id} of {last.date:%-d %B %Y}") if table is not None else None


def fitted(popularity: pa.Table, plan: RunPlanned) -> pa.Table | None:
    """Earlier shares for the plan's weeks, regions and menus: those of the same week, else each recipe's latest.

    None when they lack a column or a region of the plan.
    """
    if not set(SCHEMA.names) <= set(popularity.column_names):
        return None
    rows = popularity.sort_by("week").to_pylist()
    regions = sorted(region for factory in plan.factories for region in factory.regions)
    spreads = {row["region"]: row["spread"] for row in rows}
    if not set(regions) <= spreads.keys():
        return None
    by_week: dict[date, dict[Key, float]] = {}
    for row in rows:
        by_week.setdefault(row["week"], {})[row["region"], row["recipe"]] = row["share"]
    latest = {key: share for shares in by_week.values() for key, share in shares.items()}
    known = {week.starts: {**latest, **by_week.get(week.starts, {})} for week in plan.weeks}
    return _table(plan, regions, known, np.array([spreads[region] for region in regions]))


def _naive(inputs: ForecastRecipePopularity, ctx: Context) -> tuple[pa.Table, str]:
    last_week = inputs.plan.history.last_week
    history = menu_history([ctx.read(extracted.history) for extracted in inputs.history], last_week)
    shares = _past_shares(history)
    known = {week.starts: _seasonal(shares, history, (week.starts - last_week).days // 7) for week in inputs.plan.weeks}
    table = _table(inputs.plan, list(history.regions), known, np.full(len(history.regions), DEFAULT_SPREAD))
    return table, "the shares of the same weeks a year ago, or of each recipe's last week on the menu"


def _past_shares(history: MenuHistory) -> Floats:
    """With the shape (weeks, regions, recipes); NaN where a recipe was not on the menu, or nobody ordered anything."""
    total = history.orders.sum(axis=2, keepdims=True)
    offered = history.on_menu & (total > 0)
    shares: Floats = np.divide(history.orders, total, out=np.full(history.orders.shape, np.nan), where=offered)
    return shares


def _seasonal(shares: Floats, history: MenuHistory, ahead: int) -> dict[Key, float]:
    """The shares of `ahead` weeks after the history's end."""
    found: dict[Key, float] = {}
    # Oldest first, so that the latest counts; at last the week a year before, which counts most.
    for week in (*np.argsort(-history.ages), *np.flatnonzero(history.ages == YEAR - ahead)):
        for region, recipe in np.argwhere(~np.isnan(shares[week])):
            found[history.regions[region], history.recipes[recipe]] = float(shares[week, region, recipe])
    return found


def _table(plan: RunPlanned, regions: list[str], known: Mapping[date, Mapping[Key, float]], spread: Floats) -> pa.Table:
    parts = []
    for week in sorted(plan.weeks, key=lambda week: week.starts):
        menu = sorted(set(week.recipes))
        shares = [[known[week.starts].get((region, recipe), np.nan) for recipe in menu] for region in regions]
        parts.append(rates_of_week(week.starts, regions, menu, filled(np.array(shares)), spread))
    return pa.concat_tables(parts).combine_chunks()


def filled(shares: Floats) -> Floats:
    """`shares` has the shape (regions, recipes); NaN becomes the mean of the region's others. Each region sums to 1.

    All shares are equal where nothing is known, or all that is known is 0.
    """
    known = ~np.isnan(shares)
    count = known.sum(axis=1, keepdims=True)
    mean = np.where(known, shares, 0.0).sum(axis=1, keepdims=True) / np.maximum(count, 1)
    whole = np.where(known, shares, mean)
    whole = np.where(mean > 0, whole, 1.0)
    found: Floats = whole / whole.sum(axis=1, keepdims=True)
    return found
