"""The version `callback`: what follows waits within its attempt."""

from contracts.amazon_forecast import CALLBACK
from contracts.dataset_group import CreateDatasetGroup, DatasetGroupCreated
from services.dataset_group.group import create
from services.runtime.context import Context


def handle(inputs: CreateDatasetGroup, ctx: Context) -> DatasetGroupCreated:
    """Waits until the group is there."""
    return create(ctx, CALLBACK)
