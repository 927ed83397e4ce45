"""What cdk-nag objects to and we do on purpose: every exception is made where the resource is, with its reason."""

from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from infra.permissions import WILDCARDS


def acknowledge(scope: IConstruct, reasons: dict[str, str]) -> None:
    """For one resource and what is in it. Rules by the names of AwsSolutions: `S1`."""
    Validations.of(scope).acknowledge(
        *(
            Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
            for rule, reason in sorted(reasons.items())
        )
    )


def acknowledge_wildcards(role: IConstruct, statement: iam.PolicyStatement) -> None:
    """Those of one statement of its policy, for the reason that infra/permissions.py gives."""
    resources = (_as_nag_writes(Stack.of(role).resolve(resource)) for resource in statement.resources)
    wild = [resource for resource in resources if "*" in resource]
    if wild:
        assert statement.sid
        reason = WILDCARDS[statement.sid]
        acknowledge(role, {f"IAM5[Resource::{resource}]": reason for resource in wild})


def _as_nag_writes(value: Any) -> str:
    """A resource with what is known later in pointed brackets: `arn:<AWS::Partition>:s3:::...`."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return f"<{value['Ref']}>"
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    separator, parts = value["Fn::Join"]
    return str(separator).join(_as_nag_writes(part) for part in parts)
