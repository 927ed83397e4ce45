from pathlib import Path

import pytest

from contracts.amazon_forecast import CALLBACK, POLLING
from contracts.dataset_group import DATASET_GROUP, CreateDatasetGroup
from contracts.errors import ResourcePending
from services.runtime.handlers import find_handler
from services.runtime.resources import DatasetGroup, Resource, resource_name
from services.runtime.testing import AtOnce, local_context
from tests.support.plans import plan_of


@pytest.mark.parametrize("version", DATASET_GROUP.versions)
def test_each_version_says_how_its_run_waits(tmp_path: Path, version: str) -> None:
    forecasting = AtOnce()
    ctx = local_context(tmp_path, "dataset-group", forecasting=forecasting)
    answer = find_handler(DATASET_GROUP, version)(CreateDatasetGroup(plan=plan_of(ctx)), ctx)
    group = DatasetGroup(resource_name("brigade", ctx.run_id))
    assert forecasting.wanted == [(group, version)]
    assert (answer.waiting, answer.dataset_group_arn) == (version, forecasting.arn(group))


def test_versions_are_the_ways_to_wait() -> None:
    assert DATASET_GROUP.versions == (POLLING, CALLBACK)


def test_a_group_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    def pending(wanted: Resource) -> None:
        raise ResourcePending(wanted.label)

    ctx = local_context(tmp_path, "dataset-group", forecasting=AtOnce(pending))
    with pytest.raises(ResourcePending):
        find_handler(DATASET_GROUP, POLLING)(CreateDatasetGroup(plan=plan_of(ctx)), ctx)
