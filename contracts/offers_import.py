"""offers-import: prices and promotions, as Amazon Forecast's related series."""

from contracts.amazon_forecast import POLICY
from contracts.component import AMAZON_FORECAST, Component
from contracts.configurator import RunPlanned
from contracts.data_extractor import HistoryExtracted
from contracts.dataset_group import DatasetGroupCreated
from contracts.message import Command, Event


class ImportOffers(Command):
    plan: RunPlanned
    group: DatasetGroupCreated
    history: tuple[HistoryExtracted, ...]


class OffersImported(Event):
    """The dataset's items are regions: the mean price of a menu week's recipes and which part of them was promoted.

    None when the history has no prices: orders are then forecast from orders alone.
    """

    dataset_arn: str | None = None


OFFERS_IMPORT = Component(
    name="offers-import",
    squad="pickles",
    input=ImportOffers,
    output=OffersImported,
    policy=POLICY,
    uses=(AMAZON_FORECAST,),
    concurrency=8,
    expected=20,
)
