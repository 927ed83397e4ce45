"""`deploy`: valid, repeatable, and harmless to runs under way."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import boto3
import psycopg
import pytest
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from contracts.component import Component, Policy
from contracts.errors import BadRequest
from contracts.pipeline import Flow, Pipeline, Sequence
from contracts.pipelines import ORDER_SIMULATION, ORDER_VOLUME_PIPELINE, PIPELINES
from orchestrator import asl
from orchestrator.aws import Aws
from orchestrator.database import Connection, connect, fetch_all, make_tables
from orchestrator.deploy import Deployment, deploy, find_deployment
from tests.behaviour.pipeline.conftest import PREFIX, WEDNESDAY, Fleet, Story
from tests.unit.contracts.kitchen import CLOSER, HERBS, HOST, pipeline
from tests.unit.orchestrator.test_asl import BY_EVENING, SHAPES, TASTER

UNFLAGGED_TASTER = TASTER.model_copy(update={"versions": ("v1",)})


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        yield connection


def definition_of(built: Pipeline) -> str:
    text = json.dumps(asl.render(built))
    for component in built.components:
        for version in component.versions:
            text = text.replace("${" + asl.queue_placeholder(component.name, version) + "}", "https://sqs/queue")
    return text


@pytest.mark.parametrize("built", [*PIPELINES, *(pipeline(*steps) for steps in SHAPES.values())])
def test_step_functions_accepts_every_state_machine(aws: str, built: Pipeline) -> None:
    answer = Aws().stepfunctions.validate_state_machine_definition(definition=definition_of(built))
    assert (answer["result"], answer["diagnostics"]) == ("OK", [])


def test_step_functions_refuses_one_that_is_wrong(aws: str) -> None:
    wrong = definition_of(ORDER_SIMULATION).replace('"StartAt"', '"BeginAt"')
    answer = Aws().stepfunctions.validate_state_machine_definition(definition=wrong)
    assert answer["result"] == "FAIL"
    assert answer["diagnostics"]


def attributes_of(aws: Aws, url: str) -> dict[str, str]:
    found = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return {str(name): value for name, value in found.items()}


def routing(connection: Connection) -> set[str]:
    return {row["digest"] for row in fetch_all(connection, "SELECT digest FROM graphs")}


def filters(queue: str) -> dict[str, Any]:
    """The filter policies of a queue's subscriptions, by topic."""
    sns = boto3.client("sns")
    pages = sns.get_paginator("list_subscriptions").paginate()
    found = [s for page in pages for s in page["Subscriptions"] if s["Endpoint"].endswith(f":{queue}")]
    attributes = [sns.get_subscription_attributes(SubscriptionArn=s["SubscriptionArn"])["Attributes"] for s in found]
    return {a["TopicArn"].rpartition(":")[2]: json.loads(a["FilterPolicy"]) for a in attributes}


def test_a_deployment_repeats(aws: str, connection: Connection) -> None:
    clients, supper = Aws(), pipeline(HOST, HERBS, BY_EVENING, CLOSER)
    first = deploy(clients, connection, (supper,), "supper")
    events = clients.cloudformation.describe_stack_events(StackName="supper")["StackEvents"]
    assert deploy(clients, connection, (supper,), "supper") == first == find_deployment(clients, "supper")
    assert clients.cloudformation.describe_stack_events(StackName="supper")["StackEvents"] == events
    assert routing(connection) == {supper.graph.digest}


def test_a_deployment_follows_the_pipeline(aws: str, connection: Connection) -> None:
    """LocalStack alone leaves a queue's attributes as they were; workers name their lease with every receive."""
    clients = Aws()
    herbs = HERBS.model_copy(update={"policy": Policy(timeout=60, heartbeat=30, lease=7)})
    before = pipeline(HOST, herbs, UNFLAGGED_TASTER)
    first = deploy(clients, connection, (before,), "supper")
    assert attributes_of(clients, first.queue_url(herbs, "v1"))["VisibilityTimeout"] == "7"
    taken = {"supper-host-events": {"type": ["booked.v1"]}, "supper-herbs-events": {"type": ["herbs-chopped.v1"]}}
    assert filters("supper-taster") == taken

    slower = HERBS.model_copy(update={"policy": Policy(timeout=600, heartbeat=90), "versions": ("v1", "v2")})
    after = pipeline(HOST, slower, UNFLAGGED_TASTER, BY_EVENING, CLOSER)
    changed = deploy(clients, connection, (after,), "supper")
    assert changed.outputs.items() > first.outputs.items()
    for queue, version in (("supper-herbs", "v1"), ("supper-herbs-v2", "v2")):
        policy = {"type": ["booked.v1"], "versions": [f"herbs={version}"]}
        assert filters(queue) == {"supper-host-events": policy}
    machine = clients.stepfunctions.describe_state_machine(stateMachineArn=changed.state_machine_arn(after.name))
    state = json.loads(machine["definition"])["States"]["herbs v2"]
    assert (state["TimeoutSeconds"], state["HeartbeatSeconds"]) == (690, 90)
    assert state["Parameters"]["QueueUrl"] == changed.queue_url(slower, "v2")
    assert routing(connection) == {before.graph.digest, after.graph.digest}


