"""The database: RDS PostgreSQL, or the given one."""

from dataclasses import dataclass, field

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.acknowledged import acknowledge
from infra.log_groups import log_group
from infra.settings import Settings

NAME = "brigade"
PORT = 5432


@dataclass(frozen=True)
class Database:
    """What a container needs to reach it. The password is in no template and in no task definition."""

    secrets: dict[str, ecs.Secret]
    environment: dict[str, str] = field(default_factory=dict)
    group: ec2.ISecurityGroup | None = None

    def let_in(self, client: ec2.ISecurityGroup) -> None:
        """Nothing to do for a given one: whose it is lets in whom they trust."""
        if self.group:
            self.group.add_ingress_rule(client, ec2.Port.tcp(PORT), "Tasks of Brigade")


def database(scope: Construct, settings: Settings, vpc: ec2.IVpc) -> Database:
    if settings.database_secret_arn:
        given = secretsmanager.Secret.from_secret_complete_arn(scope, "DatabaseUrl", settings.database_secret_arn)
        return Database({"DATABASE_URL": ecs.Secret.from_secrets_manager(given)})
    # RDS would make it itself, and keep everything for ever.
    lines = log_group(scope, "DatabaseLogs", f"/aws/rds/instance/{settings.prefix}/postgresql", settings.log_days)
    group = ec2.SecurityGroup(scope, "DatabaseGroup", vpc=vpc, description="PostgreSQL", allow_all_outbound=False)
    engine = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17_9)
    instance = rds.DatabaseInstance(
        scope,
        "Database",
        engine=engine,
        instance_identifier=settings.prefix,
        instance_type=ec2.InstanceType(settings.database_class),
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        security_groups=[group],
        database_name=NAME,
        credentials=rds.Credentials.from_generated_secret(NAME, secret_name=f"{settings.prefix}/database"),
        parameters={"rds.force_ssl": "1", "timezone": "UTC"},
        allocated_storage=20,
        max_allocated_storage=200,
        storage_type=rds.StorageType.GP3,
        storage_encrypted=True,
        multi_az=settings.multi_az,
        backup_retention=Duration.days(7),
        auto_minor_version_upgrade=True,
        copy_tags_to_snapshot=True,
        deletion_protection=True,
        removal_policy=RemovalPolicy.SNAPSHOT,
        cloudwatch_logs_exports=["postgresql"],
    )
    instance.node.add_dependency(lines)
    acknowledge(
        instance,
        {
            "RDS3": "--multi-az makes a standby; without, runs wait while RDS starts it anew, and go on",
            "RDS11": "It can be reached from the tasks' security group only; another port would hide nothing",
            "SMG4": "Tasks read the password when they start: rotate it together with a deployment, docs/deployment.md",
        },
    )
    secret = instance.secret
    assert secret
    # libpq takes from PG... what a URL leaves out.
    return Database(
        secrets={
            "PGUSER": ecs.Secret.from_secrets_manager(secret, "username"),
            "PGPASSWORD": ecs.Secret.from_secrets_manager(secret, "password"),
        },
        environment={
            "DATABASE_URL": f"postgresql:///{NAME}",
            "PGHOST": instance.db_instance_endpoint_address,
            "PGPORT": f"{PORT}",
            "PGSSLMODE": "require",
        },
        group=group,
    )
