"""Runs that lost their way: an event that reaches nobody, and a LocalStack that forgets everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from chaos.faults import Fault
from chaos.fleet import PLACES
from chaos.stage import STYLES, Stage
from orchestrator.redrive import redrive_run, unfinished_runs
from tests.faults.looking import all_right

SERVER = "chaos-server"


def test_an_event_is_lost_by_a_subscription_that_is_not_there(stage: Stage) -> None:
    """Proves `Sweep.fail_overdue`: a run that stalls is failed after its deadline, with the steps that are missing."""
    with without_subscription(stage, SERVER):
        run_id = stage.start("choreographed")
        query = "SELECT FROM steps WHERE run_id = %(run_id)s AND state <> 'done'"
        stage.until("a run that lacks its last step", lambda: len(stage.rows(query, run_id=run_id)) == 1)
        stage.settled()
        stage.connection.execute("UPDATE runs SET deadline = now() WHERE run_id = %s", (run_id,))
        cause = f"the deadline has passed; missing: {SERVER}/- (waiting)"
        run = stage.ended(run_id)
        assert (run["status"], run["cause"]) == ("FAILED", cause)
    redrive_run(stage.aws, stage.connection, stage.deployment, run_id)
    all_right(stage, [run_id])


def test_localstack_loses_everything(stage: Stage) -> None:
    """Proves that what a run is lies in the database: deployed and redriven, each goes on where it was.

    Files are gone as well: what a run has already done is done again where its answer refers to them (`redrive_run`).
    """
    with stage.faults.closed_gate():
        stage.faults.plant(Fault("handling", "wait", "chaos-saucier"), times=len(STYLES))
        runs = [stage.start(style) for style in STYLES]
        stage.until("a sauce in each run", lambda: len(stage.faults.taken()) == len(STYLES))
        stage.fleet.kill(*PLACES)
    stage.lose_localstack()
    stage.deploy()
    stage.fleet.start(*stage.fleet.dead())
    assert set(unfinished_runs(stage.connection)) == set(runs)
    for run_id in runs:
        redrive_run(stage.aws, stage.connection, stage.deployment, run_id)
    all_right(stage, runs)
    assert unfinished_runs(stage.connection) == []


@contextmanager
def without_subscription(stage: Stage, component: str) -> Iterator[None]:
    """Its queue hears no event."""
    queue = stage.deployment.queue_url_of(component, "v1").rpartition("/")[2]
    sns = boto3.client("sns")
    listed = [one for page in sns.get_paginator("list_subscriptions").paginate() for one in page["Subscriptions"]]
    arns = [one["SubscriptionArn"] for one in listed if one["Endpoint"].endswith(f":{queue}")]
    assert arns
    were = [sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"] for arn in arns]
    for arn in arns:
        sns.unsubscribe(SubscriptionArn=arn)
    try:
        yield
    finally:
        for was in were:
            names = ("RawMessageDelivery", "FilterPolicy", "FilterPolicyScope")
            kept: Any = {name: was[name] for name in names if name in was}
            sns.subscribe(TopicArn=was["TopicArn"], Protocol=was["Protocol"], Endpoint=was["Endpoint"], Attributes=kept)
