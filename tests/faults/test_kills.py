"""`kill -9` of a worker, wherever a message may be on its way through it."""

import time

import pytest

from chaos.faults import Fault, Point
from chaos.fleet import PLACES
from chaos.stage import Stage


@pytest.mark.parametrize("point", ["received", "claimed", "handling", "handled"])
def test_a_worker_killed_before_the_commit_is_followed_by_another(stage: Stage, style: str, point: Point) -> None:
    """Proves that a message is deleted after its work only, and that a claim ends with its lease: the next worker gets both.

    Step Functions would send another command at the end of its heartbeat: no state comes to that.
    """
    stage.faults.plant(Fault(point, "kill", "chaos-cook"))
    run_id = stage.start(style)
    replace_the_killed(stage)
    assert stage.ended(run_id)["status"] == "SUCCEEDED"
    assert stage.published(run_id) == [stage.right_hash]
    lost = [error for _, _, _, error in stage.attempts(run_id, "chaos-cook") if error]
    assert set(lost) == (set() if point == "received" else {"WorkerLost"})
    assert style == "choreographed" or "TaskTimedOut" not in events_of_the_execution(stage, run_id)


@pytest.mark.parametrize(
    ("point", "component"),
    [("committed", "chaos-cook"), ("committed", "chaos-server"), ("answered", "chaos-cook")],
)
def test_a_worker_killed_after_the_commit_has_its_answer_repeated(
    stage: Stage, style: str, point: Point, component: str
) -> None:
    """Proves that a step that is done repeats its stored answer: it is neither run again nor forgotten."""
    stage.faults.plant(Fault(point, "kill", component))
    if point == "answered":  # the others go on: keep the run under way until the message comes again
        for slow in ("chaos-saucier", "chaos-server"):
            stage.faults.plant(Fault("handling", "hang", slow))
    run_id = stage.start(style)
    replace_the_killed(stage)
    assert stage.ended(run_id)["status"] == "SUCCEEDED"
    stage.settled()
    assert stage.published(run_id) == [stage.right_hash]
    done = [item for item, _, outcome, _ in stage.attempts(run_id, component) if outcome == "done"]
    assert len(done) == len(set(done))
    if style == "orchestrated":
        stage.until("the end of the execution", lambda: stage.execution(run_id)["status"] == "SUCCEEDED")
    else:
        assert all(stage.api.answers[f"{run_id}/{component}/{item}"] for item in done)


def test_every_worker_is_killed_at_once(stage: Stage, style: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Proves the same for a fleet that is gone: nothing a run needs is in a process only, and leases end by themselves."""
    with stage.faults.closed_gate():
        stage.faults.plant(Fault("handling", "wait", "chaos-cook", item="fish"))
        run_id = stage.start(style)
        stage.until("a cook with the fish in hand", stage.faults.taken)
        killed = time.monotonic()
        stage.fleet.kill(*PLACES)
        stage.until("the death of all", lambda: len(stage.fleet.dead()) == len(PLACES))
    stage.fleet.replace_dead()
    assert stage.ended(run_id)["status"] == "SUCCEEDED"
    tell(capsys, f"{style}: {time.monotonic() - killed:.1f} s from the kill of all workers to the end of the run")
    assert stage.published(run_id) == [stage.right_hash]


def test_every_worker_is_killed_once_in_its_turn(stage: Stage, style: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Proves the same, the leases, for each component by itself, between its handler and its commit."""
    for place in PLACES:
        stage.faults.plant(Fault("handled", "kill", place.partition("/")[0]))
    run_id = stage.start(style)
    killed = replace_the_killed(stage)

    def ended() -> bool:
        stage.fleet.replace_dead()
        return bool(stage.run(run_id)["status"] != "RUNNING")

    stage.until(f"the end of {run_id}", ended)
    tell(
        capsys,
        f"{style}: {time.monotonic() - killed:.1f} s from the first of {len(PLACES)} kills to the end of the run",
    )
    assert stage.run(run_id)["status"] == "SUCCEEDED"
    assert stage.faults.planted() == []
    assert stage.published(run_id) == [stage.right_hash]


def events_of_the_execution(stage: Stage, run_id: str) -> list[str]:
    arn = stage.run(run_id)["execution"]
    pages = stage.aws.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event["type"] for page in pages for event in page["events"]]


def replace_the_killed(stage: Stage) -> float:
    """Gives when the death was seen, by the monotonic clock."""
    stage.until("the death of a worker", stage.fleet.dead)
    seen = time.monotonic()
    stage.fleet.replace_dead()
    return seen


def tell(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n{text}")
