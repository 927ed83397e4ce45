"""The HTTP service, the commands that are run as one task each, and the schedules."""

import json
from dataclasses import dataclass

from aws_cdk import Aws
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from contracts.pipeline import Pipeline
from infra import permissions
from infra.acknowledged import acknowledge, acknowledge_wildcards
from infra.tasks import Container, Platform, task

IMAGE = "orchestrator"
PORT = 8080
STOP_SECONDS = 30
"""It answers what was asked, 20 s at most."""

HEALTH = ("python", "-IS", "-c", f"import urllib.request as r; r.urlopen('http://127.0.0.1:{PORT}/health')")


class Orchestrator(Construct):
    """`brigade serve`, one replica, and the definition that single commands are run by. Nobody reaches it before its security
    group lets them in: docs/deployment.md."""

    def __init__(self, scope: Construct, platform: Platform, pipelines: tuple[Pipeline, ...]) -> None:
        super().__init__(scope, "Orchestrator")
        token = secretsmanager.Secret(
            self,
            "Token",
            secret_name=f"{platform.names.prefix}/token",
            description="What requests to the HTTP service bring",
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=48, exclude_punctuation=True),
        )
        acknowledge(token, {"SMG4": "Clients hold it as well: rotate it with them, then start the service anew"})
        style = platform.settings.style
        self.definition = task(
            self,
            platform,
            Container(
                name="orchestrator",
                image=IMAGE,
                command=("serve", "--host", "0.0.0.0", "--port", f"{PORT}", "--scheduled-style", style),  # noqa: S104
                environment=_environment(platform),
                stop=STOP_SECONDS,
                health=HEALTH,
                secrets={"BRIGADE_TOKEN": ecs.Secret.from_secrets_manager(token)},
            ),
            permissions.operator(pipelines, platform.names),
        )
        ecs.FargateService(
            self,
            "Service",
            service_name=f"{platform.names.prefix}-orchestrator",
            cluster=platform.cluster,
            task_definition=self.definition,
            vpc_subnets=platform.subnets,
            security_groups=[platform.group],
            desired_count=0 if platform.settings.stopped else 1,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            capacity_provider_strategies=[ecs.CapacityProviderStrategy(capacity_provider="FARGATE", weight=1)],
        )


class Deploy(Construct):
    """`brigade deploy` as a task: the tables and the routing, from inside the network that the database is in."""

    def __init__(self, scope: Construct, platform: Platform, pipelines: tuple[Pipeline, ...]) -> None:
        super().__init__(scope, "Deploy")
        container = Container(
            name="deploy",
            image=IMAGE,
            command=("deploy",),
            environment=_environment(platform),
            stop=STOP_SECONDS,
            tag=platform.settings.deploy_tag,
        )
        task(self, platform, container, permissions.deployer(pipelines, platform.names))


@dataclass(frozen=True)
class _Target:
    """What a schedule starts: a task of the orchestrator's, with another command."""

    platform: Platform
    definition: ecs.FargateTaskDefinition
    role: iam.Role


class Schedules(Construct):
    """EventBridge Scheduler asks at each pipeline's time for what is due. The service does as well: whoever comes first writes
    the cause, pipeline and time, with the run, and the other finds it (docs/adr/0011)."""

    def __init__(
        self,
        scope: Construct,
        platform: Platform,
        pipelines: tuple[Pipeline, ...],
        definition: ecs.FargateTaskDefinition,
    ) -> None:
        super().__init__(scope, "Schedules")
        group = scheduler.CfnScheduleGroup(self, "Group", name=platform.names.prefix)
        target = _Target(platform, definition, self._role(platform, definition))
        for pipeline in pipelines:
            if pipeline.schedule:
                scheduler.CfnSchedule(
                    self,
                    "".join(word.title() for word in pipeline.name.split("-")),
                    name=f"{platform.names.prefix}-{pipeline.name}",
                    group_name=group.ref,
                    description=f"Starts {pipeline.name}",
                    schedule_expression=pipeline.schedule.expression,
                    schedule_expression_timezone="UTC",
                    flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                    target=_run_task(target, pipeline),
                )

    def _role(self, platform: Platform, definition: ecs.FargateTaskDefinition) -> iam.Role:
        this_account = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=this_account)
        )
        passed = [definition.task_role.role_arn, definition.obtain_execution_role().role_arn]
        for statement in (
            iam.PolicyStatement(sid="RunTask", actions=["ecs:RunTask"], resources=[definition.task_definition_arn]),
            iam.PolicyStatement(
                sid="PassRoles",
                actions=["iam:PassRole"],
                resources=passed,
                conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            ),
        ):
            role.add_to_policy(statement)
            acknowledge_wildcards(role, statement)
        return role


def _run_task(target: _Target, pipeline: Pipeline) -> scheduler.CfnSchedule.TargetProperty:
    platform = target.platform
    command = ["start-due", pipeline.name, "--style", platform.settings.style]
    return scheduler.CfnSchedule.TargetProperty(
        arn=platform.cluster.cluster_arn,
        role_arn=target.role.role_arn,
        input=json.dumps({"containerOverrides": [{"name": "main", "command": command}]}),
        retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
            maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
        ),
        ecs_parameters=scheduler.CfnSchedule.EcsParametersProperty(
            task_definition_arn=target.definition.task_definition_arn,
            task_count=1,
            capacity_provider_strategy=[
                scheduler.CfnSchedule.CapacityProviderStrategyItemProperty(capacity_provider="FARGATE", weight=1)
            ],
            network_configuration=scheduler.CfnSchedule.NetworkConfigurationProperty(
                awsvpc_configuration=scheduler.CfnSchedule.AwsVpcConfigurationProperty(
                    subnets=platform.subnet_ids,
                    security_groups=[platform.group.security_group_id],
                    assign_public_ip="DISABLED",
                )
            ),
        ),
    )


def _environment(platform: Platform) -> dict[str, str]:
    return {"BRIGADE_PREFIX": platform.names.prefix, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
