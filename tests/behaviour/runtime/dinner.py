"""Two pipelines, of which one is run as steps of the other: the dinner's wine and bread may each come out of a cellar.

Both pipelines chop the dishes of a plan, so a run of the cellar's has nothing to chop when it is a step of a dinner.
"""

import json
from typing import Any

from contracts.component import Component, Nested, Policy
from contracts.errors import BadData
from contracts.message import Command, Event
from contracts.nesting import checked
from contracts.pipeline import Map, Parallel, Pipeline, Sequence
from services.runtime.context import Context
from tests.behaviour.runtime.floor import Floor
from tests.behaviour.runtime.squads import Handle, Orders, handlers
from tests.behaviour.runtime.supper import HASTY, ChopDish, DishChopped, PlanSupper, SupperPlanned

UNHURRIED = HASTY.model_copy(update={"timeout": 20, "heartbeat": 30})
"""Leases are short all the same."""

AS_LONG = 40
"""Seconds that a nested run may take."""


class DigCellar(Command):
    plan: SupperPlanned


class CellarDug(Event):
    made_by: int


class FetchBottle(Command):
    dug: CellarDug
    chopped: tuple[DishChopped, ...]


class BottleFetched(Event):
    made_by: int
    keys: tuple[str, ...]
    label: str


class FillGlasses(Command):
    plan: SupperPlanned
    chopped: tuple[DishChopped, ...]


class GlassesFilled(Event):
    label: str


class BreakBread(Command):
    plan: SupperPlanned
    chopped: tuple[DishChopped, ...]


class BreadBroken(Event):
    label: str


class DineAll(Command):
    glasses: GlassesFilled
    bread: BreadBroken


class AllDined(Event):
    labels: tuple[str, ...]


def dinner(policy: Policy) -> tuple[Pipeline, ...]:
    """The dinner, and the cellar."""

    def component(name: str, takes: type[Command], gives: type[Event], **more: Any) -> Component:
        return Component(name=name, squad="tests", input=takes, output=gives, policy=policy, **more)

    def either(name: str, takes: type[Command], gives: type[Event], nested: str, **more: Any) -> Component:
        runs = Nested(version=nested, pipeline="cellar", timeout=AS_LONG)
        return component(name, takes, gives, versions=("own", nested), nested=(runs,), **more)

    host = component("host", PlanSupper, SupperPlanned)
    chopping = Map((component("chopper", ChopDish, DishChopped),), over="plan.dishes")
    sommelier = either("sommelier", FillGlasses, GlassesFilled, "fetched")
    baker = either("baker", BreakBread, BreadBroken, "stored", fallback=True)
    diner = component("diner", DineAll, AllDined, announced=True)
    digger, fetcher = component("digger", DigCellar, CellarDug), component("fetcher", FetchBottle, BottleFetched)
    return checked(
        Pipeline("dinner", Sequence((host, chopping, Parallel((sommelier, baker)), diner)), deadline=120),
        Pipeline("cellar", Sequence((host, chopping, digger, fetcher)), deadline=120),
    )


def of_dinner(orders: Orders) -> dict[str, Handle]:
    """The squads' functions of both, by component."""

    def fill(inputs: FillGlasses, ctx: Context) -> Event:
        if ctx.version == "own":
            return GlassesFilled(label="the house's")
        bottle = BottleFetched.model_validate(ctx.run_nested())
        return GlassesFilled(label=bottle.label, degraded=bottle.degraded)

    def break_bread(inputs: BreakBread, ctx: Context) -> Event:
        if ctx.version == "own":
            return BreadBroken(label="fresh")
        return BreadBroken(label=BottleFetched.model_validate(ctx.run_nested()).label)

    def fetch(inputs: FetchBottle, ctx: Context) -> Event:
        label = ctx.write_file("label", ctx.run_id.encode(), "text/plain")
        return BottleFetched(made_by=ctx.attempt, keys=tuple(dish.key for dish in inputs.chopped), label=label)

    usual = handlers(orders)
    return {
        "host": usual["host"],
        "chopper": usual["chopper"],
        "sommelier": fill,
        "baker": break_bread,
        "diner": lambda inputs, ctx: AllDined(labels=(inputs.glasses.label, inputs.bread.label)),
        "digger": lambda inputs, ctx: CellarDug(made_by=ctx.attempt),
        "fetcher": fetch,
    }


def bread_of_yesterday(inputs: BreakBread, ctx: Context) -> Event:
    """The baker's fallback."""
    return BreadBroken(label="stale", degraded=ctx.replaced("yesterday's"))


def failing(inputs: Any, ctx: Context) -> Event:
    raise BadData("no spade")


def run_of(floor: Floor, run_id: str) -> dict[str, Any]:
    (run,) = floor.rows("SELECT * FROM runs WHERE run_id = %(run_id)s", run_id=run_id)
    return run


def answer(floor: Floor, run_id: str, component: str) -> dict[str, Any]:
    query = "SELECT answer FROM steps WHERE run_id = %(run_id)s AND component = %(component)s"
    (step,) = floor.rows(query, run_id=run_id, component=component)
    return dict(json.loads(step["answer"]))
