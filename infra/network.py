"""The network: a new VPC, or the given one."""

from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.log_groups import log_group
from infra.settings import Settings


def network(scope: Construct, settings: Settings) -> ec2.IVpc:
    """Workers stand in private subnets and are asked by nobody; they reach AWS through one NAT gateway, S3 past it."""
    if settings.vpc_id:
        return ec2.Vpc.from_vpc_attributes(
            scope,
            "Vpc",
            vpc_id=settings.vpc_id,
            availability_zones=[Fn.select(n, Fn.get_azs()) for n in range(len(settings.subnet_ids))],
            private_subnet_ids=[*settings.subnet_ids],
        )
    vpc = ec2.Vpc(
        scope,
        "Vpc",
        vpc_name=settings.prefix,
        max_azs=2,
        nat_gateways=1,
        restrict_default_security_group=False,  # it would take a Lambda function; nothing here uses that group
        subnet_configuration=[
            ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False),
            ec2.SubnetConfiguration(name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        ],
    )
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    group = log_group(scope, "VpcLogs", f"/{settings.prefix}/vpc", settings.log_days)
    vpc.add_flow_log(
        "Rejected",
        destination=ec2.FlowLogDestination.to_cloud_watch_logs(group),
        traffic_type=ec2.FlowLogTrafficType.REJECT,
    )
    return vpc
