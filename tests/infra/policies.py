"""Evaluating policies as IAM does, for what ours are made of; anything else is refused, so that nothing is overlooked.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html: denied unless a statement allows
it, and denied whenever one denies it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.infra.templates import Template

Json = dict[str, Any]

KNOWN = {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}


class NotUnderstood(AssertionError):
    """An element that this evaluator does not know: teach it, and test that."""


@dataclass(frozen=True)
class Request:
    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()
    """What conditions look at: `("aws:SecureTransport", "true")`."""


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def matches(pattern: str, value: str) -> bool:
    """`*` stands for any text, slashes and colons too, and `?` for one character."""
    expression = "".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in re.split(r"([*?])", pattern))
    return re.fullmatch(expression, value, re.DOTALL) is not None


def applies(statement: Json, request: Request) -> bool:
    if unknown := statement.keys() - KNOWN:
        raise NotUnderstood(f"{unknown} in {statement}")
    actions = (str(action).lower() for action in listed(statement["Action"]))
    return (
        any(matches(action, request.action.lower()) for action in actions)
        and any(matches(str(resource), request.resource) for resource in listed(statement["Resource"]))
        and all(_holds(operator, wanted, request) for operator, wanted in statement.get("Condition", {}).items())
    )


def _holds(operator: str, wanted: Json, request: Request) -> bool:
    context = dict(request.context)
    if operator in ("StringEquals", "Bool"):
        return all(context.get(key) in [str(value) for value in listed(values)] for key, values in wanted.items())
    if operator == "ArnEquals":
        return all(
            key in context and any(matches(str(value), context[key]) for value in listed(values))
            for key, values in wanted.items()
        )
    raise NotUnderstood(f"condition {operator}: {wanted}")


def allowed(statements: Iterable[Json], request: Request) -> bool:
    found = [statement["Effect"] for statement in statements if applies(statement, request)]
    return "Allow" in found and "Deny" not in found


def identity_statements(template: Template, role: str) -> list[Json]:
    """Of one role: its own policies and those that are attached to it. Managed policies of AWS's are refused."""
    properties = template.of("AWS::IAM::Role")[role]
    if properties.get("ManagedPolicyArns"):
        raise NotUnderstood(f"{role} has managed policies: {properties['ManagedPolicyArns']}")
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        documents += [
            policy["PolicyDocument"]
            for policy in template.of(kind).values()
            if {"Ref": role} in policy.get("Roles", ())
        ]
    documents += [
        policy["PolicyDocument"]
        for policy in template.of("AWS::IAM::RolePolicy").values()
        if policy["RoleName"] == {"Ref": role}
    ]
    return [statement for document in documents for statement in template.plain(document["Statement"])]


def all_statements(template: Template) -> Iterator[tuple[str, Json]]:
    """Every statement that says what somebody may do, with its role."""
    for role in template.of("AWS::IAM::Role"):
        for statement in identity_statements(template, role):
            yield role, statement
