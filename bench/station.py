"""The smallest components there can be: what is measured is the worker around them."""

from contracts.component import Component
from contracts.message import Command, Event, Item, Plan
from contracts.pipeline import Map, Pipeline, Sequence
from contracts.run import RunRequest
from services.runtime.context import Context

CONCURRENCY = 20
"""Of one worker: two receives' worth, so that one batch can be answered while the next is under way."""


class Order(Item):
    """A dish to cook."""


class TakeOrders(Command):
    request: RunRequest


class OrdersTaken(Plan):
    orders: tuple[Order, ...]


class OpenKitchen(Command):
    orders: OrdersTaken


class KitchenOpened(Event):
    stoves: int


class CookOrder(Command):
    kitchen: KitchenOpened
    order: Order


class OrderCooked(Event):
    minutes: float


class CloseKitchen(Command):
    cooked: tuple[OrderCooked, ...]


class KitchenClosed(Event):
    cooked: int


WAITER = Component(name="bench-waiter", squad="bench", input=TakeOrders, output=OrdersTaken)
OPENER = Component(name="bench-opener", squad="bench", input=OpenKitchen, output=KitchenOpened)
COOK = Component(name="bench-cook", squad="bench", input=CookOrder, output=OrderCooked, concurrency=CONCURRENCY)
CLOSER = Component(name="bench-closer", squad="bench", input=CloseKitchen, output=KitchenClosed)
STATELESS_COOK = COOK.model_copy(update={"stateless": True})

SERVICE = Pipeline(name="bench-service", flow=Sequence((WAITER, OPENER, Map((COOK,), over="plan.orders"), CLOSER)))
"""Only the cook is ever run. What it cooks is published, since the closer waits for it."""


def cook(inputs: CookOrder, ctx: Context) -> OrderCooked:
    return OrderCooked(minutes=float(inputs.kitchen.stoves))
