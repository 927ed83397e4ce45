"""Small pipelines of the tests' own. The supper has one of everything: a Map of two components, flagged versions, branches side
by side, a Choice that reuses items, joins, and a last component that writes rows with its answer.

Every answer says which attempt made it, so that two answers of one step are never equal by accident.
"""

from collections.abc import Callable
from typing import Any

from contracts.component import Component, Limit, Policy, names
from contracts.errors import HandlerTimedOut, ResourcePending, TransientError, UnexpectedError, WorkerLost
from contracts.graph import WHOLE
from contracts.message import Command, Event, Item, Plan
from contracts.pipeline import Choice, Map, Parallel, Pipeline, Sequence
from contracts.run import RunRequest

DISHES = ("pie", "soup")
TABLES = ("a", "b")


class Dish(Item):
    minutes: int


class Table(Item):
    guests: tuple[str, ...]


class PlanSupper(Command):
    request: RunRequest


class SupperPlanned(Plan):
    made_by: int
    day: str
    dishes: tuple[Dish, ...]
    tables: tuple[Table, ...]


class ChopDish(Command):
    plan: SupperPlanned
    dish: Dish


class DishChopped(Event):
    made_by: int
    key: str


class CookDish(Command):
    plan: SupperPlanned
    dish: Dish
    chopped: DishChopped


class DishCooked(Event):
    made_by: int
    key: str
    version: str


class MakeSauce(Command):
    cooked: tuple[DishCooked, ...]


class SauceMade(Event):
    made_by: int
    dishes: tuple[str, ...]


class PourWine(Command):
    plan: SupperPlanned


class WinePoured(Event):
    made_by: int


class ServeTable(Command):
    plan: SupperPlanned
    table: Table
    cooked: tuple[DishCooked, ...]
    sauce: SauceMade


class TableServed(Event):
    made_by: int
    guests: tuple[str, ...]


class CloseSupper(Command):
    wine: WinePoured
    served: tuple[TableServed, ...]


class SupperClosed(Event):
    made_by: int
    guests: tuple[str, ...]


Make = Callable[..., Component]


def _components(policy: Policy) -> Make:
    def component(name: str, takes: type[Command], gives: type[Event], **more: Any) -> Component:
        return Component(name=name, squad="tests", input=takes, output=gives, policy=policy, **more)

    return component


def supper(policy: Policy) -> Pipeline:
    """One of everything."""
    component = _components(policy)
    waiter = component("waiter", ServeTable, TableServed)
    return Pipeline(
        name="supper",
        deadline=3600,
        flow=Sequence(
            (
                component("host", PlanSupper, SupperPlanned),
                Map(
                    (
                        component("chopper", ChopDish, DishChopped),
                        component("cook", CookDish, DishCooked, versions=("v1", "v2")),
                    ),
                    over="plan.dishes",
                ),
                Parallel((component("saucier", MakeSauce, SauceMade), component("sommelier", PourWine, WinePoured))),
                Choice(
                    on="plan.day",
                    cases={"quiet": Map((waiter,), over="plan.tables", only=("a",))},
                    otherwise=Map((waiter,), over="plan.tables"),
                ),
                component("cashier", CloseSupper, SupperClosed, announced=True),
            )
        ),
    )


class ReheatTable(Command):
    plan: SupperPlanned
    wine: WinePoured
    table: Table


class CountGuests(Command):
    served: tuple[TableServed, ...]


class GuestsCounted(Event):
    made_by: int
    guests: int


def _reheating(component: Make) -> Sequence:
    reheater = component("reheater", ReheatTable, TableServed)
    return Sequence(
        (
            component("host", PlanSupper, SupperPlanned),
            component("sommelier", PourWine, WinePoured),
            Choice(
                on="plan.day",
                cases={"quiet": Map((reheater,), over="plan.tables", only=("nobody",))},
                otherwise=Map((reheater,), over="plan.tables"),
            ),
        )
    )


def reheated(policy: Policy) -> Pipeline:
    """On a quiet day all tables are answered with what they had yesterday, so the wine is the last answer."""
    return Pipeline(name="reheated", deadline=3600, flow=_reheating(_components(policy)))


def counted(policy: Policy) -> Pipeline:
    """The same, and then a component that takes nothing but what was reused."""
    component = _components(policy)
    counter = component("counter", CountGuests, GuestsCounted)
    return Pipeline(name="counted", deadline=3600, flow=Sequence((*_reheating(component).steps, counter)))


class WashUp(Command):
    plan: SupperPlanned


class WashedUp(Event):
    made_by: int


def two_ends(policy: Policy) -> Pipeline:
    """Two last components, side by side, that are announced."""
    component = _components(policy)
    sommelier = component("sommelier", PourWine, WinePoured, announced=True)
    ends = Parallel((sommelier, component("scullion", WashUp, WashedUp, announced=True)))
    host = component("host", PlanSupper, SupperPlanned)
    return Pipeline(name="two-ends", deadline=3600, flow=Sequence((host, ends)))


class ServeSnack(Command):
    plan: SupperPlanned
    chopped: tuple[DishChopped, ...]


class SnackServed(Event):
    made_by: int
    keys: tuple[str, ...]


def snack(policy: Policy) -> Pipeline:
    """The shortest pipeline that has everything a message can meet: a plan, a Map and a join."""

    component = _components(policy)
    return Pipeline(
        name="snack",
        deadline=60,
        flow=Sequence(
            (
                component("host", PlanSupper, SupperPlanned),
                Map((component("chopper", ChopDish, DishChopped),), over="plan.dishes"),
                component("server", ServeSnack, SnackServed),
            )
        ),
    )


class TasteAll(Command):
    wine: WinePoured
    chopped: tuple[DishChopped, ...]


class AllTasted(Event):
    made_by: int
    keys: tuple[str, ...]


def tasting(policy: Policy) -> Pipeline:
    """Two components with a fallback, in a Map and outside, before a join."""
    component = _components(policy)
    return Pipeline(
        name="tasting",
        deadline=60,
        flow=Sequence(
            (
                component("host", PlanSupper, SupperPlanned),
                component("sommelier", PourWine, WinePoured, fallback=True),
                Map((component("chopper", ChopDish, DishChopped, fallback=True),), over="plan.dishes"),
                component("taster", TasteAll, AllTasted, announced=True),
            )
        ),
    )


STEPS = (
    f"host/{WHOLE}",
    *(f"{component}/{dish}" for dish in DISHES for component in ("chopper", "cook")),
    f"saucier/{WHOLE}",
    f"sommelier/{WHOLE}",
    *(f"waiter/{table}" for table in TABLES),
    f"cashier/{WHOLE}",
)
"""Local keys of every step of a run."""

OFTEN = 1000
"""Attempts no test comes near by disturbing a run."""

PATIENT = Policy(
    limits=(
        Limit(errors=names(TransientError, UnexpectedError, HandlerTimedOut, WorkerLost), attempts=OFTEN),
        Limit(errors=names(ResourcePending), attempts=OFTEN),
    )
)


HASTY = Policy(
    timeout=5,
    heartbeat=7,
    lease=3,
    limits=(
        Limit(errors=names(TransientError, UnexpectedError, HandlerTimedOut, WorkerLost), attempts=3, backoff_rate=1),
        Limit(errors=names(ResourcePending), attempts=4, backoff_rate=1),
    ),
)
"""For tests that wait for leases and retries in real time."""