def test_queues_have_their_dead_letter_queues(fleet: Fleet) -> None:
    for component in ORDER_SIMULATION.components:
        for version in component.versions:
            attributes = attributes_of(fleet.aws, fleet.deployment.queue_url(component, version))
            dead = attributes_of(fleet.aws, fleet.deployment.dead_letter_url(component, version))
            assert json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"] == dead["QueueArn"]


def test_nothing_is_deployed_under_another_prefix(fleet: Fleet) -> None:
    with pytest.raises(BadRequest, match="nothing is deployed under the prefix 'cellar': run `brigade deploy` first"):
        find_deployment(fleet.aws, "cellar")


@pytest.mark.parametrize("prefix", ["Not A Prefix", "", "9lives", "x" * 32])
def test_a_prefix_that_is_none_is_refused(aws: str, connection: Connection, prefix: str) -> None:
    with pytest.raises(BadRequest, match=f"'{prefix}' is no prefix: BRIGADE_PREFIX takes"):
        deploy(Aws(), connection, (pipeline(HOST, HERBS),), prefix)


def test_tables_are_made_beside_open_transactions(connection: Connection, database_url: str) -> None:
    """A worker's commit holds its rows, and would wait for whoever locks the tables."""
    make_tables(connection)
    with psycopg.connect(database_url) as worker:
        for table in ("runs", "steps", "attempts", "orders", "publications"):
            worker.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE".encode())
        connection.execute("SET lock_timeout = '1s'")
        make_tables(connection)


def test_tables_that_are_missing_are_made(connection: Connection) -> None:
    make_tables(connection)
    connection.execute("DROP INDEX steps_ready")
    connection.execute("DROP TABLE workers")
    make_tables(connection)
    query = "SELECT to_regclass('steps_ready') IS NOT NULL AND to_regclass('workers') IS NOT NULL AS there"
    assert fetch_all(connection, query) == [{"there": True}]


def test_a_column_that_came_later_is_added(connection: Connection) -> None:
    make_tables(connection)
    connection.execute("ALTER TABLE steps DROP COLUMN mode")
    make_tables(connection)
    assert fetch_all(connection, "SELECT mode FROM steps") == []


@contextmanager
def orders_out_of_reach(fleet: Fleet) -> Iterator[None]:
    """Extraction waits for as long as this lasts."""
    with psycopg.connect(fleet.database_url) as keeper:
        keeper.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        yield


@retry(retry=retry_if_result(lambda found: not found), wait=wait_fixed(0.1), stop=stop_after_delay(30))
def until(condition: Callable[[], bool]) -> bool:
    return condition()


def extracting(fleet: Fleet) -> int:
    """How many runs have a worker at their first batch."""
    query = """
        SELECT count(DISTINCT run_id) AS runs FROM steps JOIN runs USING (run_id)
        WHERE component = 'data-extractor' AND state = 'claimed' AND status = 'RUNNING'
    """
    return int(fetch_all(fleet.connection, query)[0]["runs"])


def slower(component: Component) -> Component:
    policy = component.policy.model_copy(update={"timeout": component.policy.timeout + 1, "lease": 29})
    return component.model_copy(update={"policy": policy})


def changed(flow: Flow) -> Flow:
    return slower(flow) if isinstance(flow, Component) else flow


def deploy_changed(fleet: Fleet) -> Deployment:
    """The pipeline with other policies: queues, state machine and routing differ."""
    steps = tuple(changed(step) for step in ORDER_SIMULATION.flow.steps)
    other = Pipeline(name=ORDER_SIMULATION.name, flow=Sequence(steps))
    assert other.graph.digest != ORDER_SIMULATION.graph.digest
    return deploy(fleet.aws, fleet.connection, (other, ORDER_VOLUME_PIPELINE), PREFIX)


def test_two_runs_at_once_and_a_deploy_in_the_middle_of_both(fleet: Fleet, story: Story) -> None:
    with ThreadPoolExecutor(2) as pool:
        with orders_out_of_reach(fleet):
            runs = [pool.submit(fleet.run, style, WEDNESDAY) for style in story.wednesday]
            until(lambda: extracting(fleet) == 2)
            began = time.monotonic()
            assert deploy_changed(fleet) == fleet.deployment
            took = time.monotonic() - began
            assert extracting(fleet) == 2
        outcomes = [run.result() for run in runs]
    deploy(fleet.aws, fleet.connection, PIPELINES, PREFIX)
    for outcome in outcomes:
        assert outcome.status == "SUCCEEDED", outcome.cause
        assert outcome.published
        expected = story.wednesday[outcome.style].published
        assert expected
        assert outcome.published.sha256 == expected.sha256
        assert not outcome.alone
        assert outcome.seconds > took
        assert {step.attempt for step in fleet.history(outcome).steps} == {1}
    query = "SELECT DISTINCT graph FROM runs"
    assert [row["graph"] for row in fetch_all(fleet.connection, query)] == [ORDER_SIMULATION.graph.digest]
