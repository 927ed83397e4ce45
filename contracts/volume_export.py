"""volume-export: every factory's forecast as one table of boxes, published."""

from datetime import date

from contracts.amazon_forecast import POLICY
from contracts.component import AMAZON_FORECAST, Component
from contracts.configurator import RunPlanned
from contracts.dataset_group import DatasetGroupCreated
from contracts.message import Command, DatasetRef, Event
from contracts.volume_forecast import FactoryVolumeForecasted


class ExportVolume(Command):
    """`forecasts` are in the order of the plan's factories."""

    plan: RunPlanned
    group: DatasetGroupCreated
    forecasts: tuple[FactoryVolumeForecasted, ...]


class OrderVolumePublished(Event):
    """The table that order-volume gives, whose place the whole of this pipeline can take; its `method` is `amazon-forecast`.

    `sha256` is of the canonical content, the CSV file at `csv_uri`, in which the boxes of a region stand in a row for each
    week, of the kind `boxes`.
    """

    volume: DatasetRef
    date: date
    sha256: str
    rows: int
    uri: str
    csv_uri: str


VOLUME_EXPORT = Component(
    name="volume-export",
    squad="pickles",
    input=ExportVolume,
    output=OrderVolumePublished,
    policy=POLICY,
    uses=(AMAZON_FORECAST,),
    concurrency=8,
    expected=20,
    announced=True,
)
