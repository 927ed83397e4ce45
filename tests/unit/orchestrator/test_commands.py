"""What commands do around what they ask for, and what they print."""

from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from orchestrator import dead_letters
from orchestrator.cli.app import app
from orchestrator.cli.session import Session


@pytest.mark.parametrize("answer", ["", "n\n"], ids=["closed", "no"])
def test_dead_letters_that_are_not_deleted_can_be_seen_again_at_once(
    answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, released = [SimpleNamespace(dead_letter_url="dead", receipt="r")], []
    sqs = SimpleNamespace(change_message_visibility=lambda **asked: released.append(asked["ReceiptHandle"]))
    monkeypatch.setattr(Session, "aws", SimpleNamespace(sqs=sqs))
    monkeypatch.setattr(Session, "deployment", None)
    monkeypatch.setattr(dead_letters, "dead_letters", lambda *_: held)
    done = CliRunner().invoke(app, ["dlq", "purge", "order-volume"], input=answer)
    assert (done.exit_code, released) == (1, ["r"])
