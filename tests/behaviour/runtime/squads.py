"""The squads' functions of the tests' pipelines."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from contracts.message import EarlierResult, Event
from services.runtime.context import Context
from tests.behaviour.runtime.supper import (
    DISHES,
    TABLES,
    AllTasted,
    CloseSupper,
    Dish,
    DishChopped,
    DishCooked,
    GuestsCounted,
    PlanSupper,
    SauceMade,
    ServeSnack,
    SnackServed,
    SupperClosed,
    SupperPlanned,
    Table,
    TableServed,
    WashedUp,
    WinePoured,
)

TODAY = date(2026, 11, 25)
YESTERDAY = date(2026, 11, 24)

BILLS = "CREATE TABLE IF NOT EXISTS bills (run_id text, guest text)"
"""No key on purpose: a row that is written twice is there twice."""


Handle = Callable[[Any, Context], Event]


def serve_snack(inputs: ServeSnack, ctx: Context) -> Event:
    return SnackServed(made_by=ctx.attempt, keys=tuple(chopped.key for chopped in inputs.chopped))


@dataclass(frozen=True)
class Orders:
    """What the host plans: on a quiet day table b is answered with what it was served yesterday."""

    day: str = "busy"
    dishes: tuple[str, ...] = DISHES


def handlers(orders: Orders) -> dict[str, Handle]:
    """The squads' functions, by component."""

    def host(inputs: PlanSupper, ctx: Context) -> Event:
        leftovers = TableServed(made_by=0, guests=("leftover",))
        last = EarlierResult(run_id="earlier", date=YESTERDAY, output=leftovers.model_dump(mode="json"))
        return SupperPlanned(
            made_by=ctx.attempt,
            day=orders.day,
            dishes=tuple(Dish(key=key, minutes=len(key)) for key in orders.dishes),
            tables=tuple(Table(key=key, guests=(f"{key}1", f"{key}2"), last=last) for key in TABLES),
        )

    return {
        "host": host,
        "chopper": lambda inputs, ctx: DishChopped(made_by=ctx.attempt, key=inputs.dish.key),
        "cook": lambda inputs, ctx: DishCooked(made_by=ctx.attempt, key=inputs.chopped.key, version=ctx.version),
        "saucier": lambda inputs, ctx: SauceMade(made_by=ctx.attempt, dishes=tuple(d.key for d in inputs.cooked)),
        "sommelier": lambda inputs, ctx: WinePoured(made_by=ctx.attempt),
        "waiter": lambda inputs, ctx: TableServed(made_by=ctx.attempt, guests=inputs.table.guests),
        "cashier": close,
        "server": serve_snack,
        "reheater": lambda inputs, ctx: TableServed(made_by=ctx.attempt, guests=inputs.table.guests),
        "counter": lambda inputs, ctx: GuestsCounted(
            made_by=ctx.attempt, guests=sum(len(table.guests) for table in inputs.served)
        ),
        "taster": lambda inputs, ctx: AllTasted(
            made_by=ctx.attempt, keys=tuple(chopped.key for chopped in inputs.chopped)
        ),
        "scullion": lambda inputs, ctx: WashedUp(made_by=ctx.attempt),
    }


def fallbacks() -> dict[str, Handle]:
    """What they give when their handlers cannot."""
    return {
        "sommelier": lambda inputs, ctx: WinePoured(made_by=0, degraded=ctx.replaced("water")),
        "chopper": lambda inputs, ctx: DishChopped(
            made_by=0, key=f"frozen {ctx.item}", degraded=ctx.replaced("the frozen one")
        ),
    }


def close(inputs: CloseSupper, ctx: Context) -> Event:
    guests = tuple(guest for table in inputs.served for guest in table.guests)
    ctx.with_answer("INSERT INTO bills (run_id, guest) VALUES (%s, %s)", [(ctx.run_id, guest) for guest in guests])
    return SupperClosed(made_by=ctx.attempt, guests=guests)


def guests_of(orders: Orders) -> list[str]:
    return ["a1", "a2", "leftover"] if orders.day == "quiet" else ["a1", "a2", "b1", "b2"]
