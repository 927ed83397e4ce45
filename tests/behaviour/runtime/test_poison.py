"""Messages that nobody can work on go to the dead-letter queue at first receipt, with the reason, and hold up nobody."""

import json
from datetime import UTC, datetime
from typing import Any

from contracts.envelope import StepKey, seal
from tests.behaviour.runtime.floor import Floor

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
        letter = letters[sent[:65_536]]
        assert letter["error"] == "PoisonMessage"
        assert letter["reason"].startswith(reason)
        assert letter["receives"] == "1"
        assert float(letter["firstSent"]) > 1.7e9


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
