"""What the messaging template calls things, as ARNs. One stack finds what another has made by name: an export could not be
removed before whoever imports it, so a component could never leave."""

from typing import Any

from aws_cdk import Aws, Fn

from contracts.component import Component
from contracts.pipeline import Pipeline
from orchestrator import asl, template

Json = dict[str, Any]


class Names:
    """Of one deployment. Every name is read from the rendered template."""

    def __init__(self, pipelines: tuple[Pipeline, ...], prefix: str) -> None:
        self._resources: Json = template.render(pipelines)["Resources"]
        self.prefix = prefix

    def queue(self, component: Component, version: str) -> str:
        return self._name(asl.queue_placeholder(component.name, version), "QueueName")

    def dead_letters(self, component: Component, version: str) -> str:
        return self._name(f"{asl.queue_placeholder(component.name, version)}DeadLetters", "QueueName")

    def topic(self, component: Component) -> str:
        return self._name(template.topic_placeholder(component.name), "TopicName")

    def state_machine(self, pipeline: Pipeline) -> str:
        return self._name(template.state_machine_name(pipeline.name), "StateMachineName")

    @property
    def bucket(self) -> str:
        return self._name("Bucket", "BucketName")

    def _name(self, resource: str, key: str) -> str:
        text: str = self._resources[resource]["Properties"][key]["Fn::Sub"]
        return text.replace("${Prefix}", self.prefix).replace("${AWS::AccountId}", Aws.ACCOUNT_ID)


def arn(service: str, resource: str) -> str:
    """Of something in this account and region."""
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"


def bucket_arn(name: str) -> str:
    return f"arn:{Aws.PARTITION}:s3:::{name}"


def queue_url(name: str) -> str:
    return Fn.sub(f"https://sqs.${{AWS::Region}}.${{AWS::URLSuffix}}/${{AWS::AccountId}}/{name}")
