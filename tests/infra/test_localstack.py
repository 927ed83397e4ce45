"""The messaging template is deployed to LocalStack as it is, and a pipeline runs on it, as docs/deployment.md has it on AWS.

Commands and workers are those of the compute template, with its variables: they find what messaging has made under the names
that it says. What LocalStack leaves out of the template is in tests/infra/localstack.py. Not tried here, since it is not in
LocalStack without a licence: the services, tasks, database, scaling and alarms of the compute stack. Schedules stand there,
too, and EventBridge Scheduler does not fire on LocalStack; what they start is tried by tests/behaviour/service. LocalStack
enforces no policy, so plain HTTP is let through: who may do what is worked out by test_permissions.py and test_messaging.py.
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from contracts.pipelines import ORDER_SIMULATION, PIPELINES, all_components, component_named
from contracts.pipelines import workers as workers_of
from orchestrator import template
from orchestrator.aws import Aws
from orchestrator.database import Connection, connect, fetch_all
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import ONE_THREAD, start_process, stop_processes, wait_until_ready
from orchestrator.embedded.stack import Endpoints
from orchestrator.fleet import reports
from orchestrator.measure import IDLE
from orchestrator.start import STYLES
from tests.behaviour.cli.typed import typed
from tests.behaviour.pipeline.conftest import LAST_FRIDAY, SEED, WEDNESDAY, WEEKS, database_of_our_own
from tests.infra import localstack
from tests.infra.localstack import PREFIX, Messaging
from tests.infra.policies import identity_statements, listed
from tests.infra.templates import ACCOUNT, REGION, Template, container_of, variables
from tests.support.stack import temporary_home

Json = dict[str, Any]


@dataclass(frozen=True)
class Account:
    """The one that tests/infra/templates.py fills in, on LocalStack; and a database beside it."""

    place: dict[str, str]
    """The variables that point there, for who has no others."""
    home: Home
    connection: Connection


@pytest.fixture(scope="module")
def account(stack: Endpoints) -> Iterator[Account]:
    """This process's environment names it, too, for as long as it lasts."""
    with database_of_our_own(stack) as url, temporary_home() as home, pytest.MonkeyPatch.context() as patch:
        home.create()
        given = {"DATABASE_URL": url, "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
        place = stack.environment() | given | {"BRIGADE_HOME": str(home.path)}
        patch.setattr(boto3, "DEFAULT_SESSION", None)  # it would remember the account of an earlier test
        for name, value in place.items():
            patch.setenv(name, value)
        with connect(url) as connection:
            yield Account(place, home, connection)


@pytest.fixture(scope="module")
def deployed(account: Account, messaging: Template) -> Messaging:
    """As CloudFormation made it."""
    return localstack.deploy(messaging, Aws(), account.place["AWS_ENDPOINT_URL"])


@pytest.fixture(scope="module")
def published(deployed: Messaging) -> dict[str, str]:
    """The versions of state machines, by pipeline, when what LocalStack leaves out is there as well."""
    return localstack.complete(deployed)


def of_task(compute: Template, family: str, account: Account) -> dict[str, str]:
    """The variables of a task, with LocalStack and our database for AWS and for RDS, and what the image sets."""
    given = variables(container_of(compute, f"{PREFIX}-{family}"))
    for name in [name for name in given if name.startswith("PG")]:
        del given[name]
    given.pop("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", None)
    return {"PATH": os.environ["PATH"], "HOME": str(account.home.path), **ONE_THREAD, **given, **account.place}


def command(compute: Template, family: str, account: Account, *arguments: str) -> Json:
    """`brigade ... --json`, run as a task of this definition is."""
    done = typed(*arguments, "--json", env=of_task(compute, family, account))
    assert done.returncode == 0, done.stderr
    answer: Json = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def routed(compute: Template, account: Account, published: dict[str, str]) -> Json:
    """What the task `deploy` says when it has run on the stack."""
    return command(compute, "deploy", account, *container_of(compute, f"{PREFIX}-deploy")["Command"])


@pytest.fixture(scope="module")
def workers(compute: Template, account: Account, routed: Json) -> Iterator[None]:
    """Of every component and version of the pipeline."""
    started = []
    for component, version in workers_of((ORDER_SIMULATION,)):
        name = template.queue_name(component, version)
        container = container_of(compute, f"{PREFIX}-{name}")
        argv = [sys.executable, "-m", "services.runtime", *container["Command"]]
        # They stop sooner so: ECS waits as long as the template says, nobody here does.
        environment = of_task(compute, name, account) | {"BRIGADE_POLL_SECONDS": "2"}
        started.append(start_process(account.home, name, argv, environment))
    for record in started:
        wait_until_ready(record, reports(account.connection, record.pid))
    yield
    stop_processes(started)


@pytest.fixture(scope="module")
def runs(compute: Template, account: Account, workers: None) -> dict[str, Json]:
    """One of each style, by the commands of docs/deployment.md."""
    command(
        compute,
        "orchestrator",
        account,
        "sample",
        "--weeks",
        f"{WEEKS}",
        "--seed",
        f"{SEED}",
        "--ending",
        f"{LAST_FRIDAY}",
    )
    started = ("run", ORDER_SIMULATION.name, "--date", f"{WEDNESDAY}", "--style")
    return {style: command(compute, "orchestrator", account, *started, style) for style in STYLES}


def test_localstack_takes_the_template_as_it_is(deployed: Messaging) -> None:
    assert deployed.described["StackStatus"] == "CREATE_COMPLETE"
    assert deployed.made.keys() == deployed.template.resources.keys()
    assert deployed.missing == localstack.LACKS.keys()


def test_its_outputs_are_what_the_templates_say(deployed: Messaging) -> None:
    """Names and ARNs are worked out by the tests of this folder as CloudFormation does."""
    outputs = deployed.template.body["Outputs"]
    assert outputs.keys() == deployed.outputs.keys()
    for name, output in outputs.items():
        if name.startswith("Queue"):
            queue = deployed.template.of("AWS::SQS::Queue")[output["Value"]["Ref"]]
            assert deployed.outputs[name].endswith(f"/{ACCOUNT}/{deployed.template.plain(queue['QueueName'])}")
        else:
            assert deployed.outputs[name] == deployed.template.plain(output["Value"])


def test_what_production_adds_is_there(deployed: Messaging) -> None:
    """Of one of each kind: the template says the same of all."""
    outputs, clients = deployed.outputs, deployed.clients
    queue = clients.sqs.get_queue_attributes(QueueUrl=outputs["QueuePublisherV1"], AttributeNames=["All"])["Attributes"]
    topic = boto3.client("sns").get_topic_attributes(TopicArn=outputs["TopicPublisher"])["Attributes"]
    assert queue["SqsManagedSseEnabled"] == "true"
    assert topic["KmsMasterKeyId"] == "alias/aws/sns"
    (rule,) = clients.s3.get_bucket_encryption(Bucket=outputs["Bucket"])["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    for policy in (queue["Policy"], topic["Policy"], clients.s3.get_bucket_policy(Bucket=outputs["Bucket"])["Policy"]):
        denied = [statement for statement in json.loads(policy)["Statement"] if statement["Effect"] == "Deny"]
        assert [statement["Condition"] for statement in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
    machine = clients.stepfunctions.describe_state_machine(stateMachineArn=outputs["StateMachineOrderSimulation"])
    assert machine["loggingConfiguration"]["level"] == "ALL"
    assert machine["loggingConfiguration"]["includeExecutionData"] is False


def test_others_find_things_by_parameters(deployed: Messaging, published: dict[str, str]) -> None:
    ssm = boto3.client("ssm")
    named = {
        properties["Name"]: ssm.get_parameter(Name=properties["Name"])["Parameter"]["Value"]
        for properties in deployed.template.of("AWS::SSM::Parameter").values()
    }
    assert named[f"/{PREFIX}/bucket"] == deployed.outputs["Bucket"]
    for component in all_components():
        topic = deployed.outputs[template.topic_placeholder(component.name)]
        assert named[f"/{PREFIX}/topics/{component.name}"] == topic
    for pipeline in PIPELINES:
        alias = named[f"/{PREFIX}/state-machines/{pipeline.name}"]
        found = deployed.clients.stepfunctions.describe_state_machine_alias(stateMachineAliasArn=alias)
        assert [each["stateMachineVersionArn"] for each in found["routingConfiguration"]] == [published[pipeline.name]]


def test_deploy_leaves_the_stack_alone_and_routes_to_the_version_that_is_live(
    deployed: Messaging, published: dict[str, str], account: Account, routed: Json
) -> None:
    assert routed["outputs"] == deployed.outputs
    events = deployed.clients.cloudformation.describe_stack_events(StackName=PREFIX)["StackEvents"]
    assert {event["ResourceStatus"] for event in events} == {"CREATE_IN_PROGRESS", "CREATE_COMPLETE"}
    rows = fetch_all(account.connection, "SELECT graph, version FROM state_machines")
    assert {row["graph"]: row["version"] for row in rows} == {
        pipeline.graph.digest: published[pipeline.name] for pipeline in PIPELINES
    }


@pytest.mark.parametrize("style", STYLES)
def test_a_pipeline_runs_on_it(runs: dict[str, Json], deployed: Messaging, style: str) -> None:
    run = runs[style]
    assert (run["status"], run["cause"], run["degraded"]) == ("SUCCEEDED", None, [])
    assert run["published"]["uri"].startswith(f"s3://{deployed.outputs['Bucket']}/publisher/{run['run_id']}/")
    assert (run["state_transitions"] > 0) == (style == "orchestrated")


def test_both_styles_publish_the_same_on_it(runs: dict[str, Json]) -> None:
    assert len({run["published"]["sha256"] for run in runs.values()}) == 1
    assert len({run["run_id"] for run in runs.values()}) == len(STYLES)


def test_nothing_was_given_up(runs: dict[str, Json], deployed: Messaging) -> None:
    for name, url in deployed.outputs.items():
        if name.endswith("DeadLetters"):
            found = deployed.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            assert found["ApproximateNumberOfMessages"] == "0", name


def test_executions_are_logged(runs: dict[str, Json], deployed: Messaging) -> None:
    execution = f":{runs['orchestrated']['run_id']}-1"
    name = f"{template.state_machine_name(ORDER_SIMULATION.name)}Logs"
    groups = deployed.template.of("AWS::Logs::LogGroup")
    (group,) = (properties["LogGroupName"] for logical, properties in groups.items() if logical.startswith(name))
    lines = [json.loads(e["message"]) for e in boto3.client("logs").filter_log_events(logGroupName=group)["events"]]
    kinds = {line["type"] for line in lines if line["execution_arn"].endswith(execution)}
    assert {"ExecutionStarted", "TaskSubmitted", "ExecutionSucceeded"} <= kinds


def action(call: str) -> str:
    """What IAM calls it: `sqs.DeleteMessageBatch` is allowed as `sqs:DeleteMessage`."""
    service, _, operation = call.partition(".")
    named = {"HeadObject": "GetObject"}.get(operation, operation).removesuffix("Batch")
    return f"{service}:{named}"


def test_roles_allow_the_calls_that_workers_made(runs: dict[str, Json], compute: Template, account: Account) -> None:
    """As each worker counts them: LocalStack lets everything through, AWS would not."""
    made = 0
    for row in fetch_all(account.connection, "SELECT component, version, calls FROM workers"):
        family = f"{PREFIX}-{template.queue_name(component_named(row['component']), row['version'])}"
        (definition,) = (d for d in compute.of("AWS::ECS::TaskDefinition").values() if d["Family"] == family)
        role = identity_statements(compute, definition["TaskRoleArn"]["Fn::GetAtt"][0])
        allowed = {name for statement in role for name in listed(statement["Action"])}
        calls = {action(call) for call in row["calls"] if "." in call and not call.endswith(IDLE)}
        assert calls - allowed == set(), family
        made += len(calls)
    assert made > 30
