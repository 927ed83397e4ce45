"""Messages that nobody can handle, among many that everybody can."""

import time
from functools import partial

import pytest

from chaos.faults import Fault
from chaos.pipeline import COOK, COURSES, POLICY
from chaos.stage import TODAY, NeverHappened, Stage
from orchestrator.dead_letters import purge, redrive
from tests.faults.looking import all_right, letters, replacing

GOOD = 100
"""Courses to cook, behind the one that kills whoever cooks it."""

RUNS = -(-GOOD // len(COURSES))

LOSSES = next(limit.attempts for limit in POLICY.limits if "WorkerLost" in limit.errors)


def test_a_message_that_kills_its_workers_does_not_hold_up_others(
    stage: Stage, style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Proves that attempts count before the handler runs, so that crashes do, and that what crashes is dead-lettered.

    After the fix (no fault waits any more), redriving the dead letter completes the run.
    """
    bad = one_deadly_course(stage, style)
    started = time.monotonic()
    good = [stage.start("choreographed") for _ in range(RUNS)]
    stage.until("the end of the run", replacing(stage, lambda: stage.run(bad)["status"] != "RUNNING"), seconds=85)
    assert stage.run(bad)["status"] == "FAILED"
    assert f"{COOK.name}/fish failed: KilledItsWorkers: {LOSSES} workers were lost" in stage.run(bad)["cause"]
    stage.until("a dead letter", replacing(stage, lambda: not stage.waiting()))
    all_right(stage, good)
    with capsys.disabled():
        print(f"\n{style}: {time.monotonic() - started:.1f} s for {RUNS * len(COURSES)} good ones and the bad one")
    held = letters(stage)
    assert {one.letter.run_id for one in held} == {bad}
    reasons = {one.letter.step: (one.letter.error, one.letter.reason) for one in held}
    error, reason = reasons[f"{COOK.name}/fish"]
    assert error == "KilledItsWorkers"
    assert reason.startswith(f"{LOSSES} workers were lost while they ran it")
    stage.faults.clear()
    redriven = redrive(stage.aws, stage.connection, stage.deployment, held)
    assert redriven.gone == {one.letter.message_id: f"redrove run {bad}" for one in held}
    all_right(stage, [bad])
    assert letters(stage) == []


def test_only_the_step_that_kills_is_given_up_of_those_that_die_together(stage: Stage) -> None:
    """Proves that a step runs alone, once another loss would be its last: `Delivery.company`.

    In one style: what keeps steps apart knows none.

    Without it all three courses are lost with the worker once more, and each is given up as one that kills its workers.
    """
    deadly = TODAY.replace(month=10)
    here = f"{COOK.name}/1"
    with stage.faults.closed_gate():
        stage.faults.plant(Fault("handling", "wait", COOK.name, run=f"{deadly}"), times=len(COURSES))
        run_id = stage.start("orchestrated", deadly)
        for losses in range(1, LOSSES):
            stage.until("all courses in one worker", partial(all_taken, stage, losses * len(COURSES)))
            stage.fleet.kill(here)
            stage.faults.plant(Fault("handling", "wait", COOK.name, run=f"{deadly}"), times=len(COURSES))
            stage.until("its end", stage.fleet.replace_dead)
        before = (LOSSES - 1) * len(COURSES)
        stage.until("a course alone", lambda: len(stage.faults.taken()) > before)
        with pytest.raises(NeverHappened):
            stage.until("another beside it", lambda: len(stage.faults.taken()) > before + 1, seconds=POLICY.timeout / 2)
        stage.faults.plant(Fault("handled", "kill", COOK.name, item="fish", run=f"{deadly}"), times=LOSSES)
    stage.until("the end of the run", replacing(stage, lambda: stage.run(run_id)["status"] != "RUNNING"), seconds=60)
    assert f"{COOK.name}/fish failed: KilledItsWorkers: {LOSSES} workers were lost" in stage.run(run_id)["cause"]
    stage.until("empty queues", replacing(stage, lambda: not stage.waiting()))
    assert {letter.letter.step for letter in letters(stage)} == {f"{COOK.name}/fish"}
    failed = "SELECT item FROM steps WHERE run_id = %(run_id)s AND state = 'failed'"
    assert [row["item"] for row in stage.rows(failed, run_id=run_id)] == ["fish"]


def all_taken(stage: Stage, total: int) -> bool:
    return len(stage.faults.taken()) == total


def test_a_message_that_cannot_be_parsed_is_out_of_the_way_at_once(stage: Stage, style: str) -> None:
    """Proves `parse`: a body that is no envelope is dead-lettered at its first receipt, with the reason."""
    url = stage.deployment.queue_url(COOK, COOK.versions[0])
    stage.aws.sqs.send_message(QueueUrl=url, MessageBody="a recipe on a napkin")
    all_right(stage, [stage.start(style)])
    (held,) = letters(stage, (COOK,))
    assert (held.letter.error, held.letter.receives) == ("PoisonMessage", 1)
    assert held.letter.reason.startswith("the body is no envelope: body: Invalid JSON")
    assert held.letter.body == "a recipe on a napkin"
    purge(stage.aws, [held])


@pytest.fixture(autouse=True)
def _no_letters(stage: Stage) -> None:
    """Runs that failed in earlier tests leave some."""
    purge(stage.aws, letters(stage))


def one_deadly_course(stage: Stage, style: str) -> str:
    """A run whose fish kills whoever cooks it, and has done so once. Its other courses are done: none is a neighbour of it."""
    deadly = TODAY.replace(month=12)
    with stage.faults.closed_gate():
        stage.faults.plant(Fault("handling", "wait", COOK.name, item="fish", run=f"{deadly}"))
        run_id = stage.start(style, deadly)
        stage.until("a fish in hand", stage.faults.taken)
        done = "SELECT FROM steps WHERE run_id = %(run_id)s AND component = %(cook)s AND state = 'done'"
        others = len(COURSES) - 1
        stage.until("the other courses", lambda: len(stage.rows(done, run_id=run_id, cook=COOK.name)) == others)
        stage.faults.plant(Fault("handled", "kill", COOK.name, item="fish", run=f"{deadly}"), times=3 * LOSSES)
    stage.until("the first death", stage.fleet.dead)
    return run_id
