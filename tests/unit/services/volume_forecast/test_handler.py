from pathlib import Path

from contracts.amazon_forecast import POLLING
from contracts.configurator import Factory
from contracts.dataset_group import DatasetGroupCreated
from contracts.predictor import PredictorTrained
from contracts.volume_forecast import FactoryVolumeForecasted, ForecastFactoryVolume
from services.runtime.context import Context
from services.runtime.resources import Forecast
from services.runtime.testing import AtOnce, local_context
from services.volume_forecast.handler import handle
from tests.support.plans import plan_of


def forecast(ctx: Context, key: str, *regions: str) -> FactoryVolumeForecasted:
    inputs = ForecastFactoryVolume(
        plan=plan_of(ctx),
        factory=Factory(key=key, weekly_cap=1.0, regions=regions),
        group=DatasetGroupCreated(dataset_group_arn="arn:group", waiting=POLLING),
        predictor=PredictorTrained(predictor_arn="arn:predictor"),
    )
    return handle(inputs, ctx)


def test_only_the_factorys_regions_are_forecast(tmp_path: Path) -> None:
    forecasting = AtOnce()
    ctx = local_context(tmp_path, "volume-forecast", "A", forecasting=forecasting)
    answer = forecast(ctx, "A", "east", "a, b")
    ((wanted, _),) = forecasting.wanted
    assert isinstance(wanted, Forecast)
    assert (wanted.predictor, answer.forecast_arn) == ("arn:predictor", forecasting.arn(wanted))
    assert Path(wanted.items().removeprefix("file://")).read_text(encoding="utf-8") == 'east\n"a, b"\n'


def test_each_factorys_has_a_name_of_its_own(tmp_path: Path) -> None:
    forecasting = AtOnce()
    ctx = local_context(tmp_path, "volume-forecast", "A", forecasting=forecasting)
    assert forecast(ctx, "A", "east") != forecast(ctx, "a", "east")
    assert forecast(ctx, "A", "east") == forecast(ctx, "A", "east")


def test_a_factory_without_regions_has_no_forecast(tmp_path: Path) -> None:
    forecasting = AtOnce()
    ctx = local_context(tmp_path, "volume-forecast", "A", forecasting=forecasting)
    assert forecast(ctx, "A").forecast_arn is None
    assert forecasting.wanted == []
