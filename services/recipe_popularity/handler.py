"""What share of the orders does each recipe of the coming menus take? Reads history and recipe book, writes take rates."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from contracts.configurator import RunPlanned
from contracts.recipe_popularity import ForecastRecipePopularity, RecipePopularityForecasted
from services.recipe_popularity.history import MenuHistory, menu_history
from services.recipe_popularity.model import Lifts, concentration, estimate_lifts
from services.runtime.context import Context

Kinds = Mapping[str, tuple[str, str]]

SCHEMA = pa.schema(
    [
        ("week", pa.date32()),
        ("region", pa.string()),
        ("recipe", pa.string()),
        ("share", pa.float64()),
        ("concentration", pa.float64()),
    ]
)

UNKNOWN_KIND = ("", "")
"""Of a recipe that is not in the recipe book."""


def handle(inputs: ForecastRecipePopularity, ctx: Context) -> RecipePopularityForecasted:
    """Raises BadData when the history holds no orders."""
    plan = inputs.plan
    history = menu_history([ctx.read(extracted.history) for extracted in inputs.history], plan.history.last_week)
    book = ctx.read(plan.recipe_book).select(["recipe", "category", "cuisine"]).to_pylist()
    kinds = {row["recipe"]: (row["category"], row["cuisine"]) for row in book}
    return RecipePopularityForecasted(popularity=ctx.write("popularity", take_rates(plan, history, kinds)))


def take_rates(plan: RunPlanned, history: MenuHistory, kinds: Kinds) -> pa.Table:
    """Shares of every plan week's menu in every region of the history."""
    lifts = estimate_lifts(history, [kinds.get(recipe, UNKNOWN_KIND) for recipe in history.recipes])
    tightness = [
        concentration(history.orders[:, region], history.on_menu[:, region]) for region in range(len(history.regions))
    ]
    parts = []
    for week in sorted(plan.weeks, key=lambda week: week.starts):
        menu = sorted(set(week.recipes))
        menu_lifts = _lifts_of(menu, history, lifts, kinds)
        shares = menu_lifts / menu_lifts.sum(axis=1, keepdims=True)
        columns = {
            "week": [week.starts] * shares.size,
            "region": np.repeat(np.array(history.regions, dtype=object), len(menu)),
            "recipe": menu * len(history.regions),
            "share": shares.ravel(),
            "concentration": np.repeat(tightness, len(menu)),
        }
        parts.append(pa.table(columns, schema=SCHEMA))
    return pa.concat_tables(parts).combine_chunks()


def _lifts_of(menu: list[str], history: MenuHistory, lifts: Lifts, kinds: Kinds) -> npt.NDArray[np.float64]:
    """The menu's lifts, with the shape (regions, recipes of the menu)."""
    seen = {recipe: column for column, recipe in enumerate(history.recipes)}
    unseen = np.ones(len(history.regions))
    return np.stack(
        [
            lifts.by_recipe[:, seen[recipe]]
            if recipe in seen
            else unseen * lifts.of_unseen(kinds.get(recipe, UNKNOWN_KIND))
            for recipe in menu
        ],
        axis=1,
    )
