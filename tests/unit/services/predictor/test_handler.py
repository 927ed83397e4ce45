from pathlib import Path

import pytest

from contracts.amazon_forecast import POLLING
from contracts.dataset_group import DatasetGroupCreated
from contracts.errors import BadData
from contracts.offers_import import OffersImported
from contracts.orders_import import OrdersImported
from contracts.predictor import TrainPredictor
from services.predictor.handler import handle
from services.runtime.resources import Predictor
from services.runtime.testing import AtOnce, local_context
from tests.support.plans import plan_of


def trained(folder: Path, offers: str | None, ahead: tuple[int, ...]) -> Predictor:
    forecasting = AtOnce()
    ctx = local_context(folder, "predictor", forecasting=forecasting)
    inputs = TrainPredictor(
        plan=plan_of(ctx, ahead=ahead),
        group=DatasetGroupCreated(dataset_group_arn="arn:group", waiting=POLLING),
        orders=OrdersImported(dataset_arn="arn:orders"),
        offers=OffersImported(dataset_arn=offers),
    )
    answer = handle(inputs, ctx)
    ((predictor, waiting),) = forecasting.wanted
    assert waiting == POLLING
    assert isinstance(predictor, Predictor)
    assert answer.predictor_arn == forecasting.arn(predictor)
    return predictor


def test_it_sees_as_far_as_the_plans_last_week(tmp_path: Path) -> None:
    predictor = trained(tmp_path, "arn:offers", ahead=(4, 2, 3))
    assert (predictor.group, predictor.datasets) == ("arn:group", ("arn:orders", "arn:offers"))
    assert predictor.horizon == 4


def test_without_offers_it_knows_orders_alone(tmp_path: Path) -> None:
    assert trained(tmp_path, None, ahead=(1,)).datasets == ("arn:orders",)


def test_a_plan_that_is_over_is_bad_data(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="plan a later date"):
        trained(tmp_path, None, ahead=(0, 1))
