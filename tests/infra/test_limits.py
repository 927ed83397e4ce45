"""What AWS refuses when it has become too large, as pipelines grow. Nobody says so before a deployment."""

import json
from typing import Any

from tests.infra.policies import identity_statements
from tests.infra.templates import Template

RESOURCES, TEMPLATE_BYTES, OUTPUTS = 500, 1_000_000, 200
"""Of a template: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html."""

QUEUE_POLICY_BYTES = 8_192
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html"""

ROLE_POLICY_BYTES = 10_240
"""All inline policies of a role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html."""

DEFINITION_BYTES = 1_048_576
"""Of a state machine: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html."""


def size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":")))


def test_templates_are_small_enough(stacks: dict[str, Template]) -> None:
    for name, stack in stacks.items():
        assert len(stack.resources) <= RESOURCES, name
        assert stack.path.stat().st_size <= TEMPLATE_BYTES, name
        assert len(stack.body.get("Outputs", {})) <= OUTPUTS, name


def test_policies_are_small_enough(stacks: dict[str, Template]) -> None:
    for properties in stacks["Messaging"].of("AWS::SQS::QueuePolicy").values():
        assert size(stacks["Messaging"].plain(properties["PolicyDocument"])) <= QUEUE_POLICY_BYTES
    for stack in stacks.values():
        for role in stack.of("AWS::IAM::Role"):
            assert size(identity_statements(stack, role)) <= ROLE_POLICY_BYTES, role


def test_state_machines_are_small_enough(messaging: Template) -> None:
    for machine in messaging.of("AWS::StepFunctions::StateMachine").values():
        assert len(machine["DefinitionString"]) <= DEFINITION_BYTES
