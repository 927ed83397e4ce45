"""What a recipe is made of, where the data does not say: a bill of materials by category."""

import csv
from collections import defaultdict
from collections.abc import Iterable
from importlib.resources import files

from orchestrator.data.history import IngredientRow, RecipeRow

Bill = dict[str, dict[str, tuple[float, str]]]
"""Category in lower case to ingredient to (quantity of one portion, unit). `*` stands for every other category."""


def default_bill() -> Bill:
    """The bill of bill_of_materials.csv, in this folder."""
    bill: Bill = defaultdict(dict)
    with (files("orchestrator.data") / "bill_of_materials.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            bill[row["category"].lower()][row["ingredient"]] = (float(row["quantity"]), row["unit"])
    return dict(bill)


def completed(recipes: Iterable[RecipeRow], given: Iterable[IngredientRow] = ()) -> tuple[IngredientRow, ...]:
    """The ingredients given, and the default ones of every recipe that was given none."""
    bill = default_bill()
    rows = list(given)
    known = {row.recipe for row in rows}
    for recipe in recipes:
        if recipe.recipe not in known:
            default = bill.get(recipe.category.lower(), bill["*"])
            rows += [IngredientRow(recipe.recipe, name, *amount) for name, amount in default.items()]
    return tuple(sorted(rows))
