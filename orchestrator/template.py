"""One CloudFormation template for all pipelines: queues, dead-letter queues, topic, subscriptions, state machines, bucket."""

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
    resources["Topic"] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": _named("events")}}
    outputs: Json = {"Bucket": {"Value": {"Ref": "Bucket"}}, "Topic": {"Value": {"Ref": "Topic"}}}
    for component, version in workers:
        name = asl.queue_placeholder(component.name, version)
        resources.update(_queues(component, version, name))
        resources.update(_subscription(component, version, name, pipelines))
        outputs[name] = {"Value": {"Ref": name}}
        outputs[f"{name}DeadLetters"] = {"Value": {"Ref": f"{name}DeadLetters"}}
    resources["QueuePolicy"] = _queue_policy([asl.queue_placeholder(c.name, version) for c, version in workers])
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


def filter_policy(component: Component, version: str, pipelines: tuple[Pipeline, ...]) -> Json:
    """Which events a component's queue takes: the outputs its input is made of, of runs that chose this version."""
    events = {
        pipeline.graph.node(need.component).event
        for pipeline in pipelines
        if pipeline.graph.has(component.name)
        for need in pipeline.graph.node(component.name).needs
    }
    policy: Json = {"type": sorted(events)}
    if component.flagged:
        policy["versions"] = [f"{component.name}={version}"]
    return policy if events else {}


def _subscription(component: Component, version: str, name: str, pipelines: tuple[Pipeline, ...]) -> Json:
    policy = filter_policy(component, version, pipelines)
    if not policy:
        return {}
    return {
        f"Subscription{name}": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "sqs",
                "Endpoint": {"Fn::GetAtt": [name, "Arn"]},
                "RawMessageDelivery": True,
                "FilterPolicy": policy,
            },
        }
    }


def _queue_policy(queues: list[str]) -> Json:
    """The topic may send to the queues; nobody else from outside the account."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": [{"Fn::GetAtt": [queue, "Arn"]} for queue in queues],
        "Condition": {"ArnEquals": {"aws:SourceArn": {"Ref": "Topic"}}},
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
