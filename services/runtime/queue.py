"""One SQS queue and its dead-letter queue, with the fewest API calls that lose nothing."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.envelope import MAX_MESSAGE_BYTES
from contracts.errors import MessageTooLarge
from services.runtime.batching import BATCH, Batcher
from services.runtime.incoming import source_of
from services.runtime.outgoing import attributes_of
from services.runtime.text import cut, printable

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

LINGER = 0.1
"""Seconds a delete waits for others to share its call."""

ENVELOPE = 1024
"""More bytes than an envelope takes around its data."""

TRIES = 3
"""How often a message is deleted that SQS refuses to delete by a fault of its own."""

log = logging.getLogger("brigade.queue")


@dataclass(frozen=True)
class Received:
    """A message as it came. `sent_at` is in seconds since the epoch, by the queue's clock; `sender` is who SQS says sent it."""

    receipt: str
    message_id: str
    body: str
    token: str | None
    sent_at: float
    receives: int
    sender: str | None = None


class Queue:
    """Receive, extend, give back, dead-letter and delete. `async with` it: leaving flushes what is to be deleted."""

    def __init__(self, sqs: "SQSClient", url: str, dead_letter_url: str, lease: int) -> None:
        self._sqs = sqs
        self._url = url
        self._dead_letter_url = dead_letter_url
        self._lease = lease
        self._deletes = Batcher(self._delete_batch, linger=LINGER)

    async def __aenter__(self) -> "Queue":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._deletes.finish()

    async def receive(self, most: int, wait: int = 20) -> list[Received]:
        """Long-poll for at most `most` messages; each is ours for one lease."""
        answer = await self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(most, BATCH),
            WaitTimeSeconds=wait,
            VisibilityTimeout=self._lease,
            MessageAttributeNames=["taskToken"],
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount", "SenderId"],
        )
        return [_received(message) for message in answer.get("Messages", [])]

    def delete(self, receipt: str) -> None:
        """Delete soon, together with others. Should it fail for good, the message comes back and its answer repeats."""
        self._deletes.put(receipt)

    async def give_back(self, receipt: str, seconds: float) -> None:
        """Let the message be received again after so many seconds (SQS takes at most 12 hours)."""
        timeout = min(max(round(seconds), 0), 43_200)
        await self._sqs.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=timeout)

    async def extend(self, receipts: Sequence[str]) -> None:
        """Renew the leases of messages in flight. One that cannot be renewed is logged: the step's own lease decides."""
        for chunk in _chunks(receipts):
            entries: Any = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": self._lease}
                for number, receipt in enumerate(chunk)
            ]
            answer = await self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
            for failed in answer.get("Failed", []):
                log.warning("a message's lease was not renewed: %s", failed.get("Message", failed["Code"]))

    async def send(self, bodies: Sequence[str]) -> None:
        """Send commands to this queue. Raises MessageTooLarge before anything is sent."""
        for body in bodies:
            check_size(body)
        for chunk in _chunks(bodies):
            entries: Any = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(chunk)]
            answer = await self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            if failed := answer.get("Failed"):
                raise ConnectionError(
                    f"{len(failed)} of {len(chunk)} commands were not sent: {failed[0].get('Message')}"
                )

    async def dead_letter(self, message: Received, error: str, reason: str, step: str = "", attempts: int = 0) -> None:
        """Move a message out of the way, with the reason; then it can be deleted here.

        `step` is the local key of the step that it led to, after so many attempts at it. Its source is named as the message
        itself does, its sender as SQS does.

        A body that is poison for its length is cut: with the reason beside it, the largest would not fit into a message.
        """
        about = {
            "error": error,
            "reason": printable(reason)[:1000] or error,
            "receives": str(message.receives),
            "firstSent": str(message.sent_at),
            "attempts": str(attempts),
            "source": cut(printable(source_of(message.body)), 200),
            **({"step": step} if step else {}),
            **({"sender": message.sender} if message.sender else {}),
        }
        await self._sqs.send_message(
            QueueUrl=self._dead_letter_url,
            MessageBody=message.body.encode()[:MAX_MESSAGE_BYTES].decode(errors="ignore"),
            MessageAttributes=attributes_of(about),
        )

    async def _delete_batch(self, receipts: Sequence[str]) -> list[None]:
        left = list(receipts)
        for _ in range(TRIES):
            entries: Any = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(left)]
            try:
                answer = await self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
            except Exception:
                log.warning("messages were not deleted: they will come back and repeat their answers", exc_info=True)
                break
            left = [left[int(failed["Id"])] for failed in answer.get("Failed", []) if not failed["SenderFault"]]
            if not left:
                break
        else:
            log.warning("%d messages were not deleted: they will come back and repeat their answers", len(left))
        return [None] * len(receipts)


def fits(body: str, more: int = 0) -> bool:
    """Whether the body, and so many bytes more, are not too much for a message."""
    return len(body.encode()) + more <= MAX_MESSAGE_BYTES


def check_size(body: str, more: int = 0) -> None:
    """Raises MessageTooLarge when the body, and so many bytes more, do not fit into a message."""
    if not fits(body, more):
        raise MessageTooLarge(
            f"a message of {len(body.encode()):,} bytes is over {MAX_MESSAGE_BYTES - more:,}: write the data with "
            "ctx.write and send its reference"
        )


def _chunks(items: Sequence[str]) -> list[Sequence[str]]:
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]


def _received(message: Any) -> Received:
    system = message.get("Attributes", {})
    token = message.get("MessageAttributes", {}).get("taskToken", {}).get("StringValue")
    return Received(
        receipt=message["ReceiptHandle"],
        message_id=message["MessageId"],
        body=message["Body"],
        token=token,
        sent_at=int(system.get("SentTimestamp", 0)) / 1000,
        receives=int(system.get("ApproximateReceiveCount", 1)),
        sender=system.get("SenderId"),
    )


_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def dumps(value: object) -> str:
    return _ENCODER.encode(value)
