"""A made-up history to try things with. docs/data.md says how it is made; every number comes from the seed."""

import csv
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from contracts.errors import BadRequest
from orchestrator.data.bill import completed
from orchestrator.data.grouping import default_caps
from orchestrator.data.history import (
    RECIPES_PER_BOX,
    CentreRow,
    IngredientRow,
    MenuRow,
    OfferRow,
    OrderHistory,
    OrderRow,
    RecipeRow,
    RegionRow,
)
from orchestrator.data.weeks import WEEK, last_week_ending

MENU_SIZE = 20
MENU_AHEAD = 5
"""Weeks after the last week of orders that have a menu."""

_LONGEST = 1040  # weeks, 20 years
_YEAR = 365.25  # days
_SEASON = 0.12  # amplitude, the peak is at the turn of the year
_WEEK_NOISE = 0.04  # standard deviations of logarithms
_RECIPE_NOISE = 0.10
_TASTE = 0.25
_ELASTICITY = -1.5  # of a recipe's appeal to its price
_PROMOTED = 0.1  # of the dishes of a week
_DISCOUNTS = (0.10, 0.15, 0.20)
_EMAILER, _HOMEPAGE = 1.3, 1.2  # factors on a promoted recipe's appeal


@dataclass(frozen=True)
class _Region:
    name: str
    centre: str
    factory: str
    boxes: float
    """A week, at the end of the history and in the middle of the season."""
    growth: float
    """A year."""


_REGIONS = (
    _Region("coast", "harbour", "A", 2600, 0.08),
    _Region("capital", "market-hall", "A", 4200, 0.05),
    _Region("lakes", "boathouse", "A", 1100, -0.03),
    _Region("north", "mill", "B", 1900, 0.12),
    _Region("valley", "orchard", "B", 3300, 0.02),
    _Region("hills", "quarry", "B", 1500, 0.15),
)


@dataclass(frozen=True)
class _Dish:
    recipe: RecipeRow
    signature: IngredientRow
    price: float
    appeal: float


@dataclass(frozen=True)
class _Offer:
    """One dish of one week's menu, the same in every region."""

    dish: _Dish
    price: float
    emailer: bool
    homepage: bool

    @property
    def appeal(self) -> float:
        shown = (_EMAILER if self.emailer else 1.0) * (_HOMEPAGE if self.homepage else 1.0)
        return float(self.dish.appeal * (self.price / self.dish.price) ** _ELASTICITY * shown)


def sample(weeks: int, seed: int, ending: date) -> OrderHistory:
    """`weeks` menu weeks of orders, the last one ending on `ending`, a Friday, and a menu with its offers for five weeks more.

    The same arguments always give the same history. Raises BadRequest for other arguments than 1 to 1040 weeks and a Friday.
    """
    last_week = last_week_ending(ending)
    if not 1 <= weeks <= _LONGEST:
        raise BadRequest(f"cannot make a history of {weeks} weeks: ask for 1 to {_LONGEST}")
    rng = random.Random(seed)  # noqa: S311 - made-up orders, no secret
    dishes = _dishes()
    taste = {(r.name, d.recipe.recipe): math.exp(rng.gauss(0, _TASTE)) for r in _REGIONS for d in dishes}
    first_week = last_week - (weeks - 1) * WEEK
    menus = {first_week + n * WEEK: _menu(rng, dishes) for n in range(weeks + MENU_AHEAD)}
    orders = tuple(
        row
        for week, menu in menus.items()
        if week <= last_week
        for region in sorted(_REGIONS, key=lambda region: region.centre)
        for row in _week(rng, week, last_week, region, menu, taste)
    )
    recipes = tuple(sorted(dish.recipe for dish in dishes))
    return OrderHistory(
        source=f"sample of {weeks} weeks, seed {seed}",
        factories=default_caps(orders, {region.centre: region.factory for region in _REGIONS}, RECIPES_PER_BOX),
        regions=tuple(sorted(RegionRow(region.name, region.factory) for region in _REGIONS)),
        centres=tuple(sorted(CentreRow(region.centre, region.name) for region in _REGIONS)),
        recipes=recipes,
        ingredients=_ingredients(recipes, dishes),
        menu=tuple(MenuRow(week, offer.dish.recipe.recipe) for week, menu in menus.items() for offer in menu),
        orders=orders,
        first_week=first_week,
        last_week=last_week,
        offers=tuple(
            OfferRow(week, offer.dish.recipe.recipe, offer.price, offer.dish.price, offer.emailer, offer.homepage)
            for week, menu in menus.items()
            for offer in menu
        ),
    )


def _dishes() -> tuple[_Dish, ...]:
    with (files("orchestrator.data") / "sample_recipes.csv").open(encoding="utf-8") as file:
        return tuple(
            _Dish(
                recipe=RecipeRow(row["recipe"], row["category"], row["cuisine"]),
                signature=IngredientRow(row["recipe"], row["ingredient"], float(row["quantity"]), row["unit"]),
                price=float(row["price"]),
                appeal=float(row["appeal"]),
            )
            for row in csv.DictReader(file)
        )


def _ingredients(recipes: Sequence[RecipeRow], dishes: Sequence[_Dish]) -> tuple[IngredientRow, ...]:
    """The default bill of each recipe's category, and the recipe's own ingredient in the quantity it says."""
    rows = {(row.recipe, row.ingredient): row for row in completed(recipes)}
    rows |= {(dish.signature.recipe, dish.signature.ingredient): dish.signature for dish in dishes}
    return tuple(sorted(rows.values()))


def _menu(rng: random.Random, dishes: Sequence[_Dish]) -> tuple[_Offer, ...]:
    chosen = sorted(rng.sample(dishes, MENU_SIZE), key=lambda dish: dish.recipe.recipe)
    return tuple(_offer(rng, dish) for dish in chosen)


def _offer(rng: random.Random, dish: _Dish) -> _Offer:
    if rng.random() >= _PROMOTED:
        return _Offer(dish, dish.price, emailer=False, homepage=False)
    price = round(dish.price * (1 - rng.choice(_DISCOUNTS)), 2)
    return _Offer(dish, price, emailer=rng.random() < 0.6, homepage=rng.random() < 0.6)


def _week(
    rng: random.Random,
    week: date,
    last_week: date,
    region: _Region,
    menu: Sequence[_Offer],
    taste: Mapping[tuple[str, str], float],
) -> Iterator[OrderRow]:
    """Boxes of trend, season and noise, split over the menu by appeal and the region's taste."""
    years = (week - last_week).days / _YEAR
    season = 1 + _SEASON * math.cos(2 * math.pi * week.timetuple().tm_yday / _YEAR)
    boxes = region.boxes * (1 + region.growth) ** years * season * math.exp(rng.gauss(0, _WEEK_NOISE))
    wanted = [
        offer.appeal * taste[region.name, offer.dish.recipe.recipe] * math.exp(rng.gauss(0, _RECIPE_NOISE))
        for offer in menu
    ]
    for offer, want in zip(menu, wanted, strict=True):
        yield OrderRow(
            starts=week,
            days=7,
            centre=region.centre,
            recipe=offer.dish.recipe.recipe,
            orders=float(round(boxes * RECIPES_PER_BOX * want / sum(wanted))),
            price=offer.price,
            base_price=offer.dish.price,
            emailer=offer.emailer,
            homepage=offer.homepage,
        )
