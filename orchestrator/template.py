"""One CloudFormation template for all pipelines: queues, dead-letter queues, topics, subscriptions, state machines, bucket."""

import json
from collections.abc import Iterator
from typing import Any

from contracts.component import Component
from contracts.pipeline import Pipeline
from contracts.pipelines import all_components
from orchestrator import asl

Json = dict[str, Any]

BACKSTOP = 1000
"""`maxReceiveCount`: the worker itself dead-letters, with the reason; this catches what no worker ever could."""

PREFIX = "[a-z][a-z0-9-]{1,30}"
"""What everything may be named after: a bucket's name takes no more."""

KEEP_SECONDS = 14 * 24 * 3600


def render(pipelines: tuple[Pipeline, ...]) -> Json:
    """The template, for any endpoint. `Prefix` names everything, so that several deployments can share an account."""
    workers = [(component, version) for component in all_components(pipelines) for version in component.versions]
    resources: Json = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": _named("${AWS::AccountId}")}}}
    outputs: Json = {"Bucket": {"Value": {"Ref": "Bucket"}}}
    for component in all_components(pipelines):
        name = topic_placeholder(component.name)
        resources[name] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": _named(topic_name(component))}}
        outputs[name] = {"Value": {"Ref": name}}
    for component, version in workers:
        name = asl.queue_placeholder(component.name, version)
        resources.update(_queues(component, version, name))
        resources.update(_subscriptions(component, version, name, pipelines))
        outputs[name] = {"Value": {"Ref": name}}
        outputs[f"{name}DeadLetters"] = {"Value": {"Ref": f"{name}DeadLetters"}}
    resources["QueuePolicy"] = _queue_policy(
        [asl.queue_placeholder(c.name, version) for c, version in workers],
        [topic_placeholder(component.name) for component in all_components(pipelines)],
    )
    for pipeline in pipelines:
        name = state_machine_name(pipeline.name)
        resources[f"{name}Role"] = _role(pipeline)
        resources[name] = _state_machine(pipeline, name)
        outputs[name] = {"Value": {"Ref": name}}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Brigade messaging, rendered from contracts/pipelines.py",
        "Parameters": {"Prefix": {"Type": "String", "Default": "brigade", "AllowedPattern": PREFIX}},
        "Resources": resources,
        "Outputs": outputs,
    }


def state_machine_name(pipeline: str) -> str:
    return "StateMachine" + "".join(word.title() for word in pipeline.split("-"))


def queue_name(component: Component, version: str) -> str:
    """Of the first version, the component's own name; a later one has its queue beside it."""
    return component.name if version == component.versions[0] else f"{component.name}-{version}"


def topic_placeholder(component: str) -> str:
    """The name of a component's topic in the template: `TopicOrderVolume`."""
    return "Topic" + "".join(word.title() for word in component.split("-"))


def topic_name(component: Component) -> str:
    """Of all its versions: who takes an event does not care which of them gave it."""
    return f"{component.name}-events"


def _named(name: str) -> Json:
    return {"Fn::Sub": "${Prefix}-" + name}


def _queues(component: Component, version: str, name: str) -> Json:
    queue = queue_name(component, version)
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": [f"{name}DeadLetters", "Arn"]}, "maxReceiveCount": BACKSTOP}
    return {
        f"{name}DeadLetters": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": _named(f"{queue}-dead-letters"), "MessageRetentionPeriod": KEEP_SECONDS},
        },
        name: {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": _named(queue),
                "MessageRetentionPeriod": KEEP_SECONDS,
                "VisibilityTimeout": component.policy.lease,
                "ReceiveMessageWaitTimeSeconds": 20,
                "RedrivePolicy": redrive,
            },
        },
    }


def filter_policies(component: Component, version: str, pipelines: tuple[Pipeline, ...]) -> dict[str, Json]:
    """What a queue takes from whose topic: the outputs that its component's input is made of, if a run chose it."""
    events: dict[str, set[str]] = {}
    taken_in: dict[str, set[str]] = {}
    for graph in (pipeline.graph for pipeline in pipelines if pipeline.graph.has(component.name)):
        for need in graph.node(component.name).needs:
            events.setdefault(need.component, set()).add(graph.node(need.component).event)
            taken_in.setdefault(need.component, set()).add(graph.pipeline)
    chosen = {"versions": [f"{component.name}={version}"]} if component.flagged else {}
    return {
        giver: {"type": sorted(types), **chosen, **_only_of(giver, taken_in[giver], pipelines)}
        for giver, types in sorted(events.items())
    }


def _only_of(giver: str, taken_in: set[str], pipelines: tuple[Pipeline, ...]) -> Json:
    """A component may give what it gives in other pipelines too, where this queue has no use for it."""
    given_in = {pipeline.name for pipeline in pipelines if pipeline.graph.has(giver)}
    return {} if given_in == taken_in else {"pipeline": sorted(taken_in)}


def subscription_placeholder(queue: str, giver: str) -> str:
    """The name of a queue's subscription to a component's topic: `QueuePublisherV1TakesSiteForecast`."""
    return f"{queue}Takes{topic_placeholder(giver).removeprefix('Topic')}"


def _subscriptions(component: Component, version: str, queue: str, pipelines: tuple[Pipeline, ...]) -> Json:
    return {
        subscription_placeholder(queue, giver): {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": topic_placeholder(giver)},
                "Protocol": "sqs",
                "Endpoint": {"Fn::GetAtt": [queue, "Arn"]},
                "RawMessageDelivery": True,
                "FilterPolicy": policy,
            },
        }
        for giver, policy in filter_policies(component, version, pipelines).items()
    }


def _queue_policy(queues: list[str], topics: list[str]) -> Json:
    """The topics may send to the queues; nobody else from outside the account."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": [{"Fn::GetAtt": [queue, "Arn"]} for queue in queues],
        "Condition": {"ArnEquals": {"aws:SourceArn": [{"Ref": topic} for topic in topics]}},
    }
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": queue} for queue in queues],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        },
    }


def _queues_of(pipeline: Pipeline) -> Iterator[str]:
    for component in pipeline.components:
        for version in component.versions:
            yield asl.queue_placeholder(component.name, version)


def _role(pipeline: Pipeline) -> Json:
    """A state machine may send commands to its components' queues, and nothing else."""
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    send = {
        "Effect": "Allow",
        "Action": "sqs:SendMessage",
        "Resource": [{"Fn::GetAtt": [queue, "Arn"]} for queue in _queues_of(pipeline)],
    }
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [
                {"PolicyName": "SendCommands", "PolicyDocument": {"Version": "2012-10-17", "Statement": [send]}}
            ],
        },
    }


def _state_machine(pipeline: Pipeline, name: str) -> Json:
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": _named(pipeline.name),
            "RoleArn": {"Fn::GetAtt": [f"{name}Role", "Arn"]},
            "DefinitionString": json.dumps(asl.render(pipeline), separators=(",", ":")),
            "DefinitionSubstitutions": {queue: {"Ref": queue} for queue in _queues_of(pipeline)},
        },
    }
