"""Following a run in lines."""

from datetime import UTC, date, datetime

from rich.console import Console

from orchestrator.history import AttemptAtStep, RunHistory
from orchestrator.watch import follow_by


def attempt(number: int, status: str, error: str | None = None, item: str = "-", mode: str = "normal") -> AttemptAtStep:
    return AttemptAtStep(
        component="predictor",
        version="v1",
        item=item,
        attempt=number,
        mode=mode,
        status=status,
        start=None,
        duration=None if status in ("running", "waiting", "ready") else 0.5,
        input=None,
        output=None,
        error=error,
        worker=None,
        log=None,
    )


PENDING = "ResourcePending: the predictor is CREATE_IN_PROGRESS"


def history(*steps: AttemptAtStep, status: str = "RUNNING") -> RunHistory:
    return RunHistory(
        run_id="r1",
        pipeline="order-volume",
        style="choreographed",
        date=date(2026, 11, 25),
        status=status,
        degraded=(),
        cause=None,
        generation=1,
        execution=None,
        versions=(),
        start=datetime(2026, 11, 25, tzinfo=UTC),
        duration=2.5,
        published=None,
        steps=steps,
    )


def lines(*looks: RunHistory) -> list[str]:
    """What is shown when these are found, one after the other."""
    console, found = Console(width=200, no_color=True), iter(looks)
    with console.capture() as capture:
        last = follow_by(lambda: next(found), console, 0)
    assert last is looks[-1]
    return capture.get().splitlines()


def test_a_change_is_told_once() -> None:
    waiting, running, done = attempt(0, "waiting"), attempt(1, "running"), attempt(1, "done")
    shown = lines(history(waiting), history(running), history(running), history(done, status="SUCCEEDED"))
    assert shown == ["r1 predictor/- attempt 1 running", "r1 predictor/- attempt 1 done in 0.50 s"]


def test_a_step_that_looks_again_and_again_is_told_of_once_and_when_it_is_done() -> None:
    pending = [attempt(number, "failed", PENDING) for number in (1, 2, 3)]
    shown = lines(
        history(attempt(1, "running")),
        history(pending[0]),
        history(pending[0], attempt(2, "running")),
        history(*pending[:2], attempt(3, "ready")),
        history(*pending, attempt(4, "running")),
        history(*pending, attempt(4, "done"), status="SUCCEEDED"),
    )
    assert shown == [
        "r1 predictor/- attempt 1 running",
        "r1 predictor/- attempt 1 pending, and looks again in 0.50 s",
        "r1 predictor/- attempt 4 done in 0.50 s",
    ]


def test_each_item_is_told_of_and_so_is_another_error() -> None:
    shown = lines(
        history(
            attempt(1, "failed", PENDING, "A"), attempt(1, "failed", PENDING, "B"), attempt(2, "running", item="B")
        ),
        history(attempt(2, "failed", "ResourceFailed: no data", "A"), attempt(2, "running", item="B"), status="FAILED"),
    )
    assert shown == [
        "r1 predictor/A attempt 1 pending, and looks again in 0.50 s",
        "r1 predictor/B attempt 1 pending, and looks again in 0.50 s",
        "r1 predictor/A attempt 2 failed in 0.50 s",
        "r1 predictor/B attempt 2 running",
    ]


def test_a_fallback_s_attempt_says_so() -> None:
    shown = lines(history(attempt(4, "done", mode="fallback"), status="SUCCEEDED"))
    assert shown == ["r1 predictor/- attempt 4, fallback, done in 0.50 s"]
