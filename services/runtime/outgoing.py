"""What a worker says: events to its topic, commands to its own queue, answers to Step Functions."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from contracts.envelope import StepKey, Style, seal
from contracts.graph import Node
from contracts.redaction import HIDDEN
from services.runtime.batching import Batcher
from services.runtime.store import Run

if TYPE_CHECKING:
    from types_aiobotocore_sns import SNSClient
    from types_aiobotocore_stepfunctions import SFNClient

Json = dict[str, Any]

YOUNG = 10.0
"""Seconds a task token may take until Step Functions knows it: its message can be faster."""

NOT_WAITING = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
"""Nobody waits for this token: it is stale, or too young."""

MALFORMED = "ValidationException"
"""It is none, and never will be: too long, or of other characters. A message's attribute may be anything."""

MAX_PUBLISH_BYTES = 256 * 1024
"""All messages of one call to SNS together."""

ATTRIBUTES_BYTES = 1024
"""More than an event's attributes take."""

PUBLISHES_AT_ONCE = 50
"""As many as the client has connections: an event waits for those ready to go with it, not for calls under way."""


def event_body(run: Run, node: Node, key: StepKey, data: Json) -> str:
    return seal(key, node.event, node.component, data, datetime.now(UTC), run.traceparent)


def command_body(run: Run, node: Node, key: StepKey, data: Json, style: Style | None = None) -> str:
    return seal(key, node.command, node.component, data, datetime.now(UTC), run.traceparent, style)


def _chunks(events: Sequence[Json]) -> Iterator[list[tuple[int, Json]]]:
    """Numbered, in calls that SNS takes."""
    chunk: list[tuple[int, Json]] = []
    size = 0
    for number, event in enumerate(events):
        weight = len(event["Message"].encode()) + ATTRIBUTES_BYTES
        if chunk and size + weight > MAX_PUBLISH_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append((number, event))
        size += weight
    yield chunk


def attributes_of(values: dict[str, str]) -> Any:
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


def _without(token: str, error: ClientError) -> ClientError:
    """The same error without the task token, which its text may repeat: it will be logged."""
    about = error.response["Error"]
    said: Any = {"Code": about.get("Code", ""), "Message": about.get("Message", "").replace(token, HIDDEN)}
    return ClientError({"Error": said}, error.operation_name)


class Outgoing:
    def __init__(self, sns: "SNSClient", stepfunctions: "SFNClient", topic_arn: str) -> None:
        self._sns = sns
        self._stepfunctions = stepfunctions
        self._topic_arn = topic_arn
        self._events = Batcher(self._publish_batch, at_once=PUBLISHES_AT_ONCE)

    async def publish(self, body: str, wire_type: str, versions: tuple[str, ...], pipeline: str = "") -> None:
        """Publish an event. Subscriptions filter on its type and on the run's versions and pipeline."""
        attributes = attributes_of({"type": wire_type, **({"pipeline": pipeline} if pipeline else {})})
        if versions:
            attributes["versions"] = {"DataType": "String.Array", "StringValue": json.dumps(versions)}
        failure = await self._events.put({"Message": body, "MessageAttributes": attributes})
        if failure:
            raise ConnectionError(f"the topic did not take an event: {failure}")

    async def _publish_batch(self, events: Sequence[Json]) -> list[str | None]:
        """What went wrong with each, if anything did."""
        failures: dict[int, str] = {}
        for chunk in _chunks(events):
            entries: Any = [{"Id": str(number), **event} for number, event in chunk]
            answer = await self._sns.publish_batch(TopicArn=self._topic_arn, PublishBatchRequestEntries=entries)
            failures |= {
                int(failed["Id"]): failed.get("Message", failed["Code"]) for failed in answer.get("Failed", [])
            }
        return [failures.get(number) for number in range(len(events))]

    async def succeed(self, token: str, output: str, sent_at: float) -> bool:
        """Answer a task token. False when nobody waits for it any more: the answer is stale."""

        async def send() -> None:
            await self._stepfunctions.send_task_success(taskToken=token, output=output)

        return await self._answer(token, send, sent_at)

    async def refuse(self, token: str, error: str, cause: str, sent_at: float) -> bool:
        """Fail a task token; Step Functions takes 256 and 32,768 characters. False when nobody waits for it."""

        async def send() -> None:
            await self._stepfunctions.send_task_failure(taskToken=token, error=error[:256], cause=cause[:32_768])

        return await self._answer(token, send, sent_at)

    async def heartbeat(self, token: str) -> bool:
        """Tell Step Functions that the step is being worked on. False when nobody waits, or not yet."""
        try:
            await self._stepfunctions.send_task_heartbeat(taskToken=token)
        except ClientError as error:
            if error.response["Error"]["Code"] not in (*NOT_WAITING, MALFORMED):
                raise _without(token, error) from None
            return False
        return True

    async def _answer(self, token: str, send: Any, sent_at: float) -> bool:
        # A clock that is behind the queue's makes no token young for longer.
        until = time.monotonic() + min(YOUNG, sent_at + YOUNG - time.time())
        while True:
            try:
                await send()
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code not in (*NOT_WAITING, MALFORMED):
                    raise _without(token, error) from None
                if code == MALFORMED or time.monotonic() > until:
                    return False
                await asyncio.sleep(0.25)  # the token may be too young: there is no event to wait for
            else:
                return True
