"""The plan of a run: everything conditions and Maps of the pipeline may depend on."""

import math
from collections.abc import Mapping, Sequence
from typing import get_args

from contracts.configurator import Batch, ConfigureRun, Factory, MenuWeek, RunPlanned, Weekday
from contracts.errors import BadData
from services.configurator.database import NOTHING_LOADED, Loaded, read
from services.runtime.context import Context

MOST_BATCHES = 8
NETWORK = "network-configuration"
"""The component whose results a factory that is not computed today reuses."""
FORECASTS = ("order-volume", "recipe-popularity")
"""The components whose fallbacks give their last good results."""


def handle(inputs: ConfigureRun, ctx: Context) -> RunPlanned:
    """Plan a run from what the database holds on its date.

    Raises BadData when the database cannot serve the date: no history, no menu, a factory without capacity, costs of some
    factories and regions only, a recipe on a menu that nobody can cook.
    """
    request = inputs.request
    for attempt in ctx.retrying():
        with attempt:
            loaded = read(ctx.connect, request.date)
    _check_recipes(loaded)
    _check_kitchens(loaded)
    _check_costs(loaded)
    weekdays: tuple[Weekday, ...] = get_args(Weekday)
    plan = RunPlanned(
        date=request.date,
        weekday=weekdays[request.date.weekday()],
        seed=request.seed,
        history=loaded.history,
        weeks=tuple(
            MenuWeek(key=week.isoformat(), starts=week, recipes=recipes) for week, recipes in loaded.menus.items()
        ),
        factories=tuple(
            factory.model_copy(
                update={"last": ctx.earlier_result(NETWORK, factory.key, request.date, loaded.replaced_at)}
            )
            for factory in factories(loaded.caps, loaded.home_of)
        ),
        batches=batches(loaded.centres),
        recipe_book=ctx.write("recipe-book", loaded.recipe_book),
        recipes_per_box=loaded.recipes_per_box,
        portions_per_order=loaded.portions_per_order,
        offers=ctx.write("offers", loaded.offers) if loaded.offers is not None else None,
        costs=ctx.write("costs", loaded.costs) if loaded.costs is not None else None,
        cannot_cook=ctx.write("cannot-cook", loaded.cannot_cook) if loaded.cannot_cook is not None else None,
        last_good={
            name: last
            for name in FORECASTS
            if (last := ctx.earlier_result(name, "-", request.date, loaded.replaced_at)) is not None
        },
    )
    ctx.log.info(
        "planned %d weeks from %s, %d factories, %d batches, history %s to %s",
        len(plan.weeks),
        plan.weeks[0].key,
        len(plan.factories),
        len(plan.batches),
        plan.history.first_week,
        plan.history.last_week,
    )
    return plan


def factories(caps: Mapping[str, float], home_of: Mapping[str, str]) -> tuple[Factory, ...]:
    """Factories with their regions, both sorted. Caps are boxes a week.

    Raises BadData when there is no factory, or naming one whose cap is not a positive finite number.
    """
    if not caps:
        raise BadData(f"no factories are loaded: {NOTHING_LOADED}")
    for name, cap in sorted(caps.items()):
        if not 0 < cap < math.inf:
            raise BadData(f"factory {name} has a weekly cap of {cap:g} boxes: give it one above 0 and load it again")
    return tuple(
        Factory(
            key=name,
            weekly_cap=cap,
            regions=tuple(sorted(region for region, home in home_of.items() if home == name)),
        )
        for name, cap in sorted(caps.items())
    )


def batches(centres: Sequence[str]) -> tuple[Batch, ...]:
    """At most eight batches of centres, b1 to b8; their sizes differ by one at most.

    Raises BadData when there are no centres.
    """
    if not centres:
        raise BadData(f"no fulfilment centres are loaded: {NOTHING_LOADED}")
    count = min(MOST_BATCHES, len(centres))
    in_order = sorted(centres)
    return tuple(Batch(key=f"b{n + 1}", centres=tuple(in_order[n::count])) for n in range(count))


def _check_recipes(loaded: Loaded) -> None:
    known = set(loaded.recipe_book.column("recipe").to_pylist())
    missing = sorted({recipe for recipes in loaded.menus.values() for recipe in recipes} - known)
    if missing:
        raise BadData(
            f"the menu has recipes without ingredients ({len(missing)}, the first is {missing[0]}): "
            "load their ingredients with 'brigade load'"
        )


def _check_kitchens(loaded: Loaded) -> None:
    if loaded.cannot_cook is None:
        return
    nobody = {row["recipe"] for row in loaded.cannot_cook.to_pylist() if len(row["factories"]) == len(loaded.caps)}
    for week, recipes in sorted(loaded.menus.items()):
        for recipe in recipes:
            if recipe in nobody:
                raise BadData(
                    f"no factory can cook {recipe}, which is on the menu of week {week}: take it off the menu, "
                    "or a row of it out of cannot_cook.csv, and load again"
                )


def _check_costs(loaded: Loaded) -> None:
    if loaded.costs is None:
        return
    known = {(row["factory"], row["region"]) for row in loaded.costs.to_pylist()}
    for factory in sorted(loaded.caps):
        for region in sorted(loaded.home_of):
            if (factory, region) not in known:
                raise BadData(
                    f"the costs loaded lack a box from factory {factory} to region {region}: "
                    "load costs.csv again with all factories and regions"
                )
