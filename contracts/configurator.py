"""configurator: which weeks, factories, caps, batches and recipes does this run cover?"""

from datetime import date, timedelta
from typing import Literal

from pydantic import Field

from contracts.component import Component, Policy
from contracts.message import Command, DatasetRef, Frozen, Item, Plan
from contracts.run import RunRequest

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class MenuWeek(Item):
    """A menu week, Saturday to Friday. The key is the Saturday's ISO date."""

    starts: date
    recipes: tuple[str, ...] = Field(min_length=1)

    @property
    def ends(self) -> date:
        return self.starts + timedelta(days=6)


class Factory(Item):
    """A factory, the regions it serves first, and the most boxes it can pack in a week."""

    weekly_cap: float = Field(gt=0)
    regions: tuple[str, ...]


class Batch(Item):
    """Fulfilment centres whose history is extracted together."""

    centres: tuple[str, ...] = Field(min_length=1)


class History(Frozen):
    """The order history a run may read: whole menu weeks from `first_week` to `last_week`, both Saturdays."""

    first_week: date
    last_week: date


class ConfigureRun(Command):
    request: RunRequest


class RunPlanned(Plan):
    """What the run covers. Conditions and Maps of the pipeline depend on this and on nothing later.

    `recipe_book` has the columns recipe, category, cuisine, ingredient, quantity (a portion's, float) and unit: one row per
    ingredient of each recipe. `recipes_per_box` turns orders (one recipe for one household) into boxes.

    `offers` is what the coming menus' recipes are planned to cost and where they are promoted, sorted by week and recipe: week
    (date32), recipe (string), price and base_price (float64), emailer and homepage (float64: 0 or 1, or the part of the
    company that promotes it), null where unknown. None when nothing is known of some week.

    `costs` is what a box costs that a factory cooks for a region: factory, region (strings), cost (float64, in any one
    currency), a row for each pair, sorted. `cannot_cook` names, for each recipe that not every factory can cook, those that
    cannot: recipe (string), factories (list of strings, sorted), sorted by recipe. Either is None when nothing is known.
    """

    date: date
    weekday: Weekday
    seed: int
    history: History
    weeks: tuple[MenuWeek, ...]
    factories: tuple[Factory, ...]
    batches: tuple[Batch, ...]
    recipe_book: DatasetRef
    recipes_per_box: float = Field(gt=0)
    portions_per_order: float = Field(gt=0)
    offers: DatasetRef | None = None
    costs: DatasetRef | None = None
    cannot_cook: DatasetRef | None = None


CONFIGURATOR = Component(
    name="configurator",
    squad="larder",
    input=ConfigureRun,
    output=RunPlanned,
    policy=Policy(timeout=60),
    concurrency=2,
)
