"""Small components to build pipelines from: what they compute is not asked here, only what they take and give."""

from typing import Literal

from contracts.component import Component
from contracts.message import Command, Event, Item, Plan
from contracts.pipeline import Flow, Pipeline, Sequence
from contracts.run import RunRequest


class Table(Item):
    seats: int = 2


class Room(Item):
    pass


class TakeBooking(Command):
    request: RunRequest


class Booked(Plan):
    tables: tuple[Table, ...]
    rooms: tuple[Room, ...] = ()
    evening: Literal["friday", "saturday"] = "friday"
    weather: str = "fine"


class ChopHerbs(Command):
    plan: Booked


class HerbsChopped(Event):
    grams: int = 0


class LayTable(Command):
    plan: Booked
    table: Table


class TableLaid(Event):
    table: str = ""


class ServeTable(Command):
    table: Table
    laid: TableLaid


class TableServed(Event):
    table: str = ""


class CloseKitchen(Command):
    plan: Booked
    served: tuple[TableServed, ...]


class KitchenClosed(Event):
    pass


def component(name: str, takes: type[Command], gives: type[Event], versions: tuple[str, ...] = ("v1",)) -> Component:
    return Component(name=name, squad="test", input=takes, output=gives, versions=versions)


HOST = component("host", TakeBooking, Booked)
HERBS = component("herbs", ChopHerbs, HerbsChopped)
LAYER = component("layer", LayTable, TableLaid)
WAITER = component("waiter", ServeTable, TableServed)
CLOSER = component("closer", CloseKitchen, KitchenClosed)


def pipeline(*steps: Flow) -> Pipeline:
    return Pipeline(name="supper", flow=Sequence(steps))
