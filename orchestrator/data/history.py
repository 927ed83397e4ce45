"""An order history in memory, whatever it was read from. Its rows are those of the tables in contracts/order_history.sql."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

Progress = Callable[[str, int], None]
"""Told what is being done and how many rows of it are done."""

RECIPES_PER_BOX = 3.0
"""Orders (one recipe for one household) in a box, where the data does not say: the middle of two to four."""

PORTIONS_PER_ORDER = 2.0
"""Portions of one order, where the data does not say: the smaller of the two sizes sold."""


class FactoryRow(NamedTuple):
    factory: str
    weekly_cap: float
    """Boxes."""


class RegionRow(NamedTuple):
    region: str
    factory: str


class CostRow(NamedTuple):
    factory: str
    region: str
    cost: float
    """Of a box."""


class CentreRow(NamedTuple):
    centre: str
    region: str


class RecipeRow(NamedTuple):
    recipe: str
    category: str
    cuisine: str


class CannotCookRow(NamedTuple):
    factory: str
    recipe: str


class IngredientRow(NamedTuple):
    recipe: str
    ingredient: str
    quantity: float
    """Of one portion, in `unit`."""
    unit: str


class MenuRow(NamedTuple):
    week: date
    recipe: str


class OfferRow(NamedTuple):
    """What a menu's recipe will cost and where it will be promoted, everywhere."""

    week: date
    recipe: str
    price: float | None
    base_price: float | None
    emailer: bool | None
    homepage: bool | None


class OrderRow(NamedTuple):
    starts: date
    days: int
    """1: the orders of the day `starts`; 7: of the menu week that starts then."""
    centre: str
    recipe: str
    orders: float
    price: float | None
    base_price: float | None
    emailer: bool | None
    homepage: bool | None


@dataclass(frozen=True)
class OrderHistory:
    """Whole menu weeks from `first_week` to `last_week`, both Saturdays. Days outside them may be there, but are not read."""

    source: str
    factories: tuple[FactoryRow, ...]
    regions: tuple[RegionRow, ...]
    centres: tuple[CentreRow, ...]
    recipes: tuple[RecipeRow, ...]
    ingredients: tuple[IngredientRow, ...]
    menu: tuple[MenuRow, ...]
    orders: tuple[OrderRow, ...]
    first_week: date
    last_week: date
    recipes_per_box: float = RECIPES_PER_BOX
    portions_per_order: float = PORTIONS_PER_ORDER
    offers: tuple[OfferRow, ...] = ()
    costs: tuple[CostRow, ...] = ()
    """Of every factory and region, or none."""
    cannot_cook: tuple[CannotCookRow, ...] = ()
    derived_network: bool = False
    """Factories, caps and regions follow from the orders here; added to others, they would say less than what is there."""
