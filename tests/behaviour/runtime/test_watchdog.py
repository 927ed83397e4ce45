"""A run that stalls is found and failed, and what stalled it is said where people look."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest

from orchestrator.history import list_runs, read_history
from orchestrator.template import filter_policies
from tests.behaviour.cli.typed import typed
from tests.behaviour.runtime.floor import Floor

MISSING = "the deadline has passed; missing: server/- (waiting)"


@contextmanager
def deaf(floor: Floor, name: str) -> Iterator[None]:
    """The component's subscriptions ask for events that nobody gives."""
    sns, component = boto3.client("sns"), floor.component(name)
    policies = filter_policies(component, component.versions[0], (floor.pipeline,))

    def listen_to(giver: str, policy: object) -> None:
        topic = floor.deployment.topic_arn(floor.component(giver))
        found = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        (ours,) = (s["SubscriptionArn"] for s in found if s["Endpoint"].endswith(f"-{name}"))
        value = json.dumps(policy)
        sns.set_subscription_attributes(SubscriptionArn=ours, AttributeName="FilterPolicy", AttributeValue=value)

    assert policies
    for giver in policies:
        listen_to(giver, {"type": ["something-else.v1"]})
    yield
    for giver, policy in policies.items():
        listen_to(giver, policy)


async def test_a_subscription_that_takes_nothing_is_found_at_the_deadline(
    snack_bar: Floor, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every worker is there, and the last event reaches nobody."""
    with deaf(snack_bar, "server"):
        run_id = snack_bar.start("choreographed")
        async with snack_bar.working():
            await snack_bar.until(lambda: len(snack_bar.attempts(run_id, "chopper")) == 2)
            await snack_bar.settled()
            snack_bar.connection.execute("UPDATE runs SET deadline = now() WHERE run_id = %s", (run_id,))
            run = await snack_bar.ended(run_id)
    assert (run["status"], run["cause"]) == ("FAILED", MISSING)
    assert len([line for line in capsys.readouterr().out.splitlines() if '"RunsTimedOut":[1.0]' in line]) == 1
    assert read_history(snack_bar.connection, run_id).cause == MISSING
    assert list_runs(snack_bar.connection, 1)[0]["cause"] == MISSING
    variables = os.environ | {"DATABASE_URL": snack_bar.database_url, "BRIGADE_HOME": "/nowhere"}
    assert f"cause: {MISSING}" in typed("history", run_id, env=variables).stdout


async def test_a_worker_that_is_not_there_is_found_by_the_timeouts(snack_bar: Floor) -> None:
    """Step Functions gives the step up after its attempts; a worker that is there learns it and names the step."""
    run_id = snack_bar.start("orchestrated")
    async with snack_bar.working("host", "chopper") as (host, _):
        execution = await snack_bar.until(lambda: snack_bar.failed_execution(run_id), seconds=60)
        snack_bar.connection.execute("UPDATE runs SET started_at = now() - interval '1 minute', checked_at = NULL")
        assert host.sweep is not None
        await host.sweep.reconcile()
        run = await snack_bar.ended(run_id)
    assert execution["error"] == "States.Timeout"
    assert run["cause"] == "its execution is FAILED: States.Timeout: no answer in time; missing: server/- (waiting)"
    assert snack_bar.attempts(run_id, "server") == []
