"""orders-import: what was ordered, as Amazon Forecast's target series."""

from contracts.amazon_forecast import POLICY
from contracts.component import AMAZON_FORECAST, Component
from contracts.configurator import RunPlanned
from contracts.data_extractor import HistoryExtracted
from contracts.dataset_group import DatasetGroupCreated
from contracts.message import Command, Event


class ImportOrders(Command):
    plan: RunPlanned
    group: DatasetGroupCreated
    history: tuple[HistoryExtracted, ...]


class OrdersImported(Event):
    """The dataset's items are regions, its demand is boxes a menu week, dated by its Saturday."""

    dataset_arn: str


ORDERS_IMPORT = Component(
    name="orders-import",
    squad="pickles",
    input=ImportOrders,
    output=OrdersImported,
    policy=POLICY,
    uses=(AMAZON_FORECAST,),
    concurrency=8,
    expected=20,
)
