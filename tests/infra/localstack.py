"""The messaging stack on LocalStack: deployed by its CloudFormation, and what that leaves out made by API.

Seen with LocalStack 4.9.2. It calls everything CREATE_COMPLETE; what it has no provider for gets the physical id `unknown`.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from contracts.pipelines import PIPELINES
from infra.messaging import LIVE
from orchestrator import template
from orchestrator.aws import Aws
from tests.infra.templates import Template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

PREFIX = "brigade"
TEMPLATES = "templates"
NOT_MADE = "unknown"

LACKS = {
    "AWS::IAM::RolePolicy": "has no provider: put by API, though nothing is asked of it, since policies are not enforced",
    "AWS::StepFunctions::StateMachineAlias": "has no provider: created by API",
    "AWS::StepFunctions::StateMachineVersion": "has no provider: published by API, as `brigade deploy` does by itself",
}
"""Types of resources that are called complete and are not there, and what is done about it."""

IGNORES = {
    "IncludeExecutionData of a LoggingConfiguration": "is kept, and what a task was sent is logged all the same: left out",
    "LifecycleConfiguration of AWS::S3::Bucket": "is passed over: put by API, though nothing here gets old enough",
    "TracingConfiguration of AWS::StepFunctions::StateMachine": "is passed over, and there is no X-Ray to trace to: left out",
    "Value of an AWS::SSM::Parameter that is an alias": "is the physical id of the alias that was not made: put by API",
}
"""Properties that are not taken over, and what is done about it."""


@dataclass(frozen=True)
class Messaging:
    """A stack on LocalStack."""

    template: Template
    clients: Aws

    @property
    def described(self) -> "StackTypeDef":
        (stack,) = self.clients.cloudformation.describe_stacks(StackName=PREFIX)["Stacks"]
        return stack

    @property
    def outputs(self) -> dict[str, str]:
        return {output["OutputKey"]: output["OutputValue"] for output in self.described["Outputs"]}

    @property
    def made(self) -> dict[str, str]:
        """Physical ids, by logical ones."""
        pages = self.clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=PREFIX)
        found = [resource for page in pages for resource in page["StackResourceSummaries"]]
        assert {resource["ResourceStatus"] for resource in found} == {"CREATE_COMPLETE"}
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}

    @property
    def missing(self) -> set[str]:
        """The types of what is said to be there and is not."""
        return {self.template.resources[name]["Type"] for name, found in self.made.items() if found == NOT_MADE}


def deploy(found: Template, clients: Aws, endpoint: str) -> Messaging:
    """By way of a bucket, since it is too large for a request, as examples/ci/deploy.sh does."""
    clients.s3.create_bucket(Bucket=TEMPLATES, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    clients.s3.put_object(Bucket=TEMPLATES, Key=found.path.name, Body=found.path.read_bytes())
    clients.cloudformation.create_stack(
        StackName=PREFIX, TemplateURL=f"{endpoint}/{TEMPLATES}/{found.path.name}", Capabilities=["CAPABILITY_IAM"]
    )
    waiter = clients.cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=PREFIX, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    return Messaging(found, clients)


def complete(stack: Messaging) -> dict[str, str]:
    """Make what `LACKS` and `IGNORES` name, from the template. Gives the versions that were published, by pipeline."""
    _put_role_policies(stack)
    _put_lifecycle(stack)
    return {pipeline.name: _publish(stack, pipeline.name) for pipeline in PIPELINES}


def _publish(stack: Messaging, pipeline: str) -> str:
    """A state machine's version, its alias, and the parameter by which others find that."""
    machine, name = stack.outputs[template.state_machine_name(pipeline)], template.state_machine_name(pipeline)
    states, aliases = stack.clients.stepfunctions, stack.template.of("AWS::StepFunctions::StateMachineAlias")
    version = states.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    (target,) = aliases[f"{name}Alias"]["RoutingConfiguration"]
    alias = states.create_state_machine_alias(
        name=aliases[f"{name}Alias"]["Name"],
        routingConfiguration=[{"stateMachineVersionArn": version, "weight": target["Weight"]}],
    )["stateMachineAliasArn"]
    boto3.client("ssm").put_parameter(
        Name=f"/{PREFIX}/state-machines/{pipeline}", Value=alias, Type="String", Overwrite=True
    )
    assert alias == f"{machine}:{LIVE}"
    return version


def _put_role_policies(stack: Messaging) -> None:
    for properties in stack.template.of("AWS::IAM::RolePolicy").values():
        boto3.client("iam").put_role_policy(
            RoleName=stack.made[properties["RoleName"]["Ref"]],
            PolicyName=properties["PolicyName"],
            PolicyDocument=json.dumps(stack.template.plain(properties["PolicyDocument"])),
        )


def _put_lifecycle(stack: Messaging) -> None:
    """The API names what it takes differently than CloudFormation."""
    (rule,) = stack.template.of("AWS::S3::Bucket")["Bucket"]["LifecycleConfiguration"]["Rules"]
    stack.clients.s3.put_bucket_lifecycle_configuration(
        Bucket=stack.outputs["Bucket"],
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": rule["Id"],
                    "Status": rule["Status"],
                    "Filter": {},
                    "Expiration": {"Days": rule["ExpirationInDays"]},
                    "AbortIncompleteMultipartUpload": rule["AbortIncompleteMultipartUpload"],
                }
            ]
        },
    )
