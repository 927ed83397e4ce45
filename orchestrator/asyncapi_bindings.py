"""The SQS and SNS bindings of the AsyncAPI document, read from the rendered CloudFormation template.

Versions: those that the schema of AsyncAPI 3.0.0 knows, https://github.com/asyncapi/bindings/tree/v3.0.0/sqs and sns.
"""

from typing import Any

Json = dict[str, Any]

SQS = "0.2.0"
SNS = "0.1.0"

_QUEUE = {
    "VisibilityTimeout": "visibilityTimeout",
    "ReceiveMessageWaitTimeSeconds": "receiveMessageWaitTime",
    "MessageRetentionPeriod": "messageRetentionPeriod",
}
"""What CloudFormation and the binding call the same."""


class Bindings:
    """Reads a template. Queues and topics are named as its resources: `QueueOrderSimulatorV2`, `TopicOrderVolume`."""

    def __init__(self, template: Json) -> None:
        self._resources: Json = template["Resources"]
        self.prefix: str = template["Parameters"]["Prefix"]["Default"]

    def topic(self, topic: str) -> Json:
        return {"name": self._name(topic), "bindingVersion": SNS}

    def queue(self, queue: str) -> Json:
        """A channel's binding: the queue, its policy, and where its dead letters go."""
        redrive = self._of(queue)["RedrivePolicy"]
        dead_letters = redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]
        policy = {"deadLetterQueue": {"name": self._name(dead_letters)}, "maxReceiveCount": redrive["maxReceiveCount"]}
        return {
            "queue": {**self._queue(queue), "redrivePolicy": policy, "policy": {"statements": self._statements(queue)}},
            "deadLetterQueue": self._queue(dead_letters),
            "bindingVersion": SQS,
        }

    def events_for(self, queue: str) -> list[str]:
        """The events that the queue's subscriptions let through, by wire type."""
        return sorted(event for found in self._subscriptions(queue) for event in found["FilterPolicy"]["type"])

    def subscriptions(self, queue: str) -> dict[str, Json]:
        """An operation's bindings, by the topic: its consumer, and the queue it is."""
        return {found["TopicArn"]["Ref"]: self._subscription(queue, found) for found in self._subscriptions(queue)}

    def _subscriptions(self, queue: str) -> list[Json]:
        return [
            resource["Properties"]
            for resource in self._resources.values()
            if resource["Type"] == "AWS::SNS::Subscription"
            and resource["Properties"]["Endpoint"]["Fn::GetAtt"][0] == queue
        ]

    def _subscription(self, queue: str, found: Json) -> Json:
        consumer = {
            "protocol": found["Protocol"],
            "endpoint": {"name": self._name(queue)},
            "filterPolicy": found["FilterPolicy"],
            "filterPolicyScope": found.get("FilterPolicyScope", "MessageAttributes"),
            "rawMessageDelivery": found["RawMessageDelivery"],
        }
        topic = {"name": self._name(found["TopicArn"]["Ref"])}
        return {
            "sns": {"topic": topic, "consumers": [consumer], "bindingVersion": SNS},
            "sqs": {"queues": [{"name": self._name(queue)}], "bindingVersion": SQS},
        }

    def _of(self, name: str) -> Json:
        properties: Json = self._resources[name]["Properties"]
        return properties

    def _name(self, resource: str) -> str:
        properties = self._of(resource)
        named: str = (properties.get("QueueName") or properties["TopicName"])["Fn::Sub"]
        return named.replace("${Prefix}", self.prefix)

    def _queue(self, name: str) -> Json:
        properties = self._of(name)
        known = {ours: properties[theirs] for theirs, ours in _QUEUE.items() if theirs in properties}
        return {"name": self._name(name), "fifoQueue": properties.get("FifoQueue", False), **known}

    def _statements(self, queue: str) -> list[Json]:
        """Who may do what with the queue. The binding has no word for a condition."""
        policies = (each["Properties"] for each in self._resources.values() if each["Type"] == "AWS::SQS::QueuePolicy")
        return [
            {
                "effect": statement["Effect"],
                "principal": statement["Principal"]["Service"],
                "action": statement["Action"],
                "x-condition": {
                    test: {
                        key: [f"arn:aws:sns:{{region}}:{{account}}:{self._name(topic['Ref'])}" for topic in topics]
                        for key, topics in values.items()
                    }
                    for test, values in statement["Condition"].items()
                },
            }
            for policy in policies
            for statement in policy["PolicyDocument"]["Statement"]
            if {"Fn::GetAtt": [queue, "Arn"]} in statement["Resource"]
        ]
