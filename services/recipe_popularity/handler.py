"""What share of the orders does each recipe of the coming menus take? Reads history and recipe book, writes take rates."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from contracts.configurator import RunPlanned
from contracts.recipe_popularity import ForecastRecipePopularity, RecipePopularityForecasted
from services.recipe_popularity.history import MenuHistory, menu_history
from services.recipe_popularity.model import Attraction, learn, pull_of, shares_of
from services.recipe_popularity.offers import FEATURES, UsualPrices
from services.recipe_popularity.spread import spreads
from services.runtime.context import Context
from services.runtime.parquet import rounded

Floats = npt.NDArray[np.float64]
Kinds = Mapping[str, tuple[str, str]]

SCHEMA = pa.schema(
    [
        ("week", pa.date32()),
        ("region", pa.string()),
        ("recipe", pa.string()),
        ("share", pa.float64()),
        ("spread", pa.float64()),
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
    offers = ctx.read(plan.offers) if plan.offers else None
    rates = take_rates(plan, history, kinds, offers)
    return RecipePopularityForecasted(popularity=ctx.write("popularity", rounded(rates), schema_version=2))


def take_rates(plan: RunPlanned, history: MenuHistory, kinds: Kinds, offers: pa.Table | None) -> pa.Table:
    """Shares of every plan week's menu in every region of the history."""
    kinds_seen = [kinds.get(recipe, UNKNOWN_KIND) for recipe in history.recipes]
    learned = learn(history, kinds_seen, offers is not None)
    spread = spreads(history, kinds_seen, offers is not None)
    parts = []
    for week in sorted(plan.weeks, key=lambda week: week.starts):
        menu = sorted(set(week.recipes))
        attraction = _attraction_of(menu, history, learned, kinds)
        if offers is not None:
            attraction = attraction * pull_of(_offered(menu, week.starts, offers, history.usual), learned.effects)
        parts.append(rates_of_week(week.starts, history.regions, menu, shares_of(attraction), spread))
    return pa.concat_tables(parts).combine_chunks()


def rates_of_week(week: date, regions: Sequence[str], menu: list[str], shares: Floats, spread: Floats) -> pa.Table:
    """One week of the answer. `shares` has the shape (regions, recipes of the menu), `spread` an entry for each region."""
    columns = {
        "week": [week] * shares.size,
        "region": np.repeat(np.array(regions, dtype=object), len(menu)),
        "recipe": menu * len(regions),
        "share": shares.ravel(),
        "spread": np.repeat(spread, len(menu)),
    }
    return pa.table(columns, schema=SCHEMA)


def _attraction_of(menu: list[str], history: MenuHistory, learned: Attraction, kinds: Kinds) -> Floats:
    """The menu's attraction at the usual offer, with the shape (regions, recipes of the menu)."""
    seen = {recipe: column for column, recipe in enumerate(history.recipes)}
    known = learned.lifts.by_recipe * learned.available
    unseen = np.ones(len(history.regions))
    return np.stack(
        [
            known[:, seen[recipe]]
            if recipe in seen
            else unseen * learned.lifts.of_unseen(kinds.get(recipe, UNKNOWN_KIND))
            for recipe in menu
        ],
        axis=1,
    )


def _offered(menu: list[str], week: date, offers: pa.Table, usual: UsualPrices) -> Floats:
    """Features of the menu's offers, with the shape (recipes of the menu, features); without an offer it is the usual one."""
    rows = offers.filter(pc.equal(offers["week"], pa.scalar(week, pa.date32())))
    features = dict(zip(rows["recipe"].to_pylist(), usual.features(rows), strict=True))
    nothing = np.zeros(len(FEATURES))
    return np.stack([features.get(recipe, nothing) for recipe in menu])
