"""Handlers that raise and handlers that hang."""

from chaos.faults import Fault
from chaos.pipeline import POLICY
from chaos.stage import Stage

ATTEMPTS = POLICY.limits[0].attempts


def test_a_handler_that_raises_transiently_is_tried_again(stage: Stage, style: str) -> None:
    """Proves `Policy.limits`: a retryable error has so many attempts before the step fails."""
    stage.faults.plant(Fault("handling", "raise-transient", "chaos-cook", item="fish"), times=ATTEMPTS - 1)
    run_id = stage.start(style)
    assert stage.ended(run_id)["status"] == "SUCCEEDED"
    assert stage.published(run_id) == [stage.right_hash]
    fish = [attempt[1:] for attempt in stage.attempts(run_id, "chaos-cook") if attempt[0] == "fish"]
    failed = [(number, "failed", "TransientError") for number in range(1, ATTEMPTS)]
    assert fish == [*failed, (ATTEMPTS, "done", None)]


def test_a_handler_that_keeps_raising_fails_the_run_with_one_cause(stage: Stage, style: str) -> None:
    """Proves that attempts are counted, in rows that outlive each of them, and that their number is a limit."""
    stage.faults.plant(Fault("handling", "raise-transient", "chaos-cook", item="fish"), times=ATTEMPTS)
    run_id = stage.start(style)
    run = stage.ended(run_id)
    assert (run["status"], run["cause"]) == (
        "FAILED",
        f"chaos-cook/fish failed after {ATTEMPTS} attempts: TransientError: a planted fault: something outside failed",
    )
    assert stage.published(run_id) == []


def test_a_handler_that_raises_permanently_is_not_tried_again(stage: Stage, style: str) -> None:
    """Proves `BrigadeError.retryable`: an error that says trying again cannot help fails the run at once."""
    stage.faults.plant(Fault("handling", "raise-permanent", "chaos-saucier"))
    run_id = stage.start(style)
    run = stage.ended(run_id)
    cause = "chaos-saucier/- failed: BadData: a planted fault: the data does not allow it"
    assert (run["status"], run["cause"]) == ("FAILED", cause)
    assert stage.attempts(run_id, "chaos-saucier") == [("-", 1, "failed", "BadData")]
    assert stage.published(run_id) == []


def test_an_optional_handler_that_raises_permanently_is_replaced(stage: Stage, style: str) -> None:
    """Proves `Component.fallback`: the run goes on without the component's own answer, and says so."""
    stage.faults.plant(Fault("handling", "raise-permanent", "chaos-sommelier"))
    run_id = stage.start(style)
    run = stage.ended(run_id)
    assert (run["status"], run["degraded"]) == ("SUCCEEDED", True)
    (published,) = stage.published(run_id)
    assert published != stage.right_hash


def test_a_handler_that_hangs_is_given_up_at_its_timeout(stage: Stage, style: str) -> None:
    """Proves `Policy.timeout`: the attempt ends although the handler never does, and the step is tried again."""
    stage.faults.plant(Fault("handling", "hang", "chaos-cook", item="tart"))
    run_id = stage.start(style)
    assert stage.ended(run_id)["status"] == "SUCCEEDED"
    assert stage.published(run_id) == [stage.right_hash]
    tart = [attempt[1:] for attempt in stage.attempts(run_id, "chaos-cook") if attempt[0] == "tart"]
    assert tart == [(1, "failed", "HandlerTimedOut"), (2, "done", None)]


def test_what_an_attempt_that_failed_was_to_publish_is_not_published(stage: Stage, style: str) -> None:
    """Proves that `ctx.with_answer` belongs to one attempt: what failed attempts asked for is forgotten with them."""
    stage.faults.plant(Fault("handled", "raise-transient", "chaos-server"), times=2)
    run_id = stage.start(style)
    assert stage.ended(run_id)["status"] == "SUCCEEDED"
    assert stage.published(run_id) == [stage.right_hash]
