"""volume-forecast: the predictor's forecast for one factory's regions."""

from contracts.amazon_forecast import POLICY
from contracts.component import AMAZON_FORECAST, Component
from contracts.configurator import Factory, RunPlanned
from contracts.dataset_group import DatasetGroupCreated
from contracts.message import Command, Event
from contracts.predictor import PredictorTrained


class ForecastFactoryVolume(Command):
    plan: RunPlanned
    factory: Factory
    group: DatasetGroupCreated
    predictor: PredictorTrained


class FactoryVolumeForecasted(Event):
    """None when the factory serves no region."""

    forecast_arn: str | None = None


VOLUME_FORECAST = Component(
    name="volume-forecast",
    squad="pickles",
    input=ForecastFactoryVolume,
    output=FactoryVolumeForecasted,
    policy=POLICY,
    uses=(AMAZON_FORECAST,),
    concurrency=8,
    expected=20,
)
