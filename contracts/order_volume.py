"""order-volume: how many boxes, when?"""

from contracts.component import Capacity, Component, Nested, Policy
from contracts.configurator import RunPlanned
from contracts.data_extractor import HistoryExtracted
from contracts.message import Command, DatasetRef, Event


class ForecastOrderVolume(Command):
    plan: RunPlanned
    history: tuple[HistoryExtracted, ...]


class OrderVolumeForecasted(Event):
    """Boxes per menu week and region, sorted by week and region.

    Columns: week (date32), region, factory (strings), mean, p10, p50, p90 (float64, boxes a week), method (string: the
    model, "short", "intermittent" or "ended" for a region that allows none, "fallback" where a model failed).
    """

    volume: DatasetRef


ORDER_VOLUME = Component(
    name="order-volume",
    squad="pickles",
    input=ForecastOrderVolume,
    output=OrderVolumeForecasted,
    policy=Policy(timeout=900),
    versions=("direct", "nested"),  # by the models of this project, in the worker; through Amazon Forecast's API
    nested=(Nested(version="nested", pipeline="order-volume"),),
    fallback=True,
    capacity=Capacity(cpus=1, memory=2048, interruptible=False),  # fitting takes longer than a notice
)
