"""Answers to task tokens: at once, a little later when the token is too young, never when it is stale."""

import asyncio
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from services.runtime import outgoing
from services.runtime.outgoing import Outgoing


class StepFunctions:
    """Knows tokens after so many questions, or answers every one with an error."""

    def __init__(self, unknown: int = 0, code: str = "InvalidToken") -> None:
        self.unknown = unknown
        self.code = code
        self.asked: list[dict[str, Any]] = []

    async def send_task_success(self, **asked: Any) -> None:
        self._answer(asked)

    async def send_task_failure(self, **asked: Any) -> None:
        self._answer(asked)

    async def send_task_heartbeat(self, **asked: Any) -> None:
        self._answer(asked)

    def _answer(self, asked: dict[str, Any]) -> None:
        self.asked.append(asked)
        if len(self.asked) <= self.unknown:
            raise ClientError({"Error": {"Code": self.code, "Message": ""}}, "SendTask")


def speaking_to(stepfunctions: StepFunctions) -> Outgoing:
    client: Any = stepfunctions
    return Outgoing(client, client, "topic")


LONG_AGO = 0.0


async def test_an_answer_is_given_once() -> None:
    stepfunctions = StepFunctions()
    assert await speaking_to(stepfunctions).succeed("token", '{"a":1}', LONG_AGO)
    assert stepfunctions.asked == [{"taskToken": "token", "output": '{"a":1}'}]


@pytest.mark.parametrize("code", ["InvalidToken", "TaskDoesNotExist", "TaskTimedOut"])
async def test_a_token_nobody_waits_for_is_stale_when_its_message_is_old(code: str) -> None:
    stepfunctions = StepFunctions(unknown=99, code=code)
    assert not await speaking_to(stepfunctions).succeed("token", "{}", LONG_AGO)
    assert len(stepfunctions.asked) == 1


@pytest.mark.parametrize("code", ["InvalidToken", "TaskDoesNotExist", "TaskTimedOut"])
async def test_a_token_may_be_too_young_to_be_known(code: str) -> None:
    stepfunctions = StepFunctions(unknown=2, code=code)
    assert await speaking_to(stepfunctions).refuse("token", "BadData", "no pie", time.time())
    assert len(stepfunctions.asked) == 3


async def test_a_young_token_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "YOUNG", 0.3)
    stepfunctions = StepFunctions(unknown=99)
    assert not await speaking_to(stepfunctions).succeed("token", "{}", time.time())
    assert len(stepfunctions.asked) > 1


async def test_a_token_is_not_young_for_longer_because_the_clock_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "YOUNG", 0.3)
    speaker = speaking_to(StepFunctions(unknown=99))
    async with asyncio.timeout(2):
        assert not await speaker.succeed("token", "{}", time.time() + 300)


async def test_any_other_error_is_raised() -> None:
    stepfunctions = StepFunctions(unknown=99, code="ThrottlingException")
    speaker = speaking_to(stepfunctions)
    for answer in (
        speaker.succeed("token", "{}", time.time()),
        speaker.refuse("token", "BadData", "", time.time()),
        speaker.heartbeat("token"),
    ):
        with pytest.raises(ClientError, match="ThrottlingException"):
            await answer
    assert len(stepfunctions.asked) == 3


async def test_a_refusal_is_as_long_as_step_functions_takes() -> None:
    stepfunctions = StepFunctions()
    await speaking_to(stepfunctions).refuse("token", "e" * 300, "c" * 40_000, LONG_AGO)
    (asked,) = stepfunctions.asked
    assert (len(asked["error"]), len(asked["cause"])) == (256, 32_768)


async def test_a_heartbeat_says_whether_somebody_waits_and_does_not_insist() -> None:
    assert await speaking_to(StepFunctions()).heartbeat("token")
    stepfunctions = StepFunctions(unknown=99)
    assert not await speaking_to(stepfunctions).heartbeat("token")
    assert len(stepfunctions.asked) == 1


async def test_what_is_no_token_at_all_is_never_waited_for() -> None:
    """Too long, or of other characters: a message's attribute may be anything, and its message must come to an end."""
    stepfunctions = StepFunctions(unknown=99, code="ValidationException")
    speaker = speaking_to(stepfunctions)
    assert not await speaker.succeed("token", "{}", time.time())
    assert not await speaker.refuse("token", "BadData", "no pie", time.time())
    assert not await speaker.heartbeat("token")
    assert len(stepfunctions.asked) == 3
