"""Reading a template: resources by type, and values with what AWS would fill in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ACCOUNT, REGION = "123456789012", "eu-west-1"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}

ARNS = {
    "AWS::SQS::Queue": ("QueueName", "sqs", "{}"),
    "AWS::SNS::Topic": ("TopicName", "sns", "{}"),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", "states", "stateMachine:{}"),
}
"""By type: the property that names it, and the end of its ARN."""


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


@dataclass(frozen=True)
class Template:
    body: Json
    path: Path

    @property
    def resources(self) -> Json:
        found: Json = self.body["Resources"]
        return found

    @property
    def given(self) -> dict[str, str]:
        """What a reference to no resource stands for."""
        parameters: Json = self.body.get("Parameters", {})
        return PSEUDO | {name: found["Default"] for name, found in parameters.items()}

    def of(self, kind: str) -> dict[str, Json]:
        """Properties, by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def plain(self, value: Any) -> Any:
        """With intrinsic functions worked out; what only AWS knows stands in pointed brackets."""
        if isinstance(value, list):
            return [self.plain(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"Ref"}:
            return self.given.get(value["Ref"]) or self._reference(value["Ref"])
        if value.keys() == {"Fn::GetAtt"}:
            name, attribute = value["Fn::GetAtt"]
            return self._arn(name) if attribute == "Arn" else f"<{name}.{attribute}>"
        if value.keys() == {"Fn::Join"}:
            separator, parts = value["Fn::Join"]
            return separator.join(self.plain(part) for part in parts)
        if value.keys() == {"Fn::Sub"}:
            text: str = value["Fn::Sub"]
            for name, filled in self.given.items():
                text = text.replace("${" + name + "}", filled)
            return text
        return {key: self.plain(each) for key, each in value.items()}

    def _reference(self, name: str) -> str:
        resource = self.resources.get(name, {"Type": ""})
        if resource["Type"] == "AWS::S3::Bucket":
            return str(self.plain(resource["Properties"]["BucketName"]))
        return (
            self._arn(name)
            if resource["Type"] in ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine")
            else f"<{name}>"
        )

    def _arn(self, name: str) -> str:
        resource = self.resources[name]
        if resource["Type"] == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{self._reference(name)}"
        if resource["Type"] not in ARNS:
            return f"<{name}.Arn>"
        key, service, end = ARNS[resource["Type"]]
        return arn(service, end.format(self.plain(resource["Properties"][key])))


def container_of(compute: Template, family: str) -> Json:
    """The only one of a task definition."""
    (found,) = [each for each in compute.of("AWS::ECS::TaskDefinition").values() if each["Family"] == family]
    (container,) = found["ContainerDefinitions"]
    plain: Json = compute.plain(container)
    return plain


def variables(container: Json) -> dict[str, str]:
    return {each["Name"]: each["Value"] for each in container["Environment"]}
