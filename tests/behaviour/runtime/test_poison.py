"""Messages that nobody can work on go to the dead-letter queue at first receipt, with the reason, and hold up nobody."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from contracts.envelope import StepKey, seal
from orchestrator.database import Connection
from tests.behaviour.runtime.floor import Floor, open_floor
from tests.behaviour.runtime.squads import Orders, handlers
from tests.behaviour.runtime.supper import PATIENT, snack

Json = dict[str, Any]

NOBODY = StepKey(run_id="nobody", component="chopper", item="pie")


def body(key: StepKey, wire_type: str = "chop-dish.v1", data: dict[str, Any] | None = None) -> str:
    return seal(key, wire_type, "tests", data or {}, datetime.now(UTC))


POISON = {
    "no JSON": ("chop the pie, please", "the body is no envelope"),
    "no envelope": ('{"dish": "pie"}', "the body is no envelope: id: Field required"),
    "an unknown run": (body(NOBODY), "there is no run nobody"),
    "an id of something else": (body(NOBODY).replace("nobody/chopper/pie", "pie"), "the id is not run/component/item"),
    "two runs": (body(NOBODY).replace('"runid":"nobody"', '"runid":"somebody"'), "the id and the runid name different"),
    "a type without a version": (body(NOBODY, "chop"), "unknown type chop"),
    "too large": (body(NOBODY, data={"x": "x" * 65_536}), "the body is over 65,536 bytes"),
    "nested too deeply": ("[" * 65_536, "the body is no envelope: body: Invalid JSON: recursion limit exceeded"),
    "as large as a queue takes": ("y" * 1_048_576, "the body is over 65,536 bytes"),
    "as many bytes as a queue takes": ("\U0001f967" * 262_144, "the body is over 65,536 bytes"),
    "a character no database takes": (body(StepKey(run_id="no\0body", component="chopper", item="pie")), "the id"),
    "a character no queue takes": (body(NOBODY, "chop\x1b"), "unknown type chop"),
}


async def test_poison_goes_to_the_dead_letters_at_once_with_the_reason(snack_bar: Floor) -> None:
    for sent, _ in POISON.values():
        snack_bar.send("chopper", sent)
    letters: dict[str, dict[str, Any]] = {}

    def all_are_there() -> bool:
        letters.update({letter["body"]: letter for letter in snack_bar.dead_letters("chopper")})
        return len(letters) == len(POISON)

    async with snack_bar.working("chopper"):
        await snack_bar.until(all_are_there)
        await snack_bar.settled()
    for sent, reason in POISON.values():
        letter = letters[sent.encode()[:65_536].decode()]
        assert letter["error"] == "PoisonMessage"
        assert letter["reason"].startswith(reason)
        assert letter["receives"] == "1"
        assert float(letter["firstSent"]) > 1.7e9
        assert letter["source"] == ("/brigade/tests" if "/brigade/tests" in sent else "unreadable")
        assert letter["sender"]


async def test_poison_of_a_run_holds_up_none_of_its_good_messages(snack_bar: Floor) -> None:
    run_id = snack_bar.start("choreographed")
    key = StepKey(run_id=run_id, component="chopper", item="pie")
    snack_bar.send("chopper", body(key, "chop-dish.v9"))
    snack_bar.send("chopper", body(key, "snack-served.v1"))
    snack_bar.send("chopper", body(StepKey(run_id=run_id, component="server", item="-")))
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
        await snack_bar.settled()
        letters = snack_bar.dead_letters("chopper")
    assert (run["status"], run["cause"]) == ("SUCCEEDED", None)
    assert sorted(letter["reason"] for letter in letters) == [
        "a command for server in the queue of chopper",
        "chopper takes no chop-dish.v9",
        "chopper takes no snack-served.v1",
    ]


def without_the_date(envelope: Json) -> str:
    del envelope["data"]["request"]["date"]
    return json.dumps(envelope)


def with_many_seeds(envelope: Json) -> str:
    envelope["data"]["request"]["seed"] = "many"
    return json.dumps(envelope)


BROKEN: dict[str, tuple[Callable[[Json], str], str, str]] = {
    "a missing field": (
        without_the_date,
        "ContractViolation",
        "plan-supper.v1 does not fit its contract: request.date: ",
    ),
    "a wrong type": (with_many_seeds, "ContractViolation", "plan-supper.v1 does not fit its contract: request.seed: "),
    "a missing attribute": (lambda e: json.dumps(e | {"id": None}), "PoisonMessage", "the body is no envelope: id: "),
    "an unknown type": (
        lambda e: json.dumps(e | {"type": "plan-lunch.v1"}),
        "PoisonMessage",
        "host takes no plan-lunch",
    ),
    "an unknown version": (
        lambda e: json.dumps(e | {"type": "plan-supper.v2"}),
        "PoisonMessage",
        "host takes no plan-su",
    ),
    "300 KB": (lambda e: json.dumps(e | {"x": "y" * 300_000}), "PoisonMessage", "the body is over 65,536 bytes"),
    "broken JSON": (lambda e: json.dumps(e)[:-2], "PoisonMessage", "the body is no envelope: body: Invalid JSON: EOF"),
    "deep nesting": (
        lambda e: json.dumps(e | {"x": "deep"}).replace('"deep"', "[" * 20_000 + "]" * 20_000),
        "PoisonMessage",
        "the body is no envelope: body: Invalid JSON: recursion limit exceeded",
    ),
}
"""What becomes of the command of a run's first step on its way, and what is said about it."""


