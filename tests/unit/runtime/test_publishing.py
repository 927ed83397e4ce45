"""Events that are published at the same time share a call to SNS."""

import asyncio
from typing import Any

import pytest

from contracts.envelope import MAX_MESSAGE_BYTES
from services.runtime.outgoing import MAX_PUBLISH_BYTES, Outgoing

Entries = list[dict[str, Any]]


class Topic:
    """Takes no event whose body starts with `bad`."""

    def __init__(self) -> None:
        self.calls: list[Entries] = []

    async def publish_batch(self, **asked: Any) -> dict[str, Any]:
        entries: Entries = asked["PublishBatchRequestEntries"]
        self.calls.append(entries)
        bad = [entry for entry in entries if entry["Message"].startswith("bad")]
        return {"Failed": [{"Id": entry["Id"], "Code": "InternalError", "Message": "not now"} for entry in bad]}


def outgoing(topic: Topic) -> Outgoing:
    client: Any = topic
    return Outgoing(client, client, "topic")


async def test_events_share_a_call_and_carry_what_subscriptions_filter_on() -> None:
    topic = Topic()
    speaker = outgoing(topic)
    await asyncio.gather(
        speaker.publish("one", "cooked.v1", ()), speaker.publish("two", "served.v1", ("cook=v2",), "supper")
    )
    ((first, second),) = topic.calls
    assert first["Message"] == "one"
    assert first["MessageAttributes"] == {"type": {"DataType": "String", "StringValue": "cooked.v1"}}
    assert second["MessageAttributes"]["versions"] == {"DataType": "String.Array", "StringValue": '["cook=v2"]'}
    assert second["MessageAttributes"]["pipeline"] == {"DataType": "String", "StringValue": "supper"}


async def test_no_call_is_larger_than_sns_takes() -> None:
    topic = Topic()
    speaker = outgoing(topic)
    await asyncio.gather(*(speaker.publish("x" * MAX_MESSAGE_BYTES, "cooked.v1", ()) for _ in range(10)))
    sizes = [sum(len(entry["Message"]) for entry in entries) for entries in topic.calls]
    assert sum(sizes) == 10 * MAX_MESSAGE_BYTES
    assert max(sizes) < MAX_PUBLISH_BYTES


async def test_only_the_event_that_was_not_taken_fails() -> None:
    topic = Topic()
    speaker = outgoing(topic)
    good, bad = await asyncio.gather(
        speaker.publish("good", "cooked.v1", ()), speaker.publish("bad", "cooked.v1", ()), return_exceptions=True
    )
    assert good is None
    assert isinstance(bad, ConnectionError)
    with pytest.raises(ConnectionError, match="not now"):
        await speaker.publish("bad", "cooked.v1", ())
