"""SQS and SNS in memory, as lossless and as careless as they promise to be: at least once, in any order.

Time is the test's: a message that was received stays out of sight until the test lets it reappear; one that was given back is
there at once.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.behaviour.runtime.gates import gate

Json = dict[str, Any]


@dataclass
class Letter:
    """A message in a queue."""

    number: int
    url: str
    body: str
    token: str | None = None
    attributes: Json = field(default_factory=dict)
    visible: bool = True
    deleted: bool = False
    receives: int = 0


class FakeSqs:
    """When it is careless, a receipt deletes a message that has been received again since; SQS promises neither."""

    def __init__(self, careless: bool = False) -> None:
        self.careless = careless
        self.letters: list[Letter] = []
        self.refused_deletes = 0
        self.to_receive: Letter | None = None
        self._numbers = count()

    def put(self, url: str, body: str, token: str | None = None, attributes: Json | None = None) -> Letter:
        letter = Letter(next(self._numbers), url, body, token, attributes or {})
        self.letters.append(letter)
        return letter

    def visible(self, *, dead: bool = False) -> list[Letter]:
        """What can be received now; of the dead-letter queues, or of the others."""
        return [letter for letter in self._kept() if letter.visible and letter.url.endswith("/dead") == dead]

    def hidden(self) -> list[Letter]:
        return [letter for letter in self._kept() if not letter.visible]

    def _kept(self) -> Iterator[Letter]:
        return (letter for letter in self.letters if not letter.deleted)

    async def receive_message(self, **asked: Any) -> Json:
        letter, self.to_receive = self.to_receive, None
        assert letter is not None
        assert letter.visible
        letter.visible = False
        letter.receives += 1
        attributes = {"SentTimestamp": "0", "ApproximateReceiveCount": str(letter.receives)}
        found = {
            "MessageId": str(letter.number),
            "ReceiptHandle": f"{letter.number}:{letter.receives}",
            "Body": letter.body,
            "Attributes": attributes,
        }
        if letter.token:
            found["MessageAttributes"] = {"taskToken": {"StringValue": letter.token, "DataType": "String"}}
        return {"Messages": [found]}

    async def change_message_visibility(self, **asked: Any) -> None:
        await gate("giving back")
        self._by_receipt(asked["ReceiptHandle"]).visible = True
        await gate("giving back")

    async def change_message_visibility_batch(self, **asked: Any) -> Json:
        await gate("renewing")
        lost = [e for e in asked["Entries"] if self._by_receipt(e["ReceiptHandle"]).visible]
        return {"Failed": [{"Id": e["Id"], "Code": "MessageNotInflight", "SenderFault": True} for e in lost]}

    async def send_message_batch(self, **asked: Any) -> Json:
        for entry in asked["Entries"]:
            await gate("sending")
            self.put(asked["QueueUrl"], entry["MessageBody"])
        await gate("sending")
        return {}

    async def send_message(self, **asked: Any) -> None:
        await gate("dead-lettering")
        self.put(asked["QueueUrl"], asked["MessageBody"], attributes=asked["MessageAttributes"])
        await gate("dead-lettering")

    async def delete_message_batch(self, **asked: Any) -> Json:
        await gate("deleting", may_cancel=False)
        failed = []
        for entry in asked["Entries"]:
            if self.refused_deletes:
                self.refused_deletes -= 1
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            elif self.careless or self._is_newest(entry["ReceiptHandle"]):
                self._by_receipt(entry["ReceiptHandle"]).deleted = True
        return {"Failed": failed}

    def _is_newest(self, receipt: str) -> bool:
        return receipt == f"{self._by_receipt(receipt).number}:{self._by_receipt(receipt).receives}"

    def _by_receipt(self, receipt: str) -> Letter:
        return self.letters[int(receipt.split(":")[0])]


class FakeSns:
    """All topics as one, since each type of events has its own: the subscribers are queues with filter policies."""

    def __init__(self, sqs: FakeSqs, subscriptions: list[tuple[str, Json]]) -> None:
        self._sqs = sqs
        self._subscriptions = subscriptions
        self.published: list[Json] = []

    async def publish_batch(self, **asked: Any) -> Json:
        await gate("publishing")
        for event in asked["PublishBatchRequestEntries"]:
            self._publish(event["Message"], event["MessageAttributes"])
            await gate("publishing")
        return {}

    def _publish(self, body: str, attributes: Json) -> None:
        self.published.append(json.loads(body))
        for url, policy in self._subscriptions:
            if all(_values(attributes.get(name)) & set(wanted) for name, wanted in policy.items()):
                self._sqs.put(url, body)


def _values(attribute: Json | None) -> set[str]:
    if attribute is None:
        return set()
    value = attribute["StringValue"]
    return set(json.loads(value)) if attribute["DataType"] == "String.Array" else {value}
