"""What a dead letter says about itself, whatever its body is."""

from types import SimpleNamespace
from typing import Any

import pytest

from contracts.pipelines import component_named
from orchestrator.dead_letters import _run_of, dead_letters


@pytest.mark.parametrize(
    ("body", "run_id"),
    [
        ('{"runid": "2026-11-25-choreographed-0a1b2c"}', "2026-11-25-choreographed-0a1b2c"),
        ("[" * 65_536, None),
        ('{"runid": "no\\u0000body"}', None),
        ('{"runid": "run\\n"}', None),
        ('{"runid": ""}', None),
        ('{"runid": 7}', None),
    ],
)
def test_a_run_is_named_as_runs_are(body: str, run_id: str | None) -> None:
    """The database is asked about it, and refuses some characters."""
    assert _run_of(body) == run_id


def test_a_look_ends_when_letters_come_again() -> None:
    """It takes longer than they are out of sight: there are too many, or the line is slow."""
    batches = [["a", "b"], ["b", "c"], ["a", "d"], ["b", "a"], ["e"]]

    def receive_message(**asked: Any) -> Any:
        number = 5 - len(batches)
        found = batches.pop(0)
        return {"Messages": [{"MessageId": one, "ReceiptHandle": f"{one}{number}", "Body": "{}"} for one in found]}

    aws: Any = SimpleNamespace(sqs=SimpleNamespace(receive_message=receive_message))
    anywhere: Any = SimpleNamespace(dead_letter_url=lambda *_: "dead", queue_url=lambda *_: "queue")
    found = dead_letters(aws, anywhere, component_named("recipe-popularity"))
    assert [held.letter.message_id for held in found] == ["a", "b", "c", "d"]
    assert [held.receipt for held in found] == ["a3", "b3", "c1", "d2"]
