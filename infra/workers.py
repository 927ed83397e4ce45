"""A Fargate service for each component and version."""

from dataclasses import dataclass

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from contracts.component import Component
from contracts.pipeline import Pipeline
from contracts.pipelines import pipeline_named
from infra import permissions
from infra.forecasting import asking, uses
from infra.names import arn, queue_url
from infra.scaling import scale_by_backlog
from infra.tasks import LONGEST_STOP, Container, Platform, task

POLL_SECONDS = 20
"""As `services.runtime.settings` has it: a stopping worker waits for its poll, and two seconds more."""

SPARE = 5
"""Seconds for a worker's last words."""


@dataclass(frozen=True)
class Worker:
    component: Component
    version: str
    service: ecs.FargateService


class WorkerService(Construct):
    def __init__(
        self, scope: Construct, platform: Platform, component: Component, version: str, pipelines: tuple[Pipeline, ...]
    ) -> None:
        name = platform.names.queue(component, version).removeprefix(f"{platform.names.prefix}-")
        super().__init__(scope, "".join(word.title() for word in name.split("-")))
        seldom = version in component.capacity.seldom
        definition = task(
            self,
            platform,
            _container(platform, component, version, name, pipelines),
            [*permissions.worker(component, version, pipelines, platform.names), *_asking(platform, component)],
        )
        service = ecs.FargateService(
            self,
            "Service",
            service_name=platform.names.queue(component, version),
            cluster=platform.cluster,
            task_definition=definition,
            vpc_subnets=platform.subnets,
            security_groups=[platform.group],
            desired_count=0 if seldom or platform.settings.stopped else 1,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            capacity_provider_strategies=capacity_of(component),
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )
        if not platform.settings.stopped:
            scale_by_backlog(
                self, platform.cluster, service, platform.names.queue(component, version), component, seldom
            )
        self.worker = Worker(component, version, service)


def capacity_of(component: Component) -> list[ecs.CapacityProviderStrategy]:
    """Spot where a worker may be interrupted: it is told two minutes before, and stops as in a deployment."""
    if component.capacity.interruptible:
        return [ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=1)]
    return [ecs.CapacityProviderStrategy(capacity_provider="FARGATE", weight=1)]


def drain_seconds(component: Component) -> int:
    """How long a stopping worker goes on with what it has begun: one lease, after which others would have it anyway. Less where
    ECS would not wait so long."""
    return min(component.policy.lease, (LONGEST_STOP - SPARE) // 2)


def stop_seconds(component: Component) -> int:
    """How long ECS waits for a stopping worker. It ends its poll and its steps side by side, then what came with the poll."""
    drain = drain_seconds(component)
    return max(POLL_SECONDS + 2, drain) + drain + SPARE


def _asking(platform: Platform, component: Component) -> list[iam.PolicyStatement]:
    return asking(platform.forecast_role) if platform.forecast_role and uses(component) else []


def _also(platform: Platform, component: Component, version: str, pipelines: tuple[Pipeline, ...]) -> dict[str, str]:
    """What only some workers are told."""
    found = {}
    if nested := component.nested_in(version):
        pipeline = pipeline_named(nested.pipeline, pipelines)
        first = pipeline.components[0]
        found["BRIGADE_NESTED_MACHINE"] = arn("states", f"stateMachine:{platform.names.state_machine(pipeline)}")
        found["BRIGADE_NESTED_QUEUE_URL"] = queue_url(platform.names.queue(first, first.versions[0]))
    if platform.forecast_role and uses(component):
        found["BRIGADE_FORECAST_ROLE"] = platform.forecast_role.role_arn
    return found


def _container(
    platform: Platform, component: Component, version: str, name: str, pipelines: tuple[Pipeline, ...]
) -> Container:
    names, capacity = platform.names, component.capacity
    return Container(
        name=name,
        image=component.name,
        command=(component.name, "--version", version),
        environment={
            "BRIGADE_QUEUE_URL": queue_url(names.queue(component, version)),
            "BRIGADE_DEAD_LETTER_URL": queue_url(names.dead_letters(component, version)),
            "BRIGADE_TOPIC_ARN": arn("sns", names.topic(component)),
            "BRIGADE_BUCKET": names.bucket,
            "BRIGADE_POLL_SECONDS": f"{POLL_SECONDS}",
            "BRIGADE_DRAIN_SECONDS": f"{drain_seconds(component)}",
            "BRIGADE_LOG_LOCATION": f"CloudWatch log group /{names.prefix}/{name}",
            **_also(platform, component, version, pipelines),
        },
        cpus=capacity.cpus,
        memory=capacity.memory,
        stop=stop_seconds(component),
        health=("python", "-IS", "services/runtime/health.py"),
    )
