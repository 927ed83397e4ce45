"""SIGTERM while there is more to do than a worker can."""

import signal
import time

import pytest

from chaos.faults import Fault
from chaos.stage import Stage

RUNS = 6
COOK = "chaos-cook/1"


def test_a_worker_that_is_stopped_under_load_finishes_what_it_has(
    stage: Stage, style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Proves that SIGTERM ends the receiving, not the handlers: what was begun is done in one attempt."""
    before = stage.api.answers.copy()
    with stage.faults.closed_gate():
        runs = load(stage, style)
        asked = time.monotonic()
        stage.fleet.signal(COOK, signal.SIGTERM)
        stage.until("the worker hears of it", lambda: "stopping" in stage.fleet.running[COOK].log.read_text())
    wait_for_the_end(stage, asked, capsys)
    assert unfinished(stage, runs) == []
    assert all_end_well(stage, runs)
    assert {error for run_id in runs for _, _, _, error in stage.attempts(run_id, "chaos-cook")} == {None}
    assert set((stage.api.answers - before).values()) == {1}


def test_a_worker_that_cannot_finish_gives_back_what_it_has(
    stage: Stage, style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Proves that a claim is released and its message given back at once: nobody waits for a lease to end."""
    stage.fleet.stop([COOK])
    stage.fleet.start(COOK, extra={"BRIGADE_DRAIN_SECONDS": "0.5"})
    before = stage.api.answers.copy()
    with stage.faults.closed_gate():
        runs = load(stage, style)
        asked = time.monotonic()
        stage.fleet.signal(COOK, signal.SIGTERM)
        wait_for_the_end(stage, asked, capsys)
        assert unfinished(stage, runs) == []
        given_back = [a for run_id in runs for a in stage.attempts(run_id, "chaos-cook") if a[3] == "GivenBack"]
        assert len(given_back) == 4
    assert all_end_well(stage, runs)
    assert set((stage.api.answers - before).values()) == {1}


def load(stage: Stage, style: str) -> list[str]:
    """More steps than the cook can run at a time, of which it holds as many as it can."""
    stage.faults.plant(Fault("handling", "wait", "chaos-cook"), times=4)
    runs = [stage.start(style) for _ in range(RUNS)]
    stage.until("four courses in hand", lambda: len(stage.faults.taken()) == 4)
    return runs


def wait_for_the_end(stage: Stage, asked: float, capsys: pytest.CaptureFixture[str]) -> None:
    stage.until("the worker's end", stage.fleet.dead, seconds=30)
    with capsys.disabled():
        print(f"\n{time.monotonic() - asked:.1f} s from SIGTERM to the worker's end")


def unfinished(stage: Stage, runs: list[str]) -> list[str]:
    """The steps that are still claimed by a cook."""
    query = "SELECT item FROM steps WHERE run_id = ANY (%(runs)s) AND component = 'chaos-cook' AND state = 'claimed'"
    return [row["item"] for row in stage.rows(query, runs=runs)]


def all_end_well(stage: Stage, runs: list[str]) -> bool:
    stage.fleet.replace_dead()
    ended = [stage.ended(run_id)["status"] for run_id in runs]
    stage.settled()
    return ended == ["SUCCEEDED"] * RUNS and all(stage.published(run_id) == [stage.right_hash] for run_id in runs)
