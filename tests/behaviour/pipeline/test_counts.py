"""What a run costs is counted exactly, and counts of work repeat exactly.

How many messages one receive, publish or delete carries depends on when they come, so those counts are bounded only; and
a lease is renewed when a handler takes longer than a second.
"""

import pytest

from orchestrator.execute import Outcome
from orchestrator.start import STYLES
from tests.behaviour.pipeline.conftest import WEDNESDAY, Fleet, Story

BATCHED = {"ReceiveMessage", "DeleteMessageBatch", "PublishBatch", "SendMessageBatch"}
RENEWED = {"ChangeMessageVisibilityBatch", "SendTaskHeartbeat"}


def work(run: Outcome) -> dict[str, int]:
    """The calls whose number does not depend on time."""
    return {
        f"{service}.{operation}": count
        for service, operations in run.api_calls.items()
        for operation, count in operations.items()
        if operation not in BATCHED | RENEWED
    }


@pytest.fixture(scope="module")
def again(fleet: Fleet, story: Story) -> dict[str, Outcome]:
    """Wednesday's runs, once more."""
    return fleet.both(WEDNESDAY)


def test_an_orchestrated_run_repeats_its_counts(story: Story, again: dict[str, Outcome]) -> None:
    first, second = story.wednesday["orchestrated"], again["orchestrated"]
    assert first.alone
    assert second.alone
    assert first.messages == second.messages == 20
    assert first.state_transitions == second.state_transitions == 31
    assert work(first) == work(second)


def test_an_orchestrated_run_costs_a_message_and_an_answer_a_step(story: Story) -> None:
    run = story.wednesday["orchestrated"]
    assert work(run)["states.SendTaskSuccess"] == run.messages == run.steps
    assert run.api_calls["sns"] == {"PublishBatch": 1}  # the publisher's, which others may wait for
    assert "SendMessageBatch" not in run.api_calls["sqs"]


def test_a_reused_step_costs_nothing(story: Story) -> None:
    assert story.friday["orchestrated"].messages == story.wednesday["orchestrated"].messages - 1


def test_a_choreographed_run_repeats_its_counts(story: Story, again: dict[str, Outcome]) -> None:
    first, second = story.wednesday["choreographed"], again["choreographed"]
    for run in (first, second):
        assert run.alone
        assert run.state_transitions == 0
        assert "states" not in run.api_calls
        assert 1 <= run.api_calls["sns"]["PublishBatch"] <= run.steps
        assert run.messages > run.steps
    assert work(first) == work(second)


def test_both_styles_read_and_write_the_same(story: Story) -> None:
    files = [run.api_calls["s3"] for run in story.wednesday.values()]
    assert files[0] == files[1]


@pytest.mark.parametrize("style", STYLES)
def test_calls_carry_what_there_was(story: Story, style: str) -> None:
    run = story.wednesday[style]
    calls = run.api_calls["sqs"]
    assert 1 <= calls["ReceiveMessage"] <= run.messages
    assert 1 <= calls["DeleteMessageBatch"] <= run.messages
