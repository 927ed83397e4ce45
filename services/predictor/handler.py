"""An auto predictor of the orders and, where there are any, the offers that were imported."""

from contracts.predictor import PredictorTrained, TrainPredictor
from services.models.volume import steps_ahead
from services.runtime.context import Context
from services.runtime.resources import Predictor, resource_name


def handle(inputs: TrainPredictor, ctx: Context) -> PredictorTrained:
    """Raises BadData when a plan week does not come after the history, ResourcePending until the training is done."""
    datasets = filter(None, (inputs.orders.dataset_arn, inputs.offers.dataset_arn))
    horizon = max([steps_ahead(week.starts, inputs.plan.history.last_week) for week in inputs.plan.weeks])
    name = resource_name("volume", ctx.run_id)
    predictor = Predictor(name, inputs.group.dataset_group_arn, tuple(datasets), horizon)
    (arn,) = ctx.forecasting.ready([predictor], inputs.group.waiting)
    return PredictorTrained(predictor_arn=arn)
