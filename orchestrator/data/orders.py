"""Order rows, checked: what both formats have in common once week and centre are known."""

from collections.abc import Collection
from datetime import date

from orchestrator.data.history import OrderRow
from orchestrator.data.sheet import BadRow, Once, Row


class OrderParser:
    """Checks one file's orders against its centres and recipes, and each row against those before it."""

    def __init__(
        self, centres: Collection[str], recipes: Collection[str], centres_file: str, recipes_file: str
    ) -> None:
        self._centres = centres
        self._recipes = recipes
        self._centres_file = centres_file
        self._recipes_file = recipes_file
        self._once = Once("week, centre and recipe")

    def parse(self, row: Row, starts: date, days: int, centre: str) -> OrderRow:
        """Raises BadRow."""
        recipe = row.name("recipe")
        if centre not in self._centres:
            raise BadRow(f"unknown centre '{centre}': {self._centres_file} has no good row for it")
        if recipe not in self._recipes:
            raise BadRow(f"unknown recipe '{recipe}': {self._recipes_file} has no good row for it")
        order = OrderRow(
            starts=starts,
            days=days,
            centre=centre,
            recipe=recipe,
            orders=row.number("orders"),
            price=row.number_or_none("price"),
            base_price=row.number_or_none("base_price"),
            emailer=row.flag_or_none("emailer"),
            homepage=row.flag_or_none("homepage"),
        )
        self._once.check((starts, centre, recipe), row)
        return order
