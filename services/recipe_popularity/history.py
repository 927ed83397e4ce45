"""From extracted orders to dense arrays: orders by week, region and recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from contracts.errors import BadData

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class MenuHistory:
    """Orders with the shape (weeks, regions, recipes), and whether the recipe was on that region's menu that week.

    `ages` is how many weeks before `last_week` each week lies.
    """

    regions: tuple[str, ...]
    recipes: tuple[str, ...]
    ages: Floats
    orders: Floats
    on_menu: Booleans


def menu_history(histories: Sequence[pa.Table], last_week: date) -> MenuHistory:
    """A recipe with a row was on the menu, even when nobody ordered it.

    Raises BadData when no row is dated `last_week` or before.
    """
    rows = pa.concat_tables([table.select(["week", "region", "recipe", "orders"]) for table in histories])
    rows = rows.filter(pc.less_equal(rows["week"], pa.scalar(last_week, pa.date32())))
    if rows.num_rows == 0:
        raise BadData(f"the history has no orders up to the week of {last_week}: load order history and run again")
    # One thread keeps the order of the float sums, and so the result, the same on every machine.
    totals = rows.group_by(["week", "region", "recipe"], use_threads=False).aggregate([("orders", "sum")])
    weeks, week = np.unique(totals["week"].to_numpy(), return_inverse=True)
    regions, region = np.unique(totals["region"].to_numpy().astype(str), return_inverse=True)
    recipes, recipe = np.unique(totals["recipe"].to_numpy().astype(str), return_inverse=True)
    orders = np.zeros((len(weeks), len(regions), len(recipes)))
    on_menu = np.zeros(orders.shape, dtype=np.bool_)
    orders[week, region, recipe] = totals["orders_sum"].to_numpy()
    on_menu[week, region, recipe] = True
    ages = (np.datetime64(last_week, "D") - weeks.astype("datetime64[D]")).astype(np.float64) / 7
    return MenuHistory(tuple(regions.tolist()), tuple(recipes.tolist()), ages, orders, on_menu)
