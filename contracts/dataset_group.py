"""dataset-group: what a run has Amazon Forecast's API make belongs to one group."""

from contracts.amazon_forecast import CALLBACK, POLICY, POLLING, Waiting
from contracts.component import AMAZON_FORECAST, Component
from contracts.configurator import RunPlanned
from contracts.message import Command, Event


class CreateDatasetGroup(Command):
    plan: RunPlanned


class DatasetGroupCreated(Event):
    """`waiting` says how the steps of this run wait for what they have made.

    With `polling` each raises ResourcePending until it is there, and is tried again; with `callback` its worker waits within
    one attempt, with heartbeats.
    """

    dataset_group_arn: str
    waiting: Waiting


DATASET_GROUP = Component(
    name="dataset-group",
    squad="pickles",
    input=CreateDatasetGroup,
    output=DatasetGroupCreated,
    policy=POLICY,
    uses=(AMAZON_FORECAST,),
    versions=(POLLING, CALLBACK),
    concurrency=8,
    expected=10,
)
