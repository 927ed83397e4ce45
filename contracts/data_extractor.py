"""data-extractor: load order history from the database, batch by batch, in parallel."""

from contracts.component import Component
from contracts.configurator import Batch, RunPlanned
from contracts.message import Command, DatasetRef, Event


class ExtractHistory(Command):
    plan: RunPlanned
    batch: Batch


class HistoryExtracted(Event):
    """The weekly orders of one batch of centres, sorted by week, centre and recipe.

    Columns: week (date32, the Saturday), centre, region, factory, recipe (strings), orders (float64), price and base_price
    (float64, null when unknown), emailer and homepage (bool, null when unknown).
    """

    history: DatasetRef


DATA_EXTRACTOR = Component(
    name="data-extractor",
    squad="larder",
    input=ExtractHistory,
    output=HistoryExtracted,
    concurrency=8,
)
