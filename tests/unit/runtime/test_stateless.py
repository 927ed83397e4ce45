"""The way of a message through the worker of a component without a step store."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.component import Component
from contracts.envelope import StepKey, seal
from contracts.errors import BadData, ResourcePending, TransientError
from contracts.message import Command, Event
from services.runtime.context import Context
from services.runtime.handlers import Kitchen
from services.runtime.leases import Held, Leases
from services.runtime.outgoing import Outgoing
from services.runtime.queue import Queue, Received
from services.runtime.stateless import StatelessDelivery
from services.runtime.store import Worker
from services.runtime.telemetry import Metrics
from services.runtime.testing import local_context


class Weigh(Command):
    grams: int


class Weighed(Event):
    kilograms: float


SCALES = Component(name="scales", squad="larder", input=Weigh, output=Weighed, stateless=True)
KEY = StepKey(run_id="r1", component="scales", item="onions")
Call = tuple[str, dict[str, Any]]


class Recorder:
    """An AWS client that takes every call, remembers it and answers with nothing."""

    def __init__(self, calls: list[Call]) -> None:
        self._calls = calls

    def __getattr__(self, operation: str) -> Any:
        async def call(**arguments: Any) -> dict[str, Any]:
            self._calls.append((operation, arguments))
            return {}

        return call


Handler = Callable[[Weigh, Context], Weighed]


def weigh(inputs: Weigh, ctx: Context) -> Weighed:
    return Weighed(kilograms=inputs.grams / 1000)


def raising(error: Exception) -> Handler:
    def handle(inputs: Weigh, ctx: Context) -> Weighed:
        raise error

    return handle


def body(data: dict[str, Any] | None = None, wire_type: str = "weigh.v1") -> str:
    return seal(KEY, wire_type, "test", {"grams": 1500} if data is None else data, datetime.now(UTC))


def received(text: str, token: str | None = None, receives: int = 1) -> Received:
    return Received("receipt", "id", text, token, sent_at=0.0, receives=receives)


@asynccontextmanager
async def delivering(
    folder: Path, handler: Handler, component: Component = SCALES
) -> AsyncIterator[tuple[StatelessDelivery, list[Call]]]:
    """A delivery, and the AWS calls that its messages lead to."""
    calls: list[Call] = []
    client: Any = Recorder(calls)
    worker = Worker("w1", "stdout", "v1", component.policy.lease)
    outgoing = Outgoing(client, client, "topic")
    kitchen = Kitchen(handler, 1)

    def make_context(key: StepKey, attempt: int, held: Held) -> Context:
        return local_context(folder, key.component, key.item)

    async with Queue(client, "queue", "dead-letters", component.policy.lease) as queue:
        leases = Leases(queue, None, outgoing, component.policy)
        metrics = Metrics(component.name, "v1")
        yield StatelessDelivery(component, worker, queue, outgoing, leases, kitchen, metrics, make_context), calls
    kitchen.close()


async def outcome(
    folder: Path, message: Received, handler: Handler = weigh, component: Component = SCALES
) -> list[Call]:
    """The AWS calls that one message leads to."""
    async with delivering(folder, handler, component) as (delivery, calls):
        await delivery.process(message)
    return calls


def operations(calls: list[Call]) -> list[str]:
    return [operation for operation, _ in calls]


async def test_a_command_without_a_token_is_handled_and_deleted(tmp_path: Path) -> None:
    assert operations(await outcome(tmp_path, received(body()))) == ["delete_message_batch"]


async def test_a_token_is_answered_before_the_message_is_deleted(tmp_path: Path) -> None:
    calls = await outcome(tmp_path, received(body(), token="t"))
    assert operations(calls) == ["send_task_success", "delete_message_batch"]
    assert calls[0][1] == {"taskToken": "t", "output": '{"kilograms":1.5}'}


async def test_an_announced_answer_is_published_with_the_id_of_its_step(tmp_path: Path) -> None:
    announced = SCALES.model_copy(update={"announced": True})
    calls = await outcome(tmp_path, received(body()), component=announced)
    assert operations(calls) == ["publish_batch", "delete_message_batch"]
    (entry,) = calls[0][1]["PublishBatchRequestEntries"]
    event = json.loads(entry["Message"])
    assert (event["id"], event["type"], event["data"]) == ("r1/scales/onions", "weighed.v1", {"kilograms": 1.5})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not JSON", "no envelope"),
        (body(wire_type="picked.v1"), "keeps no steps to join"),
    ],
)
async def test_what_is_no_command_goes_to_the_dead_letters_at_first_receipt(
    tmp_path: Path, text: str, reason: str
) -> None:
    calls = await outcome(tmp_path, received(text, token="t"))
    assert operations(calls) == ["send_task_failure", "send_message", "delete_message_batch"]
    assert calls[1][1]["QueueUrl"] == "dead-letters"
    assert reason in calls[1][1]["MessageAttributes"]["reason"]["StringValue"]


@pytest.mark.parametrize(
    ("receives", "seconds"),
    [(1, 1), (2, 2)],
)
async def test_a_retryable_failure_comes_back_with_the_delay_of_its_receipts(
    tmp_path: Path, receives: int, seconds: int
) -> None:
    calls = await outcome(tmp_path, received(body(), receives=receives), raising(TransientError("away")))
    assert operations(calls) == ["change_message_visibility"]
    assert calls[0][1]["VisibilityTimeout"] == seconds


async def test_a_failure_on_the_last_receipt_is_dead_lettered(tmp_path: Path) -> None:
    calls = await outcome(tmp_path, received(body(), receives=3), raising(KeyError("peeler")))
    assert operations(calls) == ["send_message", "delete_message_batch"]
    about = calls[0][1]["MessageAttributes"]
    assert about["error"]["StringValue"] == "UnexpectedError"
    assert about["reason"]["StringValue"] == "KeyError: 'peeler'"
    assert about["attempts"]["StringValue"] == "3"


async def test_a_pending_resource_has_a_limit_of_its_own(tmp_path: Path) -> None:
    calls = await outcome(tmp_path, received(body(), receives=50), raising(ResourcePending("soon")))
    assert operations(calls) == ["change_message_visibility"]


async def test_with_a_token_step_functions_retries_and_the_message_is_deleted(tmp_path: Path) -> None:
    message = received(body(), token="t", receives=9)
    calls = await outcome(tmp_path, message, raising(TransientError("away")))
    assert operations(calls) == ["send_task_failure", "delete_message_batch"]
    assert calls[0][1]["error"] == "TransientError"


async def test_a_failure_that_stays_is_refused_and_dead_lettered(tmp_path: Path) -> None:
    calls = await outcome(tmp_path, received(body(), token="t"), raising(BadData("no onions")))
    assert operations(calls) == ["send_task_failure", "send_message", "delete_message_batch"]
    assert calls[0][1] == {"taskToken": "t", "error": "BadData", "cause": "no onions"}


async def test_input_that_breaks_the_contract_is_dead_lettered(tmp_path: Path) -> None:
    calls = await outcome(tmp_path, received(body({"grams": "many"})))
    assert operations(calls) == ["send_message", "delete_message_batch"]
    assert calls[0][1]["MessageAttributes"]["error"]["StringValue"] == "ContractViolation"


async def test_statements_that_no_transaction_would_run_are_refused(tmp_path: Path) -> None:
    def handle(inputs: Weigh, ctx: Context) -> Weighed:
        ctx.with_answer("SELECT %s", [(1,)])
        return weigh(inputs, ctx)

    calls = await outcome(tmp_path, received(body()), handle)
    assert operations(calls) == ["send_message", "delete_message_batch"]
    assert "declare it with steps" in calls[0][1]["MessageAttributes"]["reason"]["StringValue"]
