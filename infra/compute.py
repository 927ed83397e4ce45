"""The compute stack: network, cluster, database, a service for each component and version, and what watches them."""

from typing import Any

from aws_cdk import CfnOutput, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from contracts.pipeline import Pipeline
from contracts.pipelines import workers as workers_of
from infra.alarms import Alarms
from infra.dashboard import dashboard
from infra.database import database
from infra.forecasting import forecast_role
from infra.names import Names
from infra.network import network
from infra.orchestrator import Deploy, Orchestrator, Schedules
from infra.settings import Settings
from infra.tasks import Platform
from infra.workers import WorkerService


class ComputeStack(Stack):
    def __init__(self, scope: Construct, settings: Settings, pipelines: tuple[Pipeline, ...], **props: Any) -> None:
        super().__init__(
            scope,
            "Compute",
            stack_name=f"{settings.prefix}-compute",
            description="Brigade's containers, rendered from contracts/pipelines.py",
            **props,
        )
        platform = self._platform(settings, pipelines)
        workers = [
            WorkerService(self, platform, component, version, pipelines).worker
            for component, version in workers_of(pipelines)
        ]
        orchestrator = Orchestrator(self, platform, pipelines)
        Deploy(self, platform, pipelines)
        Schedules(self, platform, pipelines, orchestrator.definition)
        Alarms(self, settings, platform.names, pipelines, workers)
        for pipeline in pipelines:
            dashboard(self, platform.names, pipeline, workers)
        CfnOutput(self, "Subnets", value=Fn.join(",", platform.subnet_ids))
        CfnOutput(self, "SecurityGroup", value=platform.group.security_group_id)

    def _platform(self, settings: Settings, pipelines: tuple[Pipeline, ...]) -> Platform:
        vpc = network(self, settings)
        group = ec2.SecurityGroup(self, "TasksGroup", vpc=vpc, description="Tasks of Brigade, which nobody connects to")
        reached = database(self, settings, vpc)
        reached.let_in(group)
        cluster = ecs.Cluster(
            self,
            "Cluster",
            cluster_name=settings.prefix,
            vpc=vpc,
            container_insights_v2=ecs.ContainerInsights.ENABLED,
            enable_fargate_capacity_providers=True,
        )
        names = Names(pipelines, settings.prefix)
        return Platform(settings, names, vpc, cluster, group, reached, forecast_role(self, names, pipelines))
