"""The version `polling`: what follows looks once in each attempt."""

from contracts.amazon_forecast import POLLING
from contracts.dataset_group import CreateDatasetGroup, DatasetGroupCreated
from services.dataset_group.group import create
from services.runtime.context import Context


def handle(inputs: CreateDatasetGroup, ctx: Context) -> DatasetGroupCreated:
    """Raises ResourcePending until the group is there."""
    return create(ctx, POLLING)
