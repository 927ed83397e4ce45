"""From extracted orders to dense arrays: orders and offers by week, region and recipe."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from contracts.errors import BadData
from services.recipe_popularity.offers import FEATURES, UsualPrices, usual_prices

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

COLUMNS = ("week", "region", "recipe", "orders", "price", "base_price", "emailer", "homepage")


@dataclass(frozen=True)
class MenuHistory:
    """Orders with the shape (weeks, regions, recipes), and whether the recipe was on that region's menu that week.

    `ages` is how many weeks before `last_week` each week lies. `offers` has the shape (weeks, regions, recipes, features):
    the mean over a region's centres, 0 where the recipe was not on the menu.
    """

    regions: tuple[str, ...]
    recipes: tuple[str, ...]
    ages: Floats
    orders: Floats
    on_menu: Booleans
    offers: Floats
    usual: UsualPrices

    def until(self, weeks: int) -> "MenuHistory":
        """Its first `weeks` weeks, at least one, as of the last of them. The usual prices stay those of the whole."""
        return replace(
            self,
            ages=self.ages[:weeks] - self.ages[weeks - 1],
            orders=self.orders[:weeks],
            on_menu=self.on_menu[:weeks],
            offers=self.offers[:weeks],
        )


def menu_history(histories: Sequence[pa.Table], last_week: date) -> MenuHistory:
    """A recipe with a row was on the menu, even when nobody ordered it.

    Raises BadData when no row is dated `last_week` or before.
    """
    rows = pa.concat_tables([table.select(COLUMNS) for table in histories])
    rows = rows.filter(pc.less_equal(rows["week"], pa.scalar(last_week, pa.date32())))
    if rows.num_rows == 0:
        raise BadData(f"the history has no orders up to the week of {last_week}: load order history and run again")
    # One thread and one order of rows keep the float sums, and so the result, the same on every machine.
    rows = rows.sort_by([(name, "ascending") for name in COLUMNS])
    usual = usual_prices(rows)
    weeks, week = np.unique(rows["week"].to_numpy(), return_inverse=True)
    regions, region = np.unique(rows["region"].to_numpy().astype(str), return_inverse=True)
    recipes, recipe = np.unique(rows["recipe"].to_numpy().astype(str), return_inverse=True)
    at = (week, region, recipe)
    orders = np.zeros((len(weeks), len(regions), len(recipes)))
    count = np.zeros(orders.shape)
    offers = np.zeros((*orders.shape, len(FEATURES)))
    np.add.at(orders, at, rows["orders"].to_numpy())
    np.add.at(count, at, 1.0)
    np.add.at(offers, at, usual.features(rows))
    ages = (np.datetime64(last_week, "D") - weeks.astype("datetime64[D]")).astype(np.float64) / 7
    return MenuHistory(
        tuple(regions.tolist()),
        tuple(recipes.tolist()),
        ages,
        orders,
        count > 0,
        offers / np.maximum(count, 1.0)[..., None],
        usual,
    )
