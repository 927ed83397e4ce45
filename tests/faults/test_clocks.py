"""A worker whose clock is five minutes off."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.api import Call
from chaos.faults import Fault
from chaos.stage import Stage
from tests.faults.looking import all_right, errors, send_again, start_both

FAKETIME = Path(__file__).parents[2] / ".tools" / "libfaketime.so.1"

COOK = "chaos-cook/1"

GIVE_BACK = Call("sqs", "ChangeMessageVisibility")


@pytest.fixture
def skewed(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The cook's clock is off by this. Whoever replaces it has a clock that is right."""
    assert FAKETIME.exists(), f"there is no {FAKETIME}: run `make test-faults`, which brings it"
    skew = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": request.param, "DONT_FAKE_MONOTONIC": "1"}
    stage.fleet.stop([COOK])
    stage.fleet.start(COOK, extra=skew)
    yield stage
    stage.fleet.stop([COOK])
    stage.fleet.start(COOK)


@pytest.mark.parametrize("skewed", ["+5m"], indirect=True)
def test_a_worker_whose_clock_is_ahead_is_lost(skewed: Stage) -> None:
    """Proves that a lease begins by the database's clock: that of a worker which is killed does not last for minutes."""
    skewed.faults.plant(Fault("handled", "kill", "chaos-cook"))
    runs = start_both(skewed)
    skewed.until("the death of the cook", skewed.fleet.dead)
    skewed.fleet.replace_dead()
    all_right(skewed, runs)
    found = errors(skewed, runs)
    assert "WorkerLost" in found
    assert found <= {"WorkerLost", "HandlerTimedOut"}  # on a busy machine an attempt may also take too long


@pytest.mark.parametrize("skewed", ["-5m"], indirect=True)
def test_a_command_comes_twice_to_a_worker_whose_clock_is_behind(skewed: Stage) -> None:
    """Proves that a lease begins and ends by the same clock, the database's: one that is alive keeps the step for its owner.

    A token that is stale is not too young for minutes, whatever the worker's clock says (`Outgoing`).
    """
    with skewed.faults.closed_gate():
        skewed.faults.plant(Fault("handled", "wait", "chaos-cook", item="fish"), times=2)
        runs = start_both(skewed)
        skewed.until("a fish in each hand", lambda: len(skewed.faults.taken()) == len(runs))
        before = skewed.api.calls[GIVE_BACK]
        for run_id, token in zip(runs, ("stale", None), strict=True):
            send_again(skewed, run_id, "chaos-cook", "fish", token)
        skewed.until(
            "somebody's look at the repeats",
            lambda: skewed.api.calls[GIVE_BACK] >= before + len(runs) or "WorkerLost" in errors(skewed, runs),
        )
    all_right(skewed, runs)
    assert "WorkerLost" not in errors(skewed, runs)
