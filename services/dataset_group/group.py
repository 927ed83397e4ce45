"""A dataset group of the run's own."""

from contracts.amazon_forecast import Waiting
from contracts.dataset_group import DatasetGroupCreated
from services.runtime.context import Context
from services.runtime.resources import DatasetGroup, resource_name


def create(ctx: Context, waiting: Waiting) -> DatasetGroupCreated:
    name = resource_name("brigade", ctx.run_id)
    (arn,) = ctx.forecasting.ready([DatasetGroup(name)], waiting)
    return DatasetGroupCreated(dataset_group_arn=arn, waiting=waiting)
