"""Each role may do what its service does, and nothing else: worked out from the policies that are deployed."""

from collections import Counter
from itertools import permutations
from typing import Any

import pytest

from contracts.component import AMAZON_FORECAST, Component
from contracts.pipelines import PIPELINES, all_components, pipeline_named
from infra.permissions import WILDCARDS
from orchestrator import template
from tests.infra.policies import Request, all_statements, allowed, identity_statements, listed
from tests.infra.templates import ACCOUNT, Template, arn

Json = dict[str, Any]

WORKERS = [(component, version) for component in all_components() for version in component.versions]
BUCKET = f"arn:aws:s3:::brigade-{ACCOUNT}"
RUN = "2026-11-25-orchestrated-abc123"

MADE_BY_CDK = {"ecr:GetAuthorizationToken": "the only action that it allows on any resource, and AWS knows none for it"}
IN_MESSAGING = {
    "DeliverLogs": "https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html: these actions know no resources",
    "Trace": "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html: nor do these",
}


def queue(component: Component, version: str) -> str:
    return arn("sqs", f"brigade-{template.queue_name(component, version)}")


def dead_letters(component: Component, version: str) -> str:
    return f"{queue(component, version)}-dead-letters"


def topic(component: Component) -> str:
    return arn("sns", f"brigade-{template.topic_name(component)}")


def file_of(component: str, name: str = "w1/table.parquet") -> str:
    return f"{BUCKET}/{component}/{RUN}/{name}"


def nested_queue(component: Component, version: str) -> str | None:
    """Of the pipeline that this version is a run of: where its first command goes."""
    nested = component.nested_in(version)
    if nested is None:
        return None
    first = pipeline_named(nested.pipeline).components[0]
    return queue(first, first.versions[0])


def definition(compute: Template, family: str) -> Json:
    (found,) = [each for each in compute.of("AWS::ECS::TaskDefinition").values() if each["Family"] == family]
    return found


def statements(compute: Template, name: str, kind: str = "TaskRoleArn") -> list[Json]:
    return identity_statements(compute, definition(compute, f"brigade-{name}")[kind]["Fn::GetAtt"][0])


def of_worker(compute: Template, component: Component, version: str) -> list[Json]:
    return statements(compute, template.queue_name(component, version))


def forecast_role(stack: Template) -> str | None:
    """The one that Amazon Forecast takes on, and nobody else."""
    trusting = [
        role
        for role, properties in stack.of("AWS::IAM::Role").items()
        for statement in properties["AssumeRolePolicyDocument"]["Statement"]
        if "forecast.amazonaws.com" in listed(statement["Principal"].get("Service"))
    ]
    assert len(trusting) <= 1
    return trusting[0] if trusting else None


def unexplained(statement: Json) -> list[str]:
    """What of a statement is wider than it is said to be."""
    actions, resources = listed(statement["Action"]), listed(statement["Resource"])
    found = [action for action in actions if "*" in action]
    explained = statement.get("Sid") in WILDCARDS | IN_MESSAGING or all(action in MADE_BY_CDK for action in actions)
    return found if explained else [*found, *(resource for resource in resources if "*" in resource)]


def test_every_wildcard_has_a_reason(stacks: dict[str, Template]) -> None:
    walked = [(role, statement) for stack in stacks.values() for role, statement in all_statements(stack)]
    assert len(walked) > 8 * len(WORKERS)
    assert {role: wild for role, statement in walked if (wild := unexplained(statement))} == {}
    sids = {statement.get("Sid") for _, statement in walked}
    assert WILDCARDS.keys() | IN_MESSAGING.keys() <= sids, "a reason for nothing"


@pytest.mark.parametrize(
    "wide",
    [
        {"Sid": "WriteOwnFiles", "Action": "s3:*", "Resource": "arn:aws:s3:::b/x/*"},
        {"Sid": "TakeFromOwnQueue", "Action": ["sqs:ReceiveMessage"], "Resource": ["*"]},
        {"Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:e:1:brigade-*"},
    ],
)
def test_a_wildcard_without_a_reason_is_found(wide: Json) -> None:
    assert unexplained({"Effect": "Allow", **wide}) != []


