"""Plans, recipe books and histories for the tests of any component."""

from collections.abc import Iterable
from datetime import date, timedelta

import pyarrow as pa

from contracts.configurator import Batch, Factory, History, MenuWeek, RunPlanned
from contracts.data_extractor import HistoryExtracted
from services.runtime.context import Context

LAST_WEEK = date(2026, 11, 14)
WEEK = timedelta(days=7)

HISTORY = pa.schema(
    [("week", pa.date32())]
    + [(name, pa.string()) for name in ("centre", "region", "factory", "recipe")]
    + [(name, pa.float64()) for name in ("orders", "price", "base_price")]
    + [(name, pa.bool_()) for name in ("emailer", "homepage")]
)

Order = tuple[int, str, str, float]
"""Weeks before the last, region, recipe, orders."""

BookLine = tuple[str, str, str, str, float, str]
"""Recipe, category, cuisine, ingredient, quantity, unit."""

BOOK: tuple[BookLine, ...] = (
    ("pie", "baked", "british", "flour", 120.0, "g"),
    ("pie", "baked", "british", "butter", 60.0, "g"),
    ("ramen", "soup", "japanese", "noodles", 90.0, "g"),
    ("ramen", "soup", "japanese", "egg", 1.0, "piece"),
    ("tarte", "baked", "french", "flour", 80.0, "g"),
    ("stew", "soup", "british", "carrot", 150.0, "g"),
    ("miso", "soup", "japanese", "egg", 0.5, "piece"),
)


def home(region: str) -> str:
    """Regions before m belong to factory A."""
    return "A" if region < "m" else "B"


def history_table(orders: Iterable[Order]) -> pa.Table:
    rows = [
        {
            "week": LAST_WEEK - back * WEEK,
            "centre": f"{region}-1",
            "region": region,
            "factory": home(region),
            "recipe": recipe,
            "orders": float(number),
        }
        for back, region, recipe, number in orders
    ]
    return pa.Table.from_pylist(rows, schema=HISTORY)


def extracted(ctx: Context, *batches: Iterable[Order]) -> tuple[HistoryExtracted, ...]:
    return tuple(
        HistoryExtracted(history=ctx.write(f"history-{number}", history_table(batch)))
        for number, batch in enumerate(batches)
    )


def plan_of(
    ctx: Context,
    recipes: tuple[str, ...] = ("pie", "ramen"),
    ahead: tuple[int, ...] = (2, 3, 4, 5),
    book: tuple[BookLine, ...] = BOOK,
    recipes_per_box: float = 3.0,
    seed: int = 1,
) -> RunPlanned:
    columns = ("recipe", "category", "cuisine", "ingredient", "quantity", "unit")
    starts = [LAST_WEEK + step * WEEK for step in ahead]
    return RunPlanned(
        date=LAST_WEEK + timedelta(days=11),
        weekday="wednesday",
        seed=seed,
        history=History(first_week=LAST_WEEK - 200 * WEEK, last_week=LAST_WEEK),
        weeks=tuple(MenuWeek(key=week.isoformat(), starts=week, recipes=recipes) for week in starts),
        factories=(
            Factory(key="A", weekly_cap=1e6, regions=("east",)),
            Factory(key="B", weekly_cap=1e6, regions=("west",)),
        ),
        batches=(Batch(key="b1", centres=("east-1", "west-1")),),
        recipe_book=ctx.write("book", pa.Table.from_pylist([dict(zip(columns, line, strict=True)) for line in book])),
        recipes_per_box=recipes_per_box,
        portions_per_order=2.5,
    )
