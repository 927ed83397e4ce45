"""One contestant in a process of its own, so that its CPU time is its own: `python -m bench.contestants bare RESULT 3000 200`.

It handles as many messages as wait for it, the first of them unmeasured: connections open and caches fill.
"""

import asyncio
import itertools
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiobotocore.session import get_session

from bench.station import COOK, STATELESS_COOK, CookOrder, OrderCooked, cook
from contracts.component import Component
from contracts.message import Frozen
from services.runtime.__main__ import compose
from services.runtime.batching import BATCH
from services.runtime.context import Context
from services.runtime.delivery import Delivery
from services.runtime.outgoing import Outgoing, attributes_of
from services.runtime.settings import Settings
from services.runtime.store import Worker
from services.runtime.telemetry import ApiCalls, configure_logging

if TYPE_CHECKING:
    from types_aiobotocore_sns import SNSClient
    from types_aiobotocore_sqs import SQSClient

BARE = ("bare", "bare, publishing")
WITH_STEPS = ("steps", "steps, publishing")


class Result(Frozen):
    """`messages` were handled in `cpu_seconds` of the process and `wall_seconds`.

    `calls` (API calls by `service.Operation`) and `received` (messages) are of the whole contest, warm-up included.
    """

    messages: int
    cpu_seconds: float
    wall_seconds: float
    received: int
    calls: dict[str, int]


class Meter:
    """Reads the clocks when the warm-up is over and when the last message is handled; CPU time also counts what follows."""

    def __init__(self, messages: int, warm_up: int) -> None:
        self._messages = messages
        self._warm_up = warm_up
        self._cpu = 0.0
        self._began = 0.0
        self._ended = 0.0

    def handled(self, count: int) -> bool:
        """To be called with the number of messages handled so far; True when these are all."""
        if count <= self._warm_up:
            self._cpu, self._began = time.process_time(), time.monotonic()
        self._ended = time.monotonic()
        return count >= self._warm_up + self._messages

    def read(self, counts: dict[str, int]) -> Result:
        return Result(
            messages=self._messages,
            cpu_seconds=time.process_time() - self._cpu,
            wall_seconds=self._ended - self._began,
            received=counts["messages"],
            calls={name: count for name, count in counts.items() if "." in name},
        )


async def loop(publishing: bool, settings: Settings, meter: Meter) -> dict[str, int]:
    """The worker's calls, ten messages each, and nothing else: receive, publish as many if asked to, delete."""
    calls = ApiCalls()
    session = get_session()
    async with session.create_client("sqs") as sqs, session.create_client("sns") as sns:
        calls.watch(sqs)
        calls.watch(sns)
        handled, all_of_them = 0, False
        while not all_of_them:
            messages = await _receive(sqs, settings.queue_url)
            if not messages:
                continue
            if publishing:
                await _publish(sns, settings.topic_arn, [message["Body"] for message in messages])
            entries: Any = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
            await sqs.delete_message_batch(QueueUrl=settings.queue_url, Entries=entries)
            handled += len(messages)
            all_of_them = meter.handled(handled)
    return calls.snapshot()


async def _receive(sqs: "SQSClient", url: str) -> list[Any]:
    answer = await sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=BATCH,
        WaitTimeSeconds=20,
        VisibilityTimeout=COOK.policy.lease,
        MessageAttributeNames=["taskToken"],
        MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
    )
    return list(answer.get("Messages", []))


async def _publish(sns: "SNSClient", topic_arn: str, bodies: list[str]) -> None:
    attributes = attributes_of({"type": COOK.output.wire_type()})
    entries: Any = [{"Id": str(n), "Message": body, "MessageAttributes": attributes} for n, body in enumerate(bodies)]
    await sns.publish_batch(TopicArn=topic_arn, PublishBatchRequestEntries=entries)


class Unpublished(Outgoing):
    """Says nothing, as the bare loop does."""

    def __init__(self) -> None:
        """No client is needed."""

    async def publish(self, body: str, wire_type: str, versions: tuple[str, ...], pipeline: str = "") -> None:
        """The event is made and goes nowhere."""


async def worker(component: Component, publishing: bool, settings: Settings, meter: Meter) -> dict[str, int]:
    """The real worker, with all it does: threads, leases, log lines, metrics, reports."""
    numbers = itertools.count(1)
    running = asyncio.get_running_loop()
    identity = Worker("bench", "stdout", "v1", component.policy.lease)
    configure_logging(settings.log_level, component.name, identity.version, identity.name)

    def handle(inputs: CookOrder, ctx: Context) -> OrderCooked:
        if meter.handled(next(numbers)):
            running.call_soon_threadsafe(process.stopping.set)
        return cook(inputs, ctx)

    async with AsyncExitStack() as stack:
        process = await compose(stack, component, handle, identity, settings)
        if isinstance(process.delivery, Delivery) and not publishing:
            process.delivery = replace(process.delivery, outgoing=Unpublished())
        await process.run()
    return process.calls.snapshot()


def main(name: str, result: str, messages: str, warm_up: str) -> None:
    meter, settings = Meter(int(messages), int(warm_up)), Settings()
    publishing = name.endswith("publishing")
    if name in BARE:
        counts = asyncio.run(loop(publishing, settings, meter))
    else:
        component = COOK if name in WITH_STEPS else STATELESS_COOK
        counts = asyncio.run(worker(component, publishing, settings, meter))
    Path(result).write_text(meter.read(counts).model_dump_json(), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