def commands_of_the_host(floor: Floor) -> Iterator[tuple[Json, Any]]:
    """Envelope and attributes of each that waits, taken out of the queue."""
    url = floor.deployment.queue_url(floor.component("host"), "v1")
    asked: Any = {"QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0, "MessageAttributeNames": ["All"]}
    while found := floor.aws.sqs.receive_message(**asked).get("Messages", []):
        for message in found:
            floor.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            yield json.loads(message["Body"]), message.get("MessageAttributes", {})


async def spoiled_runs(floor: Floor, style: str) -> dict[str, str]:
    """A run for each of what can be broken: the command of its first step is, and keeps the task token it came with."""
    runs = [floor.start(style) for _ in BROKEN]
    await floor.until(lambda: floor.waiting("host") == len(BROKEN))
    url, sent = floor.deployment.queue_url(floor.component("host"), "v1"), {}
    for (name, (change, _, _)), (envelope, attributes) in zip(
        BROKEN.items(), list(commands_of_the_host(floor)), strict=True
    ):
        sent[name] = envelope["runid"]
        floor.aws.sqs.send_message(QueueUrl=url, MessageBody=change(envelope), MessageAttributes=attributes)
    assert sorted(sent.values()) == sorted(runs)
    return sent


@pytest.fixture
def calm_bar(connection: Connection, url: str, aws: str) -> Floor:
    """Step Functions waits as long as the tests do."""
    return open_floor(connection, url, snack(PATIENT), handlers(Orders()))


@pytest.mark.parametrize(
    ("style", "source"), [("choreographed", "/brigade/start"), ("orchestrated", "/brigade/step-functions")]
)
async def test_what_is_wrong_is_dead_lettered_at_first_receipt_with_reason_and_source(
    calm_bar: Floor, style: str, source: str
) -> None:
    """Whoever asked by a task token hears it too; and the worker goes on."""
    broken = await spoiled_runs(calm_bar, style)
    letters: list[Json] = []

    def all_are_there() -> bool:
        letters.extend(calm_bar.dead_letters("host"))
        return len(letters) == len(BROKEN)

    async with calm_bar.working("host"):
        good = calm_bar.start(style)
        await calm_bar.until(lambda: calm_bar.attempts(good, "host") == [("-", 1, "done", None)])
        await calm_bar.until(all_are_there)
        for name, (_, error, reason) in BROKEN.items():
            (letter,) = [letter for letter in letters if letter["reason"].startswith(reason)]
            assert (letter["error"], letter["source"], letter["receives"]) == (error, source, "1"), name
            if style == "orchestrated":
                execution = await calm_bar.until(partial(calm_bar.failed_execution, broken[name]))
                assert (execution["error"], execution["cause"]) == (error, letter["reason"])


async def test_a_command_that_breaks_its_contract_fails_the_run_naming_the_field(snack_bar: Floor) -> None:
    run_id = snack_bar.start("choreographed")
    await snack_bar.until(lambda: snack_bar.waiting("host"))
    (received,) = snack_bar.take("host")
    envelope = json.loads(received)
    del envelope["data"]["request"]["date"]
    snack_bar.send("host", json.dumps(envelope))
    async with snack_bar.working("host"):
        run = await snack_bar.ended(run_id)
        (letter,) = await snack_bar.until(lambda: snack_bar.dead_letters("host"))
    cause = "plan-supper.v1 does not fit its contract: request.date: Field required"
    assert run["cause"] == f"host/- failed: ContractViolation: {cause}"
    assert (letter["error"], letter["reason"]) == ("ContractViolation", cause)
    assert snack_bar.attempts(run_id, "host") == [("-", 1, "failed", "ContractViolation")]


async def test_an_additional_field_is_accepted(snack_bar: Floor) -> None:
    run_id = snack_bar.start("choreographed")
    await snack_bar.until(lambda: snack_bar.waiting("host"))
    (received,) = snack_bar.take("host")
    envelope = json.loads(received)
    envelope["data"]["request"]["music"] = envelope["data"]["music"] = envelope["music"] = "loud"
    snack_bar.send("host", json.dumps(envelope))
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
    assert run["status"] == "SUCCEEDED"


async def test_poison_with_a_task_token_fails_its_task_and_the_run(snack_bar: Floor) -> None:
    """A run that the database does not know, as after restoring an old backup."""
    run_id = snack_bar.start("orchestrated")
    await snack_bar.until(lambda: snack_bar.waiting("host"))
    snack_bar.rename_run(run_id, "renamed")
    async with snack_bar.working("host") as (worker,):
        (letter,) = await snack_bar.until(lambda: snack_bar.dead_letters("host"))
        execution = await snack_bar.until(lambda: snack_bar.failed_execution("renamed"))
        assert worker.sweep is not None
        await worker.sweep.reconcile()
    assert letter["error"] == "PoisonMessage"
    assert (execution["error"], execution["cause"]) == ("PoisonMessage", f"there is no run {run_id}")
    run = await snack_bar.ended("renamed")
    assert run["cause"] == f"its execution is FAILED: PoisonMessage: there is no run {run_id}"