def test_no_role_is_shared(stacks: dict[str, Template]) -> None:
    """But for the scheduled starts, which are tasks of the orchestrator's definition. Amazon Forecast's is handed to it."""
    for stack in stacks.values():
        used: Counter[str] = Counter()
        for resource in stack.resources.values():
            properties = resource.get("Properties", {})
            target = properties.get("Target", {})
            found = [
                properties.get(key)
                for key in ("TaskRoleArn", "ExecutionRoleArn", "RoleArn", "DeliverLogsPermissionArn")
            ]
            used.update(role["Fn::GetAtt"][0] for role in [*found, target.get("RoleArn")] if isinstance(role, dict))
        roles = stack.of("AWS::IAM::Role").keys() - {forecast_role(stack)}
        assert {role: used[role] for role in roles} == dict.fromkeys(roles, 1)
        assert not used[str(forecast_role(stack))]


@pytest.mark.parametrize(("component", "version"), WORKERS, ids=lambda value: getattr(value, "name", value))
def test_a_worker_may_do_its_work(compute: Template, component: Component, version: str) -> None:
    own = of_worker(compute, component, version)
    for action in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "SendMessage"):
        assert allowed(own, Request(f"sqs:{action}", queue(component, version)))
    assert allowed(own, Request("sqs:SendMessage", dead_letters(component, version)))
    assert allowed(own, Request("sns:Publish", topic(component)))
    for action in ("SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"):
        assert allowed(own, Request(f"states:{action}", "*"))
    assert allowed(
        own, Request("states:DescribeExecution", arn("states", f"execution:brigade-order-simulation:{RUN}-1"))
    )
    for action in ("PutObject", "GetObject"):
        assert allowed(own, Request(f"s3:{action}", file_of(component.name)))


def test_no_component_takes_anothers_messages_answers_for_it_or_writes_its_files(compute: Template) -> None:
    looked = 0
    for (component, version), (other, theirs) in permutations(WORKERS, 2):
        own = of_worker(compute, component, version)
        forbidden = [
            Request(f"sqs:{action}", place)
            for action in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "SendMessage", "PurgeQueue")
            for place in (queue(other, theirs), dead_letters(other, theirs))
            if (action, place) != ("SendMessage", nested_queue(component, version))
        ]
        if component is not other:
            forbidden.append(Request("sns:Publish", topic(other)))
            names = ("w1/table.parquet", f"{component.name}/table.parquet", f"{component.name}/{RUN}/table.parquet")
            forbidden += [Request("s3:PutObject", file_of(other.name, name)) for name in names]
        looked += len(forbidden)
        assert [request for request in forbidden if allowed(own, request)] == []
    assert looked > 700


@pytest.mark.parametrize(("component", "version"), WORKERS, ids=lambda value: getattr(value, "name", value))
def test_no_worker_comes_by_a_token_elsewhere(compute: Template, component: Component, version: str) -> None:
    """Any token opens its door, so a worker must have them from its queue alone; nor does it move what is not its."""
    own = of_worker(compute, component, version)
    execution = arn("states", f"execution:brigade-order-simulation:{RUN}-1")
    machine = arn("states", "stateMachine:brigade-order-simulation")
    for action, resource in (
        ("states:GetExecutionHistory", execution),
        ("states:StopExecution", execution),
        ("states:StartExecution", machine),
        ("states:UpdateStateMachine", machine),
        ("states:GetActivityTask", "*"),
        ("logs:GetLogEvents", "*"),
        ("sqs:ReceiveMessage", dead_letters(component, version)),
        ("sqs:SetQueueAttributes", queue(component, version)),
        ("sns:Subscribe", topic(component)),
        ("s3:DeleteObject", file_of(component.name)),
        ("secretsmanager:GetSecretValue", "*"),
        ("iam:PassRole", "*"),
        ("sts:AssumeRole", "*"),
    ):
        assert not allowed(own, Request(action, resource)), action


