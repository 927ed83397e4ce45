"""From simulated orders to what a factory needs: recipes, and ingredients through the recipe book."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from contracts.errors import BadData

Floats = npt.NDArray[np.float64]

SCHEMA = pa.schema(
    [("week", pa.date32())]
    + [(name, pa.string()) for name in ("factory", "kind", "name", "unit")]
    + [(name, pa.float64()) for name in ("mean", "p10", "p50", "p90")]
)

TOTALS = pa.schema([field for field in SCHEMA if field.name not in ("kind", "name")])


@dataclass(frozen=True)
class Book:
    """Quantities of one portion, with the shape (recipes, ingredients), each ingredient in its one unit."""

    recipes: tuple[str, ...]
    ingredients: tuple[str, ...]
    units: tuple[str, ...]
    quantities: Floats

    def of(self, recipes: set[str]) -> "Book":
        """The part for these recipes, with the ingredients that they need."""
        rows = [row for row, recipe in enumerate(self.recipes) if recipe in recipes]
        columns = np.flatnonzero(self.quantities[rows].any(axis=0)).tolist()
        return Book(
            tuple(self.recipes[row] for row in rows),
            tuple(self.ingredients[column] for column in columns),
            tuple(self.units[column] for column in columns),
            self.quantities[np.ix_(rows, columns)],
        )


def read_book(rows: pa.Table, recipes: list[str]) -> Book:
    """The part of the recipe book that these recipes need; a recipe without rows needs no ingredients.

    Raises BadData when an ingredient has two units, since amounts in different units do not add up.
    """
    units: dict[str, str] = {}
    lines = [line for line in rows.to_pylist() if line["recipe"] in set(recipes)]
    for line in lines:
        if units.setdefault(line["ingredient"], line["unit"]) != line["unit"]:
            raise BadData(
                f"ingredient {line['ingredient']} is measured in {units[line['ingredient']]} and in {line['unit']}: "
                f"load recipes that give it one unit"
            )
    ingredients = sorted(units)
    quantities = np.zeros((len(recipes), len(ingredients)))
    for line in lines:
        quantities[recipes.index(line["recipe"]), ingredients.index(line["ingredient"])] += line["quantity"]
    return Book(tuple(recipes), tuple(ingredients), tuple(units[name] for name in ingredients), quantities)


def needs(week: date, orders: pa.Table, draws: int, book_rows: pa.Table, portions_per_order: float) -> pa.Table:
    """Mean and quantiles over draws, per factory, of each recipe's orders and each ingredient's amount.

    A factory has rows of the recipes it has orders of, even if they are 0, and of what those are made from.
    """
    whole_book = read_book(book_rows, sorted(orders["recipe"].unique().to_pylist()))
    rows: list[dict[str, object]] = []
    for factory in sorted(orders["factory"].unique().to_pylist()):
        own = orders.filter(pc.equal(orders["factory"], factory))
        book = whole_book.of(set(own["recipe"].unique().to_pylist()))
        drawn = drawn_orders(own, list(book.recipes), draws)
        # einsum adds in one fixed order; a threaded matrix product might not.
        amounts = np.einsum("dr,ri->di", drawn * portions_per_order, book.quantities)
        where = {"week": week, "factory": factory}
        rows += (where | row for row in _summary("ingredient", book.ingredients, book.units, amounts))
        rows += (where | row for row in _summary("recipe", book.recipes, ("orders",) * len(book.recipes), drawn))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def totals(week: date, orders: pa.Table, draws: int) -> pa.Table:
    """Mean and quantiles over draws, per factory, of the orders of all recipes together."""
    rows: list[dict[str, object]] = []
    for factory in sorted(orders["factory"].unique().to_pylist()):
        own = orders.filter(pc.equal(orders["factory"], factory))
        drawn = np.zeros((draws, 1))
        np.add.at(drawn, (own["draw"].to_numpy(), 0), own["orders"].to_numpy())
        (summary,) = _summary("total", ("orders",), ("orders",), drawn)
        rows.append({"week": week, "factory": factory} | summary)
    return pa.Table.from_pylist(rows, schema=TOTALS)


def drawn_orders(orders: pa.Table, recipes: list[str], draws: int) -> Floats:
    """One factory's orders with the shape (draws, recipes); what has no row is zero."""
    drawn = np.zeros((draws, len(recipes)))
    columns = pc.index_in(orders["recipe"], value_set=pa.array(recipes, pa.string())).to_numpy()
    np.add.at(drawn, (orders["draw"].to_numpy(), columns), orders["orders"].to_numpy())
    return drawn


def _summary(kind: str, names: tuple[str, ...], units: tuple[str, ...], amounts: Floats) -> Iterator[dict[str, object]]:
    """One row per name; `amounts` has the shape (draws, names)."""
    if not names:
        return
    p10, p50, p90 = np.quantile(amounts, [0.1, 0.5, 0.9], axis=0)
    columns = zip(names, units, amounts.mean(axis=0), p10, p50, p90, strict=True)
    for name, unit, *numbers in columns:
        values = dict(zip(("mean", "p10", "p50", "p90"), map(float, numbers), strict=True))
        yield {"kind": kind, "name": name, "unit": unit} | values
