"""One queue, with the fewest calls that lose nothing."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from contracts.errors import MessageTooLarge
from services.runtime import queue
from services.runtime.queue import ENVELOPE, Queue, Received, check_size, dumps, fits

Json = dict[str, Any]


class FakeSqs:
    """Deletes what it is not told to refuse so many times."""

    def __init__(self, refusals: dict[str, int] | None = None, sender_fault: bool = False) -> None:
        self.refusals = refusals or {}
        self.sender_fault = sender_fault
        self.deletes: list[list[str]] = []
        self.deleted: list[str] = []
        self.sent: list[list[str]] = []
        self.asked: list[Json] = []
        self.called = asyncio.Event()

    async def delete_message_batch(self, **asked: Any) -> Json:
        receipts = [entry["ReceiptHandle"] for entry in asked["Entries"]]
        self.deletes.append(receipts)
        self.called.set()
        refused = [receipt for receipt in receipts if self.refusals.get(receipt, 0) > 0]
        for receipt in refused:
            self.refusals[receipt] -= 1
        self.deleted += [receipt for receipt in receipts if receipt not in refused]
        failed = [entry for entry in asked["Entries"] if entry["ReceiptHandle"] in refused]
        return {
            "Failed": [
                {"Id": entry["Id"], "Code": "InternalError", "SenderFault": self.sender_fault} for entry in failed
            ]
        }

    async def send_message_batch(self, **asked: Any) -> Json:
        self.sent.append([entry["MessageBody"] for entry in asked["Entries"]])
        bad = [entry for entry in asked["Entries"] if entry["MessageBody"] == "bad"]
        return {"Failed": [{"Id": entry["Id"], "Code": "InternalError", "Message": "not now"} for entry in bad]}

    async def change_message_visibility(self, **asked: Any) -> None:
        self.asked.append(asked)

    async def change_message_visibility_batch(self, **asked: Any) -> Json:
        self.asked.append(asked)
        return {"Failed": [{"Id": "0", "Code": "ReceiptHandleIsInvalid", "SenderFault": True}]}

    async def send_message(self, **asked: Any) -> None:
        self.asked.append(asked)

    async def receive_message(self, **asked: Any) -> Json:
        self.asked.append(asked)
        message: Json = {"MessageId": "m", "ReceiptHandle": "r", "Body": "{}"}
        attributes = {"SentTimestamp": "1700000000500", "ApproximateReceiveCount": "3", "SenderId": "AIDA"}
        token = {"taskToken": {"StringValue": "t", "DataType": "String"}}
        return {"Messages": [message, message | {"Attributes": attributes, "MessageAttributes": token}]}


def queue_of(sqs: FakeSqs) -> Queue:
    client: Any = sqs
    return Queue(client, "queue", "dead", lease=30)


async def deleted_through(sqs: FakeSqs, receipts: Sequence[str]) -> None:
    async with queue_of(sqs) as waiting:
        for receipt in receipts:
            waiting.delete(receipt)


async def test_deletes_share_calls_of_ten_and_leaving_waits_for_the_last() -> None:
    sqs = FakeSqs()
    receipts = [f"r{number}" for number in range(23)]
    async with asyncio.timeout(queue.LINGER * 5):
        await deleted_through(sqs, receipts)
    assert sqs.deleted == receipts
    assert [len(call) for call in sqs.deletes] == [10, 10, 3]


async def test_deletes_that_come_one_by_one_share_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "LINGER", 0.5)
    sqs = FakeSqs()
    async with queue_of(sqs) as waiting:
        for number in range(10):
            waiting.delete(f"r{number}")
            await asyncio.sleep(0.001)
        async with asyncio.timeout(0.4):  # the tenth does not linger
            await sqs.called.wait()
    assert [len(call) for call in sqs.deletes] == [10]


async def test_a_delete_lingers_no_longer_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "LINGER", 0.05)
    sqs = FakeSqs()
    async with queue_of(sqs) as waiting:
        waiting.delete("r")
        async with asyncio.timeout(1):
            await sqs.called.wait()


async def test_only_what_was_refused_is_deleted_again() -> None:
    sqs = FakeSqs(refusals={"b": 1, "c": 2})
    await deleted_through(sqs, ["a", "b", "c"])
    assert sqs.deletes == [["a", "b", "c"], ["b", "c"], ["c"]]
    assert sqs.deleted == ["a", "b", "c"]


async def test_what_stays_refused_is_told_and_left_to_come_back(caplog: pytest.LogCaptureFixture) -> None:
    sqs = FakeSqs(refusals={"a": 99})
    await deleted_through(sqs, ["a", "b"])
    assert sqs.deletes == [["a", "b"], ["a"], ["a"]]
    assert "1 messages were not deleted: they will come back and repeat their answers" in caplog.text


async def test_an_expired_receipt_is_not_tried_again() -> None:
    sqs = FakeSqs(refusals={"a": 99}, sender_fault=True)
    await deleted_through(sqs, ["a", "b"])
    assert sqs.deletes == [["a", "b"]]


async def test_a_delete_that_fails_is_told_and_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    sqs = FakeSqs()
    works = sqs.delete_message_batch

    async def fails(**asked: Any) -> Json:
        sqs.delete_message_batch = works  # type: ignore[method-assign] # once
        raise ConnectionError("no line")

    sqs.delete_message_batch = fails  # type: ignore[method-assign] # in its place
    await deleted_through(sqs, [f"r{number}" for number in range(11)])
    assert sqs.deleted == ["r10"]
    assert "messages were not deleted" in caplog.text


async def test_commands_are_sent_in_calls_of_ten() -> None:
    sqs = FakeSqs()
    bodies = [str(number) for number in range(23)]
    await queue_of(sqs).send(bodies)
    assert [len(call) for call in sqs.sent] == [10, 10, 3]
    assert [body for call in sqs.sent for body in call] == bodies


async def test_a_command_that_was_not_taken_is_an_error() -> None:
    with pytest.raises(ConnectionError, match="1 of 3 commands were not sent: not now"):
        await queue_of(FakeSqs()).send(["good", "bad", "good"])


async def test_nothing_is_sent_when_one_command_is_too_large() -> None:
    sqs = FakeSqs()
    with pytest.raises(MessageTooLarge):
        await queue_of(sqs).send(["good", "x" * 65_537])
    assert sqs.sent == []


async def test_what_was_received_is_told_apart_from_what_is_missing() -> None:
    sqs = FakeSqs()
    bare, full = await queue_of(sqs).receive(99, wait=7)
    assert bare == Received("r", "m", "{}", token=None, sent_at=0, receives=1)
    assert full == Received("r", "m", "{}", token="t", sent_at=1_700_000_000.5, receives=3, sender="AIDA")
    (asked,) = sqs.asked
    assert (asked["MaxNumberOfMessages"], asked["WaitTimeSeconds"], asked["VisibilityTimeout"]) == (10, 7, 30)


@pytest.mark.parametrize(("seconds", "asked_for"), [(-1, 0), (0, 0), (1.6, 2), (1e9, 43_200)])
async def test_a_message_is_given_back_for_whole_seconds_that_sqs_takes(seconds: float, asked_for: int) -> None:
    sqs = FakeSqs()
    await queue_of(sqs).give_back("r", seconds)
    assert sqs.asked[0]["VisibilityTimeout"] == asked_for


async def test_a_lease_that_was_not_renewed_is_told(caplog: pytest.LogCaptureFixture) -> None:
    sqs = FakeSqs()
    with caplog.at_level(logging.WARNING):
        await queue_of(sqs).extend([f"r{number}" for number in range(12)])
    assert [len(asked["Entries"]) for asked in sqs.asked] == [10, 2]
    assert {entry["VisibilityTimeout"] for asked in sqs.asked for entry in asked["Entries"]} == {30}
    assert "a message's lease was not renewed: ReceiptHandleIsInvalid" in caplog.text


async def test_a_dead_letter_carries_its_reason_in_characters_sqs_takes() -> None:
    sqs = FakeSqs()
    message = Received("r", "m", "y" * 100_000, token=None, sent_at=5.5, receives=2)
    await queue_of(sqs).dead_letter(
        message, "BadData", "no\0pie\x1b\ud800\ufffe\U0001f967\n" + "x" * 2000, "chopper/pie", 3
    )
    (asked,) = sqs.asked
    attributes = {name: value["StringValue"] for name, value in asked["MessageAttributes"].items()}
    assert attributes.pop("reason").rstrip("x") == "no\ufffdpie\ufffd\ufffd\ufffd\U0001f967\n"
    about = {"error": "BadData", "receives": "2", "firstSent": "5.5", "step": "chopper/pie", "attempts": "3"}
    assert attributes == {**about, "source": "unreadable"}
    assert (asked["QueueUrl"], len(asked["MessageBody"])) == ("dead", 65_536)
    await queue_of(sqs).dead_letter(message, "BadData", "")
    assert sqs.asked[1]["MessageAttributes"]["reason"]["StringValue"] == "BadData"
    assert "step" not in sqs.asked[1]["MessageAttributes"]  # SQS takes no empty attribute


async def test_a_dead_letter_is_cut_in_bytes() -> None:
    """With its attributes it must fit into a queue whose messages are 256 KiB at most."""
    sqs = FakeSqs()
    message = Received("r", "m", "a" + "\U0001f967" * 65_536, token=None, sent_at=5.5, receives=1)
    await queue_of(sqs).dead_letter(message, "PoisonMessage", "too long")
    assert sqs.asked[0]["MessageBody"] == "a" + "\U0001f967" * 16_383


async def test_a_dead_letter_names_its_source() -> None:
    sqs = FakeSqs()
    body = '{"source":"/brigade/\\u0000' + "x" * 300 + '"}'
    message = Received("r", "m", body, token=None, sent_at=5.5, receives=1, sender="AIDA:someone")
    await queue_of(sqs).dead_letter(message, "PoisonMessage", "no envelope")
    attributes = sqs.asked[0]["MessageAttributes"]
    assert attributes["source"]["StringValue"] == "/brigade/\ufffd" + "x" * 189 + "…"
    assert attributes["sender"]["StringValue"] == "AIDA:someone"


def test_the_size_of_a_message_is_that_of_its_bytes() -> None:
    check_size("ü" * 32_768)
    with pytest.raises(MessageTooLarge, match="of 65,538 bytes is over 65,536: write the data with"):
        check_size("ü" * 32_769)
    assert fits("x" * 64_512, ENVELOPE)
    assert not fits("x" * 64_513, ENVELOPE)


def test_json_is_as_short_as_it_can_be() -> None:
    assert dumps({"dish": "Käse", "n": [1, 2]}) == '{"dish":"Käse","n":[1,2]}'