FORECAST_STEPS = {"configurator", "dataset-group"}
READS = {
    "configurator": {"configurator", "network-configuration", "order-volume", "recipe-popularity", "volume-export"},
    "data-extractor": {"configurator", "data-extractor"},
    "dataset-group": FORECAST_STEPS,
    "orders-import": FORECAST_STEPS | {"data-extractor", "orders-import"},
    "offers-import": FORECAST_STEPS | {"data-extractor", "offers-import"},
    "predictor": FORECAST_STEPS | {"offers-import", "orders-import", "predictor"},
    "volume-forecast": FORECAST_STEPS | {"predictor", "volume-forecast"},
    "volume-export": FORECAST_STEPS | {"volume-export", "volume-forecast"},
    "order-volume": {"configurator", "data-extractor", "order-volume", "volume-export"},
    "recipe-popularity": {"configurator", "data-extractor", "recipe-popularity"},
    "network-configuration": {
        "configurator",
        "network-configuration",
        "order-volume",
        "recipe-popularity",
        "volume-export",
    },
    "order-simulator": {
        "configurator",
        "network-configuration",
        "order-simulator",
        "order-volume",
        "recipe-popularity",
        "volume-export",
    },
    "site-forecast": {"configurator", "order-simulator", "site-forecast"},
    "publisher": {"configurator", "data-extractor", "network-configuration", "publisher", "site-forecast"},
}
"""Whose files a component reads: what its input refers to, and, in the configurator, what may be reused. An answer of
order-volume's version `nested` is a file of volume-export's."""


def test_a_component_reads_the_files_that_it_is_given_and_no_others(compute: Template) -> None:
    assert READS.keys() == {component.name for component in all_components()}
    for component, version in WORKERS:
        own = of_worker(compute, component, version)
        readable = {name for name in READS if allowed(own, Request("s3:GetObject", file_of(name)))}
        assert readable == READS[component.name]


def test_only_who_starts_a_container_reads_its_secrets(compute: Template) -> None:
    for component, version in WORKERS:
        name = template.queue_name(component, version)
        execution = statements(compute, name, "ExecutionRoleArn")
        secrets = [s for s in execution if "secretsmanager:GetSecretValue" in listed(s["Action"])]
        assert [listed(secret["Resource"]) for secret in secrets] == [[secret["Resource"]] for secret in secrets]
        assert all("Database" in resource for secret in secrets for resource in listed(secret["Resource"]))
        assert not any("secretsmanager" in action for s in statements(compute, name) for action in listed(s["Action"]))


def test_the_service_starts_and_stops_runs_and_takes_nobodys_messages(compute: Template) -> None:
    own = statements(compute, "orchestrator")
    machine = arn("states", "stateMachine:brigade-order-simulation")
    assert allowed(own, Request("states:StartExecution", f"{machine}:7"))
    assert allowed(own, Request("states:StopExecution", arn("states", f"execution:brigade-order-simulation:{RUN}-1")))
    assert allowed(own, Request("cloudformation:DescribeStacks", arn("cloudformation", "stack/brigade/0a1b")))
    for component, version in WORKERS:
        assert allowed(own, Request("sqs:SendMessage", queue(component, version)))
        assert allowed(own, Request("sqs:GetQueueAttributes", queue(component, version)))
        assert allowed(own, Request("s3:GetObject", file_of(component.name)))
        for action in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"):  # brigade dlq
            assert allowed(own, Request(f"sqs:{action}", dead_letters(component, version)))
            assert not allowed(own, Request(f"sqs:{action}", queue(component, version)))
        assert not allowed(own, Request("s3:PutObject", file_of(component.name)))
        assert not allowed(own, Request("sns:Publish", topic(component)))
    for action in ("states:SendTaskSuccess", "states:UpdateStateMachine", "cloudformation:UpdateStack"):
        assert not allowed(own, Request(action, machine))


def test_deploy_publishes_versions_and_changes_no_stack(compute: Template) -> None:
    own = statements(compute, "deploy")
    machine = arn("states", "stateMachine:brigade-order-simulation")
    assert allowed(own, Request("states:PublishStateMachineVersion", machine))
    assert allowed(own, Request("states:ValidateStateMachineDefinition", "*"))
    for action, resource in (
        ("states:StartExecution", machine),
        ("states:UpdateStateMachine", machine),
        ("cloudformation:UpdateStack", arn("cloudformation", "stack/brigade/0a1b")),
        ("sqs:SendMessage", queue(*WORKERS[0])),
    ):
        assert not allowed(own, Request(action, resource))


