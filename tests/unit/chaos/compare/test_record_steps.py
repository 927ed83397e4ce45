"""What is recorded of a step, from the rows of its attempts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from chaos.compare.logs import Logged
from chaos.compare.record import step_of
from orchestrator.compare.paths import looks

START = datetime(2026, 11, 25, 4, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def row(attempt: int, claimed: float, ready: float, **changed: Any) -> dict[str, Any]:
    return {
        "component": "predictor",
        "item": "-",
        "state": "done",
        "needs": ["configurator/-"],
        "ready_at": at(ready),
        "attempt": attempt,
        "mode": "normal",
        "worker": "predictor-1",
        "started_at": at(claimed),
        "ended_at": at(claimed + 0.5),
        "outcome": "done",
        "error": None,
        "cause": None,
    } | changed


def looked(ready: float) -> list[dict[str, Any]]:
    pending = {"outcome": "failed", "error": "ResourcePending", "cause": "predictor volume is CREATE_IN_PROGRESS"}
    return [row(1, 20.2, ready, **pending), row(2, 21.7, ready, **pending), row(3, 23.2, ready)]


def test_a_step_that_looked_again_was_let_go_by_its_clock() -> None:
    """Its row has only when it was let go for its last look."""
    found = step_of(looked(ready=23.0), START, Logged(), {}, {"predictor": 20.0})
    assert found.ready == 20.0
    assert [look.number for look in looks(found)] == [1, 2]


def test_without_a_clock_nobody_has_seen_when() -> None:
    assert step_of(looked(ready=23.0), START, Logged(), {}, {}).ready is None
    assert step_of(looked(ready=20.1), START, Logged(), {}, {}).ready == 20.1


def test_a_state_machine_let_it_go_when_it_sent_its_command_first() -> None:
    assert step_of(looked(ready=23.0), START, Logged(), {"predictor/-": at(20.05)}, {}).ready == 20.05
