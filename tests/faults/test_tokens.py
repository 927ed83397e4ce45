"""Task tokens that Step Functions does not know yet, or not any more."""

from chaos.api import Rule
from chaos.faults import Fault
from chaos.stage import Stage
from tests.faults.looking import all_right, send_again

TIMED_OUT = "TaskTimedOut"


def test_a_token_is_too_young(stage: Stage) -> None:
    """Proves that an answer is tried again while its token may still become known: no state has to time out for it."""
    rule = stage.api.refuse(Rule("states", "SendTaskSuccess", times=5, status=400, code="TaskDoesNotExist"))
    run_id = stage.start("orchestrated")
    all_right(stage, [run_id])
    assert rule.applied == 5
    assert timeouts(stage, run_id) == 0


def test_a_token_is_stale(stage: Stage) -> None:
    """Proves `NOT_WAITING`: an answer that nobody waits for is given up, and the next command has the same one."""
    stage.faults.plant(Fault("claimed", "kill", "chaos-saucier"))
    run_id = stage.start("orchestrated")
    stage.until("the death of the saucier", stage.fleet.dead)
    stage.until("a state that times out", lambda: timeouts(stage, run_id))
    stage.fleet.replace_dead()
    all_right(stage, [run_id])
    done = [outcome for _, _, outcome, _ in stage.attempts(run_id, "chaos-saucier")]
    assert done == ["failed", "done"]


def test_a_token_has_been_answered(stage: Stage) -> None:
    """Proves the same of a token that has had its answer: its message is deleted and nothing is done twice."""
    run_id = stage.start("orchestrated")
    all_right(stage, [run_id])
    (step,) = stage.rows("SELECT token FROM steps WHERE run_id = %(run_id)s AND item = 'fish'", run_id=run_id)
    send_again(stage, run_id, "chaos-cook", "fish", step["token"])
    stage.settled(30)
    assert len(stage.attempts(run_id, "chaos-cook")) == 3
    assert stage.execution(run_id)["status"] == "SUCCEEDED"


def timeouts(stage: Stage, run_id: str) -> int:
    """Of the states of its execution."""
    execution = stage.run(run_id)["execution"]
    history = stage.aws.stepfunctions.get_execution_history(executionArn=execution, maxResults=1000)
    return sum(event["type"] == TIMED_OUT for event in history["events"])
