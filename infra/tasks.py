"""What all containers have in common: where they stand, what they read, where their lines go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Aws, Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from contracts.errors import BadRequest
from infra.acknowledged import acknowledge, acknowledge_wildcards
from infra.database import Database
from infra.images import repository_name
from infra.log_groups import log_group
from infra.names import Names
from infra.settings import Settings

UNITS = 1024
"""ECS's CPU units of one vCPU."""

MEMORY = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
}
"""MiB that Fargate has, by CPU units: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"""

LONGEST_STOP = 120
"""Seconds that Fargate leaves a stopping container at most."""


@dataclass(frozen=True)
class Platform:
    """Where tasks run. `group` is the security group of all of them: nobody may connect to it. `forecast_role` is Amazon
    Forecast's, where a component uses that."""

    settings: Settings
    names: Names
    vpc: ec2.IVpc
    cluster: ecs.ICluster
    group: ec2.ISecurityGroup
    database: Database
    forecast_role: iam.IRole | None = None

    @property
    def subnets(self) -> ec2.SubnetSelection:
        return ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)

    @property
    def subnet_ids(self) -> list[str]:
        return self.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS).subnet_ids


@dataclass(frozen=True)
class Container:
    """One task's only container. `cpus` in vCPUs, `memory` in MiB, `stop` in seconds."""

    name: str
    image: str
    command: Sequence[str]
    environment: Mapping[str, str]
    cpus: float = 0.25
    memory: int = 512
    stop: int = 30
    health: Sequence[str] | None = None
    secrets: Mapping[str, ecs.Secret] | None = None
    tag: str | None = None


def task(
    scope: Construct, platform: Platform, container: Container, allowed: Sequence[iam.PolicyStatement]
) -> ecs.FargateTaskDefinition:
    """A task definition with roles of its own.

    Raises BadRequest for a combination of CPU and memory that Fargate does not have.
    """
    settings = platform.settings
    found = ecs.FargateTaskDefinition(
        scope,
        "Task",
        family=f"{settings.prefix}-{container.name}",
        cpu=_units(container),
        memory_limit_mib=container.memory,
        runtime_platform=ecs.RuntimePlatform(
            cpu_architecture=ecs.CpuArchitecture.ARM64 if settings.arm64 else ecs.CpuArchitecture.X86_64,
            operating_system_family=ecs.OperatingSystemFamily.LINUX,
        ),
    )
    for statement in allowed:
        found.add_to_task_role_policy(statement)
        acknowledge_wildcards(found.task_role, statement)
    repository = ecr.Repository.from_repository_name(
        scope, "Repository", repository_name(settings.prefix, container.image)
    )
    group = log_group(scope, "Logs", f"/{settings.prefix}/{container.name}", settings.log_days)
    found.add_container(
        "main",
        image=ecs.ContainerImage.from_ecr_repository(repository, container.tag or settings.tag),
        command=[*container.command],
        # boto3 reads the second, the other SDKs the first.
        environment={
            "AWS_REGION": Aws.REGION,
            "AWS_DEFAULT_REGION": Aws.REGION,
            **platform.database.environment,
            **container.environment,
        },
        secrets={**platform.database.secrets, **(container.secrets or {})},
        stop_timeout=Duration.seconds(container.stop),
        health_check=_health(container),
        logging=ecs.LogDrivers.aws_logs(stream_prefix="task", log_group=group, mode=ecs.AwsLogDriverMode.NON_BLOCKING),
    )
    acknowledge(found, {"ECS2": "Addresses and names only; what is secret comes from Secrets Manager"})
    acknowledge(found.obtain_execution_role(), {"IAM5[Resource::*]": "ecr:GetAuthorizationToken knows no resources"})
    return found


def _units(container: Container) -> int:
    units = round(container.cpus * UNITS)
    if container.memory not in MEMORY.get(units, ()):
        sizes = "; ".join(f"{cpu / UNITS:g}: {', '.join(map(str, memory))}" for cpu, memory in MEMORY.items())
        raise BadRequest(
            f"Fargate has no {container.cpus:g} vCPU with {container.memory} MiB for {container.name}: give its Capacity "
            f"one of {sizes}"
        )
    return units


def _health(container: Container) -> ecs.HealthCheck | None:
    if container.health is None:
        return None
    return ecs.HealthCheck(
        command=["CMD", *container.health],
        interval=Duration.seconds(10),
        timeout=Duration.seconds(5),
        start_period=Duration.seconds(60),
        retries=3,
    )
