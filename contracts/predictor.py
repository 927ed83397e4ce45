"""predictor: an auto predictor, trained on what was imported."""

from contracts.amazon_forecast import POLICY
from contracts.component import AMAZON_FORECAST, Component
from contracts.configurator import RunPlanned
from contracts.dataset_group import DatasetGroupCreated
from contracts.message import Command, Event
from contracts.offers_import import OffersImported
from contracts.orders_import import OrdersImported


class TrainPredictor(Command):
    plan: RunPlanned
    group: DatasetGroupCreated
    orders: OrdersImported
    offers: OffersImported


class PredictorTrained(Event):
    predictor_arn: str


PREDICTOR = Component(
    name="predictor",
    squad="pickles",
    input=TrainPredictor,
    output=PredictorTrained,
    policy=POLICY,
    uses=(AMAZON_FORECAST,),
    concurrency=8,
    expected=60,
)