def test_schedules_start_the_orchestrators_task_and_no_other(compute: Template) -> None:
    (schedule,) = compute.of("AWS::Scheduler::Schedule").values()
    own = identity_statements(compute, schedule["Target"]["RoleArn"]["Fn::GetAtt"][0])
    started = compute.plain(schedule["Target"]["EcsParameters"]["TaskDefinitionArn"])
    assert allowed(own, Request("ecs:RunTask", started))
    definitions = {f"<{name}>" for name in compute.of("AWS::ECS::TaskDefinition")}
    assert started in definitions
    for other in definitions - {started}:
        assert not allowed(own, Request("ecs:RunTask", other))
    passed = [statement for statement in own if "iam:PassRole" in listed(statement["Action"])]
    (roles,) = [listed(statement["Resource"]) for statement in passed]
    context = (("iam:PassedToService", "ecs-tasks.amazonaws.com"),)
    assert len(roles) == 2
    for role in compute.of("AWS::IAM::Role"):
        arn_of_role = f"<{role}.Arn>"
        assert allowed(own, Request("iam:PassRole", arn_of_role, context)) == (arn_of_role in roles)
        assert not allowed(own, Request("iam:PassRole", arn_of_role))


@pytest.mark.parametrize(("component", "version"), WORKERS, ids=lambda value: getattr(value, "name", value))
def test_a_nested_version_starts_runs_of_its_pipeline_and_no_others(
    compute: Template, component: Component, version: str
) -> None:
    own, nested = of_worker(compute, component, version), component.nested_in(version)
    for pipeline in PIPELINES:
        machine = arn("states", f"stateMachine:brigade-{pipeline.name}")
        for resource in (machine, f"{machine}:7"):
            started = allowed(own, Request("states:StartExecution", resource))
            assert started == (nested is not None and nested.pipeline == pipeline.name)
    if place := nested_queue(component, version):
        assert allowed(own, Request("sqs:SendMessage", place))


MAKING = {
    "forecast:CreateDatasetGroup": "dataset-group/brigade_1",
    "forecast:CreateDataset": "dataset/orders_1",
    "forecast:CreateDatasetImportJob": "dataset/orders_1",
    "forecast:UpdateDatasetGroup": "dataset-group/brigade_1",
    "forecast:CreateForecast": "predictor/volume_1",
    "forecast:CreateForecastExportJob": "forecast/volume_1",
    "forecast:DescribePredictor": "predictor/volume_1",
    "forecast:DeleteForecastExportJob": "forecast-export-job/volume_1",
}
"""Of what a step has Amazon Forecast do, each with one of the resources that AWS asks about."""


@pytest.mark.parametrize(("component", "version"), WORKERS, ids=lambda value: getattr(value, "name", value))
def test_only_who_uses_amazon_forecast_asks_it(compute: Template, component: Component, version: str) -> None:
    own, uses = of_worker(compute, component, version), AMAZON_FORECAST in component.uses
    for action, resource in MAKING.items():
        assert allowed(own, Request(action, arn("forecast", resource))) == uses
    for action in ("forecast:ListForecasts", "forecast:ListDatasetGroups", "forecast:CreateAutoPredictor"):
        assert allowed(own, Request(action, "*")) == uses
    assert not allowed(own, Request("forecast:DeleteResourceTree", arn("forecast", "dataset-group/brigade_1")))
    role = f"<{forecast_role(compute)}.Arn>"
    passing = Request("iam:PassRole", role, (("iam:PassedToService", "forecast.amazonaws.com"),))
    assert allowed(own, passing) == uses
    assert not allowed(own, Request("iam:PassRole", role, (("iam:PassedToService", "ecs-tasks.amazonaws.com"),)))
    (container,) = definition(compute, f"brigade-{template.queue_name(component, version)}")["ContainerDefinitions"]
    given = {each["Name"]: compute.plain(each["Value"]) for each in container["Environment"]}
    assert given.get("BRIGADE_FORECAST_ROLE") == (role if uses else None)


def test_amazon_forecast_uses_the_files_of_those_who_use_it(compute: Template) -> None:
    role = forecast_role(compute)
    assert role
    own = identity_statements(compute, role)
    for component in all_components():
        for action in ("s3:GetObject", "s3:PutObject"):
            assert allowed(own, Request(action, file_of(component.name))) == (AMAZON_FORECAST in component.uses)
    assert not allowed(own, Request("s3:DeleteObject", file_of("volume-export")))
